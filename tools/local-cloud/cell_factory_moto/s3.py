"""S3: a bucket policy's statement with a condition is not taken for one without, and conditional writes are atomic."""

import json
import threading
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

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


# One lock for all keys: the local cloud's objects are small, and a lock per key would be another thing to keep.
writing = threading.Lock()

moto_put_object = S3Response.put_object


@replaces(S3Response)
def put_object(self: S3Response) -> Any:
    """moto checks If-None-Match and If-Match, and then writes; requests run in threads, so two could pass the check together."""
    with writing:
        return moto_put_object(self)
