"""Network interfaces of functions in a network, canaries' among them. moto makes none.

On AWS they outlive their function by 20 to 40 minutes, and Lambda deletes them with the rights of the function's role: without
`ec2:DeleteNetworkInterface` they stay for ever (awslabs/aws-support-tools, pull request 174, 2021-06-21; cloudformation-coverage-roadmap,
issue 392, 2020-02-25). Until then their security group and subnet can't be deleted: DependencyViolation. Here it takes seconds.
"""

import threading
import time
from dataclasses import dataclass

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import EC2Backend, ec2_backends

from .replacing import replaces
from .permissions import allows

_lingering = 2.0


@dataclass
class _Interfaces:
    """Those of one function."""

    account_id: str
    region: str
    role_arn: str
    ids: list[str]
    until: float | None = None
    """When Lambda gets to them; None while the function is there."""


_lock = threading.Lock()
_functions: dict[tuple[str, str, str], _Interfaces] = {}


def set_lingering(seconds: float) -> None:
    """From now on, interfaces outlive their function by so many seconds."""
    global _lingering
    _lingering = seconds


def join(account_id: str, region: str, function: str, role_arn: str, subnet_ids: list[str], group_ids: list[str]) -> None:
    """One interface of the function in each subnet."""
    backend = ec2_backends[account_id][region]
    description = f"AWS Lambda VPC ENI-{function}"
    made = [backend.create_network_interface(each, [], group_ids=group_ids, description=description) for each in subnet_ids]
    with _lock:
        _functions[(account_id, region, function)] = _Interfaces(account_id, region, role_arn, [each.id for each in made])


def leave(account_id: str, region: str, function: str) -> None:
    """The function is gone; its interfaces are not."""
    with _lock:
        found = _functions.get((account_id, region, function))
        if found:
            found.until = time.monotonic() + _lingering


def _reap() -> None:
    with _lock:
        due = [key for key, each in _functions.items() if each.until is not None and each.until <= time.monotonic()]
        reaped = [_functions.pop(key) for key in due if allows(_functions[key].role_arn, "ec2:DeleteNetworkInterface")]
    for each in reaped:
        for interface_id in each.ids:
            ec2_backends[each.account_id][each.region].enis.pop(interface_id, None)


def _held(backend: EC2Backend) -> list:
    """The interfaces of functions that are in this account and region."""
    _reap()
    with _lock:
        ids = {interface_id for each in _functions.values() for interface_id in each.ids}
    return [interface for interface_id, interface in list(backend.enis.items()) if interface_id in ids]


moto_delete_security_group = EC2Backend.delete_security_group
moto_delete_subnet = EC2Backend.delete_subnet


@replaces(EC2Backend)
def delete_security_group(self: EC2Backend, name: str | None = None, group_id: str | None = None) -> None:
    """DeleteSecurityGroup, which an interface that wears it prevents."""
    if any(group.id == group_id for interface in _held(self) for group in interface.group_set):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    moto_delete_security_group(self, name, group_id)


@replaces(EC2Backend)
def delete_subnet(self: EC2Backend, subnet_id: str) -> object:
    """DeleteSubnet, which an interface in it prevents."""
    if any(interface.subnet.id == subnet_id for interface in _held(self)):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    return moto_delete_subnet(self, subnet_id)
