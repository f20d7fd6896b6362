"""Requests counted and timed for Prometheus.

The library's own numbers take a lock each, which small answers feel. Here only the event loop counts.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector
from prometheus_client.utils import floatToGoString

BOUNDS = Histogram.DEFAULT_BUCKETS
"""Seconds; the last is infinite."""


class Requests(Collector):
    """How many were answered by route and status, and how long that took by route."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, int], int] = {}
        self._seconds: dict[str, float] = {}
        self._buckets: dict[str, list[int]] = {}

    def record(self, route: str, status: int, seconds: float) -> None:
        key = (route, status)
        self._answered[key] = self._answered.get(key, 0) + 1
        buckets = self._buckets.get(route)
        if buckets is None:
            buckets = self._buckets[route] = [0] * len(BOUNDS)
            self._seconds[route] = 0.0
        buckets[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[route] += seconds

    def collect(self) -> Iterator[Metric]:
        answered = CounterMetricFamily(
            "landfall_requests", "HTTP requests by route and status.", labels=["route", "status"]
        )
        for (route, status), count in self._answered.items():
            answered.add_metric([route, str(status)], count)
        yield answered
        took = HistogramMetricFamily(
            "landfall_request_seconds", "Time to answer HTTP requests.", labels=["route"]
        )
        for route, buckets in self._buckets.items():
            below = [
                (floatToGoString(bound), float(count))  # type: ignore[no-untyped-call]
                for bound, count in zip(BOUNDS, accumulate(buckets), strict=True)
            ]
            took.add_metric([route], below, self._seconds[route])
        yield took


REQUESTS = Requests()
REGISTRY.register(REQUESTS)
