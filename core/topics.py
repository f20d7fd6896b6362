"""A live topic: the log entries of some scopes as a subscription's events, resumed without loss."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

from core import changes
from core.changes import Entry
from core.context import Context
from core.live import PositionTooOld, Signal
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
            async for entry in ctx.services.live.follow(scopes, after=position, check=check):
                if isinstance(entry, Signal):
                    continue
                ctx.refresh()
                event = await meaning(entry)
                if event is not None:
                    yield {"event_id": signer.event_id(changes.place(entry)), "at": entry["at"], **event}
        except PositionTooOld:
            position = Position(await changes.database_time(ctx.services.db), "resync")
            token = signer.event_id(position)
            yield {"_type": "ResyncRequired", "event_id": token, "at": position.at, "token": token}
