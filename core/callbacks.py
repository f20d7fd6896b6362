"""Callbacks of providers (webhooks): verified, stored once, and worked on by a job.

    @on_provider_event("twilio")
    async def told(services: Services, event: ProviderEvent) -> None: ...

An event that comes again within thirty days is dropped by its id, a reply within seven years, and one that
says what another said by its `fingerprint`. Listeners meet events in any order, and some of them more than
once after a crash.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NotRequired, Protocol, TypedDict

from core import clock, jobs
from core.context import Context, Services
from core.jobs import task
from core.storage.store import collection, index

KEPT = timedelta(days=30)
REPLIES_KEPT = timedelta(days=7 * 365)
"""Time for which ids of replies are kept, since Twilio signs no time: who recorded one could tell it again.

What became of a message moves no state back, however late it is told; a reply is about whatever is open then.
"""
PRIVATE = ("sender", "text")
"""Fields of an event that are personal."""


class EventKind(StrEnum):
    """Kind of an event, in words that all providers share; most are about a message."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    OPENED = "OPENED"
    FAILED = "FAILED"
    BOUNCED = "BOUNCED"
    KEY = "KEY"
    """A person pressed a key during a call."""
    ACKNOWLEDGED = "ACKNOWLEDGED"
    """A person pressed the button that acknowledges the message."""
    REPLY = "REPLY"
    """A person sent a text message to us."""
    CHANGED = "CHANGED"
    """An object at the provider has changed: who wants to know how reads it there."""


class ProviderEvent(TypedDict):
    """Event of a provider; what does not apply is empty."""

    id: str
    kind: EventKind
    provider_ref: str
    """Name of the message in `core.ports.Sent`, or of the object that changed."""
    code: str
    """A `core.ports.FailureCode`, of those that failed for a reason that all providers share."""
    answered_by: str
    """HUMAN or MACHINE, of calls."""
    digits: str
    sender: str
    """Phone number of a reply, or the provider's id of who pressed a button."""
    text: str
    at: datetime
    fingerprint: NotRequired[str]
    """Words of the event, of providers that may say them again under another id."""


def event(kind: EventKind, id: str, provider_ref: str, **further: str) -> ProviderEvent:
    blank = {"code": "", "answered_by": "", "digits": "", "sender": "", "text": ""}
    whole = {**blank, **further, "id": id, "kind": kind, "provider_ref": provider_ref, "at": clock.now()}
    return whole  # type: ignore[return-value]


class Forged(Exception):
    """The signature is not the provider's, or too old."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A provider's request, as it came."""

    url: str
    headers: Mapping[str, str]
    """Case-insensitive."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """Events of a callback, and the answer that its provider expects."""

    events: Sequence[ProviderEvent] = ()
    body: str = ""
    mime: str = "text/plain"


class Webhook(Protocol):
    """Reads the callbacks of one provider; raises `Forged` before it looks at anything else."""

    def read(self, callback: Callback) -> Told: ...


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Webhooks of this deployment, by provider."""

    by_provider: Mapping[str, Webhook]


class Taken(TypedDict):
    """An event that has come, or was worked on: `_id` is the provider and its id."""

    _id: str
    expires_at: datetime


taken = collection("provider_events", Taken, indexes=[index("expires_at", expireAfterSeconds=0)])

Listener = Callable[[Services, ProviderEvent], Awaitable[None]]
LISTENERS: dict[str, list[Listener]] = {}
"""By provider."""


def on_provider_event(*providers: str) -> Callable[[Listener], Listener]:
    """Decorator: the function is told of these providers' events, by a job."""

    def listen(listener: Listener) -> Listener:
        for provider in providers:
            LISTENERS.setdefault(provider, []).append(listener)
        return listener

    return listen


async def first_time(ctx: Context, name: str, *, kept: timedelta = KEPT) -> bool:
    """Put on record that something is done, with the transaction that does it; False if it was, so long.

    Two at once write the same document: the later transaction begins anew, and finds it.
    """
    if await taken.by_id(ctx.db, name) is not None:
        return False
    await ctx.tx.put(taken, name, {"expires_at": ctx.tx.now + kept})
    return True


async def take(services: Services, provider: str, event: ProviderEvent) -> bool:
    """Store an event and enqueue its job; False if it has come before."""
    ctx = Context(services)
    kept = REPLIES_KEPT if event["kind"] == EventKind.REPLY else KEPT
    names = [event["id"], *filter(None, [event.get("fingerprint")])]

    async def work() -> bool:
        if not all([await first_time(ctx, f"{provider}:{name}", kept=kept) for name in names]):
            return False
        await jobs.enqueue(ctx.tx, "callbacks.apply", provider=provider, **_sealed(services, event))
        return True

    return await ctx.unit(work)


def _sealed(services: Services, event: ProviderEvent) -> dict[str, Any]:
    """The event for its job, with what a person wrote, and from where, encrypted while it waits."""
    said = {name: event[name] for name in PRIVATE if event[name]}  # type: ignore[literal-required]
    if not said:
        return {"event": event}
    sealed = services.crypto.seal_values(said, place=_place(event))
    return {"event": {**event, **dict.fromkeys(said, "")}, "sealed": sealed}


def _place(event: ProviderEvent) -> str:
    return f"provider_events/{event['id']}"


@task("callbacks.apply")
async def apply(
    services: Services, *, provider: str, event: ProviderEvent, sealed: str | None = None
) -> None:
    """Tell the listeners of a provider of an event."""
    if sealed is not None:
        said = services.crypto.open_values(sealed, place=_place(event))
        event = {**event, **said}
    for listener in LISTENERS.get(provider, ()):
        await listener(services, event)
