"""What a role's own policies allow, where something of AWS acts with them. Resources, conditions and denials are not looked at."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from moto.iam.models import iam_backends


def allows(role_arn: str, action: str) -> bool:
    """Whether the role is there, and a policy of it names the action, or a pattern for it."""
    partition, account_id, name = role_arn.split(":")[1], role_arn.split(":")[4], role_arn.rpartition("/")[2]
    roles = iam_backends[account_id][partition].roles.values()
    return any(
        fnmatchcase(action.lower(), pattern.lower()) for role in list(roles) if role.name == name for pattern in _allowed(_documents(role))
    )


def _documents(role: Any) -> Iterator[dict[str, Any]]:
    texts = [*role.policies.values(), *(policy.document for policy in role.managed_policies.values())]
    yield from (json.loads(text) if isinstance(text, str) else text for text in texts)


def _allowed(documents: Iterator[dict[str, Any]]) -> Iterator[str]:
    for document in documents:
        for statement in _list(document["Statement"]):
            if statement["Effect"] == "Allow":
                yield from _list(statement.get("Action", []))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
