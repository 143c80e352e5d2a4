"""A stack's create, update and delete as AWS does them: in the order of dependencies, with events, and rolled back when a resource fails.

moto does all of it in the request and stops half-way at the first error: the answer is 400 or 500 and the stack stays in progress.
It stays within the request here too: when the call answers, the stack is in its final state.
"""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack, cloudformation_backends
from moto.cloudformation.parsing import Export, OutputMap, ResourceMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_stack_id
from moto.utilities.utils import get_partition

from .replacing import replaces
from .resources import ResourceFailed, delete_resource, is_active, reason_of, record_resource, request_token, update_resource

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED")
GONE = ("DELETE_COMPLETE",)

# What the request asks for when a resource fails: ROLLBACK, DO_NOTHING (`cdk deploy --no-rollback`), or DELETE, of a new stack.
on_failure: ContextVar[str] = ContextVar("on_failure", default="ROLLBACK")


def _keeps_failed() -> bool:
    return on_failure.get() == "DO_NOTHING"



class StackFailed(Exception):
    """Something of the stack itself, not of one resource: an output or an export."""


# --- order ---


def mentions(part: Any) -> Iterable[str]:
    """Every name that a part of a template refers to."""
    if isinstance(part, list):
        for value in part:
            yield from mentions(value)
    if not isinstance(part, dict):
        return
    for key, value in part.items():
        if key == "Ref" and isinstance(value, str):
            yield value
        elif key == "Fn::GetAtt":
            yield value.split(".")[0] if isinstance(value, str) else value[0]
        elif key == "Fn::Sub":
            text = value[0] if isinstance(value, list) else value
            yield from re.findall(r"\$\{([A-Za-z0-9]+)", text)
            yield from mentions(value)
        elif key == "DependsOn":
            yield from [value] if isinstance(value, str) else value
        else:
            yield from mentions(value)


def in_order(resources: dict[str, Any]) -> list[str]:
    """Logical ids, each after everything it depends on; otherwise in the template's order."""
    done: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValidationError(message=f"Circular dependency between resources: [{', '.join(path[path.index(name):])}]")
        if name in done or name not in resources:
            return
        for dependency in mentions({key: value for key, value in resources[name].items() if key != "Metadata"}):
            visit(dependency, (*path, name))
        done[name] = None

    for name in resources:
        visit(name, ())
    return list(done)


# --- what a stack consists of ---


def _backend(stack: Stack) -> CloudFormationBackend:
    return cloudformation_backends[stack.account_id][stack.region_name]


def map_of(stack: Stack, template: dict[str, Any], parameters: dict[str, Any]) -> ResourceMap:
    """An empty map of the template's resources. Checks parameters, conditions and outputs, as AWS does before it starts."""
    resources = ResourceMap(
        stack.stack_id,
        stack.name,
        parameters,
        stack.tags,
        account_id=stack.account_id,
        region_name=stack.region_name,
        template=template,
        cross_stack_resources=_backend(stack).exports,
    )
    resources.stack = stack
    resources.applied = {}
    resources.replaced = {}
    resources._parsed_resources["AWS::Partition"] = get_partition(stack.region_name)
    resources._parsed_resources["AWS::NotificationARNs"] = stack.notification_arns
    resources.load()
    in_order(resources._resource_json_map)
    return resources


@replaces(Stack)
def _create_resource_map(self: Stack) -> ResourceMap:
    """moto loses the imports of a stack that is created before the first export."""
    self.listed_outputs, self.listed_exports = [], []
    return map_of(self, self.template_dict, self.parameters)


def existing_in(resources: ResourceMap) -> dict[str, Any]:
    """The resources that have been created, by logical id."""
    parsed = resources._parsed_resources
    return {name: parsed[name] for name in resources._resource_json_map if parsed.get(name) is not None}


def missing(stack: Stack) -> list[str]:
    """What the stack's own template has and the stack lacks, because its creation or update failed and was not rolled back."""
    resources = stack.resource_map
    return [name for name in resources._resource_json_map if is_active(resources, name) and resources._parsed_resources.get(name) is None]


# moto creates resources when they are merely listed (and again after a rollback): list what exists.
Stack.stack_resources = property(lambda self: list(existing_in(self.resource_map).values()))
Stack.outputs = property(lambda self: self.listed_outputs or None)
Stack.exports = property(lambda self: self.listed_exports)


