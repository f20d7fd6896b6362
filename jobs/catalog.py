"""Background work of the catalog."""

from datetime import timedelta

from core import clock
from core.context import Context, Services
from core.jobs import task
from resolvers.catalog import hot, stock, telling
from stores.catalog import stock as store
from stores.catalog.kinds import ReservationState

BATCH = 100
ROUNDS = 50


@task("catalog.tell", every=timedelta(seconds=1))
async def tell(services: Services) -> None:
    """Search entries, hints and events of what changed: once a second at most for each item."""
    for _ in range(ROUNDS):
        if await telling.tell(Context(services)) < telling.BATCH:
            return


@task("catalog.expire_holds", every=timedelta(seconds=30))
async def expire_holds(services: Services) -> None:
    """Give back what was held too long; each hold is ended once, whoever comes first."""
    while rows := await store.overdue(services.db, clock.now(), BATCH):
        for row in rows:
            ctx = Context(services)

            async def expire(row: store.StockReservation = row, ctx: Context = ctx) -> None:
                await stock.give_back(ctx, row, ReservationState.EXPIRED)

            await ctx.unit(expire)


@task("catalog.rebuild_hot", every=timedelta(minutes=15))
async def rebuild_hot(services: Services) -> None:
    """Best sellers and counts."""
    await hot.rebuild(Context(services))


@task("catalog.rebuild_hot_after")
async def rebuild_hot_after(services: Services) -> None:
    """The same after an import, once its entries are there."""
    await tell(services)
    await hot.rebuild(Context(services))
