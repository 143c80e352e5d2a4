"""DynamoDB: conditions and transactions hold, and streams tell of what was written."""

import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler

from . import streams
from .replacing import replaces

# One lock for all tables: a call takes no time, and a transaction may span tables.
_calling = threading.Lock()

moto_call_action = DynamoHandler.call_action


@replaces(DynamoHandler)
def call_action(self: DynamoHandler) -> Any:
    """moto checks a condition and then writes; requests run in threads, so two could pass the check together."""
    with _calling:
        streams.begin()
        done = False
        try:
            answer = moto_call_action(self)
            done = not isinstance(answer, tuple) or int(answer[0]) < 400
            return answer
        finally:
            streams.end(done)
