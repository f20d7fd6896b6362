"""Subscription to one's inbox: notifications as they arrive."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from core import viewers
from core.context import Context
from core.ids import prefix_of
from core.sync.changes import Entry, user_scope
from core.sync.topics import follow
from resolvers.notification import inbox

Event = dict[str, Any]


async def notification_received(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """The viewer's new receipts."""

    async def to_event(entry: Entry) -> Event | None:
        if prefix_of(entry["node"]) != "notification_receipt" or not entry["created"]:
            return None
        [receipt] = await inbox.visible_receipts(ctx, [entry["node"]])
        if receipt is None:
            return None
        edge, viewer = inbox.edge(receipt), viewers.document(ctx)
        return {"_type": "NotificationReceived", "notification_receipt_edge": edge, "viewer": viewer}

    async with aclosing(follow(ctx, [user_scope(ctx.viewer_id)], after, to_event)) as events:
        async for event in events:
            yield event
