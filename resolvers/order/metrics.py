"""Metrics of orders and payments."""

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import Counter, Histogram

STATUSES = Counter("landfall_payments_total", "Payments by the status they came to.", ["status"])
FAILURES = Counter("landfall_payment_failures_total", "Attempts that came to nothing, by reason.", ["reason"])
ASKED_SECONDS = Histogram(
    "landfall_payment_gateway_seconds",
    "Seconds that calls of the payment gateway took.",
    ["call"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5),
)
SILENT = Counter("landfall_payment_gateway_silent_total", "Calls of the gateway without an answer.", ["call"])
RELEASED = Counter(
    "landfall_payment_charges_released_total", "Charges that nobody wants, voided or given back."
)
REORDERS = Counter("landfall_reorders_total", "Reorders by what came of them.", ["outcome"])
ADJUSTMENTS = Counter(
    "landfall_reorder_adjustments_total", "Adjustments that reorders told of, by kind.", ["kind"]
)


async def reordered(outcome: str, adjustments: Sequence[Mapping[str, Any]]) -> None:
    """Count a reorder with its adjustments."""
    REORDERS.labels(outcome).inc()
    for each in adjustments:
        ADJUSTMENTS.labels(each["kind"]).inc()
