"""A stack's create, update and delete as AWS does them: in the order of dependencies, with events, and rolled back when a resource fails.

moto does all of it in the request and stops half-way at the first error: the answer is 400 or 500 and the stack stays in progress.
It stays within the request here too: when the call answers, the stack is in its final state.
"""

from contextvars import ContextVar
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import ResourceMap

from .outputs import StackFailed, publish, refuse_if_imported, withdraw_exports
from .replacing import replaces
from .resource_maps import backend_of, carry, existing_in, in_order, map_of, mentions
from .resources import ResourceFailed, delete_resource, is_active, reason_of, record_resource, update_resource

# What the request asks for when a resource fails: ROLLBACK, DO_NOTHING (`cdk deploy --no-rollback`), or DELETE, of a new stack.
on_failure: ContextVar[str] = ContextVar("on_failure", default="ROLLBACK")


def _keeps_failed() -> bool:
    return on_failure.get() == "DO_NOTHING"


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
        publish(self, self.resource_map)
    except (ResourceFailed, StackFailed) as error:
        return _undo_create(self, _why(error, "create"))
    _enter(self, "CREATE_COMPLETE")


def _undo_create(stack: Stack, reason: str) -> None:
    if on_failure.get() != "ROLLBACK":
        _enter(stack, "CREATE_FAILED", reason)
        return None if _keeps_failed() else backend_of(stack).delete_stack(stack.stack_id)
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
        publish(self, new)
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
        refuse_if_imported(self, self.listed_exports)
    except StackFailed as error:
        return _enter(self, "DELETE_FAILED", str(error))
    left = _remove(self.resource_map, _all_of(self.resource_map))
    if left:
        return _enter(self, "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}].")
    withdraw_exports(self)
    _enter(self, "DELETE_COMPLETE")