def _publish(stack: Stack, resources: ResourceMap) -> None:
    """Outputs and exports, from the resources as they are now. moto never sets those of a stack that comes from a change set."""
    exports = _backend(stack).exports
    try:
        outputs = OutputMap(resources, resources._template, stack.stack_id)
        wanted = outputs.exports
        names = {str(export.value): export.name for export in wanted}
        listed = [
            {"OutputKey": output.key, "OutputValue": str(output.value), "Description": output.description}
            | ({"ExportName": names[str(output.value)]} if str(output.value) in names else {})
            for output in outputs.values()
            if output
        ]
    except ResourceFailed:
        raise
    except Exception as error:
        raise StackFailed(reason_of(error)) from error
    for export in wanted:
        owner = exports.get(export.name)
        if owner and owner.exporting_stack_id != stack.stack_id:
            raise StackFailed(f"Export with name {export.name} is already exported by stack {owner.exporting_stack_id.split('/')[1]}.")
    _refuse_if_imported(stack, [export for export in stack.listed_exports if export.name not in {other.name for other in wanted}])
    _withdraw_exports(stack)
    exports.update({export.name: export for export in wanted})
    stack.listed_outputs, stack.listed_exports = listed, wanted


def _withdraw_exports(stack: Stack) -> None:
    for export in stack.listed_exports:
        _backend(stack).exports.pop(export.name, None)
    stack.listed_exports = []


def _refuse_if_imported(stack: Stack, exports: list[Export]) -> None:
    """moto removes an export that another stack imports; AWS does not."""
    for export in exports:
        for other in _backend(stack).stacks.values():
            if other is not stack and export.name in getattr(other.resource_map, "imports", ()):
                raise StackFailed(f"Export {export.name} cannot be deleted as it is in use by {other.name}")


# --- create, update, delete ---


def _enter(stack: Stack, status: str, reason: str | None = None) -> None:
    stack.status = status
    stack.stack_status_reason = reason
    stack._add_stack_event(status, resource_status_reason=reason)


def _reach(resources: ResourceMap) -> None:
    """Creates what is missing and updates what has changed, until the map's template is reality."""
    for name in in_order(resources._resource_json_map):
        if not is_active(resources, name):
            continue
        if resources._parsed_resources.get(name) is None:
            resources[name]
        else:
            update_resource(resources, name)


Entry = tuple[str, Any, dict[str, Any]]
"""Logical id, resource, properties."""


def _remove(resources: ResourceMap, gone: list[Entry], keeping: tuple[str, ...] = ("Retain", "RetainExceptOnCreate")) -> list[str]:
    """Deletes in the given order, again and again while that helps. Answers the ids of what could not be deleted."""
    left: list[Entry] = []
    for entry in gone:
        kept = resources._resource_json_map[entry[0]].get("DeletionPolicy") in keeping
        record_resource(resources, entry[0], "DELETE_SKIPPED" if kept else "DELETE_IN_PROGRESS")
        if not kept:
            left.append(entry)
    reasons: dict[str, str] = {}
    while left:
        failed: list[Entry] = []
        for entry in left:
            # As on AWS, what another needs stays while that one does: it may be the function that is to delete it.
            if entry[0] in _needed_by(resources, failed) or not _removed(resources, entry, reasons):
                failed.append(entry)
        if len(failed) == len(left):
            break
        left = failed
    left = [entry for entry in left if entry[0] in reasons]
    for name, _, _ in left:
        record_resource(resources, name, "DELETE_FAILED", reasons[name])
    return [name for name, _, _ in left]


def _needed_by(resources: ResourceMap, entries: list[Entry]) -> set[str]:
    """Logical ids that the entries mention."""
    return {mentioned for name, _, _ in entries for mentioned in mentions(resources._resource_json_map[name])}


def _removed(resources: ResourceMap, entry: Entry, reasons: dict[str, str]) -> bool:
    """Whether the resource is gone; if not, the reason is noted."""
    name, resource, properties = entry
    try:
        delete_resource(resources, name, resource, properties)
    except Exception as error:
        reasons[name] = reason_of(error)
        return False
    record_resource(resources, name, "DELETE_COMPLETE")
    if resources._parsed_resources.get(name) is resource:
        del resources._parsed_resources[name]
    return True


