"""Calls to the services of this same server, in any account: a CloudFormation type is mostly one API call with the same properties."""

import json
import threading
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.settings import moto_server_port
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

_CONFIG = Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    # A function may run for fifteen minutes, and many at once.
    read_timeout=1000,
    max_pool_connections=64,
)

# Making a client is not safe between threads; using it is.
_lock = threading.Lock()
_session = boto3.Session(aws_access_key_id="unused", aws_secret_access_key="unused")


def new_client(service: str, region: str, **credentials: str) -> Any:
    """A client of this server, with the given `aws_...` keys."""
    with _lock:
        return _session.client(
            service, region_name=region, endpoint_url=f"http://localhost:{moto_server_port()}", config=_CONFIG, **credentials
        )


def assumed_role(role_arn: str, region: str, session_name: str) -> dict[str, str]:
    """The keys that STS would give for the role, which belong to the role's account."""
    backend = sts_backends[role_arn.split(":")[4]][get_partition(region)]
    role = backend.assume_role(
        region_name=region, role_session_name=session_name, role_arn=role_arn, policy="", duration=3600, external_id=""
    )
    return {
        "aws_access_key_id": role.access_key_id,
        "aws_secret_access_key": role.secret_access_key,
        "aws_session_token": role.session_token,
    }


@lru_cache(maxsize=256)
def _client(service: str, account_id: str, region: str) -> Any:
    """A client that acts in the account by moto's own header, without credentials of that account."""
    client = new_client(service, region)
    client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("x-moto-account-id", account_id))
    return client


def call(service: str, operation: str, parameters: dict[str, Any], account_id: str, region: str) -> dict[str, Any]:
    """Calls e.g. ("cloudwatch", "PutMetricAlarm", properties). Properties that the operation does not know are left out."""
    client = _client(service, account_id, region)
    shape = client.meta.service_model.operation_model(operation).input_shape
    method = next(name for name, api_name in client.meta.method_to_api_mapping.items() if api_name == operation)
    try:
        return getattr(client, method)(**_fitted(shape, parameters))
    except (ClientError, ResponseParserError) as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else 500
        if status < 500:
            raise
        raise RuntimeError(f"moto cannot do {service} {operation} (see the log of the local cloud)") from error


def _fitted(shape: Shape, value: Any) -> Any:
    """The value as the API wants it: known members only, in the API's letter case, numbers and booleans from text,
    documents as JSON, tags as a list or a map and with the keys that the API has."""
    if isinstance(shape, StructureShape):
        if set(value) == {"Key", "Value"} and "TagKey" in shape.members:
            return {"TagKey": value["Key"], "TagValue": value["Value"]}
        members = {name.lower(): name for name in shape.members}
        known = {members[key.lower()]: part for key, part in value.items() if key.lower() in members}
        return {name: _fitted(shape.members[name], part) for name, part in known.items()}
    if isinstance(shape, ListShape):
        if isinstance(value, dict):
            value = [{"Key": key, "Value": part} for key, part in value.items()]
        return [_fitted(shape.member, part) for part in value]
    if isinstance(shape, MapShape):
        if isinstance(value, list):
            value = {tag["Key"]: tag["Value"] for tag in value}
        return {key: _fitted(shape.value, part) for key, part in value.items()}
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    if shape.type_name != "string":
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)
