"""HTTP metrics: requests and operations, counted and timed for Prometheus.

The library's own numbers take a lock each, which small answers feel. Here only the event loop counts.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector
from prometheus_client.utils import floatToGoString

from core.request_notes import Notes

BOUNDS = Histogram.DEFAULT_BUCKETS
"""Seconds; the last is infinite."""
OPERATION_BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, float("inf"))
"""Fewer: there is a histogram for each operation."""
MOST_OPERATIONS = 200
MOST_ERRORS = 2_000
"""Pairs of operation and code."""
OTHER = "(other)"
"""Label of all names beyond that limit: clients choose them freely."""


class Times:
    """Histogram of durations by one label."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._seconds: dict[str, float] = {}
        self._buckets: dict[str, list[int]] = {}

    def record(self, label: str, seconds: float) -> None:
        buckets = self._buckets.get(label)
        if buckets is None:
            buckets = self._buckets[label] = [0] * len(self._bounds)
            self._seconds[label] = 0.0
        buckets[bisect_left(self._bounds, seconds)] += 1
        self._seconds[label] += seconds

    def metric(self, name: str, help: str, label: str) -> HistogramMetricFamily:
        took = HistogramMetricFamily(name, help, labels=[label])
        for value, buckets in self._buckets.items():
            below = [
                (floatToGoString(bound), float(count))  # type: ignore[no-untyped-call]
                for bound, count in zip(self._bounds, accumulate(buckets), strict=True)
            ]
            took.add_metric([value], below, self._seconds[value])
        return took


class Requests(Collector):
    """HTTP request metrics: count by route and status, duration by route."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, int], int] = {}
        self._times = Times(BOUNDS)

    def record(self, route: str, status: int, seconds: float) -> None:
        key = (route, status)
        self._answered[key] = self._answered.get(key, 0) + 1
        self._times.record(route, seconds)

    def collect(self) -> Iterator[Metric]:
        answered = CounterMetricFamily(
            "landfall_requests", "HTTP requests by route and status.", labels=["route", "status"]
        )
        for (route, status), count in self._answered.items():
            answered.add_metric([route, str(status)], count)
        yield answered
        yield self._times.metric("landfall_request_seconds", "Time to answer HTTP requests.", "route")


class Operations(Collector):
    """Operation metrics: duration by name, errors by name and code, on all transports."""

    def __init__(self) -> None:
        self._times = Times(OPERATION_BOUNDS)
        self._errors: dict[tuple[str, str], int] = {}
        self._names: set[str] = set()

    def timed(self, notes: Notes, seconds: float) -> None:
        """Of a batch, each operation took its share."""
        for name in notes.operations:
            self._times.record(self._known(name), seconds / len(notes.operations))

    def refused(self, notes: Notes) -> None:
        """Count the codes noted until now; of a batch, under the first operation's name."""
        name = self._known(notes.operations[0]) if notes.operations and notes.codes else OTHER
        for code in notes.codes:
            key = (name, code)
            if key not in self._errors and len(self._errors) >= MOST_ERRORS:
                key = (OTHER, code)
            self._errors[key] = self._errors.get(key, 0) + 1
        notes.codes.clear()

    def _known(self, name: str) -> str:
        if name not in self._names and len(self._names) < MOST_OPERATIONS:
            self._names.add(name)
        return name if name in self._names else OTHER

    def collect(self) -> Iterator[Metric]:
        yield self._times.metric("landfall_operation_seconds", "Time operations took, by name.", "operation")
        errors = CounterMetricFamily(
            "landfall_errors",
            "Errors of operations and refusals of mutations, by the operation's name and the code.",
            labels=["operation", "code"],
        )
        for (operation, code), count in self._errors.items():
            errors.add_metric([operation, code], count)
        yield errors


REQUESTS = Requests()
REGISTRY.register(REQUESTS)
OPERATIONS = Operations()
REGISTRY.register(OPERATIONS)
