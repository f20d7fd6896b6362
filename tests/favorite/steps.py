"""Steps shared by the tests of favorites: products to save, lists as a phone reads them, and their order."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core import clock, ids, jobs
from core.context import Services
from core.security.limits import Rate
from jobs import catalog as catalog_jobs
from resolvers.favorite.writing import NOTICES
from stores import catalog
from stores import favorite as store
from tests.catalog.steps import euros, on_sale, row, unique
from tests.phone import Phone, sign_in_directly
from tests.phone import refusal as refusal

LIST = """query($first: Int, $after: String) { viewer { favoriteList(kind: PRODUCT) {
  id version favoriteCount lastSyncedAt listName favorites(first: $first, after: $after) {
    edges { cursor position node { id version targetId position note priceWhenSaved { amount currencyCode }
      namedLists { id } notices { availability cancellations promotions priceDrop backInStock }
      target { ... on Product { name } } } }
    pageInfo { hasNextPage endCursor } } } } }"""
NAMED = """query($id: ID!) { favoriteList(id: $id) { id version listName favoriteCount favorites(first: 100) {
  edges { position node { targetId } } } } }"""
DELTA = """query($since: SyncToken) { viewer { changes(since: $since, types: [FAVORITE, FAVORITE_LIST]) {
  nodes { __typename id version } deleted { id typename } token } } }"""
EVENTS = """subscription($after: String) { favoriteEvents(after: $after) { __typename
  ... on Event { eventId }
  ... on FavoriteRemoved { deletedFavoriteId removedTargetId reason message
    favoriteList { version favoriteCount } }
  ... on FavoriteListReordered { favoriteList { id version } favorites { targetId } }
  ... on FavoriteTargetChanged { favorite { targetId target { id } } kind title linkUrl } } }"""
SHOWN = "favorite { id version targetId position note }"
ADDED = f"{SHOWN} favoriteEdge {{ position node {{ id }} }} favoriteLists {{ id version favoriteCount }}"
SYNC = """favoriteList { id version favoriteCount lastSyncedAt } favorites { id targetId position }
  applied { addedCount removedCount unchangedCount }
  differences { targetId kind localAt serverAt proposal } rejected { targetId errors { code } } token"""


@dataclass
class Shop:
    services: Services
    keeper: Phone

    async def product(self, **fields: str) -> str:
        """A product on sale; its id."""
        return (await self.products(1, **fields))[0]

    async def products(self, count: int, **fields: str) -> list[str]:
        made = await on_sale(self.services, self.keeper, *(row(**fields) for _ in range(count)))
        return [each["id"] for each in made]

    async def copies(self, id: str, count: int) -> list[str]:
        """So many more products like this one, made at once."""
        [product] = await catalog.products.products.by_ids(self.services.db, [id])
        made = [_copy(product) for _ in range(count)]
        await self.services.db.write({"insert": "products", "documents": made})
        return [each["_id"] for each in made]

    async def set_price(self, product_id: str, amount: str, *, publish: bool = True) -> None:
        [product] = await catalog.products.by_ids(self.services.db, [product_id])
        variant_id = product["variants"][0]["_id"]
        done = await self.keeper.do(
            "setVariantPrice", "product { id }", productVariantId=variant_id, price=euros(amount)
        )
        assert done["errors"] == []
        if publish:
            await catalog_jobs.tell(self.services)

    async def set_stock(self, product_id: str, on_hand: int) -> None:
        change = {"on_hand": on_hand, "available": on_hand, "reserved": 0, "dirty": True}
        update = {"q": {"product_id": product_id}, "u": {"$set": change}}
        await self.services.db.write({"update": "inventory", "updates": [update]})
        await catalog_jobs.tell(self.services)

    async def hide(self, product_id: str, *, run: bool = True) -> None:
        """Withdraw a product, as an operator does who has no mutation for it."""
        await self._set_status(product_id, "HIDDEN")
        if run:
            await settle(self.services)

    async def show(self, product_id: str) -> None:
        await self._set_status(product_id, "ACTIVE")

    async def _set_status(self, product_id: str, status: str) -> None:
        update = {"q": {"_id": product_id}, "u": {"$set": {"status": status, "dirty": True}}}
        await self.services.db.write({"update": "products", "updates": [update]})
        await catalog_jobs.tell(self.services)


def _copy(product: Any) -> dict[str, Any]:
    id = ids.new_id("product")
    variants = [
        {**each, "_id": ids.new_id("variant"), "product_id": id, "sku": unique("SKU")}
        for each in product["variants"]
    ]
    own = {"_id": id, "slug": unique(), "import_key": f"{unique()}|{unique()}|", "variants": variants}
    return {**product, **own}


async def settle(services: Services) -> None:
    """Run all jobs that are due."""
    while await jobs.run_due(services):
        continue


async def later(services: Services, minutes: float, *phones: Phone) -> None:
    """Let time pass; tokens expire meanwhile, so phones get new ones."""
    clock.shift(timedelta(minutes=minutes))
    for phone in phones:
        await sign_in_directly(services, phone, phone.user_id)
    await settle(services)


async def add(phone: Phone, target_id: str, **input: Any) -> dict[str, Any]:
    """The favorite of a target that is saved now."""
    done = await phone.do("addFavorite", ADDED, targetId=target_id, **input)
    assert done["errors"] == []
    return dict(done["favorite"])


async def add_all(phone: Phone, target_ids: Sequence[str]) -> list[str]:
    """Ids of the favorites of these targets, which are in this order afterwards."""
    return [(await add(phone, id))["id"] for id in reversed(target_ids)][::-1]


async def remove(phone: Phone, target_id: str) -> Any:
    done = await phone.do("removeFavorite", "deletedFavoriteId", targetId=target_id)
    assert done["errors"] == []
    return done["deletedFavoriteId"]


async def the_list(phone: Phone, **page: Any) -> dict[str, Any]:
    return dict((await phone.run(LIST, **{"first": 100, **page}))["viewer"]["favoriteList"])


async def targets(phone: Phone) -> list[str]:
    """Targets in their order; their positions are dense."""
    edges = (await the_list(phone))["favorites"]["edges"]
    assert [edge["position"] for edge in edges] == list(range(len(edges)))
    assert [edge["node"]["position"] for edge in edges] == list(range(len(edges)))
    return [edge["node"]["targetId"] for edge in edges]


async def new_list(phone: Phone, name: str, *target_ids: str) -> str:
    """A named list with these targets in this order; its id."""
    made = await phone.do("createFavoriteList", "favoriteList { id }", kind="PRODUCT", name=name)
    assert made["errors"] == []
    id: str = made["favoriteList"]["id"]
    for target_id in reversed(target_ids):
        put = await phone.do("addToFavoriteList", SHOWN, favoriteListId=id, targetId=target_id)
        assert put["errors"] == []
    return id


async def targets_in(phone: Phone, list_id: str) -> list[str]:
    found = (await phone.run(NAMED, id=list_id))["favoriteList"]
    edges = found["favorites"]["edges"]
    assert [edge["position"] for edge in edges] == list(range(len(edges)))
    assert found["favoriteCount"] == len(edges)
    return [edge["node"]["targetId"] for edge in edges]


async def sync(phone: Phone, **input: Any) -> dict[str, Any]:
    done = await phone.do("syncFavorites", SYNC, **{"kind": "PRODUCT", **input})
    assert done["errors"] == []
    return dict(done)


async def allowed(act: Callable[[int], Awaitable[dict[str, Any]]], rate: Rate) -> int:
    """Number of acts until one is RATE_LIMITED, without those whose allowance came back meanwhile."""
    began = time.monotonic()
    for number in range(2 * rate.count + 2):
        found = refusals(await act(number))
        if found:
            assert found == [("RATE_LIMITED", None)]
            back = int((time.monotonic() - began) / (rate.seconds / rate.count)) + 1
            return rate.count if rate.count <= number <= rate.count + back else number
    raise AssertionError("It has no limit.")


def refusals(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(each["code"], each["field"]) for each in payload["errors"]]


def at(minutes: float) -> str:
    """A moment so many minutes from now, negative before it, as clients write it."""
    return written(clock.now() + timedelta(minutes=minutes))


def written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


async def set_times(services: Services, phone: Phone, target_id: str, **times: datetime) -> None:
    """Let a favorite have been saved or removed at another time."""
    named = {"user_id": phone.user_id, "target_id": target_id}
    update = {"q": named, "u": {"$set": times}}
    await services.db.write({"update": store.favorites.name, "updates": [update]})


async def stored(services: Services, phone: Phone) -> list[dict[str, Any]]:
    found = await store.favorites.find(services.db, {"user_id": phone.user_id}, sort=[("_id", 1)])
    return [dict(each) for each in found]


async def fill(services: Services, phone: Phone, count: int) -> None:
    """Give a person so many favorites of products that are elsewhere, without saving each."""
    now, kind = clock.now(), store.FavoriteKindName("PRODUCT")
    rows = [
        {
            "_id": ids.new_id("favorite"),
            "user_id": phone.user_id,
            "kind": kind,
            "target_id": ids.new_id("product"),
            "status": "SAVED",
            "rank": f"{number:05d}V",
            "list_ids": [],
            "note": None,
            "notices": NOTICES,
            "price_when_saved": None,
            "currency": None,
            "told_price": None,
            "saved_at": now,
            "removed_at": None,
            "removal_reason": None,
            "last_notices": {},
            "purge_at": None,
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        for number in range(count)
    ]
    await services.db.write({"insert": store.favorites.name, "documents": rows})
    made = {**store.empty_default_list(phone.user_id, kind), "favorite_count": count, "version": 1}
    await services.db.write({"insert": store.favorite_lists.name, "documents": [made]})
