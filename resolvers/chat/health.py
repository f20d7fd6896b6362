"""Client health: the depth of phones' outgoing queues, and the errors in them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from prometheus_client import Counter, Histogram

from core import clock, discovery
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.security.limits import Rate
from core.values.bounds import check_count
from stores import chat as store
from stores.chat import QueueHealth

KEPT = timedelta(days=30)
MOST_QUEUES = 50
MOST_COUNTED = 1_000_000
HEALTH_RATE = Rate("client health", 1, 60)

SIZES = Histogram(
    "landfall_client_queue_size",
    "Mutations waiting on phones, by system.",
    ["system"],
    buckets=(0, 1, 5, 20, 100, 500),
)
AGES = Histogram(
    "landfall_client_queue_age_seconds",
    "Age of the oldest mutation waiting on a phone, by system.",
    ["system"],
    buckets=(1, 10, 60, 600, 3600, 86400),
)
FAILURES = Counter("landfall_client_queue_failures_total", "Mutations phones gave up, by system.", ["system"])


async def record_client_health(
    ctx: Context, *, device_id: Id, queues: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Store a device's report on its queues, and count it in the metrics."""
    if device_id != ctx.signed_in.device_id:
        raise UserError("NOT_FOUND", "You are signed in on another device.", field=["deviceId"])
    seen = [_checked(place, each) for place, each in enumerate(_bounded(queues))]
    await ctx.limit(HEALTH_RATE, f"{ctx.viewer_id}|{device_id}")
    now = clock.now()
    row = {
        "user_id": ctx.viewer_id,
        "device_id": device_id,
        "queues": seen,
        "reported_at": now,
        "expires_at": now + KEPT,
    }
    id = f"{ctx.viewer_id}|{device_id}"
    await store.health.update_one(ctx.services.db, {"_id": id}, {"$set": row}, upsert=True)
    for queue in seen:
        _count(queue)
    return {}


def _bounded(queues: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    check_count(queues, most=MOST_QUEUES, field="queues")
    return queues


def _checked(place: int, queue: Mapping[str, Any]) -> QueueHealth:
    if queue["system"] not in systems():
        raise UserError("INVALID_INPUT", "There is no such system.", field=["queues", str(place), "system"])
    for name in ("queued_count", "failed_count"):
        if not 0 <= queue[name] <= MOST_COUNTED:
            raise UserError(
                "OUT_OF_RANGE", "0 to {limit}.", field=["queues", str(place), name], limit=MOST_COUNTED
            )
    return {
        "system": queue["system"],
        "size": queue["queued_count"],
        "oldest_at": queue.get("oldest_at"),
        "failed": queue["failed_count"],
    }


@cache
def systems() -> frozenset[str]:
    """Names of all systems: a client's value becomes a metric label, so it must be one of few."""
    return frozenset(room.__name__.rpartition(".")[2] for room in discovery.systems("resolvers"))


def _count(queue: QueueHealth) -> None:
    SIZES.labels(queue["system"]).observe(queue["size"])
    if queue["oldest_at"] is not None:
        age = (clock.now() - queue["oldest_at"]).total_seconds()
        AGES.labels(queue["system"]).observe(max(0.0, age))
    if queue["failed"]:
        FAILURES.labels(queue["system"]).inc(queue["failed"])
