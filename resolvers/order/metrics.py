"""Metrics of payments."""

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
