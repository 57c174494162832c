"""Metrics for Prometheus: calls, systems, and whether the reconciler still runs.

Each server process has its own registry. Nothing in it names a user or a system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from puddle.server.domain.states import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ReconcilerCollector(Collector):
    """The reconciler's loops: how many `turns` they made, and seconds since the last; None where none runs here."""

    def __init__(self, turns: Callable[[], int], age: Callable[[], float | None]) -> None:
        """See the class."""
        self.turns = turns
        self.age = age

    def collect(self) -> Iterable[Metric]:
        """Return both as metrics."""
        yield CounterMetricFamily("puddle_reconcile_turns", "Turns of the reconciler's loops.", self.turns())
        age = self.age()
        if age is not None:
            yield GaugeMetricFamily("puddle_reconcile_age_seconds", "Seconds since the last turn.", age)


class _Systems(Collector):
    """Living systems by status, counted when somebody asks: those that are terminated only grow."""

    def __init__(self, count: Callable[[], Mapping[Status, int]]) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        """Return a gauge."""
        gauge = GaugeMetricFamily("puddle_systems", "Living systems by status.", labels=["status"])
        found = self._count()
        for status in sorted(set(Status) - {Status.TERMINATED}):
            gauge.add_metric([status.name.lower()], found.get(status, 0))
        yield gauge


class Metrics:
    """The metrics of one server process."""

    def __init__(self, systems: Callable[[], Mapping[Status, int]], reconciler: ReconcilerCollector) -> None:
        """`systems` counts them by status."""
        self._registry = CollectorRegistry()
        self._calls = Counter("puddle_calls", "Calls by method and code.", ["method", "code"], registry=self._registry)
        self._seconds = Histogram(
            "puddle_call_seconds", "How long calls took.", ["method"], buckets=_SECONDS, registry=self._registry
        )
        self.watchers = Gauge("puddle_watchers", "Open streams of WatchSystems.", registry=self._registry)
        self._registry.register(reconciler)
        self._registry.register(_Systems(systems))
        self._counters: dict[tuple[str, str], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def count(self, method: str, code: str, seconds: float) -> None:
        """Count a call of `method` that ended with `code`."""
        counter = self._counters.get((method, code))
        if counter is None:
            counter = self._counters[method, code] = self._calls.labels(method, code)
        histogram = self._histograms.get(method)
        if histogram is None:
            histogram = self._histograms[method] = self._seconds.labels(method)
        counter.inc()
        histogram.observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
