"""CloudWatch alarms: their past, and composite alarms that follow their children. moto keeps a history that nobody can read, and never
evaluates a rule.

Metrics are not evaluated here either: a metric alarm is OK when it is made (on AWS INSUFFICIENT_DATA until its first evaluation), and
then in the state that somebody sets."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

from .replacing import replaces

# As AWS pages when it isn't asked for another size.
ALARMS_PER_PAGE = 50
EVENTS_PER_PAGE = 100

METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"

# States change one after the other, with all that follows from one.
_changing = threading.RLock()

_put_metric_alarm = CloudWatchBackend.put_metric_alarm
_delete_alarms = CloudWatchBackend.delete_alarms

# moto makes a composite alarm of any alarm with a rule, but does not know the call for it.
CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm


def _kind(alarm: Alarm) -> str:
    return METRIC if alarm.rule is None else COMPOSITE


# --- rules ---

_TOKEN = re.compile(r'\s*(?:(AND|OR|NOT|TRUE|FALSE)\b|(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"((?:[^"\\]|\\.)*)"|([^)"]*?))\s*\)|([()]))')


class Rule:
    """A composite alarm's rule: which alarms it is about, and whether it holds."""

    def __init__(self, text: str):
        self.children: list[str] = []
        self._tokens = self._split(text)
        self._test = self._either()
        if self._tokens:
            raise InvalidParameterValue(f"AlarmRule: unexpected {self._tokens[0]!r}")

    def holds(self, state_of: Callable[[str], str | None]) -> bool:
        return self._test(state_of)

    def _split(self, text: str) -> list[Any]:
        tokens, at = [], 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if not found:
                raise InvalidParameterValue(f"AlarmRule: cannot read {text[at:]!r}")
            word, function, quoted, bare, parenthesis = found.groups()
            name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            tokens.append(word or parenthesis or (function, re.sub(r"^arn:.*:alarm:", "", name)))
            at = found.end()
        return tokens

    def _next(self) -> Any:
        if not self._tokens:
            raise InvalidParameterValue("AlarmRule: ends too early")
        return self._tokens.pop(0)

    def _takes(self, word: str) -> bool:
        if self._tokens[:1] != [word]:
            return False
        self._tokens.pop(0)
        return True

    def _either(self) -> Callable[[Any], bool]:
        tests = [self._both()]
        while self._takes("OR"):
            tests.append(self._both())
        return lambda state_of: any(test(state_of) for test in tests)

    def _both(self) -> Callable[[Any], bool]:
        tests = [self._one()]
        while self._takes("AND"):
            tests.append(self._one())
        return lambda state_of: all(test(state_of) for test in tests)

    def _one(self) -> Callable[[Any], bool]:
        token = self._next()
        if token == "NOT":
            test = self._one()
            return lambda state_of: not test(state_of)
        if token == "(":
            test = self._either()
            if not self._takes(")"):
                raise InvalidParameterValue("AlarmRule: a parenthesis is missing")
            return test
        if token in ("TRUE", "FALSE"):
            return lambda _: token == "TRUE"
        if not isinstance(token, tuple):
            raise InvalidParameterValue(f"AlarmRule: unexpected {token!r}")
        state, name = token
        self.children.append(name)
        return lambda state_of: state_of(name) == state


# --- states ---


def _history(backend: CloudWatchBackend) -> list[dict[str, Any]]:
    """Every change of a state, oldest first; AWS too keeps those of alarms that are gone."""
    return backend.__dict__.setdefault("cell_factory_history", [])


def _state(alarm: Alarm) -> dict[str, Any]:
    data = {"stateReasonData": json.loads(alarm.state_reason_data)} if alarm.state_reason_data not in (None, "", "{}") else {}
    return {"stateValue": alarm.state_value, "stateReason": alarm.state_reason, **data}


@replaces(Alarm)
def update_state(self: Alarm, reason: str, reason_data: str | None, state_value: str) -> None:
    """Sets the state, writes a change down, and lets the composites that are made of this alarm follow."""
    with _changing:
        old, time = _state(self), utcnow()
        self.state_reason, self.state_reason_data, self.state_value = reason, reason_data, state_value
        self.state_updated_timestamp = time
        if old["stateValue"] == state_value:
            return
        self.state_transitioned_timestamp = time
        backend = cloudwatch_backends[self.alarm_arn.split(":")[4]][self.region_name]
        _history(backend).append(
            {
                "AlarmName": self.name,
                "AlarmType": _kind(self),
                "Timestamp": time,
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {old['stateValue']} to {state_value}",
                "HistoryData": json.dumps({"version": "1.0", "oldState": old, "newState": _state(self)}),
            }
        )
        _let_follow(backend, self.name)


def _let_follow(backend: CloudWatchBackend, changed: str) -> None:
    for composite in list(backend.alarms.values()):
        if composite.rule is not None and changed in Rule(composite.rule).children:
            _evaluate(backend, composite, changed)


