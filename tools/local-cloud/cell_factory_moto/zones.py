"""Availability zones. moto has one mapping of names to ids for all accounts, offers everything everywhere, and never gets a new zone.

On AWS (checked 2026-11-30):
- a name means another zone in each account, an id the same in all ("Availability Zone IDs for your AWS resources", AWS RAM User Guide);
- an instance type may be missing in a zone, and launching it there is refused with `Unsupported` ("Instance launch issues", EC2 User
  Guide); what is offered where is moto's own copy of AWS's answers, by which use1-az3 has no t4g, m7g or r7g;
- a service's interface endpoint takes subnets of the zones that DescribeVpcEndpointServices names ("Access an AWS service using an
  interface VPC endpoint", AWS PrivateLink Guide);
- neither DescribeAvailabilityZones nor Fn::GetAZs promises an order, and it may change when a zone is added ("Fn::GetAZs", CloudFormation
  Template Reference). So a zone that is added here comes first.
"""

import random
import threading
from functools import lru_cache
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidAvailabilityZoneError
from moto.ec2.models import EC2Backend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.utilities.utils import filter_resources

from .replacing import replaces

# Zones as moto knows them, by region, before any is added: its data about offers go by these names.
ORIGINAL: dict[str, list[Zone]] = {region: list(zones) for region, zones in RegionsAndZonesBackend.zones.items()}

_lock = threading.Lock()
# Ids of zones that were added since the start, by region.
_added: dict[str, list[str]] = {}
# Services without endpoints in a zone, by its id.
_without: dict[str, set[str]] = {}

create_subnet_of_moto = EC2Backend.create_subnet
run_instances_of_moto = EC2Backend.run_instances
create_vpc_endpoint_of_moto = EC2Backend.create_vpc_endpoint
describe_vpc_endpoint_services_of_moto = EC2Backend.describe_vpc_endpoint_services


def change(wanted: dict[str, Any]) -> None:
    """Adds a zone to a region, or takes endpoints of services away from one that is there. @raises ValueError if it makes no sense."""
    region, zone_id = wanted.get("region"), wanted.get("id")
    if region not in ORIGINAL or not isinstance(zone_id, str):
        raise ValueError("zones needs a region and the id of a zone")
    with _lock:
        known = [*[zone.zone_id for zone in ORIGINAL[region]], *_added.get(region, [])]
        if zone_id not in known:
            _added.setdefault(region, []).append(zone_id)
            # moto looks names up there before it makes a subnet.
            RegionsAndZonesBackend.zones[region].append(_zone(_name(region, len(known)), region, zone_id))
        _without[zone_id] = set(wanted.get("without", []))


@lru_cache(maxsize=4096)
def _mapping(account: str, region: str, added: tuple[str, ...]) -> list[Zone]:
    """The zones of a region as an account calls them. A name that is given stays; the newest zone comes first."""
    original = ORIGINAL.get(region, [])
    names, ids = [zone.name for zone in original], [zone.zone_id for zone in original]
    random.Random(f"{account}/{region}").shuffle(ids)
    for zone_id in added:
        names.insert(0, _name(region, len(names)))
        ids.insert(0, zone_id)
    return [_zone(name, region, zone_id) for name, zone_id in zip(names, ids, strict=True)]


def _name(region: str, index: int) -> str:
    return f"{region}{chr(ord('a') + index)}"


def _zone(name: str, region: str, zone_id: str) -> Zone:
    zone = Zone(name=name, region_name=region, zone_id=zone_id)
    zone.group_name = zone.network_border_group = region
    zone.opt_in_status = "opt-in-not-required"
    return zone


def zones_of(account: str, region: str) -> list[Zone]:
    with _lock:
        added = tuple(_added.get(region, []))
    return _mapping(account, region, added)


@lru_cache
def _offers(region: str) -> dict[str, set[str]]:
    """Instance types by the id of the zone that offers them."""
    ids = {zone.name: zone.zone_id for zone in ORIGINAL.get(region, [])}
    offers: dict[str, set[str]] = {}
    for each in INSTANCE_TYPE_OFFERINGS["availability-zone"].get(region, []):
        if each["Location"] in ids:
            offers.setdefault(ids[each["Location"]], set()).add(each["InstanceType"])
    return offers


def offers(region: str, zone_id: str, instance_type: str) -> bool:
    """Whether a zone offers an instance type. A new zone, and a region that moto has no data about, offer whatever there is."""
    offered = _offers(region)
    return zone_id not in offered or instance_type in offered[zone_id]


def has_endpoints(region: str, zone_id: str, service_name: str) -> bool:
    return service_name.removeprefix(f"com.amazonaws.{region}.") not in _without.get(zone_id, ())


