"""Background work of carts: expiry, ends of holds, and their part in erasure and export."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import clock
from core.context import Context, Services
from core.erasure import on_user_deleted, on_user_export, pages
from core.jobs import Lane, task
from core.storage.batches import delete_each, each_in_unit
from resolvers.cart import addresses, drafts, managing, validating
from stores.cart import carts, promotions, quotes
from stores.cart.carts import ANONYMOUS, Cart
from stores.cart.kinds import CartStatus

ENDED = (CartStatus.EXPIRED, CartStatus.MERGED, CartStatus.CONVERTED)


@task("cart.expire", lane=Lane.BULK, every=timedelta(hours=1))
async def expire(services: Services) -> None:
    """Expire carts of devices that nobody changed for 30 days, and delete what ended long ago."""
    due = {"$lte": clock.now()}
    await each_in_unit(services, carts.carts, {"status": CartStatus.ACTIVE, "expires_at": due}, _expire)
    await delete_each(services, carts.carts, {"status": {"$in": list(ENDED)}, "expires_at": due})


async def _expire(ctx: Context, cart: Cart) -> None:
    await drafts.release_hold(ctx, cart)
    ended = {"status": CartStatus.EXPIRED, "hold": None, "expires_at": ctx.tx.now + ANONYMOUS}
    # One that was changed meanwhile lives on.
    where = {"expires_at": cart["expires_at"]}
    await ctx.tx.update(carts.carts, cart, set=ended, where=where)


@task(drafts.HOLD_TASK)
async def end_hold(services: Services, *, cart_id: str) -> None:
    """End the hold of a cart whose time is over."""
    cart = await carts.carts.by_id(services.db, cart_id)
    if cart is None:
        return
    ctx = Context(services)

    async def end() -> None:
        current = await carts.carts.by_id(ctx.db, cart)
        if current is not None:
            await validating.end_hold(ctx, current)

    await ctx.unit(end)


@task(managing.BEGIN_TASK)
async def begin_promotion(services: Services, *, promotion_id: str) -> None:
    """Tell those who like a promotion's products that it began."""
    ctx = Context(services)
    await ctx.unit(lambda: managing.begin(ctx, promotion_id))


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """Delete a person's carts, quotes and uses of promotions; how often a promotion was used stays."""
    await each_in_unit(services, carts.carts, {"owner_id": user_id}, _erase)
    await quotes.quotes.delete_all(services.db, {"owner_id": user_id})
    await promotions.promotion_uses.delete_all(services.db, {"user_id": user_id})


async def _erase(ctx: Context, cart: Cart) -> None:
    await drafts.release_hold(ctx, cart)
    await ctx.tx.delete(carts.carts, cart)
    for line in cart["lines"]:
        ctx.tx.removed(line)


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export a person's carts, quotes with their addresses, and uses of promotions."""
    own = {"owner_id": user_id}
    async for rows in pages(services, carts.carts, own, without=("owner_key", "gone", "line_ids")):
        yield "carts", rows
    async for rows in pages(services, quotes.quotes, own, without=("owner_key",)):
        yield "checkout_quotes", [_opened(services, row) for row in rows]
    async for rows in pages(services, promotions.promotion_uses, {"user_id": user_id}):
        yield "promotion_uses", rows


def _opened(services: Services, row: dict[str, Any]) -> dict[str, Any]:
    place = quotes.place_of(row["id"])
    return {**row, **addresses.opened(services.crypto, row.pop("sealed"), place=place)}
