"""Merging at sign-in: deterministic, and never twice."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from core.context import Services
from tests.cart.steps import CART, added, codes, device, euros, issues, line_id, products, shown, variants
from tests.conftest import NewPhone
from tests.phone import Phone

REPORT = "addedCount summedCount cappedCount skipped { lineId variantId reason } token"
MERGED = f"cart {{ {CART} }} report {{ {REPORT} }}"
ZEROS = {"addedCount": 0, "summedCount": 0, "cappedCount": 0, "skipped": []}

NewDevice = Callable[[], Phone]


@pytest.fixture
def new_device(http: aiohttp.ClientSession, address: str) -> NewDevice:
    return lambda: device(http, address)


def local(id: str, variant: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"cartLineId": id, "productVariantId": variant, "quantity": quantity, **more}


async def merged(phone: Phone, **given: Any) -> Any:
    payload = await phone.do("mergeCart", MERGED, **given)
    assert payload["errors"] == []
    return payload


async def test_merge_rule_by_rule(
    services: Services, admin: Phone, new_phone: NewPhone, new_device: NewDevice
) -> None:
    """C5."""
    ada, phone = await new_phone("Ada"), new_device()
    a, b, c = await products(services, admin, "€10.00", "€5.00", "€1.00", stock=500)
    one, two, three, four, five = (line_id() for _ in range(5))
    await added(ada, a["variant"], 2, id=one)
    await added(ada, b["variant"], 98, id=two)
    await added(phone, a["variant"], 3, id=three)
    await added(phone, b["variant"], 5, id=four)
    await added(phone, c["variant"], 1, id=five)
    await admin.do("setProductStatus", "product { id }", productId=c["id"], status="DISCONTINUED")
    given = {
        "cartToken": phone.headers["X-Cart-Token"],
        "lines": [local(three, a["variant"], 3), local(one, a["variant"], 2)],
    }
    payload = await merged(ada, **given)
    assert payload["report"] == {
        "addedCount": 0,
        "summedCount": 2,
        "cappedCount": 1,
        "skipped": [
            {"lineId": five, "variantId": c["variant"], "reason": "PRODUCT_UNAVAILABLE"},
            {"lineId": one, "variantId": a["variant"], "reason": "KNOWN_LINE"},
        ],
        "token": "MERGED",
    }
    second, first = payload["cart"]["lines"]
    assert (first["id"], first["quantity"], first["aliases"]) == (one, 5, [three])
    assert (second["id"], second["quantity"], second["aliases"]) == (two, 99, [four])
    assert issues(payload["cart"]) == [("QUANTITY_CAPPED", False)]
    again = await merged(ada, cartToken=given["cartToken"])
    assert again["report"] == {**ZEROS, "token": "KNOWN"}
    assert again["cart"] == payload["cart"]
    changed = await ada.do("updateCartLine", f"cart {{ {CART} }}", cartLineId=two, quantity=9)
    assert issues(changed["cart"]) == []


async def test_two_devices_sign_in_and_merge_the_same_token(
    services: Services, admin: Phone, new_phone: NewPhone, new_device: NewDevice
) -> None:
    ada, phone = await new_phone("Ada"), new_device()
    other = await new_phone(user_id=ada.user_id)
    [variant] = await variants(services, admin, "€10.00")
    await shown(ada)
    await added(phone, variant, 3)
    token = phone.headers["X-Cart-Token"]
    reports = [
        each["report"]
        for each in await asyncio.gather(*(merged(each, cartToken=token) for each in (ada, other)))
    ]
    assert sorted((each["token"], each["addedCount"]) for each in reports) == [("KNOWN", 0), ("MERGED", 1)]
    assert (await shown(ada))["itemCount"] == 3


async def test_device_merges_local_lines_it_synced_last_week(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    id, removed = line_id(), line_id()
    await added(ada, variant, 2, id=id)
    size = [{"name": "size", "value": "L"}]
    await added(ada, variant, 1, id=removed, options=size)
    await ada.do("removeCartLine", "cart { id }", cartLineId=removed)
    before = await shown(ada)
    payload = await merged(ada, lines=[local(id, variant, 2), local(removed, variant, 1, options=size)])
    assert [each["reason"] for each in payload["report"]["skipped"]] == ["KNOWN_LINE", "KNOWN_LINE"]
    assert payload["report"]["token"] is None
    assert payload["cart"] == before


async def test_merge_with_an_unknown_or_expired_token(
    services: Services, admin: Phone, new_phone: NewPhone, new_device: NewDevice
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    id = line_id()
    payload = await merged(
        ada,
        cartToken=new_device().headers["X-Cart-Token"],
        lines=[local(id, variant, 2, seenUnitPrice=euros("10.00"))],
    )
    assert payload["report"] == {**ZEROS, "addedCount": 1, "token": "INVALID"}
    assert issues(payload["cart"]) == [("PRICE_CHANGED", True)]


async def test_a_token_that_went_into_another_account_is_invalid(
    services: Services, admin: Phone, new_phone: NewPhone, new_device: NewDevice
) -> None:
    ada, grace, phone = await new_phone("Ada"), await new_phone("Grace"), new_device()
    [variant] = await variants(services, admin, "€10.00")
    await added(phone, variant)
    token = phone.headers["X-Cart-Token"]
    await merged(ada, cartToken=token)
    payload = await merged(grace, cartToken=token)
    assert (payload["report"]["token"], payload["cart"]["lines"]) == ("INVALID", [])


async def test_lines_beyond_100_are_skipped_and_reported(
    services: Services, admin: Phone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00")
    monkeypatch.setattr("resolvers.cart.merging.MOST_LINES", 1)
    kept = await added(ada, one)
    payload = await merged(ada, lines=[local(line_id(), two, 1)])
    assert [each["reason"] for each in payload["report"]["skipped"]] == ["CART_FULL"]
    assert [each["id"] for each in payload["cart"]["lines"]] == [kept["id"]]


async def test_only_who_is_signed_in_merges(new_device: NewDevice) -> None:
    phone = new_device()
    document = "mutation($input: MergeCartInput!) { mergeCart(input: $input) { errors { code } } }"
    answer = await phone.ask(document, input={"idempotencyKey": "k", "lines": []})
    assert answer.code == "UNAUTHENTICATED"


async def test_a_line_that_the_device_removed_does_not_come_back_by_the_apps_copy(
    services: Services, admin: Phone, new_phone: NewPhone, new_device: NewDevice
) -> None:
    ada, phone = await new_phone("Ada"), new_device()
    [variant] = await variants(services, admin, "€10.00")
    id = line_id()
    await added(phone, variant, id=id)
    await phone.do("removeCartLine", "cart { id }", cartLineId=id)
    given = {"cartToken": phone.headers["X-Cart-Token"], "lines": [local(id, variant, 1)]}
    payload = await merged(ada, **given)
    assert (payload["cart"]["lines"], payload["report"]["skipped"][0]["reason"]) == ([], "KNOWN_LINE")
    refused = await ada.do("addCartLine", f"cart {{ {CART} }}", id=id, item={"productVariantId": variant})
    assert codes(refused) == [("LINE_REMOVED", ["id"])]
