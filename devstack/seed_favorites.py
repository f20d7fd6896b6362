"""Demo favorites: what people keep an eye on in the shop, some with a note, and lists that they made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from core.security.crypto import Keyring
from core.storage.mongo import Database
from devstack.seed_chats import Stamps
from resolvers.catalog import default_variant
from resolvers.favorite import PRODUCT, ranks
from resolvers.favorite.access import note_place
from resolvers.favorite.writing import NOTICES
from stores import favorite as store
from stores.catalog import products
from stores.catalog.kinds import ProductStatus
from stores.favorite import FavoriteStatus

Document = dict[str, Any]

OWNERS = 0.7
"""Share of people who saved anything."""
FEWEST, MOST = 2, 12
SAVED_FROM = 300
"""Products among which people choose."""
LISTS = ("For better sleep", "Marathon in spring", "Ask my doctor first", "Gifts", "Try next")
NOTES = (
    "Mira takes this one and sleeps well",
    "Wait for a better price",
    "The small package first",
    "Without the orange flavor",
    "Together with breakfast",
    None,
    None,
    None,
)


@dataclass
class Favorites:
    """Documents by collection."""

    favorites: list[Document] = field(default_factory=list)
    lists: list[Document] = field(default_factory=list)
    items: list[Document] = field(default_factory=list)


async def of_shop(
    db: Database,
    maker: Stamps,
    rng: Random,
    users: Sequence[Document],
    crypto: Keyring,
    end: datetime,
) -> Favorites:
    """Favorites among the products that are on sale by now."""
    on_sale = {"status": ProductStatus.ACTIVE}
    found = await products.products.find(db, on_sale, sort=[("_id", 1)], limit=SAVED_FROM)
    return favorites(maker, rng, users, [dict(each) for each in found], crypto, end)


def favorites(
    maker: Stamps,
    rng: Random,
    users: Sequence[Document],
    shop: Sequence[Document],
    crypto: Keyring,
    end: datetime,
) -> Favorites:
    """Favorites of the last months; the first person, whom the demo signs in, has some in any case."""
    made = Favorites()
    for place, user in enumerate(users):
        if shop and (place == 0 or rng.random() < OWNERS):
            _save(made, maker, rng, user, shop, crypto, end)
    return made


def _save(
    made: Favorites,
    maker: Stamps,
    rng: Random,
    user: Document,
    shop: Sequence[Document],
    crypto: Keyring,
    end: datetime,
) -> None:
    count = min(len(shop), rng.randint(FEWEST, MOST))
    chosen = rng.sample(list(shop), count)
    first = max(user["created_at"], end - timedelta(days=120))
    moments = sorted((first + (end - first) * rng.random() for _ in chosen), reverse=True)
    rows = [
        _favorite(maker, rng, user, product, rank, crypto, at)
        for product, rank, at in zip(chosen, ranks.spread(count), moments, strict=True)
    ]
    made.favorites += rows
    made.lists.append(
        {
            **store.empty_default_list(user["_id"], PRODUCT.name),
            **maker.stamps(moments[0]),
            "favorite_count": count,
            "version": count,
        }
    )
    if count > FEWEST and rng.random() < 0.5:
        _group(made, maker, rng, user, rows, moments[0])


def _favorite(
    maker: Stamps,
    rng: Random,
    user: Document,
    product: Document,
    rank: str,
    crypto: Keyring,
    at: datetime,
) -> Document:
    id, variant = maker.id("favorite", at), default_variant(product)
    note = rng.choice(NOTES)
    return {
        "_id": id,
        "user_id": user["_id"],
        "kind": PRODUCT.name,
        "target_id": product["_id"],
        "status": FavoriteStatus.SAVED,
        "rank": rank,
        "list_ids": [],
        "note": crypto.seal(note, place=note_place(id)) if note else None,
        "notices": NOTICES,
        "price_when_saved": variant["price"] if variant else None,
        "currency": variant["currency"] if variant else None,
        "told_price": None,
        "saved_at": at,
        "removed_at": None,
        "removal_reason": None,
        "last_notices": {},
        "purge_at": None,
        **maker.stamps(at),
    }


def _group(
    made: Favorites, maker: Stamps, rng: Random, user: Document, rows: Sequence[Document], at: datetime
) -> None:
    """One or two named lists with some of the favorites."""
    for name in rng.sample(LISTS, rng.randint(1, 2)):
        held = rng.sample(list(rows), rng.randint(1, len(rows)))
        id = maker.id("favorite_list", at)
        made.lists.append(
            {
                "_id": id,
                "user_id": user["_id"],
                "kind": PRODUCT.name,
                "name": name,
                "favorite_count": len(held),
                "ordered_at": None,
                "last_synced_at": None,
                **maker.stamps(at),
            }
        )
        for row, rank in zip(held, ranks.spread(len(held)), strict=True):
            row["list_ids"].append(id)
            item = {"user_id": user["_id"], "list_id": id, "favorite_id": row["_id"], "rank": rank}
            made.items.append({"_id": store.item_id(id, row["_id"]), **item})
