"""DynamoDB: functions hear of a table's stream as on AWS: in order, in the background, of what their filter wants and what was really
written, again after an error, and at last as a message to the failure destination. moto calls them in the writer's own request, with
everything, also with writes of a transaction that it takes back."""

import json
import queue
import threading
import time
from typing import Any

from moto.awslambda.models import EventSourceMapping
from moto.core.utils import unix_time
from moto.dynamodb.models.table import Item, StreamRecord, StreamShard
from moto.events.models import EventPattern

from .functions import find, run
from .messages import send
from .replacing import replaces

# AWS goes on for as long as the mapping says, a day as a rule; here the failure destination hears of it after some seconds.
ATTEMPTS = 6
FIRST_PAUSE = 0.1

# What the call of this thread has written so far.
_call = threading.local()

_queues: dict[str, queue.Queue] = {}
_lock = threading.Lock()


@replaces(StreamShard)
def add(self: StreamShard, old: Item | None, new: Item | None) -> None:
    """Puts a write into the stream."""
    kind = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    view = self.table.stream_specification["StreamViewType"]
    record = StreamRecord(self.table, view, kind, old, new, len(self.items) + self.starting_sequence_number)
    self.items.append(record)
    written = getattr(_call, "written", None)
    for mapping in list(self.table.lambda_event_source_mappings.values()):
        if written is None:
            _hand_over(mapping, record)
        else:
            written.append((mapping, record))


def begin() -> None:
    """From here on, what this thread writes is kept back."""
    _call.written = []


def end(done: bool) -> None:
    """The call is over: what it has written is in the stream, or was taken back."""
    written, _call.written = _call.written, None
    for mapping, record in written if done else []:
        _hand_over(mapping, record)


def _hand_over(mapping: EventSourceMapping, record: StreamRecord) -> None:
    # A copy of a table, which a transaction makes, has copies of its mappings.
    with _lock:
        waiting = _queues.get(mapping.uuid)
        if waiting is None:
            waiting = _queues[mapping.uuid] = queue.Queue()
            threading.Thread(target=_work, args=(mapping, waiting), daemon=True).start()
    event = record.to_json()
    dynamodb = {**event["dynamodb"], "ApproximateCreationDateTime": int(unix_time(event["dynamodb"]["ApproximateCreationDateTime"]))}
    event = {**event, "awsRegion": mapping.region, "dynamodb": dynamodb, "eventSourceARN": mapping.event_source_arn}
    if _wants(mapping, event):
        waiting.put(event)


def _wants(mapping: EventSourceMapping, event: dict[str, Any]) -> bool:
    filters = (mapping.filter_criteria or {}).get("Filters", [])
    return not filters or any(EventPattern.load(each["Pattern"]).matches_event(event) for each in filters)


def _work(mapping: EventSourceMapping, waiting: queue.Queue) -> None:
    while True:
        batch = [waiting.get()]
        while len(batch) < mapping.batch_size and not waiting.empty():
            batch.append(waiting.get())
        _call_with(mapping, batch)


def _call_with(mapping: EventSourceMapping, batch: list[dict[str, Any]]) -> None:
    failure = "the function is gone"
    for attempt in range(ATTEMPTS):
        try:
            outcome = run(find(mapping.function_arn), json.dumps({"Records": batch}))
        except Exception as error:
            failure = str(error)
            break
        if not outcome.failed:
            return
        failure = outcome.message
        time.sleep(FIRST_PAUSE * 2**attempt)
    if mapping.bisect_on_error and len(batch) > 1:
        middle = len(batch) // 2
        _call_with(mapping, batch[:middle])
        _call_with(mapping, batch[middle:])
        return
    destination = (mapping.destination_config or {}).get("OnFailure", {}).get("Destination")
    if destination:
        context = {"functionArn": mapping.function_arn, "condition": "RetryAttemptsExhausted"}
        records = {"eventSourceArn": mapping.event_source_arn, "batchSize": len(batch)}
        send(destination, {"requestContext": context, "responseContext": {"functionError": failure}, "DDBStreamBatchInfo": records})
