"""Live topic: the log entries of some scopes as a subscription's events, resumed without loss."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from core import changes, clock
from core.changes import Entry, user_scope
from core.context import Context
from core.everybody import Everybody
from core.ids import prefix_of
from core.listeners import Signal
from core.live import PositionTooOld
from core.nodes import seen
from core.once import ForAll
from core.position import Position
from core.store import Collection

Event = dict[str, Any]


async def followed(
    ctx: Context,
    scopes: Sequence[str],
    after: str | None,
    meaning: Callable[[Entry], Awaitable[Event | None]],
    *,
    check: Callable[[], Awaitable[Any]] | None = None,
    heard: Callable[[Signal | None], Awaitable[list[Event]]] | None = None,
    patience: Callable[[], float | None] = lambda: None,
) -> AsyncGenerator[Event, None]:
    """Yield the events that `meaning` makes of the entries since `after`, or from now on. Raises
    ResyncRequired when `after` is too old.

    `check` refuses who may not see them, once nothing can change unheard any more. `heard` makes events of
    ephemeral signals, and of nothing when none came for as long as `patience` says.
    """
    signer = ctx.services.signer
    position = signer.position(after) if after is not None else None
    told_last: Entry | None = None
    while True:
        try:
            entries = ctx.services.live.follow(scopes, after=position, check=check, patience=patience)
            async with aclosing(entries) as items:
                async for item in items:
                    ctx.refresh()
                    if item is None or isinstance(item, Signal):
                        for told in await heard(item) if heard is not None else ():
                            if isinstance(told, ForAll):
                                # Sent late, it has an offset of its own.
                                yield told
                                continue
                            # Not in the log: who resumes here resumes at what was in the log before.
                            if told_last is not None:
                                position = changes.place(told_last)
                            position = position or await _now(ctx)
                            yield {"event_id": signer.event_id(position), "at": clock.now(), **told}
                        continue
                    event = await meaning(item)
                    if event is not None:
                        told_last = item
                        yield event if isinstance(event, ForAll) else {**_place(ctx, item), **event}
        except PositionTooOld:
            position, told_last = await _now(ctx), None
            token = signer.event_id(position)
            yield {"_type": "ResyncRequired", "event_id": token, "at": position.at, "token": token}


def own_topic(store: Collection[Any]) -> Callable[..., AsyncGenerator[Event, None]]:
    """Live topic of the viewer's own entities of a collection: `Changes[...]` of their type in the schema."""
    prefix = str(store.prefix)
    name = "".join(word.title() for word in prefix.split("_"))

    async def events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
        async def event_of(entry: Entry) -> Event | None:
            if changes.aspect_of(entry) or prefix_of(entry["node"]) != prefix:
                return None
            document = None if entry["deleted"] else (await seen(ctx, [entry["node"]])).get(entry["node"])
            if document is None:
                return {"_type": f"{name}Deleted", f"deleted_{prefix}_id": entry["node"]}
            return {"_type": f"{name}{'Created' if entry['created'] else 'Updated'}", prefix: document}

        async with aclosing(followed(ctx, [user_scope(ctx.viewer_id)], after, event_of)) as stream:
            async for event in stream:
                yield event

    return events


async def _now(ctx: Context) -> Position:
    return Position(await changes.database_time(ctx.services.db), "now")


async def for_all(
    ctx: Context, entry: Entry, topic: str, tell: Callable[[Context, Entry], Awaitable[Event | None]]
) -> ForAll | None:
    """Single flight: the event that `tell` makes of an entry, once for all subscribers of the topic.

    Its context has no viewer: access is checked for each subscriber afterwards.
    """

    async def once() -> ForAll | None:
        event = await tell(Everybody(ctx.services), entry)
        return ForAll(_place(ctx, entry), **event) if event is not None else None

    event: ForAll | None = await ctx.services.live.shared(entry, topic, once)
    return event


def _place(ctx: Context, entry: Entry) -> Event:
    return {"event_id": ctx.services.signer.event_id(changes.place(entry)), "at": entry["at"]}
