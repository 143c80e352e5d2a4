"""Intrinsic functions that moto reads wrongly or not at all."""

import ipaddress
import json
import re
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.cloudformation.parsing import ResourceMap

from .clients import call
from .replacing import replaces
from .zones import zones_of

_clean_json = parsing.clean_json


def _zones(region: Any, resources: ResourceMap) -> list[str]:
    """moto reads an empty region as us-east-1; AWS as the stack's own. All zones, in the order of the day (see zones.py)."""
    return [zone.name for zone in zones_of(resources._account_id, clean_json(region, resources) or resources["AWS::Region"])]


def _cidrs(arguments: list[Any], resources: ResourceMap) -> list[str]:
    """Fn::Cidr, which moto leaves as it is: `count` blocks with `bits` host bits, from the start of the given block."""
    block, count, bits = [clean_json(argument, resources) for argument in arguments]
    network = ipaddress.ip_network(block)
    subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
    return [str(next(subnets)) for _ in range(int(count))]


def _import(name: Any, resources: ResourceMap) -> Any:
    """Remembers what a stack imports, so that its exporter cannot be deleted meanwhile."""
    resolved = clean_json(name, resources)
    resources.__dict__.setdefault("imports", set()).add(resolved)
    return _clean_json({"Fn::ImportValue": resolved}, resources)


def _attribute(arguments: Any, resources: ResourceMap) -> Any:
    """Fn::GetAtt. moto leaves the function itself in place of an attribute that it does not know; here the stack fails and says why."""
    logical_id, attribute = arguments.split(".", 1) if isinstance(arguments, str) else (arguments[0], clean_json(arguments[1], resources))
    try:
        resource = resources[logical_id]
    except KeyError as error:
        raise ValidationError(message=f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}") from error
    try:
        return resource.get_cfn_attribute(attribute)
    except (NotImplementedError, AttributeError, UnformattedGetAttTemplateException) as error:
        raise ValidationError(
            message=f"Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt"
        ) from error


def with_dynamic_references(value: Any, resources: ResourceMap) -> Any:
    """Replaces `{{resolve:ssm:...}}` and `{{resolve:secretsmanager:...}}`, which moto leaves as they are."""
    if isinstance(value, dict):
        return {key: with_dynamic_references(part, resources) for key, part in value.items()}
    if isinstance(value, list):
        return [with_dynamic_references(part, resources) for part in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}", lambda found: _resolve(found[1], found[2], resources), value)


def _resolve(service: str, reference: str, resources: ResourceMap) -> str:
    where = (resources._account_id, resources._region_name)
    if service != "secretsmanager":
        name = re.sub(r":\d+$", "", reference)
        return call("ssm", "GetParameter", {"Name": name, "WithDecryption": True}, *where)["Parameter"]["Value"]
    secret_id, _, rest = reference.partition(":SecretString")
    value = call("secretsmanager", "GetSecretValue", {"SecretId": secret_id}, *where)["SecretString"]
    key = rest.split(":")[1] if ":" in rest else ""
    return json.loads(value)[key] if key else value


@replaces(parsing)
def clean_json(resource_json: Any, resources_map: ResourceMap) -> Any:
    """moto keeps AWS::NoValue in lists as null; AWS leaves it out. The rest is as above or left to moto."""
    if isinstance(resource_json, list):
        values = [clean_json(value, resources_map) for value in resource_json]
        return [value for value in values if value is not None]
    if isinstance(resource_json, dict) and len(resource_json) == 1:
        if "Fn::GetAtt" in resource_json:
            return _attribute(resource_json["Fn::GetAtt"], resources_map)
        if "Fn::GetAZs" in resource_json:
            return _zones(resource_json["Fn::GetAZs"], resources_map)
        if "Fn::Cidr" in resource_json:
            return _cidrs(resource_json["Fn::Cidr"], resources_map)
        if "Fn::ImportValue" in resource_json:
            return _import(resource_json["Fn::ImportValue"], resources_map)
    return _clean_json(resource_json, resources_map)
