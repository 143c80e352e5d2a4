"""Change sets: found by name and stack, and executed, once, as the stack operation they stand for."""

import threading
from typing import Any

from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError, ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id, validate_create_change_set
from moto.core.responses import ActionResult, EmptyResult

from .differences import changes_between
from .drift import REVERT_DRIFT, deleted_in, deployment_mode, forget_deleted
from .operations import on_failure
from .resource_maps import map_of
from .stack_calls import has_changes, refuse_unless_updatable
from .replacing import replaces

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class ChangeSetNotFound(CloudFormationError):
    """moto answers ValidationError, on which the CDK CLI does not count."""

    code = "ChangeSetNotFound"
    status_code = 404


class InvalidChangeSetStatus(CloudFormationError):
    code = "InvalidChangeSetStatus"
    status_code = 400


ChangeSet.on_stack_failure = None
ChangeSet.deployment_mode = None


def _try_find(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet | None:
    """moto finds the first change set of that name in any stack; AWS the stack's own (or by ARN, without a stack)."""
    if name in backend.change_sets:
        return backend.change_sets[name]
    for change_set in backend.change_sets.values():
        if change_set.change_set_name == name and stack_name in (change_set.stack.name, change_set.stack.stack_id):
            return change_set
    return None


def find_change_set(backend: CloudFormationBackend, name: str, stack_name: str | None) -> ChangeSet:
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
def diff(self: ChangeSet) -> list[dict[str, Any]]:
    """moto compares the templates' text and says nothing of replacement."""
    deleted = deleted_in(self.stack.resource_map) if deployment_mode.get() == REVERT_DRIFT else []
    return changes_between(self.stack.resource_map, map_of(self.stack, self.template_dict, self.parameters), deleted)


# moto's way to present its own kind of changes.
del CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER["DescribeChangeSetOutput.Changes"]


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
    change_set.deployment_mode = deployment_mode.get()
    reverts = change_set.deployment_mode == REVERT_DRIFT and change_set_type == "UPDATE" and bool(deleted_in(stack.resource_map))
    is_empty = change_set_type == "UPDATE" and not reverts and not has_changes(stack, template, parameters, tags)
    change_set.status, change_set.execution_status = ("FAILED", "UNAVAILABLE") if is_empty else ("CREATE_COMPLETE", "AVAILABLE")
    change_set.status_reason = NO_CHANGES if is_empty else None
    self.stacks[stack.stack_id] = stack
    self.change_sets[change_set_id] = change_set
    return change_set_id, stack.stack_id


# One execution of a change set begins.
_claiming = threading.Lock()


@replaces(CloudFormationBackend)
def execute_change_set(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    """moto applies a change set in another way than CreateStack and UpdateStack, without outputs or failures, and as often as one likes."""
    change_set = find_change_set(self, change_set_name, stack_name)
    stack = change_set.stack
    _claim(self, change_set)
    token = on_failure.set(change_set.on_stack_failure or on_failure.get())
    try:
        if stack.status == "REVIEW_IN_PROGRESS":
            _create(stack, change_set)
        else:
            if change_set.deployment_mode == REVERT_DRIFT:
                forget_deleted(stack.resource_map)
            stack.update(change_set.template, change_set.role_arn, change_set.parameters, change_set.tags)
    finally:
        on_failure.reset(token)
    change_set.execution_status = "EXECUTE_COMPLETE"


def _claim(backend: CloudFormationBackend, change_set: ChangeSet) -> None:
    """Makes the change set the one that is executed. The stack's others are gone with that: they were made for another stack."""
    with _claiming:
        if change_set.execution_status != "AVAILABLE":
            status = change_set.execution_status
            raise InvalidChangeSetStatus(f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of [{status}]")
        if change_set.stack.status != "REVIEW_IN_PROGRESS":
            refuse_unless_updatable(change_set.stack)
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        for key, other in list(backend.change_sets.items()):
            if other is not change_set and other.stack is change_set.stack:
                del backend.change_sets[key]


def _create(stack: Stack, change_set: ChangeSet) -> None:
    stack.template, stack.parameters, stack.tags = change_set.template, change_set.parameters, change_set.tags or {}
    stack.role_arn = change_set.role_arn
    stack._parse_template()
    stack.description = stack.template_dict.get("Description")
    stack.resource_map = stack._create_resource_map()
    stack.create_resources()


moto_create_change_set = CloudFormationResponse.create_change_set


@replaces(CloudFormationResponse, "create_change_set")
def create_change_set_with_choice(self: CloudFormationResponse) -> ActionResult:
    """moto does not read OnStackFailure and DeploymentMode."""
    choice = self._get_param("OnStackFailure")
    if choice == "DELETE" and self._get_param("ChangeSetType") == "UPDATE":
        raise ValidationError(message="OnStackFailure DELETE is valid for change sets of type CREATE only")
    mode = deployment_mode.set(self._get_param("DeploymentMode"))
    try:
        answer = moto_create_change_set(self)
    finally:
        deployment_mode.reset(mode)
    self.cloudformation_backend.change_sets[answer.result["Id"]].on_stack_failure = choice
    return answer


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
    return ActionResult(find_change_set(self.cloudformation_backend, self._get_param("ChangeSetName"), self._get_param("StackName")))


@replaces(CloudFormationResponse)
def list_change_sets(self: CloudFormationResponse) -> ActionResult:
    """moto lists every stack's."""
    name = self._get_param("StackName")
    own = [each for each in self.cloudformation_backend.change_sets.values() if name in (each.stack.name, each.stack.stack_id)]
    return ActionResult({"Summaries": own})
