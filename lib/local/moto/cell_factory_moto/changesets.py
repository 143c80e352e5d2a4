"""Change sets: found by name and stack, and executed as the stack operation they stand for."""

from typing import Any

from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError, ValidationError
from moto.cloudformation.models import Change, ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.parsing import get_references_from_template
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id, validate_create_change_set
from moto.core.responses import ActionResult, EmptyResult

from .operations import has_changes, map_of, missing, refuse_unless_updatable
from .replacing import replaces

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class ChangeSetNotFound(CloudFormationError):
    """moto answers ValidationError, on which the CDK CLI does not count."""

    code = "ChangeSetNotFound"
    status_code = 404


def _try_find(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet | None:
    """moto finds the first change set of that name in any stack; AWS the stack's own (or by ARN, without a stack)."""
    if name in backend.change_sets:
        return backend.change_sets[name]
    for change_set in backend.change_sets.values():
        if change_set.change_set_name == name and stack_name in (change_set.stack.name, change_set.stack.stack_id):
            return change_set
    return None


def _find(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet:
    found = _try_find(backend, name, stack_name)
    if found is None:
        raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")
    return found


def _stack_for(backend: CloudFormationBackend, name: str, change_set_type: str, options: dict[str, Any]) -> Stack:
    """The stack to update, or a new empty one in review. moto makes a second stack when one is in review already."""
    existing = next((stack for stack in backend.stacks.values() if name in (stack.name, stack.stack_id)), None)
    if change_set_type == "UPDATE":
        if existing is None:
            raise ValidationError(message=f"Stack [{name}] does not exist")
        refuse_unless_updatable(existing)
        return existing
    if existing is not None and existing.status != "REVIEW_IN_PROGRESS":
        raise ValidationError(message=f"Stack [{name}] already exists and cannot be created again with the changeSet.")
    if existing is not None:
        return existing
    stack_id = generate_stack_id(name, backend.region_name, backend.account_id)
    stack = Stack(
        stack_id=stack_id, name=name, template={}, parameters={}, account_id=backend.account_id, region_name=backend.region_name, **options
    )
    stack.status = "REVIEW_IN_PROGRESS"
    stack._add_stack_event("REVIEW_IN_PROGRESS", resource_status_reason="User Initiated")
    return stack


@replaces(ChangeSet)
def diff(self: ChangeSet) -> list[Change]:
    """moto compares the templates' text; a resource that refers to a changed parameter is modified too."""
    old = self.stack.resource_map
    new = map_of(self.stack, self.template_dict, self.parameters)
    changed = {name for name, value in new.resolved_parameters.items() if old.resolved_parameters.get(name) != value}
    by_action = old.build_resource_diff(self.template_dict)
    by_action["Modify"] += [
        name
        for name, part in new._resource_json_map.items()
        if part == old._resource_json_map.get(name) and changed.intersection(get_references_from_template(part))
    ]
    by_action["Add"] += [name for name in missing(self.stack) if name in new._resource_json_map and name not in by_action["Add"]]
    parts = {**old._resource_json_map, **self.template_dict["Resources"]}
    return [
        Change(action=action, logical_resource_id=name, resource_type=parts[name]["Type"])
        for action, names in by_action.items()
        for name in names
    ]


@replaces(CloudFormationBackend)
def create_change_set(
    self: CloudFormationBackend,
    stack_name: str,
    change_set_name: str,
    template: str,
    parameters: dict[str, str],
    description: str,
    change_set_type: str,
    notification_arns: list[str] | None = None,
    tags: dict[str, str] | None = None,
    role_arn: str | None = None,
) -> tuple[str, str]:
    """Checks the template and its parameters before the stack is in review, which moto leaves to the execution."""
    validate_create_change_set(change_set_name)
    if _try_find(self, change_set_name, stack_name):
        raise AlreadyExistsException(f"ChangeSet {change_set_name} already exists")
    options = {"notification_arns": notification_arns, "tags": tags, "role_arn": role_arn}
    stack = _stack_for(self, stack_name, change_set_type, options)
    change_set_id = generate_changeset_id(change_set_name, self.region_name, self.account_id)
    change_set = ChangeSet(change_set_type, change_set_id, change_set_name, stack, template, parameters, description, **options)
    is_empty = change_set_type == "UPDATE" and not has_changes(stack, template, parameters, tags)
    change_set.status, change_set.execution_status = ("FAILED", "UNAVAILABLE") if is_empty else ("CREATE_COMPLETE", "AVAILABLE")
    change_set.status_reason = NO_CHANGES if is_empty else None
    self.stacks[stack.stack_id] = stack
    self.change_sets[change_set_id] = change_set
    return change_set_id, stack.stack_id


@replaces(CloudFormationBackend)
def execute_change_set(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """moto applies a change set in another way than CreateStack and UpdateStack, without outputs or failures."""
    change_set = _find(self, change_set_name, stack_name)
    stack = change_set.stack
    change_set.execution_status = "EXECUTE_IN_PROGRESS"
    if stack.status == "REVIEW_IN_PROGRESS":
        stack.template, stack.parameters, stack.tags = change_set.template, change_set.parameters, change_set.tags or {}
        stack.role_arn = change_set.role_arn
        stack._parse_template()
        stack.description = stack.template_dict.get("Description")
        stack.resource_map = stack._create_resource_map()
        stack.create_resources()
    else:
        refuse_unless_updatable(stack)
        stack.update(change_set.template, change_set.role_arn, change_set.parameters, change_set.tags)
    change_set.execution_status = "EXECUTE_COMPLETE"


@replaces(CloudFormationResponse)
def delete_change_set(self: CloudFormationResponse) -> ActionResult:
    """moto ignores the stack's name, and fails on a change set that is gone; AWS takes that as done."""
    change_sets = self.cloudformation_backend.change_sets
    change_set = _try_find(self.cloudformation_backend, self._get_param("ChangeSetName"), self._get_param("StackName"))
    if change_set:
        del change_sets[change_set.change_set_id]
    return EmptyResult()


@replaces(CloudFormationResponse)
def describe_change_set(self: CloudFormationResponse) -> ActionResult:
    """moto ignores the stack's name."""
    return ActionResult(_find(self.cloudformation_backend, self._get_param("ChangeSetName"), self._get_param("StackName")))


@replaces(CloudFormationResponse)
def list_change_sets(self: CloudFormationResponse) -> ActionResult:
    """moto lists every stack's."""
    name = self._get_param("StackName")
    own = [each for each in self.cloudformation_backend.change_sets.values() if name in (each.stack.name, each.stack.stack_id)]
    return ActionResult({"Summaries": own})
