"""Telemetry: usage events that apps report; dropped for people who opted out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict
from zlib import crc32

import orjson
from prometheus_client import Counter

from core import clock
from core.context import Context
from core.errors import BadUserInput, Unauthenticated
from core.ids import Id
from core.security.limits import Rate
from core.storage import mongo
from core.storage.loader import by_id
from resolvers import auth
from stores.catalog import people as store
from stores.catalog.kinds import TelemetryType

EVENT_RATE = Rate("telemetry", 120, 60)
ADDRESS_RATE = Rate("telemetry-address", 600, 60)
MOST_EVENTS = 50
LONGEST_ID = 128
MOST_BYTES = 2_000
KEPT = timedelta(days=30)
OLDEST, AHEAD = timedelta(days=7), timedelta(hours=24)

ANONYMOUS = frozenset({TelemetryType.SCAN, TelemetryType.SCAN_UNMATCHED, TelemetryType.STACK_ADD})
"""Types that tell of a person's health: they are kept without who did it."""
SCANS = frozenset({TelemetryType.SCAN, TelemetryType.SCAN_UNMATCHED})
SCAN_RATE = Rate("telemetry-scans", 60, 60)
SAMPLED = 10
"""Of scans beyond their rate one in so many is kept."""

EVENTS = Counter("landfall_telemetry_total", "Events that apps reported, by type.", ["type"])


def sender(ctx: Context, arguments: Mapping[str, Any]) -> str:
    """Sender of events: the viewer, else the device that the client names."""
    if ctx.viewer is not None:
        return ctx.viewer_id
    device = arguments.get("device_id")
    if not device:
        raise Unauthenticated(ctx.refusal)
    return f"device:{_device(str(device))}"


def _device(given: str) -> str:
    """The device's id as its owner's devices have it, in whichever of its forms it is given."""
    try:
        return auth.device_id(given)
    except BadUserInput:
        # Any name will do for who never signs in.
        return given[:LONGEST_ID]


class Tracked(TypedDict):
    accepted_count: int
    dropped_count: int


async def record_telemetry_events(
    ctx: Context, *, events: Sequence[Mapping[str, Any]], device_id: Id | None = None
) -> Tracked:
    """Store events that are new and of a known type; a repeated one is stored once."""
    who = sender(ctx, {"device_id": device_id})
    if not 1 <= len(events) <= MOST_EVENTS:
        raise BadUserInput(f"1 to {MOST_EVENTS} events at a time.")
    await ctx.limit(EVENT_RATE, who)
    if ctx.viewer is None:
        # A device says of itself which it is.
        await ctx.limit(ADDRESS_RATE, ctx.network)
    known = [each for each in events if _sound(each)] if await _allowed(ctx) else []
    known = [each for each in known if await _kept(ctx, who, each)]
    stored = await store.keep_events(ctx.db, [_row(ctx, who, each) for each in known])
    for each in known:
        EVENTS.labels(each["kind"]).inc()
    return {"accepted_count": stored, "dropped_count": len(events) - stored}


async def _allowed(ctx: Context) -> bool:
    if ctx.viewer is None:
        return True
    choices = await ctx.load(by_id(store.privacy), ctx.viewer_id)
    return choices is None or choices["tracking"]


async def _kept(ctx: Context, who: str, event: Mapping[str, Any]) -> bool:
    """False for most scans of a device that scans faster than people do."""
    if event["kind"] not in SCANS:
        return True
    device = ctx.viewer.device_id if ctx.viewer is not None else who
    verdict = await ctx.services.limits.take(SCAN_RATE, device)
    return verdict.allowed or crc32(str(event["event_id"]).encode()) % SAMPLED == 0


def _sound(event: Mapping[str, Any]) -> bool:
    now = clock.now()
    return (
        event["kind"] in TelemetryType.__members__
        and 0 < len(event["event_id"]) <= LONGEST_ID
        and now - OLDEST <= event["occurred_at"] <= now + AHEAD
        and _storable(event.get("properties") or {})
    )


def _storable(properties: Any) -> bool:
    """True if it is a small object that both JSON and the database can hold."""
    try:
        small = isinstance(properties, dict) and len(orjson.dumps(properties)) <= MOST_BYTES
    except (TypeError, ValueError):
        return False
    return small and mongo.holds(properties)


def _row(ctx: Context, who: str, event: Mapping[str, Any]) -> dict[str, Any]:
    now = clock.now()
    at: datetime = event["occurred_at"]
    id, anonymous = f"{who}|{event['event_id']}", event["kind"] in ANONYMOUS
    return {
        "_id": ctx.services.crypto.blind(id, place="telemetry") if anonymous else id,
        "type": event["kind"],
        "user_id": None if anonymous else ctx.viewer_id_or_none,
        "device_id": who if ctx.viewer is None and not anonymous else None,
        "at": at,
        "properties": event.get("properties") or {},
        "received_at": now,
        "expires_at": now + KEPT,
    }
