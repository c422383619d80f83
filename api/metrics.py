"""`/metrics` for Prometheus: counters of the ledger, and how the parts are."""

from collections.abc import Iterator, Mapping, Sequence

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from alerts.notify.line_budget import forecast
from alerts.notify.line_chat import Taken
from api.context import ApiContext, SystemStatus
from api.gateways import missing
from api.stats import by_reason
from core.access import Denied, Throttle
from core.alerts import Severity, State
from core.messages import Refusal
from core.notices import Channel, LineMonth
from core.registry import Clock, Status
from core.times import SECOND
from storage import deliveries, gateways, line_quota, queries
from storage.deliveries import Waiting
from storage.forwarder import ForwarderState
from storage.outbox import OUTCOMES
from storage.queries import Stats
from storage.statuses import current

router = APIRouter(tags=["System"])

_KINDS = ("received", "stored", "duplicate", "quarantined", "released")
_SETTLE_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(request: Request) -> Response:
    """All metrics in Prometheus' text format."""
    return Response(generate_latest(request.app.state.metrics), media_type=CONTENT_TYPE_LATEST)


def registry_of(context: ApiContext) -> CollectorRegistry:
    """A registry of its own with everything that the API knows how to measure."""
    registry = CollectorRegistry()
    registry.register(_SystemCollector(context))
    for collector in context.collectors:
        registry.register(collector)
    ProcessCollector(namespace="andaman", registry=registry)
    return registry


def refusals(registry: CollectorRegistry) -> Counter:
    """Counts what the doorkeeper turned away."""
    words = "Requests refused before they reached a route, by kind of problem."
    return Counter("andaman_api_refusals", words, ["kind"], registry=registry)


def settle_seconds() -> Histogram:
    """For the one who settles to observe, and to hand to the API as one of its collectors."""
    words = "Time that a batch took: decoded, judged, committed, acknowledged."
    return Histogram("andaman_settle_seconds", words, buckets=_SETTLE_BUCKETS, registry=None)


