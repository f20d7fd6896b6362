"""A live topic: the log entries of some scopes as a subscription's events, resumed without loss."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from core import changes
from core.changes import Entry
from core.context import Context
from core.everybody import Everybody
from core.live import PositionTooOld, Signal
from core.once import ForAll
from core.position import Position

Event = dict[str, Any]


async def followed(
    ctx: Context,
    scopes: Sequence[str],
    after: str | None,
    meaning: Callable[[Entry], Awaitable[Event | None]],
    *,
    check: Callable[[], Awaitable[Any]] | None = None,
) -> AsyncGenerator[Event, None]:
    """What `meaning` makes of the entries since `after`, or from now on; ResyncRequired when that is too old.

    `check` refuses who may not see them, once nothing can change unheard any more.
    """
    signer = ctx.services.signer
    position = signer.position(after) if after is not None else None
    while True:
        try:
            async with aclosing(ctx.services.live.follow(scopes, after=position, check=check)) as entries:
                async for entry in entries:
                    if isinstance(entry, Signal):
                        continue
                    ctx.refresh()
                    event = await meaning(entry)
                    if event is not None:
                        yield event if isinstance(event, ForAll) else {**_place(ctx, entry), **event}
        except PositionTooOld:
            position = Position(await changes.database_time(ctx.services.db), "resync")
            token = signer.event_id(position)
            yield {"_type": "ResyncRequired", "event_id": token, "at": position.at, "token": token}


async def for_all(
    ctx: Context, entry: Entry, topic: str, tell: Callable[[Context, Entry], Awaitable[Event | None]]
) -> ForAll | None:
    """What `tell` makes of an entry, once for all who follow the topic: its context has nobody in it.

    Who may be told is to be asked for each of them afterwards.
    """

    async def once() -> ForAll | None:
        event = await tell(Everybody(ctx.services), entry)
        return ForAll(_place(ctx, entry), **event) if event is not None else None

    event: ForAll | None = await ctx.services.live.shared(entry, topic, once)
    return event


def _place(ctx: Context, entry: Entry) -> Event:
    return {"event_id": ctx.services.signer.event_id(changes.place(entry)), "at": entry["at"]}
