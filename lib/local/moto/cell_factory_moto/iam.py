"""IAM: a service-linked role that exists is refused as AWS refuses it."""

from moto.iam.exceptions import EntityAlreadyExists, InvalidInput
from moto.iam.models import IAMBackend, Role

from .replacing import replaces

moto_create_service_linked_role = IAMBackend.create_service_linked_role


@replaces(IAMBackend)
def create_service_linked_role(self: IAMBackend, service_name: str, description: str, suffix: str) -> Role:
    """moto answers EntityAlreadyExists, AWS InvalidInput."""
    try:
        return moto_create_service_linked_role(self, service_name, description, suffix)
    except EntityAlreadyExists as error:
        name = str(error.message).split()[3]
        raise InvalidInput(f"Service role name {name} has been taken in this account, please try a different suffix.") from None