class _SystemCollector(Collector):
    """Asks ledger and parts when it is asked."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        with queries.snapshot(self._context.readers) as connection:
            counted = queries.stats(connection)
            counters = gateways.counted(connection)
            known = gateways.names(connection)
            statuses = current(connection)
            waiting = deliveries.waiting(connection, self._context.clock())
            month = line_quota.month(connection)
        yield from _of_ledger(counted)
        yield from _of_messages(counted, waiting, self._context.clock())
        yield from _of_gateways(counters)
        yield from _of_limits({name: self._context.throttle(name) for name in known})
        yield _online(statuses)
        yield _of_clocks(self._context.clocks())
        yield from _of_line(self._context, month)
        yield from _of_parts(self._context.status())


def _of_ledger(counted: Stats) -> Iterator[Metric]:
    counters = counted.counters
    words = "Items: received = stored + duplicate + quarantined - released."
    yield _counter("items", words, "kind", {kind: counters.get(kind, 0) for kind in _KINDS})
    words = "Quarantined items by reason."
    reasons = dict.fromkeys(map(str, Refusal), 0) | by_reason(counted)
    yield _counter("quarantined", words, "reason", reasons)
    words = "Entries that the quarantine's bounds of age and number made it forget."
    yield CounterMetricFamily(
        "andaman_quarantine_forgotten", words, value=counters.get("forgotten", 0)
    )
    words = "Transitions of alerts by the state that they led to."
    states = {str(state): counters.get(f"transitions.{state}", 0) for state in State}
    yield _counter("transitions", words, "state", states)
    open_alerts = GaugeMetricFamily(
        "andaman_open_alerts",
        "Alerts that are pending or firing, by state and severity.",
        labels=["state", "severity"],
    )
    for state in (State.PENDING, State.FIRING):
        for severity in Severity:
            count = counted.open_alerts.get((state, severity), 0)
            open_alerts.add_metric([state, severity.label], count)
    yield open_alerts
    yield _gauge("series", "Series that have at least one reading.", counted.series)
    words = "Points in the ledger that InfluxDB has yet to take."
    yield _gauge("forwarder_backlog_points", words, counted.outflow_points)


def _of_messages(counted: Stats, waiting: Mapping[Channel, Waiting], now: int) -> Iterator[Metric]:
    words = "Messages to people by channel and what came of them."
    family = CounterMetricFamily("andaman_deliveries", words, labels=["channel", "outcome"])
    for channel in Channel:
        for outcome in OUTCOMES:
            count = counted.counters.get(f"deliveries.{channel}.{outcome}", 0)
            family.add_metric([channel, outcome], count)
    yield family
    words = "Messages to people that are due and wait."
    left = GaugeMetricFamily("andaman_deliveries_waiting", words, labels=["channel"])
    words = "For how long the oldest of them has waited."
    oldest = GaugeMetricFamily("andaman_oldest_delivery_seconds", words, labels=["channel"])
    for channel in Channel:
        found = waiting.get(channel, Waiting(0, None))
        left.add_metric([channel], found.count)
        oldest.add_metric([channel], (now - (found.since or now)) / SECOND)
    yield left
    yield oldest


def _of_gateways(counters: Mapping[str, Sequence[gateways.Counted]]) -> Iterator[Metric]:
    absent = GaugeMetricFamily(
        "andaman_gateway_missing_messages",
        "Messages that a gateway's own counter says are missing now.",
        labels=["gateway"],
    )
    words = "Messages that never came and were written off."
    lost = {name: sum(c.progress.lost for c in found) for name, found in counters.items()}
    for name, found in counters.items():
        absent.add_metric([name], missing(found))
    yield absent
    yield _counter("gateway_lost_messages", words, "gateway", lost)


def _online(statuses: Mapping[str, Status]) -> Metric:
    online = GaugeMetricFamily(
        "andaman_gateway_online",
        "1 where the gateway said that it is online, 0 where it or its last will said not.",
        labels=["gateway"],
    )
    for name, status in sorted(statuses.items()):
        online.add_metric([name], status.online)
    return online


def _of_clocks(clocks: Mapping[str, Clock]) -> Metric:
    offsets = GaugeMetricFamily(
        "andaman_device_clock_offset_seconds",
        "Received minus measured, the median over the last minutes with a reading.",
        labels=["device"],
    )
    for device, clock in sorted(clocks.items()):
        offsets.add_metric([device], clock.offset)
    return offsets


def _of_limits(throttles: Mapping[str, Throttle]) -> Iterator[Metric]:
    words = "Messages above the rate of their gateway since the start; their receipts waited."
    beyond = {name: throttle.beyond for name, throttle in throttles.items()}
    yield _counter("gateway_throttled_messages", words, "gateway", beyond)
    wait = GaugeMetricFamily(
        "andaman_gateway_throttle_seconds",
        "Time until a gateway is within its rate again; 0 while it is.",
        labels=["gateway"],
    )
    for name, throttle in throttles.items():
        wait.add_metric([name], throttle.wait / SECOND)
    yield wait


def _denied(denied: Mapping[str, Denied]) -> Metric:
    refusals = CounterMetricFamily(
        "andaman_gateway_refusals",
        "What the broker refused, by gateway (empty: nobody knows whose) and kind.",
        labels=["gateway", "kind"],
    )
    for name, seen in sorted(denied.items()):
        for kind in ("publishes", "subscriptions", "logins"):
            refusals.add_metric([name, kind], getattr(seen, kind))
    return refusals


def _of_line(context: ApiContext, month: LineMonth | None) -> Iterator[Metric]:
    words = "Messages of LINE this month: limit, used, forecast."
    messages = GaugeMetricFamily("andaman_line_messages", words, labels=["what"])
    if month is not None:
        if month.limit is not None:
            messages.add_metric(["limit"], month.limit)
        messages.add_metric(["used"], month.used)
        messages.add_metric(["forecast"], forecast(month, context.zone))
    yield messages
    counted = context.chat.counted if context.chat else dict.fromkeys(Taken, 0)
    words = "What users of LINE did since the start, by what became of it."
    outcomes = {outcome.value: number for outcome, number in counted.items()}
    yield _counter("line_events", words, "outcome", outcomes)


def _of_parts(status: SystemStatus) -> Iterator[Metric]:
    yield _denied(status.denied)
    checks = GaugeMetricFamily(
        "andaman_check_ok", "1 where a check of readiness is well.", labels=["check"]
    )
    for name, check in sorted(status.checks.items()):
        checks.add_metric([name], check.ok)
    yield checks
    words = "Messages and functions that wait for the pipeline thread."
    yield _gauge("worker_backlog", words, status.worker_backlog)
    words = "1 while the session with the broker is up."
    yield _gauge("listener_connected", words, status.listener_connected)
    words = "Time since the listener's network loop last went round."
    yield _gauge("listener_loop_age_seconds", words, status.listener_loop_age_seconds)
    forwarder = status.forwarder
    words = "Points by what InfluxDB made of them since the start."
    points = {"stored": forwarder.points_sent, "rejected": forwarder.rejected}
    yield _counter("forwarder_points", words, "outcome", points)
    states = GaugeMetricFamily(
        "andaman_forwarder_state", "1 for the state that the forwarder is in.", labels=["state"]
    )
    for state in ForwarderState:
        states.add_metric([state], state is forwarder.state)
    yield states
    yield _gauge("ledger_bytes", "Size of the ledger's files.", status.ledger_bytes)


def _counter(name: str, words: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"andaman_{name}", words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"andaman_{name}", words, value=value)
