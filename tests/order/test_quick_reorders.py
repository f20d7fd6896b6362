"""Quick reorders: kept lists, their stock, and what is suggested."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.erasure import ERASERS, EXPORTERS
from resolvers.order.suggesting import suggest_to_all
from stores import order as store
from stores.catalog.roles import CATALOG_ADMIN, INVENTORY_ADMIN
from stores.order import OrderStatus
from tests.cart.steps import added, codes, only, set_stock, ships, shown, variants
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.notification.steps import inbox, settle
from tests.order.placing import placed
from tests.order.test_orders import moved
from tests.phone import Phone, sign_in_directly

QUICK = """id version name position sourceOrderId lastUsedAt notifyWhenAvailable
  quickReorderLines { lineId variantId quantity currentStatus options { name value } product { id } }"""
LIST = f"{{ viewer {{ reorders {{ quickReorders {{ edges {{ cursor node {{ {QUICK} }} }} }} }} }} }}"
SUGGESTED = """query ($limit: Int! = 10) { viewer { reorders { quickReorderSuggestions(limit: $limit) {
  quantity orderedCount lastOrderedAt available product { id } variant { id } } } } }"""
BY_ID = "query ($id: ID!) { quickReorder(id: $id) { name } node(id: $id) { id } }"
APPLIED = f"""quickReorder {{ {QUICK} }} outcome cart {{ lines {{ quantity }} }}
  adjustments {{ kind lineId alternatives {{ id }} }}"""


@pytest.fixture
async def shop(new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch) -> Phone:
    await only(services, "promotions", "shipping_rates", "tax_rates")
    admin = await staff(new_phone, services, CATALOG_ADMIN, INVENTORY_ADMIN)
    await ships(admin)
    monkeypatch.setattr(services.limits, "scale", 1000.0)
    return admin


def items(*variant_ids: str, quantity: int = 2) -> dict[str, Any]:
    return {"items": [{"productVariantId": each, "quantity": quantity} for each in variant_ids]}


async def save(phone: Phone, contents: dict[str, Any], **given: Any) -> Any:
    what = {"name": "Monthly", "contents": contents, **given}
    return await phone.do(
        "saveQuickReorder", f"quickReorder {{ {QUICK} }} quickReorderEdge {{ cursor }}", **what
    )


async def saved(phone: Phone, contents: dict[str, Any], **given: Any) -> Any:
    payload = await save(phone, contents, **given)
    assert payload["errors"] == []
    return payload["quickReorder"]


async def listed(phone: Phone) -> list[Any]:
    edges = (await phone.run(LIST))["viewer"]["reorders"]["quickReorders"]["edges"]
    return [edge["node"] for edge in edges]


async def suggested(phone: Phone, **given: Any) -> list[Any]:
    found = (await phone.run(SUGGESTED, **given))["viewer"]["reorders"]["quickReorderSuggestions"]
    return list(found)


async def test_one_is_kept_of_an_order_or_a_list_changed_and_deleted(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    one, two = await variants(services, shop, "€1.00", "€2.00")
    order = await placed(services, ada, one, two)
    payload = await save(ada, {"sourceOrderId": order["_id"]})
    first = payload["quickReorder"]
    assert (first["name"], first["position"], first["sourceOrderId"]) == ("Monthly", 0, order["_id"])
    assert [line["quantity"] for line in first["quickReorderLines"]] == [2, 2]
    assert first["quickReorderLines"][0]["options"] == [{"name": "engraving", "value": "For Grace"}]
    [edge] = (await ada.run(LIST))["viewer"]["reorders"]["quickReorders"]["edges"]
    assert edge == {**payload["quickReorderEdge"], "node": first}
    second = await saved(ada, items(two), name="Trip", id=ids.new_id("quick_reorder"))
    assert (second["position"], second["sourceOrderId"]) == (1, None)
    given = {"quickReorderId": second["id"], "name": "Travel", "position": 0, "items": items(one)["items"]}
    changed = (await ada.do("updateQuickReorder", f"quickReorder {{ {QUICK} }}", **given, expectedVersion=1))[
        "quickReorder"
    ]
    assert (changed["name"], changed["position"], changed["version"]) == ("Travel", 0, 2)
    assert [line["variantId"] for line in changed["quickReorderLines"]] == [one]
    late = await ada.do("updateQuickReorder", "quickReorder { name }", **given, expectedVersion=1)
    assert (codes(late), late["quickReorder"]) == ([("CONFLICT", None)], {"name": "Travel"})
    assert await listed(ada) == [first, changed]
    assert await eve.run(BY_ID, id=first["id"]) == {"quickReorder": None, "node": None}
    for mutation in ("deleteQuickReorder", "applyQuickReorder"):
        theirs = await eve.do(mutation, "errors { code }", quickReorderId=first["id"])
        assert codes(theirs) == [("NOT_FOUND", ["quickReorderId"])]
    gone = await ada.do("deleteQuickReorder", "deletedQuickReorderId", quickReorderId=first["id"])
    assert (gone["deletedQuickReorderId"], await listed(ada)) == (first["id"], [changed])


async def test_what_is_kept_is_checked(services: Services, shop: Phone, new_phone: NewPhone) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    [variant] = await variants(services, shop, "€1.00")
    theirs = await placed(services, eve, variant)
    unknown = "variant_01h455vb4pex5vsknk084sn02q"
    for contents, more, refusal in (
        (items(variant), {"name": " "}, ("REQUIRED", ["name"])),
        (items(variant), {"name": "x" * 61}, ("TOO_LONG", ["name"])),
        (items(variant), {"name": "4242 4242 4242 4242"}, ("CARD_DATA_REFUSED", ["name"])),
        (items(variant), {"position": -1}, ("OUT_OF_RANGE", ["position"])),
        (items(), {}, ("REQUIRED", ["contents", "items"])),
        (items(*[variant] * 101), {}, ("TOO_MANY", ["contents", "items"])),
        (items(unknown), {}, ("NOT_FOUND", ["contents", "items", "productVariantId"])),
        ({"sourceOrderId": theirs["_id"]}, {}, ("NOT_FOUND", ["contents", "sourceOrderId"])),
    ):
        assert codes(await save(ada, contents, **more)) == [refusal]
    assert await listed(ada) == []


async def test_nobody_has_more_than_twenty_even_by_two_devices_at_once(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, shop, "€1.00")
    for _ in range(19):
        await saved(ada, items(variant))
    both = await asyncio.gather(*(save(ada, items(variant)) for _ in range(2)))
    assert sorted(codes(each) for each in both) == [[], [("LIMIT_REACHED", None)]]
    assert len((await ada.run(LIST))["viewer"]["reorders"]["quickReorders"]["edges"]) == 20


async def test_one_tap_puts_it_into_the_cart_by_the_rules_of_reorders(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other, one, gone = await variants(services, shop, "€3.00", "€1.00", "€2.00")
    kept = await saved(ada, items(one, gone))
    await added(ada, other)
    await set_stock(services, gone, 0)
    named = {"quickReorderId": kept["id"]}
    refused = await ada.do("applyQuickReorder", APPLIED, **named, outOfStock="FAIL")
    assert codes(refused) == [("REORDER_UNAVAILABLE", None)]
    assert len((await shown(ada))["lines"]) == 1
    done = await ada.do("applyQuickReorder", APPLIED, **named, cartBehavior="REPLACE", idempotencyKey="tap")
    assert (done["outcome"], done["cart"]["lines"]) == ("CART_REPOPULATED", [{"quantity": 2}])
    [adjustment] = done["adjustments"]
    assert (adjustment["kind"], adjustment["lineId"]) == (
        *("UNAVAILABLE", kept["quickReorderLines"][1]["lineId"]),
    )
    assert adjustment["alternatives"]
    assert done["quickReorder"]["lastUsedAt"] is not None
    again = await ada.do("applyQuickReorder", APPLIED, **named, cartBehavior="REPLACE", idempotencyKey="tap")
    assert again == {**done, "replayed": True}
    await set_stock(services, one, 0)
    nothing = await ada.do("applyQuickReorder", APPLIED, **named)
    assert (nothing["outcome"], nothing["quickReorder"]["version"]) == ("REJECTED", 2)


async def test_one_notice_when_every_line_can_be_had_again(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    one, two = await variants(services, shop, "€1.00", "€2.00")
    for variant in (one, two):
        await set_stock(services, variant, 0)
    kept = await saved(ada, items(one, two), notifyWhenAvailable=True)
    await saved(grace, items(one, two))
    assert kept["notifyWhenAvailable"] is True
    await set_stock(services, one, 5)
    await settle(services)
    assert await inbox(ada) == []
    await set_stock(services, two, 5)
    await settle(services)
    [notice] = await inbox(ada)
    assert notice["notification"]["title"] == "Monthly: everything can be ordered again"
    [now] = await listed(ada)
    assert (now["notifyWhenAvailable"], now["version"]) == (False, 2)
    await set_stock(services, two, 0)
    await set_stock(services, two, 5)
    await settle(services)
    assert len(await inbox(ada)) == 1
    assert await inbox(grace) == []


async def test_suggestions_are_what_was_ordered_most_often_then_last(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    often, old, late, never = await variants(services, shop, "€1.00", "€2.00", "€3.00", "€4.00")
    clock.stop()
    long_ago = await placed(services, ada, never)
    await moved(services, long_ago, OrderStatus.PROCESSING)
    clock.shift(timedelta(days=366))
    for chosen in ((often, old), (often, late)):
        clock.shift(timedelta(days=1))
        await sign_in_directly(services, ada, ada.user_id)
        order = await placed(services, ada, *chosen)
        order = await moved(services, order, OrderStatus.PROCESSING)
    await placed(services, ada, never)
    assert [each["variant"]["id"] for each in await suggested(ada)] == [often, late, old]
    order = await moved(services, order, OrderStatus.SHIPPED)
    await moved(services, order, OrderStatus.DELIVERED)
    await settle(services)
    kept = await store.reorder_suggestions.by_id(services.db, ada.user_id)
    assert kept is not None
    assert [each["variant_id"] for each in kept["suggestions"]] == [often, late, old]
    await set_stock(services, often, 0)
    first, second = await suggested(ada, limit=2)
    assert (first["orderedCount"], first["quantity"], first["available"]) == (2, 2, False)
    assert (second["orderedCount"], second["available"]) == (1, True)
    assert (await ada.ask(SUGGESTED, limit=11)).code == "BAD_USER_INPUT"


async def test_suggestions_are_computed_anew_every_night(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    clock.stop()
    order = await placed(services, ada, *await variants(services, shop, "€1.00"))
    for status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        order = await moved(services, order, status)
    await settle(services)
    assert len(await suggested(ada)) == 1
    clock.shift(timedelta(days=366))
    await suggest_to_all(services)
    await sign_in_directly(services, ada, ada.user_id)
    assert await suggested(ada) == []


async def test_they_are_exported_and_go_with_the_account(
    services: Services, shop: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    kept = await saved(ada, items(*await variants(services, shop, "€1.00")))
    exported = {file: rows async for file, rows in EXPORTERS["order"](services, ada.user_id)}
    assert [(row["id"], row["name"]) for row in exported["quick_reorders"]] == [(kept["id"], "Monthly")]
    await ERASERS["order"](services, ada.user_id)
    assert await listed(ada) == []
    assert await store.reorder_suggestions.by_id(services.db, ada.user_id) is None
