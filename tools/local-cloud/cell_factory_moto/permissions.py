"""IAM: a role does what its policies name, and nothing else. moto looks at no policy unless it looks at every caller's.

Here it is the actions of roles that are there: of functions, of state machines, and of whoever has become one. Resources and
conditions are not looked at, nor an explicit deny, nor who may become a role; administrators may do everything. Of policies of
resources those of buckets count.

Source: "Actions, resources, and condition keys for AWS services", Service Authorization Reference, read on 2026-11-30: an action is
mostly called as its operation, and the others are in the tables below."""

import fnmatch
import json
import re
from functools import lru_cache
from typing import Any

from flask import Flask, Response, request
from moto.iam.models import Role, iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import STSBackend, sts_backends

from . import faults
from .replacing import replaces

# What a service's actions begin with, where that is not its name.
PREFIXES = {"stepfunctions": "states", "elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}

# Operations whose actions are called otherwise; none: everybody may.
ACTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "CopyObject"): ("s3:PutObject",),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "DeleteObjects"): ("s3:DeleteObject",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "ListObjects"): ("s3:ListBucket",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage",),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
    ("sts", "AssumeRoleWithWebIdentity"): (),
    ("sts", "GetCallerIdentity"): (),
}

# What each part of a transaction takes ("DynamoDB API permissions", Amazon DynamoDB Developer Guide).
TRANSACTION = {"ConditionCheck": "ConditionCheckItem", "Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem", "Get": "GetItem"}

# Roles that somebody has become, by the key that they got.
_assumed: dict[str, str] = {}
_assume_role = STSBackend.assume_role


@replaces(STSBackend)
def assume_role(self: STSBackend, *args: Any, **kwargs: Any) -> Any:
    """moto searches all roles that were ever assumed for a key."""
    role = _assume_role(self, *args, **kwargs)
    _assumed[role.access_key_id] = kwargs["role_arn"]
    return role


def watch(app: Flask, moto_name: str) -> None:
    """Lets every call of the service be held against the policies of who calls."""
    service = faults.NAMES.get(moto_name, moto_name)
    app.before_request(lambda: _refusal(service))


def _refusal(service: str) -> Response | None:
    key = re.search(r"Credential=([^/]+)", request.headers.get("authorization", ""))
    role = _role(_assumed.get(key[1], "")) if key else None
    if not role:
        return None
    patterns = _patterns(tuple(_policies(role)))
    if "*" in patterns:
        return None
    operation = _operation(service)
    patterns |= _by_bucket(role) if service == "s3" else frozenset()
    missing = [action for action in _actions(service, operation) if not _matches(patterns, action)] if operation else []
    if not operation or not missing:
        return None
    return _denied(service, operation, role, missing[0])


@lru_cache(maxsize=4096)
def _patterns(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(pattern for text in texts for pattern in _allowed(text))


# What an object of S3 is called with when nothing else is in the address: most calls, and telling them by all addresses takes long.
OBJECT = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


def _operation(service: str) -> str | None:
    _, _, rest = request.host.partition(".")
    has_key = request.path.strip("/") if rest.startswith("localhost") else request.path.strip("/").partition("/")[2]
    if service == "s3" and has_key and not set(request.args) - {"x-id"} and request.method in OBJECT:
        return OBJECT[request.method]
    return faults._operation(service)


def allows(role_arn: str, action: str) -> bool:
    """Whether the role is there, and a policy of its own names the action: for what a service does with a role's rights."""
    role = _role(role_arn)
    return role is not None and any(_matches(_allowed(text), action) for text in _policies(role))


def _role(arn: str) -> Role | None:
    """The role, if it is there: whoever is let in by a role that nobody has made is a person."""
    if not arn:
        return None
    name = arn.split("/")[-1]
    return next((role for role in list(iam_backends[arn.split(":")[4]]["aws"].roles.values()) if role.name == name), None)


def _policies(role: Role) -> list[str]:
    managed = [each.document for policy in list(role.managed_policies.values()) for each in policy.versions if each.is_default]
    return [text if isinstance(text, str) else json.dumps(text) for text in [*list(role.policies.values()), *managed]]


@lru_cache(maxsize=4096)
def _allowed(text: str) -> frozenset[str]:
    statements = json.loads(text).get("Statement", [])
    allowing = [each for each in (statements if isinstance(statements, list) else [statements]) if each.get("Effect") == "Allow"]
    return frozenset(action.lower() for each in allowing for action in _list(each.get("Action", "*")))


def _by_bucket(role: Role) -> frozenset[str]:
    """What the policy of a bucket in the role's own account lets this very role do: there, one of the two policies is enough."""
    name, _, rest = request.host.partition(".")
    bucket = s3_backends[role.account_id]["aws"].buckets.get(name if rest.startswith("localhost") else request.path.split("/")[1])
    text = bucket.policy if bucket else None
    return _allowed_to(text.decode() if isinstance(text, bytes) else text, role.arn) if text else frozenset()


@lru_cache(maxsize=4096)
def _allowed_to(text: str, arn: str) -> frozenset[str]:
    statements = [each for each in json.loads(text).get("Statement", []) if each.get("Effect") == "Allow"]
    mine = [each for each in statements if isinstance(each["Principal"], dict) and arn in _list(each["Principal"].get("AWS", []))]
    return frozenset(action.lower() for each in mine for action in _list(each.get("Action", [])))


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=65536)
def _matches(patterns: frozenset[str], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in patterns)


def _actions(service: str, operation: str) -> tuple[str, ...]:
    if service == "dynamodb" and operation.startswith("Transact"):
        parts = [kind for item in json.loads(request.get_data(cache=True))["TransactItems"] for kind in item]
        return tuple(f"dynamodb:{TRANSACTION[kind]}" for kind in dict.fromkeys(parts))
    return ACTIONS.get((service, operation), (f"{PREFIXES.get(service, service)}:{operation}",))


def _denied(service: str, operation: str, role: Role, action: str) -> Response:
    code = "AccessDeniedException" if request.headers.get("x-amz-target") or service == "lambda" else "AccessDenied"
    message = f"User: {role.arn} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    return faults._answer(service, operation, faults.Fault(service, operation, code, message=message, status=403))