def _evaluate(backend: CloudWatchBackend, composite: Alarm, changed: str | None = None) -> None:
    alarms = backend.alarms
    holds = Rule(composite.rule).holds(lambda name: alarms[name].state_value if name in alarms else None)
    state = "ALARM" if holds else "OK"
    why = "" if changed is None or changed not in alarms else f"{alarms[changed].alarm_arn} transitioned to {alarms[changed].state_value}. "
    if state != composite.state_value:
        composite.update_state(f"{why}Alarm Rule evaluates to {str(holds).upper()}", None, state)


@replaces(CloudWatchBackend)
def put_metric_alarm(self: CloudWatchBackend, name: str, *rest: Any, **named: Any) -> Alarm:
    """PutMetricAlarm and PutCompositeAlarm. moto sets an alarm that is put again to OK; AWS leaves its state as it is."""
    rule = named.get("rule")
    if rule is not None:
        Rule(rule)
    with _changing:
        before = self.alarms.get(name)
        alarm = _put_metric_alarm(self, name, *rest, **named)
        alarm.state_transitioned_timestamp = alarm.state_updated_timestamp
        if before is not None:
            for field in (
                "state_value",
                "state_reason",
                "state_reason_data",
                "state_updated_timestamp",
                "state_transitioned_timestamp",
            ):
                setattr(alarm, field, getattr(before, field))
        elif rule is not None:
            alarm.state_value = "INSUFFICIENT_DATA"
        if rule is not None:
            _evaluate(self, alarm)
        if before is None:
            _let_follow(self, name)
    return alarm


@replaces(CloudWatchBackend)
def delete_alarms(self: CloudWatchBackend, alarm_names: list[str]) -> None:
    """DeleteAlarms. What is gone is in no state."""
    with _changing:
        _delete_alarms(self, alarm_names)
        for name in alarm_names:
            _let_follow(self, name)


# --- questions ---


def _page(response: CloudWatchResponse, found: list[Any], size: int) -> tuple[list[Any], str | None]:
    """As many as are asked for, and where to go on."""
    token = response._get_param("NextToken") or "0"
    if not token.isdigit():
        raise InvalidParameterValue("The value of NextToken is not valid.")
    start, size = int(token), int(response._get_param("MaxRecords") or size)
    return found[start : start + size], str(start + size) if start + size < len(found) else None


@replaces(CloudWatchResponse)
def describe_alarms(self: CloudWatchResponse) -> ActionResult:
    """DescribeAlarms. moto heeds only the first filter that it finds, answers composites unasked, and everything in one page."""
    alarms = list(self.cloudwatch_backend.alarms.values())
    parent, prefix, state = (self._get_param(name) for name in ("ChildrenOfAlarmName", "AlarmNamePrefix", "StateValue"))
    names, action = self._get_param("AlarmNames") or [], self._get_param("ActionPrefix")
    kinds = self._get_param("AlarmTypes") or ([METRIC, COMPOSITE] if parent else [METRIC])
    if parent:
        rule = getattr(self.cloudwatch_backend.alarms.get(parent), "rule", None)
        names = Rule(rule).children if rule is not None else [""]
    found = [
        alarm
        for alarm in alarms
        if _kind(alarm) in kinds
        and (not names or alarm.name in names)
        and (not prefix or alarm.name.startswith(prefix))
        and (not state or alarm.state_value == state)
        and (not action or any(each.startswith(action) for each in alarm.alarm_actions))
    ]
    page, token = _page(self, found, ALARMS_PER_PAGE)
    of_kind = {kind: [alarm for alarm in page if _kind(alarm) == kind] for kind in (METRIC, COMPOSITE)}
    return ActionResult({"MetricAlarms": of_kind[METRIC], "CompositeAlarms": of_kind[COMPOSITE], "NextToken": token})


def describe_alarm_history(self: CloudWatchResponse) -> ActionResult:
    """DescribeAlarmHistory, which moto lacks. Of the kinds of items there are changes of states."""
    name, start, end = (self._get_param(key) for key in ("AlarmName", "StartDate", "EndDate"))
    kinds = self._get_param("AlarmTypes") or [METRIC]
    item_type = self._get_param("HistoryItemType") or "StateUpdate"
    found = [
        item
        for item in _history(self.cloudwatch_backend)
        if item["AlarmType"] in kinds
        and item["HistoryItemType"] == item_type
        and (not name or item["AlarmName"] == name)
        and (not start or item["Timestamp"] >= start)
        and (not end or item["Timestamp"] <= end)
    ]
    if self._get_param("ScanBy") != "TimestampAscending":
        found.reverse()
    page, token = _page(self, found, EVENTS_PER_PAGE)
    return ActionResult({"AlarmHistoryItems": page, "NextToken": token})


CloudWatchResponse.describe_alarm_history = describe_alarm_history
