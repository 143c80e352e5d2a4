"""Drift, as far as it is a resource that somebody has deleted behind its stack's back. Other drift is not looked for."""

from contextvars import ContextVar

from moto.cloudformation.parsing import ResourceMap

from .presence import is_there
from .resource_maps import existing_in

REVERT_DRIFT = "REVERT_DRIFT"

# What the request that makes a change set asks for as its DeploymentMode.
deployment_mode: ContextVar[str | None] = ContextVar("deployment_mode", default=None)


def deleted_in(resources: ResourceMap) -> list[str]:
    """Logical ids of resources that the stack has made and that are no longer there, of types that can be asked for by name."""
    where = resources._account_id, resources._region_name
    return [name for name, resource in existing_in(resources).items() if not is_there(resource, *where)]


def forget_deleted(resources: ResourceMap) -> None:
    """The stack no longer takes them for made: its next update makes them anew."""
    for name in deleted_in(resources):
        del resources._parsed_resources[name]
        resources.applied.pop(name, None)
