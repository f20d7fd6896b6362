"""Validation and quotes: what an order costs, honored for ten minutes."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from core import clock
from core.context import Context, Services
from resolvers.cart import QuoteFault, customer, quote_fault, quote_named
from stores.cart import quotes
from tests.cart.steps import (
    ADDRESS,
    CART,
    VALIDATED,
    added,
    codes,
    device,
    euros,
    priced,
    promotion,
    quoted,
    set_stock,
    ships,
    shown,
    stored,
    validated,
    variants,
)
from tests.conftest import NewPhone
from tests.phone import Phone, key

pytestmark = pytest.mark.usefixtures("bare")


async def taxed(admin: Phone, rate: str, *, included: bool, **more: Any) -> str:
    given = {"name": "VAT", "countryCode": "DE", "rate": rate, "included": included, **more}
    made = await admin.do("createTaxRate", "taxRate { id }", **given)
    assert made["errors"] == [], made["errors"]
    return str(made["taxRate"]["id"])


async def fault(services: Services, phone: Phone, token: str) -> QuoteFault | str | None:
    """Fault that an order with the token would meet; INVALID for a token of no quote of theirs."""
    ctx, owner = Context(services), customer(phone.user_id)
    quote = await quote_named(ctx, owner, token)
    return "INVALID" if quote is None else await quote_fault(ctx, owner, quote)


async def test_a_quote_has_all_sums(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€9.99", "€5.00")
    await added(ada, one, 3)
    await added(ada, two)
    rate, dear = await ships(admin), await ships(admin, "9.90", name="Express", minDays=1, maxDays=1)
    await taxed(admin, "19", included=True)
    await promotion(admin, name="Sale", percentOff="10")
    payload = await validated(ada, shippingAddress=ADDRESS)
    assert [each["shippingRateId"] for each in payload["shippingOptions"]] == [rate, dear]
    assert payload["shippingOptions"][0]["estimate"] == {
        "earliestOn": f"{clock.now() + timedelta(days=2):%Y-%m-%d}",
        "latestOn": f"{clock.now() + timedelta(days=4):%Y-%m-%d}",
    }
    quote = payload["checkoutQuote"]
    amounts = {
        name: quote[name]["amount"] for name in ("subtotal", "discountTotal", "shippingCost", "tax", "total")
    }
    # 3497 less 350; of 2697, 450 and 490 the tax is 431, 72 and 78.
    assert amounts == {
        "subtotal": "34.97",
        "discountTotal": "3.50",
        "shippingCost": "4.90",
        "tax": "5.81",
        "total": "36.37",
    }
    assert (quote["valid"], quote["taxIncluded"], quote["rounding"]["amount"]) == (True, True, "0.00")
    assert quote["taxLines"] == [{"name": "VAT", "rate": "19", "amount": {"amount": "5.81"}}]
    assert (quote["shippingAddress"], quote["billingAddress"]) == ({"city": "Berlin"}, {"city": "Berlin"})
    assert [each["discount"]["amount"] for each in quote["quoteLines"]] == ["3.00", "0.50"]
    assert quote["token"]
    chosen = await quoted(ada, shippingRateId=dear, billingAddress={**ADDRESS, "city": "Hamburg"})
    assert chosen["shippingOption"] == {"shippingRateId": dear, "label": "Express"}
    assert chosen["billingAddress"] == {"city": "Hamburg"}


async def test_taxes_are_added_where_prices_do_not_contain_them(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.50")
    await added(ada, variant)
    await ships(admin, "0", country="US")
    for name, rate in (("State", "6"), ("City", "2.875")):
        await taxed(admin, rate, included=False, name=name, countryCode="US", region="US-CA")
    await taxed(admin, "1", included=False, countryCode="US")
    address = {**ADDRESS, "countryCode": "US", "region": "US-CA", "postalCode": "94110"}
    quote = (await validated(ada, shippingAddress=address))["checkoutQuote"]
    assert [(each["name"], each["amount"]["amount"]) for each in quote["taxLines"]] == [
        ("State", "0.63"),
        ("City", "0.30"),
    ]
    assert (quote["total"]["amount"], quote["taxIncluded"]) == ("11.43", False)
    other = await admin.do(
        "createTaxRate", "taxRate { id }", name="X", countryCode="US", rate="1", included=True
    )
    assert codes(other) == [("INVALID_INPUT", ["included"])]


async def test_without_an_address_there_is_neither_shipping_nor_tax_and_no_token(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    payload = await validated(ada)
    quote = payload["checkoutQuote"]
    assert (quote["valid"], quote["token"], quote["total"]["amount"]) == (True, None, "10.00")
    assert (payload["shippingOptions"], quote["shippingOption"], quote["taxLines"]) == ([], None, [])


async def test_empty_cart_validated(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    payload = await ada.do("validateCart", VALIDATED)
    assert codes(payload) == [("CART_EMPTY", None)]


async def test_no_carrier_for_the_address(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    rate = await ships(admin)
    there = {**ADDRESS, "countryCode": "NZ"}
    refused = await ada.do("validateCart", VALIDATED, shippingAddress=there)
    assert (codes(refused), refused["shippingOptions"]) == ([("NO_SHIPPING", ["shippingAddress"])], [])
    await admin.do("updateShippingRate", "shippingRate { id }", shippingRateId=rate, active=False)
    other = await ships(admin, "6.00")
    gone = await ada.do("validateCart", VALIDATED, shippingAddress=ADDRESS, shippingRateId=rate)
    assert codes(gone) == [("NO_SHIPPING", ["shippingRateId"])]
    assert [each["shippingRateId"] for each in gone["shippingOptions"]] == [other]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"countryCode": "XX"}, "INVALID_FORMAT", "countryCode"),
        ({"region": "Bavaria"}, "INVALID_FORMAT", "region"),
        ({"region": "US-CA"}, "INVALID_FORMAT", "region"),
        ({"phone": "0151 123"}, "INVALID_FORMAT", "phone"),
        ({"name": " "}, "REQUIRED", "name"),
        ({"city": "x" * 101}, "TOO_LONG", "city"),
        ({"line2": "Card 4111 1111 1111 1111"}, "CARD_DATA_REFUSED", "line2"),
    ],
)
async def test_an_address_is_checked(
    services: Services,
    admin: Phone,
    new_phone: NewPhone,
    change: dict[str, Any],
    code: str,
    field: str,
) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("validateCart", VALIDATED, shippingAddress={**ADDRESS, **change})
    assert codes(refused) == [(code, ["shippingAddress", field])]


async def test_shipping_is_free_from_a_worth_or_by_a_promotion(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    line = await added(ada, variant)
    await ships(admin, freeFrom=euros("20.00"))
    assert (await quoted(ada))["total"]["amount"] == "14.90"
    await promotion(admin, name="Free", kind="FREE_SHIPPING", percentOff=None)
    quote = await quoted(ada)
    assert (quote["discountTotal"]["amount"], quote["total"]["amount"]) == ("4.90", "10.00")
    await ada.do("updateCartLine", "cart { id }", cartLineId=line["id"], quantity=2)
    quote = await quoted(ada)
    assert (quote["shippingCost"]["amount"], quote["total"]["amount"]) == ("0.00", "20.00")


async def test_discounts_reach_the_total(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    await ships(admin)
    await promotion(admin, percentOff="100", stackable=True)
    await promotion(admin, kind="FREE_SHIPPING", percentOff=None, stackable=True)
    quote = await quoted(ada)
    assert (quote["total"]["amount"], quote["valid"], bool(quote["token"])) == ("0.00", True, True)


async def test_a_quote_is_bound_to_cart_owner_and_time(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    """C8."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    [variant] = await variants(services, admin, "€10.00")
    line = await added(ada, variant, 2)
    await ships(admin)
    quote = await quoted(ada)
    token = quote["token"]
    assert await fault(services, ada, token) is None
    # (b) The quoted total is charged, wherever the price moves.
    for price in ("9.00", "12.00"):
        await priced(admin, variant, price)
        assert await fault(services, ada, token) is None
        kept = await quotes.quotes.by_id(services.db, {"_id": quote["id"], "owner_key": ada.user_id})
        assert kept is not None
        assert kept["total"] == 2490
    # (d) and (e).
    assert await fault(services, grace, token) == "INVALID"
    for number in range(len(token)):
        other = "A" if token[number] != "A" else "B"
        assert await fault(services, ada, f"{token[:number]}{other}{token[number + 1 :]}") == "INVALID"
    # (a) Removed and added again.
    await ada.do("removeCartLine", "cart { id }", cartLineId=line["id"])
    await added(ada, variant, 2)
    assert await fault(services, ada, token) == QuoteFault.STALE
    # (c) Ten minutes, the last millisecond included.
    fresh = (await quoted(ada))["token"]
    [_, latest] = await quotes.quotes.find(services.db, {"owner_id": ada.user_id}, sort=[("_id", 1)], limit=2)
    clock.stop()
    clock.shift(latest["expires_at"] - clock.now())
    assert await fault(services, ada, fresh) is None
    clock.shift(timedelta(milliseconds=1))
    assert await fault(services, ada, fresh) == QuoteFault.EXPIRED


