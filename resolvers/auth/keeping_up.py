"""State of the process that the change log keeps up to date: read whole once, then changed entry by entry."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from pymongo.errors import PyMongoError

from core.sync.changes import Entry
from core.sync.listeners import Signal, SlowConsumer
from core.sync.live import Live

logger = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


async def keep_up(
    live: Live,
    scope: str,
    *,
    read: Callable[[], Awaitable[None]],
    learn: Callable[[Entry], None],
    lost: Callable[[], None] = lambda: None,
) -> None:
    """Learn of each entry of a scope for as long as the process lives.

    `read` begins anew once no further entry can be missed; `lost` is called when some may have been.
    """
    while True:
        try:
            async for entry in live.follow([scope], authorize=read):
                if entry is not None and not isinstance(entry, Signal):
                    learn(entry)
        except SlowConsumer:
            # More came at once than is kept for us: what there is is read anew.
            lost()
        except PyMongoError as error:
            lost()
            logger.warning("log not read", scope=scope, error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
