"""One resource of a stack: create, update, delete, each with the stack events that AWS shows for it."""

import copy
import logging
import re
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.cloudformation.models import Event, Stack
from moto.cloudformation.parsing import ResourceMap, get_model_map
from moto.core.exceptions import ServiceException
from moto.ec2.models.core import TaggedEC2Resource
from werkzeug.exceptions import HTTPException

from .intrinsics import with_dynamic_references
from .model import ATTRIBUTES, CREATES, CUSTOM, DELETES, EXISTS, MODELS, REPLACE, UPDATES, Model, ec2, tag_dict
from .presence import require_there
from .replacing import replaces
from .skipped import SkippedResource

log = logging.getLogger("cell_factory_moto")


# The ClientRequestToken of the request that is being worked on; its stack events bear it.
request_token: ContextVar[str | None] = ContextVar("request_token", default=None)


class ResourceFailed(Exception):
    """A resource could not be created, updated or deleted; its event has been recorded."""

    def __init__(self, logical_id: str, reason: str):
        super().__init__(reason)
        self.logical_id = logical_id


def reason_of(error: Exception) -> str:
    """The message of a service's refusal. Anything else is a defect of moto or of this package: it goes to the log with its trace."""
    if isinstance(error, (HTTPException, ServiceException)):
        return str(getattr(error, "message", None) or error)
    if isinstance(error, ClientError):
        return f"{error.response['Error'].get('Message')} (Code: {error.response['Error'].get('Code')})"
    log.error("Unexpected error in a resource", exc_info=error)
    if isinstance(error, RuntimeError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def record(stack: Stack, logical_id: str, physical_id: str, cfn_type: str, status: str, reason: str | None = None) -> None:
    """Adds one event to DescribeStackEvents. moto has events for the stack only; AWS has them for each resource."""
    event = Event(stack.stack_id, stack.name, logical_id, physical_id, cfn_type, status, reason, None)
    event.client_request_token = request_token.get()
    event.sendToSns(stack.account_id, stack.region_name, stack.notification_arns)
    if stack.events:
        # The CDK sorts by time, in milliseconds.
        event.timestamp = max(event.timestamp, stack.events[-1].timestamp + timedelta(milliseconds=1))
    stack.events.append(event)


@replaces(Stack)
def _add_stack_event(
    self: Stack, resource_status: str, resource_status_reason: str | None = None, resource_properties: str | None = None
) -> None:
    record(self, self.name, self.stack_id, "AWS::CloudFormation::Stack", resource_status, resource_status_reason)


def record_resource(
    resources: ResourceMap, logical_id: str, status: str, reason: str | None = None, physical_id: str | None = None
) -> None:
    cfn_type = resources._resource_json_map[logical_id]["Type"]
    if physical_id is None:
        physical_id = getattr(resources._parsed_resources.get(logical_id), "physical_resource_id", "") or ""
    record(resources.stack, logical_id, physical_id, cfn_type, status, reason)


@replaces(parsing)
def resource_class_from_type(resource_type: str) -> Any:
    """moto answers None for a type it does not model, and then leaves the resource out."""
    if resource_type.startswith("Custom::"):
        return MODELS[CUSTOM]
    return MODELS.get(resource_type) or get_model_map().get(resource_type) or SkippedResource


@replaces(parsing)
def resource_name_property_from_type(resource_type: str) -> str:
    return resource_class_from_type(resource_type).cloudformation_name_type()


def resolved(resources: ResourceMap, logical_id: str) -> dict[str, Any]:
    """The resource's part of the template with every intrinsic function replaced by its value."""
    part = {key: value for key, value in resources._resource_json_map[logical_id].items() if key != "Metadata"}
    return with_dynamic_references(parsing.clean_json({"Properties": {}, **part}, resources), resources)


def _physical_name(resources: ResourceMap, logical_id: str, part: dict[str, Any]) -> tuple[str, bool]:
    """The resource's name, and whether the template gives it."""
    name_property = resource_name_property_from_type(part["Type"])
    if name_property and part["Properties"].get(name_property):
        return part["Properties"][name_property], True
    return parsing.generate_resource_name(part["Type"], resources["AWS::StackName"], logical_id), False


def _make(resources: ResourceMap, logical_id: str, part: dict[str, Any]) -> Any:
    """Creates the resource itself, from resolved properties."""
    account_id, region, cfn_type = resources._account_id, resources._region_name, part["Type"]
    name, is_given = _physical_name(resources, logical_id, part)
    if is_given and cfn_type in EXISTS and EXISTS[cfn_type](name, account_id, region):
        raise ServiceException(f"{name} already exists in stack or account (HandlerErrorCode: AlreadyExists)")
    properties = copy.deepcopy(part["Properties"])
    model = resource_class_from_type(cfn_type)
    if issubclass(model, Model):
        resource = model(name, properties, account_id, region)
        resource.logical_resource_id, resource.stack_id, resource.cf_resource_type = logical_id, resources.stack_id, cfn_type
        resource.creation_policy = part.get("CreationPolicy", {})
        resource.create()
    else:
        context = {"LogicalId": logical_id, "StackId": resources.stack_id, "ResourceType": cfn_type}
        resource = model.create_from_cloudformation_json(name, {**part, "Properties": properties}, account_id, region, **context)
        if cfn_type in CREATES:
            CREATES[cfn_type](resource, part["Properties"], account_id, region)
    return _labelled(resources, logical_id, part, resource)


def _labelled(resources: ResourceMap, logical_id: str, part: dict[str, Any], resource: Any) -> Any:
    """What moto's listings read, and the tags that CloudFormation itself puts on."""
    resource.cf_resource_type = part["Type"]
    resource.logical_resource_id = logical_id
    resources.applied[logical_id] = part["Properties"]
    stack = resources.stack
    own = {"stack-name": stack.name, "stack-id": stack.stack_id, "logical-id": logical_id}
    marks = {f"aws:cloudformation:{key}": value for key, value in own.items()}
    if _has_ec2_tags(resource):
        tags = {**stack.tags, **tag_dict(part["Properties"]), **marks}
        ec2(resources._account_id, resources._region_name).create_tags([resource.physical_resource_id], tags)
    elif isinstance(resource, Model):
        resource.mark(marks)
    return resource


def _has_ec2_tags(resource: Any) -> bool:
    return resource.ec2_tags if isinstance(resource, Model) else isinstance(resource, TaggedEC2Resource)


@replaces(parsing)
def parse_and_create_resource(
    logical_id: str, resource_json: dict[str, Any], resources_map: ResourceMap, account_id: str, region_name: str
) -> Any:
    """moto lets a failing resource end the request with 400 or 500; AWS records a CREATE_FAILED event with the reason and rolls back."""
    if not is_active(resources_map, logical_id):
        return None
    try:
        part = resolved(resources_map, logical_id)
        record_resource(resources_map, logical_id, "CREATE_IN_PROGRESS")
        resource = _make(resources_map, logical_id, part)
    except ResourceFailed:
        raise
    except Exception as error:
        reason = reason_of(error)
        record_resource(resources_map, logical_id, "CREATE_FAILED", reason)
        raise ResourceFailed(logical_id, reason) from error
    record_resource(resources_map, logical_id, "CREATE_COMPLETE", physical_id=str(getattr(resource, "physical_resource_id", logical_id)))
    return resource


def is_active(resources: ResourceMap, logical_id: str) -> bool:
    """False for a resource whose condition does not hold."""
    condition = resources._resource_json_map[logical_id].get("Condition")
    return not condition or resources.lazy_condition_map[condition]


def update_resource(resources: ResourceMap, logical_id: str) -> None:
    """moto updates what changed in the template's text; AWS whatever has other resolved properties than before."""
    part, old = None, resources.applied.get(logical_id)
    try:
        part = resolved(resources, logical_id)
        if part["Properties"] == old:
            return
        record_resource(resources, logical_id, "UPDATE_IN_PROGRESS")
        resource = _updated(resources, logical_id, part, old or {})
    except ResourceFailed:
        raise
    except Exception as error:
        reason = reason_of(error)
        record_resource(resources, logical_id, "UPDATE_FAILED", reason)
        raise ResourceFailed(logical_id, reason) from error
    resources._parsed_resources[logical_id] = resource
    record_resource(resources, logical_id, "UPDATE_COMPLETE")


def _updated(resources: ResourceMap, logical_id: str, part: dict[str, Any], old: dict[str, Any]) -> Any:
    """The resource with its new properties: the same one, or its replacement (the old one is deleted at the end of the stack's update)."""
    resource = resources._parsed_resources[logical_id]
    changed = _changed_in_place(resources, resource, part, old)
    if changed is not REPLACE:
        return _labelled(resources, logical_id, part, changed)
    replacement = _make(resources, logical_id, part)
    resources.replaced[logical_id] = (resource, old)
    return replacement


def _changed_in_place(resources: ResourceMap, resource: Any, part: dict[str, Any], old: dict[str, Any]) -> Any:
    new, account_id, region = part["Properties"], resources._account_id, resources._region_name
    changed = {key for key in {*new, *old} if new.get(key) != old.get(key)}
    if _has_ec2_tags(resource):
        gone = {key: None for key in tag_dict(old) if key not in tag_dict(new)}
        ec2(account_id, region).delete_tags([resource.physical_resource_id], gone)
    if isinstance(resource, Model):
        if changed.intersection(resource.replaced_by) or resource.name_property in changed:
            return REPLACE
        require_there(resource, account_id, region)
        _update_model(resources, resource, new, old)
        return resource
    if part["Type"] in UPDATES:
        if resource_name_property_from_type(part["Type"]) not in changed:
            require_there(resource, account_id, region)
        return UPDATES[part["Type"]](resource, new, old, account_id, region)
    if changed == {"Tags"} and _has_ec2_tags(resource):
        return resource
    model = resource_class_from_type(part["Type"])
    if hasattr(model.update_from_cloudformation_json, "__isabstractmethod__"):
        return REPLACE
    name, _ = _physical_name(resources, resource.logical_resource_id, part)
    return model.update_from_cloudformation_json(
        original_resource=resource,
        new_resource_name=name,
        cloudformation_json={**part, "Properties": copy.deepcopy(new)},
        account_id=account_id,
        region_name=region,
    )


def _update_model(resources: ResourceMap, resource: Model, new: dict[str, Any], old: dict[str, Any]) -> None:
    resource.properties = copy.deepcopy(new)
    try:
        left = resource.update(old)
    except Exception:
        if resource.sends_failed_updates_back:
            resources.applied[resource.logical_resource_id] = new
        raise
    if left:
        resources.replaced[resource.logical_resource_id] = (left, old)


def _is_gone(error: Exception) -> bool:
    """Whether a deletion failed because there is nothing to delete, which AWS takes as done."""
    code = (
        error.response["Error"]["Code"]
        if isinstance(error, ClientError)
        else getattr(error, "error_type", None) or getattr(error, "code", "")
    )
    return re.search(r"NotFound|NoSuch|NonExistent|DoesNotExist", f"{code} {type(error).__name__}") is not None


def delete_resource(resources: ResourceMap, logical_id: str, resource: Any, properties: dict[str, Any]) -> None:
    """Deletes, unless somebody else has done it already."""
    try:
        _delete(resources, resource, properties)
    except Exception as error:
        if not _is_gone(error):
            raise


def _delete(resources: ResourceMap, resource: Any, properties: dict[str, Any]) -> None:
    """moto has no deletion for many types and then keeps the resource while saying it is gone."""
    account_id, region = resources._account_id, resources._region_name
    cfn_type = resource.cf_resource_type
    if isinstance(resource, Model):
        resource.delete()
    elif cfn_type in DELETES:
        DELETES[cfn_type](resource, properties, account_id, region)
    elif not hasattr(type(resource).delete_from_cloudformation_json, "__isabstractmethod__"):
        part = {"Type": cfn_type, "Properties": copy.deepcopy(properties)}
        resource_class_from_type(cfn_type).delete_from_cloudformation_json(resource.physical_resource_id, part, account_id, region)
    elif hasattr(resource, "delete"):
        resource.delete(account_id, region)
    else:
        log.warning("The local cloud cannot delete %s (%s): it stays", cfn_type, resource.physical_resource_id)


def complete_attributes() -> None:
    """Teaches moto's own models the attributes in ATTRIBUTES."""
    for cfn_type, attributes in ATTRIBUTES.items():
        _complete(get_model_map()[cfn_type], attributes)


def _complete(model: Any, attributes: dict[str, Any]) -> None:
    has, get = model.has_cfn_attr.__func__, getattr(model, "get_cfn_attribute", None)

    def has_cfn_attr(cls: Any, attr: str) -> bool:
        return attr in attributes or has(cls, attr)

    def get_cfn_attribute(self: Any, name: str) -> Any:
        if name in attributes:
            return attributes[name](self)
        if get is None:
            raise UnformattedGetAttTemplateException()
        return get(self, name)

    model.has_cfn_attr = classmethod(has_cfn_attr)
    model.get_cfn_attribute = get_cfn_attribute
