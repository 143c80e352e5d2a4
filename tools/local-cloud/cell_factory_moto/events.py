"""EventBridge: rules deliver to functions, queues, logs and API destinations, in the background and again after a failure, at last to the
dead letters; and executions of state machines say how they go. moto delivers in the sender's own request, to fewer targets, posts an empty
request to a destination, and emits nothing.

A delivery is given up after some seconds, where AWS goes on for a day."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import requests
from moto.events.models import EventsBackend, Rule, events_backends
from moto.stepfunctions.parser.backend.execution import Execution

from .functions import find, run
from .messages import send
from .replacing import replaces

ATTEMPTS = 4
FIRST_PAUSE = 0.2

# EventBridge waits no longer for an answer.
ANSWER_SECONDS = 5

_delivering = ThreadPoolExecutor(max_workers=8, thread_name_prefix="events")
_send_to_targets = Rule.send_to_targets


class Refused(Exception):
    """The target will not take it, however often it is tried."""


@replaces(Rule)
def send_to_targets(self: Rule, original_event: dict[str, Any], transform_input: bool = True) -> None:
    """Delivers the event to each target, if the rule is on and wants it."""
    if self.state != "ENABLED" or self.scheduled_expression or not self.event_pattern.matches_event(original_event):
        return
    event = {**original_event, "time": _time(original_event["time"])}
    event.pop("ingestion-time", None)
    for target in self.targets:
        kind = _kind(target["Arn"])
        if kind in DELIVERIES:
            _delivering.submit(_deliver, self, target, DELIVERIES[kind], event)
        else:
            alone = Rule(self.name, self.account_id, self.region_name, None, None, None, None, self.event_bus_name, None, targets=[target])
            _send_to_targets(alone, original_event, transform_input)


def _time(when: Any) -> str:
    moment = when if isinstance(when, datetime) else datetime.fromtimestamp(float(when), UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _kind(arn: str) -> str:
    _, _, service, _, _, resource = arn.split(":", 5)
    return f"{service}:{re.split('[:/]', resource)[0]}" if service == "events" else service


def _deliver(rule: Rule, target: dict[str, Any], deliver: Any, event: dict[str, Any]) -> None:
    retries = target.get("RetryPolicy", {}).get("MaximumRetryAttempts", ATTEMPTS)
    for attempt in range(min(int(retries) + 1, ATTEMPTS)):
        try:
            deliver(rule, target, _input(target, event))
            return
        except Refused:
            break
        except Exception:
            time.sleep(FIRST_PAUSE * 2**attempt)
    dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
    if dead_letters:
        send(dead_letters, event)


# --- what the target is given ---


def _at(path: str, event: dict[str, Any]) -> Any:
    value: Any = event
    for name in path.removeprefix("$").strip(".").split(".") if path != "$" else []:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _input(target: dict[str, Any], event: dict[str, Any]) -> str:
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(target["InputPath"], event))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {name: _at(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    template = transformer["InputTemplate"]

    def filled(found: re.Match[str]) -> str:
        value = values.get(found[1], "")
        before = template[: found.start()]
        is_inside_text = (before.count('"') - before.count('\\"')) % 2 == 1
        return json.dumps(value)[1:-1] if is_inside_text and isinstance(value, str) else json.dumps(value)

    return re.sub("<([A-Za-z0-9_-]+)>", filled, template)


# --- targets ---


def _to_function(_rule: Rule, target: dict[str, Any], event: str) -> None:
    outcome = run(find(target["Arn"]), event)
    if outcome.failed:
        raise RuntimeError(outcome.message)


def _to_queue(_rule: Rule, target: dict[str, Any], event: str) -> None:
    send(target["Arn"], event)


def _to_destination(rule: Rule, target: dict[str, Any], event: str) -> None:
    """Posts to the address, with what the connection says who it is. A client's own mistake is not tried again."""
    backend = events_backends[rule.account_id][rule.region_name]
    destination = backend.destinations[target["Arn"].split("/")[1]]
    connection = backend.connections[destination.connection_arn.split("/")[1]]
    key = connection.auth_parameters.get("ApiKeyAuthParameters", {})
    own = {key["ApiKeyName"]: key["ApiKeyValue"]} if key else {}
    headers = {"Content-Type": "application/json; charset=utf-8", **target.get("HttpParameters", {}).get("HeaderParameters", {}), **own}
    answer = requests.request(
        destination.http_method, destination.invocation_endpoint, data=event.encode(), headers=headers, timeout=ANSWER_SECONDS
    )
    if 400 <= answer.status_code < 500 and answer.status_code not in (401, 407, 409, 429):
        raise Refused(f"{destination.invocation_endpoint} answers {answer.status_code}")
    answer.raise_for_status()


DELIVERIES = {"lambda": _to_function, "sqs": _to_queue, "events:api-destination": _to_destination}


# --- what AWS emits ---


def emit(account_id: str, region: str, source: str, detail_type: str, detail: dict[str, Any]) -> None:
    """Puts an event of AWS's own on the account's default bus."""
    backend: EventsBackend = events_backends[account_id][region]
    if backend.event_buses["default"].rules:
        backend.put_events([{"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}])


def execution_changed(execution: Execution) -> None:
    """Says how an execution of a state machine is."""
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "input": execution.execution_input,
    }
    emit(execution.account_id, execution.region_name, "aws.states", "Step Functions Execution Status Change", detail)