async def test_a_blocking_issue_makes_no_token_and_is_on_record(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    line = await added(ada, variant, seenUnitPrice=euros("10.00"))
    await ships(admin)
    quote = await quoted(ada)
    assert (quote["valid"], quote["token"]) == (False, None)
    assert quote["cartIssues"] == [{"code": "PRICE_CHANGED", "blocking": True}]
    resolution = {"cartLineId": line["id"], "kind": "ACCEPT_PRICE"}
    done = await ada.do("resolveCartIssues", f"cart {{ {CART} }}", resolutions=[resolution])
    assert done["cart"]["lines"][0]["status"] == "OK"
    assert (await quoted(ada))["token"]


async def test_a_list_is_checked_without_touching_the_cart(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00", stock=1)
    before = await shown(ada)
    await ships(admin)
    items = [{"productVariantId": variant, "quantity": 2}]
    payload = await validated(ada, items=items, shippingAddress=ADDRESS)
    quote = payload["checkoutQuote"]
    assert (payload["cart"], quote["token"], quote["cartVersion"]) == (None, None, None)
    assert (quote["valid"], quote["subtotal"]["amount"]) == (False, "20.00")
    assert [each["code"] for each in quote["cartIssues"]] == ["INSUFFICIENT_STOCK"]
    assert await shown(ada) == before


async def test_an_anonymous_cart_is_validated_but_gets_no_token(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    phone = device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    await added(phone, variant)
    await ships(admin)
    quote = await quoted(phone)
    assert (quote["valid"], quote["token"], quote["total"]["amount"]) == (True, None, "14.90")


async def test_the_stock_is_held_until_an_edit(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    [variant] = await variants(services, admin, "€10.00")
    await set_stock(services, variant, 3)
    line = await added(ada, variant, 3)
    await ships(admin)
    payload = await validated(ada, shippingAddress=ADDRESS, reserve=True)
    cart = payload["cart"]
    assert (cart["lines"][0]["status"], payload["checkoutQuote"]["valid"]) == ("RESERVED", True)
    assert payload["checkoutQuote"]["cartVersion"] == cart["version"]
    theirs = await added(grace, variant)
    assert theirs["status"] == "OUT_OF_STOCK"
    again = await validated(ada, shippingAddress=ADDRESS, reserve=True)
    assert again["cart"]["lines"][0]["status"] == "RESERVED"
    edited = await ada.do(
        "updateCartLine", f"cart {{ {CART} hold {{ expiresAt }} }}", cartLineId=line["id"], quantity=2
    )
    assert (edited["cart"]["hold"], edited["cart"]["lines"][0]["status"]) == (None, "OK")
    assert (await shown(grace))["lines"][0]["status"] == "OK"
    assert (await stored(services, ada))["hold"] is None


async def test_an_address_is_sealed_and_kept_out_of_receipts(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    await ships(admin)
    sent = key()
    street = "Unmistakable Lane 17"
    first = await validated(ada, idempotencyKey=sent, shippingAddress={**ADDRESS, "line1": street})
    again = await validated(ada, idempotencyKey=sent, shippingAddress={**ADDRESS, "line1": street})
    assert again["checkoutQuote"] == first["checkoutQuote"]
    assert again["replayed"] is True
    for name in ("receipts", "checkout_quotes", "carts"):
        rows = await services.db.find(name, {}, limit=10_000)
        assert street not in str(rows)


@pytest.mark.parametrize("kind", ["REDUCE_QUANTITY", "REMOVE", "SWAP"])
async def test_issues_are_resolved_all_or_none(
    services: Services, admin: Phone, new_phone: NewPhone, kind: str
) -> None:
    ada = await new_phone("Ada")
    scarce, other = await variants(services, admin, "€12.00", "€8.00")
    line = await added(ada, scarce, 5)
    await set_stock(services, scarce, 2)
    version = (await shown(ada))["version"]
    wanted = {"cartLineId": line["id"], "kind": kind}
    if kind == "SWAP":
        wanted["productVariantId"] = other
    bad = {"cartLineId": "cart_line_01h455vb4pex5vsknk084sn02q", "kind": "REMOVE"}
    refused = await ada.do("resolveCartIssues", f"cart {{ {CART} }}", resolutions=[wanted, bad])
    assert codes(refused) == [("INVALID_INPUT", ["resolutions"])]
    assert (await shown(ada))["version"] == version
    done = await ada.do(
        "resolveCartIssues", f"cart {{ {CART} }}", resolutions=[wanted], expectedVersion=version
    )
    found = [(each["quantity"], each["status"]) for each in done["cart"]["lines"]]
    assert found == {"REDUCE_QUANTITY": [(2, "OK")], "REMOVE": [], "SWAP": [(5, "OK")]}[kind]
    late = await ada.do(
        "resolveCartIssues", f"cart {{ {CART} }}", resolutions=[wanted], expectedVersion=version
    )
    assert codes(late) == [("CONFLICT", None)]
