"""moto keeps a stack's termination protection and refuses to delete a protected stack, but has no call that changes it."""

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from .replacing import replaces


@replaces(CloudFormationResponse)
def update_termination_protection(self: CloudFormationResponse) -> ActionResult:
    """UpdateTerminationProtection, by name or id."""
    name = self._get_param("StackName")
    stacks = self.cloudformation_backend.stacks.values()
    stack = next((each for each in stacks if name in (each.name, each.stack_id)), None)
    if stack is None:
        raise ValidationError(message=f"Stack [{name}] does not exist")
    stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection") is True
    return ActionResult({"StackId": stack.stack_id})
