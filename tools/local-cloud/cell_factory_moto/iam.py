"""IAM: a service-linked role that exists is refused as AWS refuses it, and an account costs no seconds of work."""

import copy
from functools import lru_cache
from types import SimpleNamespace

from moto.iam import models
from moto.iam.exceptions import EntityAlreadyExists, InvalidInput
from moto.iam.models import DEFAULT_ACCOUNT_ID, IAMBackend, ManagedPolicy, Role, iam_backends

from .replacing import replaces

moto_create_service_linked_role = IAMBackend.create_service_linked_role
moto_init_aws_policies = IAMBackend._init_aws_policies


@replaces(models)
def get_account_id_from(access_key: str) -> str:
    """Whose key it is. moto looks into every partition of every account, and thereby makes them all, with 1,500 policies each."""
    for account_id, partitions in list(iam_backends.items()):
        if any(access_key in backend.access_keys for backend in list(partitions.values())):
            return account_id
    return DEFAULT_ACCOUNT_ID


@lru_cache
def _aws_policies(region_name: str) -> list[ManagedPolicy]:
    return moto_init_aws_policies(SimpleNamespace(region_name=region_name, account_id=DEFAULT_ACCOUNT_ID))


@replaces(IAMBackend)
def _init_aws_policies(self: IAMBackend) -> list[ManagedPolicy]:
    """AWS's own policies, which moto reads from their text for each account again."""
    policies = [copy.copy(policy) for policy in _aws_policies(self.region_name)]
    for policy in policies:
        policy.account_id = self.account_id
    return policies


@replaces(IAMBackend)
def get_roles(self: IAMBackend) -> list[Role]:
    """All roles of an account. moto goes through the dictionary itself, and fails when another request adds one meanwhile."""
    return list(self.roles.values())


@replaces(IAMBackend)
def create_service_linked_role(self: IAMBackend, service_name: str, description: str, suffix: str) -> Role:
    """moto answers EntityAlreadyExists, AWS InvalidInput."""
    try:
        return moto_create_service_linked_role(self, service_name, description, suffix)
    except EntityAlreadyExists as error:
        name = str(error.message).split()[3]
        raise InvalidInput(f"Service role name {name} has been taken in this account, please try a different suffix.") from None
