"""Names of unknown articles by a source outside of the shop, asked by a job for the number alone."""

from core import clock
from core.context import Services
from ports.barcode import ArticleNames
from resolvers.barcode import metrics
from stores import barcode as store


async def ask(services: Services, *, gtin: str) -> None:
    """Ask for the name of a number, unless it was asked for in the last 30 days."""
    if await store.external_names.by_id(services.db, gtin) is not None:
        return
    found = await services.get(ArticleNames).name(gtin)
    metrics.EXTERNAL.labels("found" if found else "unknown").inc()
    row = store.external_name(gtin, found, clock.now())
    fields = {name: value for name, value in row.items() if name != "_id"}
    await store.external_names.update_one(services.db, {"_id": gtin}, {"$set": fields}, upsert=True)
