"""CloudFormation's API for stacks: which calls are refused, and what they leave when they are done."""

from typing import Any

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_stack_id

from .operations import on_failure
from .replacing import replaces
from .resource_maps import map_of, missing
from .resources import request_token

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED")
GONE = ("DELETE_COMPLETE",)


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


# Sections that can't be updated by themselves ("CloudFormation template Metadata syntax" and "… Description syntax", AWS
# CloudFormation User Guide, read 2026-12-01).
GO_ALONG = ("Description", "Metadata")


def _that_counts(template: dict[str, Any]) -> dict[str, Any]:
    return {section: value for section, value in template.items() if section not in GO_ALONG}


def has_changes(stack: Stack, template: str, parameters: dict[str, Any], tags: dict[str, str] | None) -> bool:
    """Whether an update would do anything. A changed SSM parameter counts, and resources that an earlier try has left out, as on AWS.

    moto takes any difference of the templates for a change."""
    if missing(stack):
        return True
    other = Stack.parse_template(template)
    new = map_of(stack, other, parameters)
    same_tags = tags is None or tags == stack.tags
    same = _that_counts(other) == _that_counts(stack.template_dict)
    return not (same and new.resolved_parameters == stack.resource_map.resolved_parameters and same_tags)


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