def _all_of(resources: ResourceMap) -> list[Entry]:
    """Everything that exists, last first."""
    existing = existing_in(resources)
    order = [name for name in in_order(resources._resource_json_map) if name in existing]
    return [(name, existing[name], resources.applied.get(name, {})) for name in reversed(order)]


def _why(error: Exception, verb: str) -> str:
    return f"The following resource(s) failed to {verb}: [{error.logical_id}]." if isinstance(error, ResourceFailed) else str(error)


@replaces(Stack)
def create_resources(self: Stack) -> None:
    """Creates the whole stack; ends in CREATE_COMPLETE or ROLLBACK_COMPLETE."""
    _enter(self, "CREATE_IN_PROGRESS", "User Initiated")
    try:
        _reach(self.resource_map)
        _publish(self, self.resource_map)
    except (ResourceFailed, StackFailed) as error:
        return _undo_create(self, _why(error, "create"))
    _enter(self, "CREATE_COMPLETE")


def _undo_create(stack: Stack, reason: str) -> None:
    if on_failure.get() != "ROLLBACK":
        _enter(stack, "CREATE_FAILED", reason)
        return None if _keeps_failed() else _backend(stack).delete_stack(stack.stack_id)
    _enter(stack, "ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.")
    left = _remove(stack.resource_map, _all_of(stack.resource_map), keeping=("Retain",))
    _enter(stack, "ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", stack.stack_status_reason)


