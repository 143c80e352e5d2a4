"""Messages to queues, by the queue's ARN."""

import json
from typing import Any

from .clients import call


def send(queue_arn: str, message: Any) -> None:
    """Sends the message as JSON, or as it is where it is text."""
    _, _, _, region, account_id, name = queue_arn.split(":", 5)
    url = call("sqs", "GetQueueUrl", {"QueueName": name}, account_id, region)["QueueUrl"]
    body = message if isinstance(message, str) else json.dumps(message)
    call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body}, account_id, region)
