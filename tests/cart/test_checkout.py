"""The cart while it is paid, and what becomes of it: functions for the system that places orders."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from core.errors import UserError
from jobs import catalog as stock_jobs
from resolvers.cart import (
    Delivery,
    add_lines,
    begin,
    convert,
    customer,
    line_id_of,
    quote_named,
    quote_of_lines,
    quote_token,
    reopen,
)
from resolvers.catalog import commit_stock, stock_holder
from stores.cart import carts
from stores.cart.quotes import Quote
from stores.catalog import HolderType
from tests.cart.steps import (
    add,
    added,
    codes,
    line_id,
    quoted,
    set_stock,
    ships,
    shown,
    stored,
    validated,
    variants,
)
from tests.catalog.steps import within
from tests.conftest import NewPhone
from tests.phone import Phone, key

pytestmark = pytest.mark.usefixtures("bare")


def order_id() -> str:
    return ids.new_id("order")


async def quote_of(services: Services, phone: Phone, **given: Any) -> Quote:
    """The stored quote of a validation."""
    token = (await quoted(phone, **given))["token"]
    quote = await quote_named(Context(services), customer(phone.user_id), token)
    assert quote is not None
    return quote


async def begun(services: Services, phone: Phone, order: str, **given: Any) -> Quote:
    quote = await quote_of(services, phone, **given)
    await within(services, begin, quote, order)
    return quote


async def test_edit_during_payment(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant, 2)
    await ships(admin)
    order, sent = order_id(), key()
    await begun(services, ada, order)
    assert (await shown(ada))["status"] == "CHECKING_OUT"
    refused = await add(ada, variant, idempotencyKey=sent)
    [error] = refused["errors"]
    assert (error["code"], error["kind"], error["retryable"]) == (
        "CHECKOUT_IN_PROGRESS",
        "WRONG_STATUS",
        True,
    )
    assert await within(services, reopen, ada.user_id, order_id()) is None
    reopened = await within(services, reopen, ada.user_id, order)
    assert reopened["status"] == "ACTIVE"
    works = await add(ada, variant, idempotencyKey=sent)
    assert (works["errors"], works["replayed"], works["cart"]["itemCount"]) == ([], False, 3)


async def test_a_paid_cart_is_converted_and_a_new_one_begins(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    """C6: ids of ordered lines are known for 90 days."""
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    id, removed = line_id(), line_id()
    await added(ada, variant, 1, id=removed, options=[{"name": "size", "value": "L"}])
    await ada.do("removeCartLine", "cart { id }", cartLineId=removed)
    await added(ada, variant, 2, id=id)
    await ships(admin)
    order = order_id()
    quote = await begun(services, ada, order)
    fresh = await within(services, convert, ada.user_id, quote["cart_id"], order, quote["lines"])
    cart = await shown(ada)
    assert (cart["id"], cart["lines"], cart["status"]) == (fresh["_id"], [], "ACTIVE")
    assert cart["id"] != quote["cart_id"]
    twice = await within(services, convert, ada.user_id, quote["cart_id"], order, quote["lines"])
    assert twice["_id"] == fresh["_id"]
    old = await ada.run("query($id: ID!) { cart(id: $id) { status lines { id } } }", id=quote["cart_id"])
    assert old["cart"] == {"status": "CONVERTED", "lines": []}
    again = await add(ada, variant, 2, id=id)
    assert (again["errors"], again["cartLine"], again["cart"]["lines"]) == ([], None, [])
    assert codes(await add(ada, variant, id=removed)) == [("LINE_REMOVED", ["id"])]
    local = {"cartLineId": id, "productVariantId": variant, "quantity": 2}
    merged = await ada.do("mergeCart", "cart { itemCount } report { skipped { reason } }", lines=[local])
    assert (merged["cart"]["itemCount"], merged["report"]["skipped"]) == (0, [{"reason": "KNOWN_LINE"}])
    clock.shift(timedelta(days=91))
    ada = await new_phone(user_id=ada.user_id)
    assert (await added(ada, variant, 2, id=id))["id"] == id


async def test_a_cart_edited_after_a_declined_payment_keeps_what_was_not_ordered(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two, three = await variants(services, admin, "€10.00", "€5.00", "€1.00")
    first, second = await added(ada, one, 2), await added(ada, two, 1)
    await ships(admin)
    order = order_id()
    quote = await begun(services, ada, order)
    await within(services, reopen, ada.user_id, order)
    await added(ada, one, 3)
    third = await added(ada, three)
    left = await within(services, convert, ada.user_id, quote["cart_id"], order, quote["lines"])
    assert left["_id"] == quote["cart_id"]
    found = {each["id"]: each["quantity"] for each in (await shown(ada))["lines"]}
    assert found == {first["id"]: 3, third["id"]: 1}
    assert codes(await add(ada, two, id=second["id"])) == []


async def test_the_carts_hold_becomes_the_orders(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await set_stock(services, variant, 2)
    await added(ada, variant, 2)
    await ships(admin)
    order = order_id()
    quote = await quote_of(services, ada, reserve=True)
    cart, hold = await within(services, begin, quote, order)
    assert hold["holder"] == {"type": "ORDER", "id": order}
    assert cart["hold"] is None
    sold = await within(services, commit_stock, stock_holder(HolderType.ORDER, order))
    assert sold.reservation["state"] == "COMMITTED"


async def test_the_end_of_a_hold_is_told_and_gives_the_stock_back(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await set_stock(services, variant, 2)
    await added(ada, variant, 2)
    payload = await validated(ada, reserve=True)
    assert payload["cart"]["lines"][0]["status"] == "RESERVED"
    clock.shift(timedelta(minutes=10, seconds=1))
    while await jobs.run_due(services):
        continue
    await stock_jobs.expire_holds(services)
    cart = await shown(ada)
    assert (cart["lines"][0]["status"], cart["version"]) == ("OK", payload["cart"]["version"] + 1)
    assert (await stored(services, ada))["hold"] is None


async def test_lines_of_an_old_order_are_added_once_by_the_rules_of_every_addition(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00", stock=500)
    mine = await added(ada, one, 98)
    order = order_id()
    lines = [
        {"line_id": line_id_of(order, "key", str(number)), "variant_id": each, "options": [], "quantity": 3}
        for number, each in enumerate((one, two, "variant_01h455vb4pex5vsknk084sn02q"))
    ]
    _, taken = await within(services, add_lines, ada.user_id, lines)
    assert list(taken.values()) == [1, 3, 0]
    version = (await shown(ada))["version"]
    cart, taken = await within(services, add_lines, ada.user_id, lines)
    assert (cart["version"], list(taken.values())) == (version, [3, 3, 0])
    assert [each["quantity"] for each in cart["lines"]] == [99, 3]
    await ada.do("clearCart", "cart { id }")
    others = [{**each, "line_id": line_id_of(order, "other", each["variant_id"])} for each in lines[1:2]]
    cart, _ = await within(services, add_lines, ada.user_id, others, replace=True)
    assert [(each["variant_id"], each["quantity"]) for each in cart["lines"]] == [(two, 3)]
    assert mine["id"] not in [each["_id"] for each in cart["lines"]]


async def test_a_list_is_quoted_for_a_person_without_touching_a_cart(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    before = await shown(ada)
    await ships(admin)
    address: Any = {
        "name": "Ada",
        "company": None,
        "line1": "Hauptstr. 1",
        "line2": None,
        "city": "Berlin",
        "region": None,
        "postal_code": "10115",
        "country_code": "DE",
        "phone": None,
    }
    owner = customer(ada.user_id)
    quote, _ = await within(services, quote_of_lines, owner, {variant: 2}, Delivery(address), bindable=True)
    token = quote_token(services.signer, quote)
    assert token is not None
    assert quote["total"] == 2490
    named = await quote_named(Context(services), owner, token)
    assert named is not None
    assert await within(services, begin, named, order_id()) == (None, None)
    assert await shown(ada) == before


async def test_two_orders_at_once_from_one_quote(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    await ships(admin)
    quote = await begun(services, ada, order_id())
    with pytest.raises(UserError) as refused:
        await within(services, begin, quote, order_id())
    assert refused.value.code == "CHECKOUT_IN_PROGRESS"
    found = await carts.carts.by_id(services.db, {"_id": quote["cart_id"], "owner_key": ada.user_id})
    assert found is not None
    assert found["status"] == "CHECKING_OUT"