@replaces(EC2Backend)
def describe_availability_zones(
    self: EC2Backend,
    filters: Any = None,
    zone_names: list[str] | None = None,
    zone_ids: list[str] | None = None,
) -> list[Zone]:
    attributes = (
        ("zone-id", "zone_id"),
        ("zone-type", "zone_type"),
        ("zone-name", "name"),
        ("region-name", "region_name"),
        ("state", "state"),
        ("opt-in-status", "opt_in_status"),
    )
    zones = zones_of(self.account_id, self.region_name)
    found = filter_resources(zones, filters, attributes) if filters else zones
    return [zone for zone in found if (not zone_ids or zone.zone_id in zone_ids) and (not zone_names or zone.name in zone_names)]


@replaces(EC2Backend)
def create_subnet(
    self: EC2Backend,
    vpc_id: str,
    cidr_block: str,
    ipv6_cidr_block: str | None = None,
    availability_zone: str | None = None,
    availability_zone_id: str | None = None,
    **more: Any,
) -> Any:
    """moto takes zones of other regions, and gives them its own ids."""
    zones = zones_of(self.account_id, self.region_name)
    wanted = availability_zone or availability_zone_id
    zone = next((each for each in zones if wanted in (None, each.name, each.zone_id)), None)
    if zone is None:
        raise InvalidAvailabilityZoneError(wanted, ", ".join(each.name for each in zones))
    subnet = create_subnet_of_moto(self, vpc_id, cidr_block, ipv6_cidr_block, zone.name, None, **more)
    subnet._availability_zone = zone
    return subnet


@replaces(EC2Backend)
def describe_instance_type_offerings(self: EC2Backend, location_type: str | None = None, filters: Any = None) -> list[Any]:
    """moto's data name zones as one account does."""
    types = {each["InstanceType"] for each in INSTANCE_TYPE_OFFERINGS["region"].get(self.region_name, [])}
    types &= set((filters or {}).get("instance-type", types))
    zones = zones_of(self.account_id, self.region_name)
    kind = location_type or "region"
    if kind == "region":
        return [{"InstanceType": each, "LocationType": kind, "Location": self.region_name} for each in sorted(types)]
    return [
        {"InstanceType": each, "LocationType": kind, "Location": location}
        for zone in zones
        for location in [zone.zone_id if kind == "availability-zone-id" else zone.name]
        if location in (filters or {}).get("location", [location])
        for each in sorted(types)
        if offers(self.region_name, zone.zone_id, each)
    ]


@replaces(EC2Backend)
def run_instances(self: EC2Backend, *args: Any, **kwargs: Any) -> Any:
    """moto launches everything everywhere."""
    interfaces = kwargs.get("nics") or {}
    nics = interfaces.values() if isinstance(interfaces, dict) else interfaces
    subnet_id = kwargs.get("subnet_id") or next((nic["SubnetId"] for nic in nics if nic.get("SubnetId")), None)
    name = self.get_subnet(subnet_id).availability_zone if subnet_id else kwargs.get("placement")
    kind = kwargs.get("instance_type")
    zones = zones_of(self.account_id, self.region_name)
    zone = next((each for each in zones if each.name == name), None)
    if zone and kind and not kwargs.get("is_instance_type_default") and not offers(self.region_name, zone.zone_id, kind):
        others = ", ".join(each.name for each in zones if offers(self.region_name, each.zone_id, kind))
        raise EC2ClientError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone ({name}). "
            f"Please retry your request by not specifying an Availability Zone or choosing {others}.",
        )
    return run_instances_of_moto(self, *args, **kwargs)


def require_endpoints(backend: EC2Backend, service_name: str, subnet_ids: list[str]) -> None:
    """@raises EC2ClientError for a subnet in a zone where the service has no endpoints."""
    for subnet_id in subnet_ids:
        zone = backend.get_subnet(subnet_id)._availability_zone
        if not has_endpoints(backend.region_name, zone.zone_id, service_name):
            raise EC2ClientError(
                "InvalidParameter",
                f"The VPC endpoint service {service_name} does not support the availability zone of the subnet: {subnet_id}.",
            )


@replaces(EC2Backend)
def create_vpc_endpoint(self: EC2Backend, vpc_id: str, service_name: str, *args: Any, **kwargs: Any) -> Any:
    require_endpoints(self, service_name, kwargs.get("subnet_ids") or [])
    return create_vpc_endpoint_of_moto(self, vpc_id, service_name, *args, **kwargs)


@replaces(EC2Backend)
def describe_vpc_endpoint_services(self: EC2Backend, service_names: list[str], filters: Any, **kwargs: Any) -> dict[str, Any]:
    """moto reads the values of a filter from another key than clients send, and names all zones of a region."""
    readable = [{**each, "Value": each.get("Values", [])} for each in filters or []]
    answer = describe_vpc_endpoint_services_of_moto(self, service_names, readable, **kwargs)
    zones = zones_of(self.account_id, self.region_name)
    details = [
        {
            **each,
            "AvailabilityZones": [
                zone.name for zone in zones if has_endpoints(self.region_name, zone.zone_id, each["ServiceName"])
            ],
        }
        for each in answer["servicesDetails"]
    ]
    return {**answer, "servicesDetails": details}
