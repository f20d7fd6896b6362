"""Short links: what a text message has no room for, on a page for who holds the link, without a sign-in."""

import re
from functools import partial

from core import clock
from core.context import Context, Services
from stores import notification as store
from stores.notification import Delivery, Receipt

CODE = re.compile(r"[A-Za-z0-9_-]{12}", re.ASCII)
PATH = "s"


async def shortened(services: Services, delivery: Delivery) -> str | None:
    """URL of a delivery's whole text; the same one however often it is asked for.

    None where the deployment has no address of its own.
    """
    origin = services.settings.public_url.rstrip("/")
    if not origin:
        return None
    code = services.crypto.blind(delivery["_id"], place="short_links")[:12]
    ctx = Context(services)
    await ctx.unit(partial(_keep, ctx, code, delivery))
    return f"{origin}/{PATH}/{code}"


async def _keep(ctx: Context, code: str, delivery: Delivery) -> None:
    fields = {
        "receipt_id": store.receipt_id(delivery["notification_id"], delivery["user_id"]),
        "user_id": delivery["user_id"],
        "expires_at": ctx.tx.now + store.LINKS_KEPT,
    }
    await ctx.tx.put(store.short_links, code, fields)


async def linked_text(services: Services, code: str) -> Receipt | None:
    """Receipt with the text behind a link; None once it has expired, or the text is gone."""
    if not CODE.fullmatch(code):
        return None
    link = await store.short_links.by_id(services.db, code)
    if link is None or link["expires_at"] <= clock.now():
        return None
    return await store.receipts.by_id(services.db, {"_id": link["receipt_id"], "user_id": link["user_id"]})
