"""Metrics of favorites."""

from prometheus_client import Counter, Histogram

TOGGLED = Counter(
    "landfall_favorites_toggled_total", "Favorites that were saved or removed.", ["kind", "act"]
)
SYNCED = Counter("landfall_favorite_syncs_total", "Lists of devices that were merged.", ["strategy"])
DIFFERENCES = Counter(
    "landfall_favorite_differences_total",
    "Differences between devices and the server, by strategy.",
    ["strategy", "kind"],
)
REJECTED = Counter(
    "landfall_favorite_rejections_total", "Favorites of devices that could not be taken over.", ["code"]
)
COUNT = Histogram(
    "landfall_favorite_list_size",
    "Favorites of a person and kind, whenever one is saved.",
    buckets=(1, 5, 10, 20, 50, 100, 200, 500),
)
NOTICES = Counter(
    "landfall_favorite_notices_total",
    "Notices about favorites, by what became of them.",
    ["event", "outcome"],
)
