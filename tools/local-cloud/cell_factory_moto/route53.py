"""Route 53: every zone has name servers of its own, and record sets are changed all at once or not at all."""

import copy
import itertools
import threading
from typing import Any

from moto.route53.exceptions import DnsNameInvalidForZone, HostedZoneNotEmpty, InvalidActionValue, Route53ClientError
from moto.route53.models import DelegationSet, FakeZone, RecordSet, Route53Backend
from moto.route53.utils import validate_domain_name

from .replacing import replaces

# Top-level domains that the four name servers of a zone are in, as on AWS.
ENDINGS = ("com", "net", "org", "co.uk")

_counter = itertools.count(1)

# Requests run in threads: of two that change a zone at once, none may lose the other's records.
_changing = threading.Lock()

_make_delegation_set = DelegationSet.__init__
_add_rrset = FakeZone.add_rrset


@replaces(DelegationSet)
def __init__(self: DelegationSet, caller_reference: str, name_servers: list[str] | None, delegation_set_id: str | None) -> None:
    """moto gives all zones the same four servers, so a delegation to another zone of the same name looks right."""
    number = next(_counter)
    servers = [f"ns-{512 * place + number % 512}.awsdns-{(number + number // 512) % 64:02}.{end}" for place, end in enumerate(ENDINGS)]
    _make_delegation_set(self, caller_reference, name_servers or servers, delegation_set_id)
    self.number = number


@replaces(FakeZone)
def add_rrset(self: FakeZone, record_set: dict[str, Any]) -> RecordSet:
    """moto writes a new zone's SOA as an object inside a record's value."""
    records = [record["Value"] if isinstance(record, dict) else record for record in record_set.get("ResourceRecords") or []]
    return _add_rrset(self, {**record_set, "ResourceRecords": records})


class RefusedChange(Route53ClientError):
    """A batch of changes that does not fit the zone."""

    def __init__(self, message: str):
        super().__init__("InvalidChangeBatch", message)


def _same(one: RecordSet, other: RecordSet) -> bool:
    return (one.name, one.type, one.set_identifier) == (other.name, other.type, other.set_identifier)


def _content(record: RecordSet) -> tuple[Any, ...]:
    return (int(record.ttl or 0), sorted(record.records or []), record.alias_target)


def _applied(records: list[RecordSet], zone: FakeZone, change: dict[str, Any]) -> list[RecordSet]:
    """The zone's records after one change."""
    action, given = change["Action"], copy.deepcopy(change["ResourceRecordSet"])
    validate_domain_name(given["Name"], code="InvalidChangeBatch")
    given["Name"] = f"{given['Name'].strip('.').lower()}."
    given["ResourceRecords"] = [record["Value"] for record in given.get("ResourceRecords") or []]
    if not f".{given['Name']}".endswith(f".{zone.name.strip('.').lower()}."):
        raise DnsNameInvalidForZone(name=given["Name"], zone_name=zone.name)
    wanted = RecordSet(given)
    existing = next((record for record in records if _same(record, wanted)), None)
    others = [record for record in records if record is not existing]
    what = f"resource record set [name='{wanted.name}', type='{wanted.type}']"
    if action == "DELETE":
        if existing is None:
            raise RefusedChange(f"Tried to delete {what} but it was not found")
        if _content(existing) != _content(wanted):
            raise RefusedChange(f"Tried to delete {what} but the values provided do not match the current values")
        return others
    if action == "CREATE" and existing is not None:
        raise RefusedChange(f"Tried to create {what} but it already exists")
    if action not in ("CREATE", "UPSERT"):
        raise InvalidActionValue(action)
    return [*others, wanted]


@replaces(Route53Backend)
def change_resource_record_sets(self: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    """moto lets a record be deleted that is gone, refuses the deletion of one that a stack has made, and stops half-way at an error."""
    zone = self.get_hosted_zone(zoneid)
    with _changing:
        records = zone.rrsets
        for change in change_list:
            records = _applied(records, zone, change)
        zone.rrsets = records


@replaces(Route53Backend)
def delete_hosted_zone(self: Route53Backend, id_: str) -> FakeZone | None:
    """moto takes any NS record for the zone's own; those that delegate a name below are in the way on AWS."""
    zone = self.get_hosted_zone(id_)
    own = zone.name.strip(".")
    if any(record.type not in ("NS", "SOA") or record.name.strip(".") != own for record in zone.rrsets):
        raise HostedZoneNotEmpty()
    return self.zones.pop(zone.resource_id, None)
