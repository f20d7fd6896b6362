"""One malformed id among many costs no other its answer."""

from collections.abc import Sequence

import pytest

from core import ids
from core.context import Services
from stores.catalog.roles import CATALOG_ADMIN
from tests.catalog.steps import on_sale, row, set_stock, staff
from tests.conftest import NewPhone
from tests.feed.steps import publish

MALFORMED: Sequence[str] = (
    "",
    "nonsense",
    "post_",
    "post_01h455vb4pex5vsknk084sn02",
    "01h455vb4pex5vsknk084sn02q",
    "\x00",
)


@pytest.mark.parametrize("bad", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_id_took_all_nodes_along(new_phone: NewPhone, bad: str) -> None:
    ada = await new_phone("Ada")
    one, other = await publish(ada), await publish(ada)
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    found = await ada.run(query, ids=[one, bad, ids.new_id("post"), other, one])
    assert found["nodes"] == [{"id": one}, None, None, {"id": other}, {"id": one}]


async def test_a_malformed_id_took_all_products_along(new_phone: NewPhone, services: Services) -> None:
    keeper = await staff(new_phone, services, CATALOG_ADMIN)
    one, other = [each["id"] for each in await on_sale(services, keeper, row(), row())]
    query = "query($ids: [ID!]!) { products(ids: $ids) { id } }"
    found = await keeper.run(query, ids=[one, *MALFORMED, ids.new_id("post"), other])
    assert found["products"] == [{"id": one}, *[None for _ in MALFORMED], None, {"id": other}]


async def test_a_malformed_id_takes_no_watched_product_along(new_phone: NewPhone, services: Services) -> None:
    keeper = await staff(new_phone, services, CATALOG_ADMIN)
    [product] = await on_sale(services, keeper, row())
    events = "subscription($ids: [ID!]!) { productEvents(productIds: $ids) { __typename } }"
    async with keeper.watch(events, ids=["nonsense", product["id"]]) as stream:
        await set_stock(services, product["variants"][0]["id"], 0)
        assert (await stream.next())["productEvents"]["__typename"]
