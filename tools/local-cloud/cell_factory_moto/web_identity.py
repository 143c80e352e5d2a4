"""STS: who may become a role by a token of somebody else's. moto lets everybody; AWS holds the token against the role's trust.

A token's signature is not checked: nobody signs any here."""

import base64
import json
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.responses import TokenResponse

from .replacing import replaces

_assume_role_with_web_identity = TokenResponse.assume_role_with_web_identity

ACTION = "sts:AssumeRoleWithWebIdentity"


@replaces(TokenResponse)
def assume_role_with_web_identity(self: TokenResponse) -> ActionResult:
    claims = _claims(self._get_param("WebIdentityToken") or "")
    account_id, name = self._get_param("RoleArn").split(":")[4], self._get_param("RoleArn").split("/")[-1]
    roles = list(iam_backends[account_id]["aws"].roles.values())
    documents = [role.assume_role_policy_document for role in roles if role.name == name]
    statements = [each for text in documents for each in _list(_loaded(text).get("Statement"))]
    if not any(_allows(statement, claims) for statement in statements):
        raise _Denied("AccessDenied", f"Not authorized to perform {ACTION}")
    return _assume_role_with_web_identity(self)


class _Denied(ServiceException):
    """A refusal of STS."""


def _claims(token: str) -> dict[str, Any]:
    try:
        payload = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        raise _Denied("InvalidIdentityToken", "The ID Token provided is not a valid JWT.") from None


def _allows(statement: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Whether the statement is about this issuer, and every condition of it holds; StringEquals is the only one that is known."""
    issuer = str(claims.get("iss", "")).removeprefix("https://")
    federated = _list(statement.get("Principal", {}).get("Federated"))
    trusted = any(str(arn).endswith(f":oidc-provider/{issuer}") for arn in federated)
    if statement.get("Effect") != "Allow" or ACTION not in _list(statement.get("Action")) or not trusted:
        return False
    conditions = statement.get("Condition", {})
    if set(conditions) - {"StringEquals"}:
        return False
    wanted = conditions.get("StringEquals", {})
    return all(claims.get(key.removeprefix(f"{issuer}:")) in _list(values) for key, values in wanted.items())


def _loaded(text: Any) -> dict[str, Any]:
    return json.loads(text) if isinstance(text, str) else text


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
