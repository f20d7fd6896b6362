"""Metrics of notifications."""

from prometheus_client import Counter, Histogram

NOTIFIED = Counter("landfall_notifications_total", "Notifications that people were told of.", ["source"])
DELIVERIES = Counter(
    "landfall_notification_deliveries_total", "Deliveries by outcome.", ["channel", "status", "reason"]
)
RETRIES = Counter("landfall_notification_retries_total", "Deliveries that are tried again.", ["channel"])
ACCEPTED_SECONDS = Histogram(
    "landfall_notification_accepted_seconds",
    "Seconds from notify() until a provider took the message.",
    ["priority"],
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600),
)
EVENTS = Counter(
    "landfall_notification_events_total", "Events of providers by what became of them.", ["outcome"]
)
