"""Live topic: the log entries of some scopes as a subscription's events, resumed without loss."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from typing import Any

from core import clock
from core.context import Context
from core.sync import changes
from core.sync.changes import Entry
from core.sync.listeners import Signal
from core.sync.live import PositionTooOld
from core.sync.log_offset import LogOffset
from core.sync.shared_context import AnonymousContext
from core.sync.single_flight import SharedEvent

Event = dict[str, Any]


async def follow(
    ctx: Context,
    scopes: Sequence[str],
    after: str | None,
    to_event: Callable[[Entry], Awaitable[Event | None]],
    *,
    authorize: Callable[[], Awaitable[Any]] | None = None,
    on_signal: Callable[[Signal | None], Awaitable[list[Event]]] | None = None,
    idle_timeout: Callable[[], float | None] = lambda: None,
    further: Callable[[], Collection[str]] | None = None,
) -> AsyncGenerator[Event, None]:
    """Yield the events that `to_event` makes of the entries since `after`, or from now on.

    An `after` that is too old yields `ResyncRequired`, and goes on from now.

    `authorize` refuses who may not see them, once nothing can change unheard any more. `on_signal` makes
    events of ephemeral signals, and of None when nothing came for as long as `idle_timeout` says. `further`
    names scopes that are followed as well, asked after each event.
    """
    signer = ctx.services.signer
    position = signer.position(after) if after is not None else None
    last_sent: Entry | None = None
    while True:
        try:
            entries = ctx.services.live.follow(
                scopes, after=position, authorize=authorize, idle_timeout=idle_timeout, further=further
            )
            async with aclosing(entries) as items:
                async for item in items:
                    ctx.refresh()
                    if item is None or isinstance(item, Signal):
                        for told in await on_signal(item) if on_signal is not None else ():
                            if isinstance(told, SharedEvent):
                                # Sent late, it has an offset of its own.
                                yield told
                                continue
                            # Not in the log: who resumes here resumes at what was in the log before.
                            if last_sent is not None:
                                position = changes.place(last_sent)
                            position = position or await _now(ctx)
                            yield {"event_id": signer.event_id(position), "at": clock.now(), **told}
                        continue
                    event = await to_event(item)
                    if event is not None:
                        last_sent = item
                        yield event if isinstance(event, SharedEvent) else {**_place(ctx, item), **event}
        except PositionTooOld:
            position, last_sent = await _now(ctx), None
            token = signer.event_id(position)
            yield {"_type": "ResyncRequired", "event_id": token, "at": position.at, "token": token}


async def _now(ctx: Context) -> LogOffset:
    return LogOffset(await changes.database_time(ctx.services.db), "now")


async def for_all(
    ctx: Context, entry: Entry, topic: str, tell: Callable[[Context, Entry], Awaitable[Event | None]]
) -> SharedEvent | None:
    """Single flight: the event that `tell` makes of an entry, once for all subscribers of the topic.

    Its context has no viewer: access is checked for each subscriber afterwards.
    """

    async def once() -> SharedEvent | None:
        event = await tell(AnonymousContext(ctx.services), entry)
        return SharedEvent(_place(ctx, entry), **event) if event is not None else None

    event: SharedEvent | None = await ctx.services.live.shared(entry, topic, once)
    return event


def _place(ctx: Context, entry: Entry) -> Event:
    return {"event_id": ctx.services.signer.event_id(changes.place(entry)), "at": entry["at"]}
