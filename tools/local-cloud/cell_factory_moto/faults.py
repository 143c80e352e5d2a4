"""Errors on demand: the next calls of an operation fail as AWS fails them, in the service's own format. moto has none of the throttling,
lost answers and refusals that a rollout has to live with."""

import re
import threading
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from botocore.model import OperationModel
from flask import Flask, Response, request
from moto.core.exceptions import ServiceException
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.iam import models as iam

# What boto3, and so a fault, calls a service that moto calls otherwise.
NAMES = {"awslambda": "lambda", "s3bucket_path": "s3"}


@dataclass
class Fault:
    """What fails, how, and how many times more. Without an account, it is every account's."""

    service: str
    operation: str
    code: str
    account: str | None = None
    message: str = "Rate exceeded"
    status: int = 400
    times: int = 1


class Failure(ServiceException):
    """The error that is answered. moto looks up what an exception of its own is by the package that it is from: this one has none."""


_lock = threading.Lock()
_faults: list[Fault] = []


def add(wanted: dict[str, Any]) -> None:
    """@raises TypeError, ValueError if the fault makes no sense."""
    fault = Fault(**wanted)
    if fault.operation not in get_service_model(fault.service).operation_names:
        raise ValueError(f"{fault.service} has no operation {fault.operation}")
    with _lock:
        _faults.append(fault)


def clear() -> None:
    with _lock:
        _faults.clear()


def listing() -> list[dict[str, Any]]:
    """The faults that are still to come."""
    with _lock:
        return [asdict(fault) for fault in _faults]


def watch(app: Flask, moto_name: str) -> None:
    """Lets every call of the service be looked at before it is done."""
    service = NAMES.get(moto_name, moto_name)
    app.before_request(lambda: _failure(service))


def _failure(service: str) -> Response | None:
    with _lock:
        mine = [fault for fault in _faults if fault.service == service]
    if not mine:
        return None
    operation = _operation(service)
    fault = _take(service, operation) if operation else None
    return _answer(service, operation, fault) if operation and fault else None


def _take(service: str, operation: str) -> Fault | None:
    accounts = _accounts()
    with _lock:
        for fault in _faults:
            if (fault.service, fault.operation) == (service, operation) and fault.account in (None, *accounts):
                fault.times -= 1
                if fault.times <= 0:
                    _faults.remove(fault)
                return fault
    return None


def _accounts() -> set[str]:
    """Who calls; and of a call for a role's keys, whose role it is, too."""
    key = re.search(r"Credential=([^/]+)", request.headers.get("authorization", ""))
    caller = request.headers.get("x-moto-account-id") or iam.get_account_id_from(key[1] if key else "")
    role = re.match(r"arn:[^:]*:iam::(\d+):", _form().get("RoleArn", [""])[0])
    return {caller, *([role[1]] if role else [])}


def _form() -> dict[str, list[str]]:
    if "x-www-form-urlencoded" not in (request.content_type or ""):
        return {}
    # Cached, for moto to read it again.
    return parse_qs(request.get_data(cache=True, as_text=True))


def _operation(service: str) -> str | None:
    """The name of the called operation: from the target, the form or, of a REST service, the address."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.split(".")[-1]
    action = _form().get("Action") or request.args.getlist("Action")
    return action[0] if action else _by_address(service)


def _by_address(service: str) -> str | None:
    bucket, _, rest = request.host.partition(".")
    path = f"/{bucket}{request.path}" if service == "s3" and rest.startswith("localhost") else request.path
    fitting = [
        (len(needed_args) + len(needed_headers) + len(fixed), len(pattern.pattern), name)
        for method, pattern, fixed, needed_args, needed_headers, name in _addresses(service)
        if method == request.method
        and pattern.fullmatch(path)
        and all(key in request.args and values in ([""], request.args.getlist(key)) for key, values in fixed.items())
        and all(key in request.args for key in needed_args)
        and all(key in request.headers for key in needed_headers)
    ]
    return max(fitting)[2] if fitting else None


@lru_cache
def _addresses(service: str) -> list[tuple[str, re.Pattern[str], dict[str, list[str]], list[str], list[str], str]]:
    """Of each operation: method, pattern of the path, query, required parameters and headers, name."""
    model = get_service_model(service)
    return [_address(model.operation_model(name)) for name in model.operation_names]


def _address(operation: OperationModel) -> tuple[str, re.Pattern[str], dict[str, list[str]], list[str], list[str], str]:
    path, _, query = operation.http["requestUri"].partition("?")
    parts = re.split(r"(\{[^}]+\})", path)
    pattern = "".join((".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts)
    shape = operation.input_shape
    required = [shape.members[name].serialization for name in shape.required_members] if shape else []
    fixed = {key: values for key, values in parse_qs(query, keep_blank_values=True).items() if key != "x-id"}
    of = {where: [each["name"] for each in required if each.get("location") == where] for where in ("querystring", "header")}
    return operation.http["method"], re.compile(pattern + "/?"), fixed, of["querystring"], of["header"], operation.name


def _answer(service: str, operation: str, fault: Fault) -> Response:
    model = get_service_model(service)
    protocol = determine_request_protocol(model, request.content_type)
    serializer = get_serializer_class(model.service_name, protocol)(operation_model=model.operation_model(operation))
    answer = serializer.serialize(Failure(fault.code, fault.message))
    return Response(answer["body"], fault.status, {**answer["headers"], "x-amzn-requestid": "cell-factory-fault"})
