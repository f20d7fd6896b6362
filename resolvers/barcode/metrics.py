"""Metrics of the barcode scanner."""

from prometheus_client import Counter, Histogram

LOOKUPS = Counter(
    "landfall_barcode_lookups_total", "Codes looked up, by what they were and who knew.", ["status", "source"]
)
SCANS = Counter("landfall_barcode_scans_total", "Scans that were taken, by what became of them.", ["outcome"])
BATCH_SIZE = Histogram(
    "landfall_barcode_batch_size", "Scans of one batch.", buckets=(1, 2, 5, 10, 20, 50, 100)
)
REVIEW_AGE = Histogram(
    "landfall_barcode_review_hours",
    "Hours from the first submission of a code to the decision on it.",
    buckets=(1, 4, 8, 24, 48, 96, 168),
)
"""The target is two working days."""
EXTERNAL = Counter(
    "landfall_barcode_external_total", "Answers of the source of names outside of the shop.", ["result"]
)
