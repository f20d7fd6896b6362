"""Migration of search keys: folded anew after an upgrade, with their search entries."""

from typing import Any

from pymongo.errors import DuplicateKeyError

from core.context import Context
from core.errors import UserError
from core.storage.mongo import Database
from core.values.words import FOLDING, key
from stores.catalog import products as store
from stores.catalog.products import Product

BATCH = 100


def keys(product: Product) -> dict[str, Any]:
    """Comparison keys of a product, folded anew."""
    name, brand = key(product["name"]), key(product["brand"])
    first_brand, first_name, *rest = product["import_key"].split("|")
    return {
        "name_key": name,
        "brand_key": brand,
        "import_key": "|".join([_again(first_brand, brand), _again(first_name, name), *rest]),
        "ingredient_keys": list(dict.fromkeys(key(each["name"]) for each in product["ingredients"])),
        "folded": FOLDING,
    }


def _again(first: str, now: str) -> str:
    """Fold an import key's part anew; one in plain ASCII that differs stays: the product was renamed."""
    return first if first.isascii() and first.replace(" ", "") != now.replace(" ", "") else now


async def refold(ctx: Context) -> int:
    """Fold a batch of products anew and mark them to be published; return how many there were."""
    rows = await store.folded_otherwise(ctx.db, FOLDING, BATCH)
    for row in rows:
        await _refold(ctx, row)
    return len(rows)


async def _refold(ctx: Context, product: Product) -> None:
    change = {**keys(product), "dirty": True}
    try:
        await ctx.unit(lambda: _write(ctx, product, change))
    except DuplicateKeyError:
        # Two products that differed by an accent alone: the later one keeps its old key.
        del change["import_key"]
        await ctx.unit(lambda: _write(ctx, product, change))


async def _write(ctx: Context, product: Product, change: dict[str, Any]) -> None:
    updated = await ctx.tx.update(store.products, product["_id"], set=change, version=False)
    if updated is not None:
        ctx.tx.skip_log(updated)


async def need_folded(db: Database) -> None:
    """Raise while some products are of another folding: rows are matched with them by their keys."""
    if await store.folded_otherwise(db, FOLDING, 1):
        raise UserError(
            "UNAVAILABLE", "Products are being indexed anew: try again soon.", retry_after_seconds=30
        )
