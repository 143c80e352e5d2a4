"""What a stack consists of: a map of its template's resources, and the order of their dependencies."""

import re
from collections.abc import Iterable
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack, cloudformation_backends
from moto.cloudformation.parsing import ResourceMap
from moto.utilities.utils import get_partition

from .replacing import replaces
from .resources import is_active


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


def backend_of(stack: Stack) -> CloudFormationBackend:
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
        cross_stack_resources=backend_of(stack).exports,
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


def carry(old: ResourceMap, new: ResourceMap) -> None:
    """The new map starts with the resources that exist and that it still has."""
    for name, resource in existing_in(old).items():
        if name in new._resource_json_map and is_active(new, name):
            new._parsed_resources[name] = resource
            new.applied[name] = old.applied.get(name, {})


# moto creates resources when they are merely listed (and again after a rollback): list what exists.
Stack.stack_resources = property(lambda self: list(existing_in(self.resource_map).values()))
Stack.outputs = property(lambda self: self.listed_outputs or None)
Stack.exports = property(lambda self: self.listed_exports)
