"""What the local cloud knows about a CloudFormation type, beyond moto's own models."""

from collections.abc import Callable
from typing import Any, ClassVar

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.ec2.models import ec2_backends

from .clients import call

CUSTOM = "AWS::CloudFormation::CustomResource"
"""The type that stands for all custom resources, whatever `Custom::...` a template calls them."""

REPLACE = object()
"""Answered by an update that AWS does by creating a new resource and deleting the old one."""


class Model:
    """One resource of a type that moto has no model for: `create`, `update` and `delete` call the service's own backend.

    It looks like moto's CloudFormationModel to moto, but needs only what a type really has.
    """

    type: ClassVar[str]
    name_property: ClassVar[str] = ""
    replaced_by: ClassVar[tuple[str, ...]] = ()
    """Properties that cannot be changed in place."""
    attributes: ClassVar[tuple[str, ...]] = ()
    """What Fn::GetAtt may ask for; `attribute` answers."""

    ec2_tags: ClassVar[bool] = False
    """Whether EC2 keeps its tags; they are then put on without further ado."""

    is_skipped: bool = False
    """Whether nothing was made, and the resource only stands in a stack."""

    sends_failed_updates_back: ClassVar[bool] = False
    """Whether a rollback sends the old properties to a resource whose own update has failed, as AWS does."""

    creation_policy: dict[str, Any] = {}
    """What CloudFormation is told to wait for before the resource counts as made."""

    logical_resource_id: str
    stack_id: str
    cf_resource_type: str

    def __init__(self, name: str, properties: dict[str, Any], account_id: str, region: str):
        self.name = name
        self.properties = properties
        self.account_id = account_id
        self.region = region
        self.physical_resource_id = name

    def create(self) -> None:
        """Creates the resource; sets `physical_resource_id` (what Ref gives) if that is not the name."""

    def update(self, old: dict[str, Any]) -> "Model | None":
        """Brings the resource from the `old` properties to `self.properties`, in place. Answers what it has left behind, if anything,
        to be deleted when the stack's update has succeeded."""

    def delete(self) -> None:
        """Removes the resource."""

    def mark(self, tags: dict[str, str]) -> None:
        """Puts on the tags that are CloudFormation's own, where somebody looks for them. On AWS almost every type has them."""

    def attribute(self, name: str) -> Any:
        """The value of one of `attributes`."""

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Calls a service's API in the stack's account and region."""
        return call(service, operation, parameters, self.account_id, self.region)

    def leave_log_group(self, name: str) -> None:
        """Makes a log group that the service makes by itself when there is none: unencrypted, for ever, and in no stack."""
        groups = self.call("logs", "DescribeLogGroups", logGroupNamePrefix=name)["logGroups"]
        if all(group["logGroupName"] != name for group in groups):
            self.call("logs", "CreateLogGroup", logGroupName=name)

    def retag(self, service: str, old: dict[str, Any], untag: str = "UntagResource", tag: str = "TagResource", /, **which: Any) -> None:
        """Brings the tags from the `old` properties to those of now; `which` names the resource to the two calls."""
        gone = [key for key in tag_dict(old) if key not in tag_dict(self.properties)]
        if gone:
            self.call(service, untag, **which, TagKeys=gone)
        if tag_dict(self.properties):
            self.call(service, tag, **which, Tags=tag_list(self.properties))

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.type

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    def get_cfn_attribute(self, name: str) -> Any:
        if not self.has_cfn_attr(name):
            raise UnformattedGetAttTemplateException()
        return self.attribute(name)

    def is_created(self) -> bool:
        return True


class ApiModel(Model):
    """A type whose properties are the parameters of its service's API, so that it needs only the names of the calls."""

    service: ClassVar[str]
    creates: ClassVar[str]
    updates: ClassVar[str] = ""
    deletes: ClassVar[str]
    id_parameter: ClassVar[str]
    """How update and delete call what Ref gives."""
    id_path: ClassVar[str] = ""
    """Where the answer to the creation has it, if it is not the name."""
    name_parameter: ClassVar[str] = ""
    """How the creation calls the name, if not as CloudFormation does."""

    def create(self) -> None:
        self.answer = self.call(self.service, self.creates, **self.parameters(), **self.named())
        if self.id_path:
            self.physical_resource_id = at(self.answer, self.id_path)

    def update(self, old: dict[str, Any]) -> None:
        if self.updates:
            self.call(self.service, self.updates, **{**self.parameters(), self.id_parameter: self.physical_resource_id})

    def delete(self) -> None:
        self.call(self.service, self.deletes, **{self.id_parameter: self.physical_resource_id})

    def parameters(self) -> dict[str, Any]:
        """The properties, with tags as a list and without the name."""
        parameters = {key: value for key, value in self.properties.items() if key != self.name_property}
        return {**parameters, "Tags": tag_list(self.properties)} if "Tags" in self.properties else parameters

    def named(self) -> dict[str, str]:
        """The name as the creation wants it."""
        parameter = self.name_parameter or self.name_property
        return {parameter: self.name} if parameter else {}


def at(answer: Any, path: str) -> Any:
    """The value at a dotted path; numbers are positions in lists."""
    for part in path.split("."):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


MODELS: dict[str, type[Model]] = {}
"""Types that moto has no model for, or whose model is replaced."""

CREATES: dict[str, Callable[..., Any]] = {}
"""(resource, properties, account, region): what moto's own model leaves out when it creates."""

UPDATES: dict[str, Callable[..., Any]] = {}
"""(resource, properties, old properties, account, region) -> resource or REPLACE, for types that moto cannot update."""

DELETES: dict[str, Callable[..., None]] = {}
"""(resource, properties, account, region), for types that moto cannot delete."""

EXISTS: dict[str, Callable[[str, str, str], bool]] = {}
"""(name, account, region): whether the name is taken, for types that moto silently shares or overwrites."""

ATTRIBUTES: dict[str, dict[str, Callable[[Any], Any]]] = {}
"""Attributes that moto's own model lacks: name -> how to get it from the resource."""


def model(cls: type[Model]) -> type[Model]:
    """Decorator: makes the class known for its type."""
    MODELS[cls.type] = cls
    return cls


def known(table: dict[str, Any], *types: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: puts the function into one of the tables above."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        for cfn_type in types:
            table[cfn_type] = function
        return function

    return put


def tag_dict(properties: dict[str, Any], key: str = "Tags") -> dict[str, str]:
    """Tags as a dictionary, whether the type writes them as a list or as an object."""
    tags = properties.get(key) or {}
    return dict(tags) if isinstance(tags, dict) else {tag["Key"]: str(tag["Value"]) for tag in tags}


def tag_list(properties: dict[str, Any]) -> list[dict[str, str]]:
    """Tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tag_dict(properties).items()]


def ec2(account_id: str, region: str) -> Any:
    """The EC2 backend, which most of a network goes through."""
    return ec2_backends[account_id][region]