@replaces(Stack)
def update(
    self: Stack,
    template: str,
    role_arn: str | None = None,
    parameters: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """Updates the stack; ends in UPDATE_COMPLETE or UPDATE_ROLLBACK_COMPLETE."""
    old = self.resource_map
    new = map_of(self, Stack.parse_template(template), parameters or {})
    _refuse_other_types(old, new)
    carry(old, new)
    old_tags, self.tags = self.tags, self.tags if tags is None else tags
    _enter(self, "UPDATE_IN_PROGRESS", "User Initiated")
    try:
        _reach(new)
        _publish(self, new)
    except (ResourceFailed, StackFailed) as error:
        self.tags = old_tags
        return _undo_update(self, old, new, _why(error, "update"))
    self.template, self.role_arn, self.parameters = template, role_arn, parameters or {}
    self._parse_template()
    self.description = self.template_dict.get("Description")
    self.resource_map = new
    _enter(self, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    _clean_up(old, new)
    _enter(self, "UPDATE_COMPLETE")


def _refuse_other_types(old: ResourceMap, new: ResourceMap) -> None:
    existing = existing_in(old)
    changed = [
        name for name, part in new._resource_json_map.items() if name in existing and existing[name].cf_resource_type != part["Type"]
    ]
    if changed:
        raise ValidationError(
            message="Update of resource type is not permitted. The new template modifies resource type of the following resources: "
            f"[{', '.join(changed)}]"
        )


def carry(old: ResourceMap, new: ResourceMap) -> None:
    """The new map starts with the resources that exist and that it still has."""
    for name, resource in existing_in(old).items():
        if name in new._resource_json_map and is_active(new, name):
            new._parsed_resources[name] = resource
            new.applied[name] = old.applied.get(name, {})


def _clean_up(old: ResourceMap, new: ResourceMap) -> None:
    """After an update: deletes what was replaced and what the new template no longer has.
    A failure leaves an event, not a failed stack, as on AWS."""
    replaced = [
        (name, resource, properties)
        for name, (resource, properties) in reversed(new.replaced.items())
        if new._resource_json_map[name].get("UpdateReplacePolicy") != "Retain"
    ]
    _remove(new, replaced, keeping=())
    new.replaced = {}
    _remove(old, [entry for entry in _all_of(old) if entry[0] not in existing_in(new)])


def _undo_update(stack: Stack, old: ResourceMap, new: ResourceMap, reason: str) -> None:
    """Puts the old properties back, then deletes what the failed update had created."""
    _enter(stack, "UPDATE_FAILED" if _keeps_failed() else "UPDATE_ROLLBACK_IN_PROGRESS", reason)
    for name, resource in existing_in(new).items():
        if name in old._resource_json_map and name not in new.replaced and name in existing_in(old):
            old._parsed_resources[name] = resource
            old.applied[name] = new.applied.get(name, {})
    for name, (resource, _) in new.replaced.items():
        old._parsed_resources[name] = resource
    if _keeps_failed():
        return None
    try:
        _reach(old)
    except (ResourceFailed, StackFailed) as error:
        return _enter(stack, "UPDATE_ROLLBACK_FAILED", str(error))
    _enter(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    _remove(new, [entry for entry in _all_of(new) if entry[0] not in existing_in(old) or entry[0] in new.replaced], keeping=("Retain",))
    _enter(stack, "UPDATE_ROLLBACK_COMPLETE")


@replaces(Stack)
def delete(self: Stack) -> None:
    """Deletes the stack's resources; ends in DELETE_COMPLETE or DELETE_FAILED."""
    _enter(self, "DELETE_IN_PROGRESS", "User Initiated")
    try:
        _refuse_if_imported(self, self.listed_exports)
    except StackFailed as error:
        return _enter(self, "DELETE_FAILED", str(error))
    left = _remove(self.resource_map, _all_of(self.resource_map))
    if left:
        return _enter(self, "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}].")
    _withdraw_exports(self)
    _enter(self, "DELETE_COMPLETE")


# --- the API ---


@replaces(CloudFormationBackend)
def create_stack(self: CloudFormationBackend, name: str, template: str, parameters: dict[str, Any], **options: Any) -> Stack:
    """moto evaluates the outputs, and so creates resources, before it starts the stack."""
    if any(stack.name == name for stack in self.stacks.values()):
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    stack = Stack(
        stack_id=generate_stack_id(name, self.region_name, self.account_id),
        name=name,
        template=template,
        parameters=parameters,
        account_id=self.account_id,
        region_name=self.region_name,
        **options,
    )
    self.stacks[stack.stack_id] = stack
    stack.create_resources()
    return stack


@replaces(CloudFormationBackend)
def update_stack(
    self: CloudFormationBackend,
    name: str,
    template: str,
    role_arn: str | None,
    parameters: list[dict[str, Any]],
    tags: dict[str, str] | None,
) -> Stack:
    """moto compares the template's text only, and refuses in one state only."""
    stack = self.get_stack(name)
    refuse_unless_updatable(stack)
    given = {
        parameter["ParameterKey"]: (
            stack.stack_parameters[parameter["ParameterKey"]] if parameter.get("UsePreviousValue") else parameter["ParameterValue"]
        )
        for parameter in parameters
    }
    if not has_changes(stack, template, given, tags):
        raise ValidationError(message="No updates are to be performed.")
    stack.update(template, role_arn, parameters=given, tags=tags)
    return stack


def refuse_unless_updatable(stack: Stack) -> None:
    """AWS updates settled stacks only."""
    if stack.status not in UPDATABLE:
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def has_changes(stack: Stack, template: str, parameters: dict[str, Any], tags: dict[str, str] | None) -> bool:
    """Whether an update would do anything. A changed SSM parameter counts, and resources that an earlier try has left out, as on AWS."""
    if missing(stack):
        return True
    other = Stack.parse_template(template)
    new = map_of(stack, other, parameters)
    same_tags = tags is None or tags == stack.tags
    return not (other == stack.template_dict and new.resolved_parameters == stack.resource_map.resolved_parameters and same_tags)


@replaces(CloudFormationBackend)
def delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
    """moto forgets a stack before it deletes its resources, and for ever if that fails."""
    for stack in list(self.stacks.values()):
        if name_or_stack_id not in (stack.name, stack.stack_id):
            continue
        if stack.enable_termination_protection:
            raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        stack.delete()
        if stack.status in GONE:
            self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)
            self.change_sets = {key: value for key, value in self.change_sets.items() if value.stack is not stack}


@replaces(CloudFormationResponse)
def _validate_different_update(self: CloudFormationResponse, *_: Any) -> None:
    """moto's own test for changes; `update_stack` and change sets have a better one."""


def _with_choices(method_name: str) -> None:
    """moto does not read DisableRollback, OnFailure and ClientRequestToken."""
    method = getattr(CloudFormationResponse, method_name)

    def call(self: CloudFormationResponse) -> Any:
        keeps = str(self._get_param("DisableRollback")).lower() == "true"
        choice = on_failure.set("DO_NOTHING" if keeps else self._get_param("OnFailure") or "ROLLBACK")
        token = request_token.set(self._get_param("ClientRequestToken"))
        try:
            return method(self)
        finally:
            on_failure.reset(choice)
            request_token.reset(token)

    setattr(CloudFormationResponse, method_name, call)


for _name in ("create_stack", "update_stack", "delete_stack", "execute_change_set"):
    _with_choices(_name)
