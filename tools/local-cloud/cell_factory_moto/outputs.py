"""Outputs and exports of a stack."""

from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import Export, OutputMap, ResourceMap

from .resource_maps import backend_of
from .resources import ResourceFailed, reason_of


class StackFailed(Exception):
    """Something of the stack itself, not of one resource: an output or an export."""


def publish(stack: Stack, resources: ResourceMap) -> None:
    """Outputs and exports, from the resources as they are now. moto never sets those of a stack that comes from a change set."""
    exports = backend_of(stack).exports
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
    refuse_if_imported(stack, [export for export in stack.listed_exports if export.name not in {other.name for other in wanted}])
    withdraw_exports(stack)
    exports.update({export.name: export for export in wanted})
    stack.listed_outputs, stack.listed_exports = listed, wanted


def withdraw_exports(stack: Stack) -> None:
    for export in stack.listed_exports:
        backend_of(stack).exports.pop(export.name, None)
    stack.listed_exports = []


def refuse_if_imported(stack: Stack, exports: list[Export]) -> None:
    """moto removes an export that another stack imports; AWS does not."""
    for export in exports:
        for other in backend_of(stack).stacks.values():
            if other is not stack and export.name in getattr(other.resource_map, "imports", ()):
                raise StackFailed(f"Export {export.name} cannot be deleted as it is in use by {other.name}")
