"""Background work of the catalog."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from core import clock
from core.account import on_user_deleted, on_user_export
from core.context import Context, Services
from core.jobs import task
from resolvers.catalog import hot, refolding, reviewing, stock, telling
from resolvers.catalog.setup import opened
from stores.catalog import people
from stores.catalog import stock as store
from stores.catalog.kinds import ReservationState

logger = structlog.get_logger(__name__)

BATCH = 100
ROUNDS = 50


@task("catalog.tell", every=timedelta(seconds=1))
async def tell(services: Services) -> None:
    """Search entries, hints and events of what changed: once a second at most for each item."""
    for _ in range(ROUNDS):
        if await telling.tell(Context(services)) < telling.BATCH:
            return


@task("catalog.refold", every=timedelta(seconds=10))
async def refold(services: Services) -> None:
    """Keys and search entries of products that an earlier version folded otherwise; once after an upgrade."""
    for _ in range(ROUNDS):
        if await refolding.refold(Context(services)) < refolding.BATCH:
            return


@task("catalog.expire_holds", every=timedelta(seconds=30))
async def expire_holds(services: Services) -> None:
    """Give back what was held too long; each hold is ended once, whoever comes first."""
    while rows := await store.overdue(services.db, clock.now(), BATCH):
        ended = [await _expired(services, row) for row in rows]
        if not any(ended):
            # They have their next turn in half a minute.
            return


async def _expired(services: Services, row: store.StockReservation) -> bool:
    """Whether the hold was ended; one that cannot be stops no other."""
    ctx = Context(services)
    try:
        await ctx.unit(lambda: stock.give_back(ctx, row, ReservationState.EXPIRED))
    except Exception:
        logger.exception("hold not given back", reservation=row["_id"])
        return False
    return True


@task("catalog.rebuild_hot", every=timedelta(minutes=15))
async def rebuild_hot(services: Services) -> None:
    """Best sellers and counts."""
    await hot.rebuild(Context(services))


@task("catalog.rebuild_hot_after")
async def rebuild_hot_after(services: Services) -> None:
    """The same after an import, once its entries are there."""
    await tell(services)
    await hot.rebuild(Context(services))


@task("catalog.rate")
async def rate(services: Services, *, product_id: str) -> None:
    """A product's rating, after one of its reviews changed."""
    ctx = Context(services)
    await ctx.unit(lambda: reviewing.rate(ctx, product_id))


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """What a person set up, chose, corrected, reported and may do goes; their reviews lose the name."""
    while rows := await people.settings.find(services.db, {"user_id": user_id}, limit=BATCH):
        ctx = Context(services)

        async def forget(rows: list[people.ProductSettings] = rows, ctx: Context = ctx) -> None:
            for row in rows:
                if await ctx.tx.delete(people.settings, row["_id"]):
                    ctx.tx.removed(row)

        await ctx.unit(forget)
    while written := await people.reviews.find(services.db, {"user_id": user_id}, limit=BATCH):
        ctx = Context(services)

        async def anonymise(rows: list[people.Review] = written, ctx: Context = ctx) -> None:
            for row in rows:
                nobody = {"user_id": None, "author_name": reviewing.GONE}
                if (review := await ctx.tx.update(people.reviews, row["_id"], set=nobody)) is not None:
                    ctx.tx.changed(review, scopes=[])

        await ctx.unit(anonymise)
    for kept in (people.last_predictions, people.feedback, people.telemetry, people.roles):
        theirs = {"q": {"user_id": user_id}, "limit": 0}
        await services.db.write({"delete": kept.name, "deletes": [theirs]})
    await services.db.write({"delete": people.privacy.name, "deletes": [{"q": {"_id": user_id}, "limit": 1}]})


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Reviews and settings, in the clear for their owner."""
    ctx = Context(services)
    hidden = ("user_id", "sealed", "decided_reason")
    for name, collection in (("reviews", people.reviews), ("product_settings", people.settings)):
        after = ""
        while rows := await collection.find(
            services.db, {"user_id": user_id, "_id": {"$gt": after}}, sort=[("_id", 1)], limit=BATCH
        ):
            after = rows[-1]["_id"]
            shown = [opened(ctx, row) if "sealed" in row else row for row in rows]  # type: ignore[arg-type]
            yield name, [{key: each[key] for key in each if key not in hidden} for each in shown]  # type: ignore[literal-required]
