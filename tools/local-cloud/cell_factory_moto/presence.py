"""Whether a resource that a stack has made is still there. Somebody may have deleted it behind the stack's back.

moto updates some of them all the same (an alarm and a parameter are put again) and ends with a Python error for others. AWS refuses:
"CloudFormation requires that update actions to a non-existing resource always throw a ResourceNotFoundException" ("Resource type
development troubleshooting", CloudFormation CLI User Guide, read 2026-12-01). The update then fails, and the stack is rolled back.
"""

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.logs.models import logs_backends
from moto.ssm.models import ssm_backends

from .model import EXISTS

# Types whose service says itself that a name is taken, so that EXISTS lacks them: (name, account, region).
OTHERS: dict[str, Callable[[str, str, str], bool]] = {
    "AWS::SSM::Parameter": lambda name, account_id, region: ssm_backends[account_id][region].get_parameter(name) is not None,
    "AWS::Logs::LogGroup": lambda name, account_id, region: name in logs_backends[account_id][region].groups,
}


def is_there(resource: Any, account_id: str, region: str) -> bool:
    """True also for a resource of a type that nobody can ask for by name."""
    look = OTHERS.get(resource.cf_resource_type) or EXISTS.get(resource.cf_resource_type)
    return look is None or look(getattr(resource, "name", resource.physical_resource_id), account_id, region)


def require_there(resource: Any, account_id: str, region: str) -> None:
    """Refuses to change what is gone, in the words of CloudFormation's handlers."""
    if is_there(resource, account_id, region):
        return
    raise ServiceException(
        f"Resource of type '{resource.cf_resource_type}' with identifier '{resource.physical_resource_id}' was not found. "
        "(HandlerErrorCode: NotFound)"
    )
