"""Traffic of canaries. Canaries are declared here, not run; but a component that nobody calls looks the same whether it is well or not,
and so nothing could be released on what its metrics say. An account with a running canary therefore has, for every component with a
parameter `/cell/probe/<component>`, the requests that the canary would have made since: `Requests` in namespace `Cell`, as if they had
been put. There are no errors among them."""

import threading
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum, MetricDatumBase
from moto.core.utils import utcnow
from moto.ssm.models import ssm_backends
from moto.synthetics.models import synthetics_backends

from .replacing import replaces

# Requests a second, far more than a canary makes on AWS: a rollout looks for so many requests during a bake of minutes or hours,
# and here the same bake takes seconds.
RATE = 500.0

NAMESPACE, METRIC, PROBES = "Cell", "Requests", "/cell/probe/"

_lock = threading.Lock()

# (since when, component or None for all, requests a second), by account; the later counts.
_changes: dict[str, list[tuple[datetime, str | None, float]]] = {}

# What the canaries have put, while a question is answered.
_put: ContextVar[tuple[MetricDatumBase, ...]] = ContextVar("put", default=())

_get_all_metrics = CloudWatchBackend.get_all_metrics
_get_metric_data = CloudWatchBackend.get_metric_data
_get_metric_statistics = CloudWatchBackend.get_metric_statistics


def set_rate(account_id: str, component: str | None, rate: float) -> None:
    """From now on so many requests a second. What was until now stays."""
    with _lock:
        _changes.setdefault(account_id, []).append((utcnow(), component, rate))


def _naive(time: datetime) -> datetime:
    return time.astimezone(timezone.utc).replace(tzinfo=None) if time.tzinfo else time


def _requests(account_id: str, component: str, start: datetime, end: datetime) -> float:
    """How many requests there were from one time to the other."""
    with _lock:
        changes = [(when, rate) for when, which, rate in _changes.get(account_id, []) if which in (None, component)]
    times = [start, *(min(max(when, start), end) for when, _ in changes), end]
    rates = [RATE, *(rate for _, rate in changes)]
    return sum(rate * max(0.0, (until - since).total_seconds()) for rate, since, until in zip(rates, times[:-1], times[1:], strict=True))


def _since(backend: CloudWatchBackend, component: str) -> datetime | None:
    """When the component's probe began, if one runs."""
    canaries = synthetics_backends[backend.account_id][backend.region_name].canaries
    if not any(canary.state == "RUNNING" for canary in list(canaries.values())):
        return None
    versions = dict(ssm_backends[backend.account_id][backend.region_name]._parameters).get(PROBES + component)
    return _naive(versions[0].last_modified_date) if versions else None


def _probed(
    backend: CloudWatchBackend, namespace: str, metric: str, dimensions: list[dict[str, str]], start: datetime, end: datetime, period: int
) -> list[MetricDatumBase]:
    """One datum for each period in which the component had requests."""
    names = {each["Name"]: each["Value"] for each in dimensions}
    if (namespace, metric) != (NAMESPACE, METRIC) or set(names) != {"cell", "component"}:
        return []
    since = _since(backend, names["component"])
    if since is None:
        return []
    until = min(_naive(end), utcnow())
    found: list[MetricDatumBase] = []
    step = timedelta(seconds=period)
    # moto looks from the full second before the start to the one before the end: the rest goes into the last period.
    time, stop = start.replace(microsecond=0), _last_second(start, end)
    while time < stop:
        first, last = max(_naive(time), _naive(start), since), until if time + step >= stop else min(_naive(time + step), until)
        count = _requests(backend.account_id, names["component"], first, last) if first < last else 0
        if count:
            found.append(MetricAggregatedDatum(NAMESPACE, METRIC, 1, 1, count, count, dimensions, time))
        time += step
    return found


def _last_second(start: datetime, end: datetime) -> datetime:
    """Where moto ends. It refuses an interval within one second, which is long enough for a bake here."""
    full = end.replace(microsecond=0)
    return full + timedelta(seconds=1) if start < end and full == start.replace(microsecond=0) else full


@replaces(CloudWatchBackend)
def get_all_metrics(self: CloudWatchBackend) -> list[MetricDatumBase]:
    """What was put, and what canaries would have put."""
    return [*_get_all_metrics(self), *_put.get()]


def _with(data: list[MetricDatumBase], answer: Any) -> Any:
    token = _put.set(tuple(data))
    try:
        return answer()
    finally:
        _put.reset(token)


@replaces(CloudWatchBackend)
def get_metric_data(
    self: CloudWatchBackend, queries: list[dict[str, Any]], start_time: datetime, end_time: datetime, scan_by: str = "TimestampAscending"
) -> list[dict[str, Any]]:
    """GetMetricData. Two questions about one metric see the same data, in the shorter one's periods."""
    asked: dict[str, tuple[Any, ...]] = {}
    for stat in sorted((query["MetricStat"] for query in queries if "MetricStat" in query), key=lambda stat: -int(stat["Period"])):
        metric = stat["Metric"]
        dimensions = metric.get("Dimensions", [])
        key = str((metric["Namespace"], metric["MetricName"], sorted((each["Name"], each["Value"]) for each in dimensions)))
        asked[key] = (metric["Namespace"], metric["MetricName"], dimensions, start_time, end_time, int(stat["Period"]))
    data = [datum for one in asked.values() for datum in _probed(self, *one)]
    return _with(data, lambda: _get_metric_data(self, queries, start_time, _last_second(start_time, end_time), scan_by))


@replaces(CloudWatchBackend)
def get_metric_statistics(
    self: CloudWatchBackend,
    namespace: str,
    metric_name: str,
    start_time: datetime,
    end_time: datetime,
    period: int,
    stats: list[str],
    dimensions: list[dict[str, str]],
    unit: str | None = None,
) -> Any:
    """GetMetricStatistics."""
    data = _probed(self, namespace, metric_name, dimensions or [], start_time, end_time, int(period))
    return _with(data, lambda: _get_metric_statistics(self, namespace, metric_name, start_time, end_time, period, stats, dimensions, unit))
