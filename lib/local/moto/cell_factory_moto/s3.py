"""S3 bucket policies: a statement with a condition is not taken for one without."""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from .replacing import replaces


@replaces(FakeBucket)
def get_permission(self: FakeBucket, action: str, resource: str) -> Any:
    """moto ignores conditions, so the usual "deny unless encrypted in transit" denies everything.
    It cannot judge them, and they are about what the local cloud does not have: such statements are left out."""
    if self.policy is None:
        return PermissionResult.NEUTRAL
    document = json.loads(self.policy)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    judged = [statement for statement in statements if "Condition" not in statement]
    return IAMPolicy(json.dumps({**document, "Statement": judged})).is_action_permitted(action, resource)
