"""Lines of a cart: added, changed, removed, on all devices of one customer."""

import asyncio
import unicodedata
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from core.context import Services
from stores.cart import carts
from tests.cart.steps import (
    ADDED,
    CART,
    add,
    added,
    codes,
    euros,
    issues,
    line_id,
    priced,
    products,
    set_stock,
    shown,
    stored,
    variants,
)
from tests.catalog.steps import import_rows, row
from tests.conftest import NewPhone
from tests.phone import Phone, key

UPDATED = f"{ADDED} deletedCartLineId"


async def test_a_customer_has_one_cart_on_all_devices(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other = await new_phone(user_id=ada.user_id)
    empty = await shown(ada)
    assert (empty["status"], empty["anonymous"], empty["lines"], empty["itemCount"]) == (
        "ACTIVE",
        False,
        [],
        0,
    )
    [variant] = await variants(services, admin, "€10.00")
    line = await added(other, variant, 2)
    cart = await shown(ada)
    assert cart["id"] == empty["id"] == (await shown(other))["id"]
    assert [each["id"] for each in cart["lines"]] == [line["id"]]
    assert (cart["itemCount"], cart["subtotal"]) == (2, {"amount": "20.00", "currencyCode": "EUR"})
    found = await ada.run(
        "query($id: ID!, $cart: ID!) { cart(id: $cart) { id } node(id: $id) { id } }",
        id=line["id"],
        cart=cart["id"],
    )
    assert found == {"node": {"id": line["id"]}, "cart": {"id": cart["id"]}}


async def test_a_foreign_id_answers_as_not_found(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    [variant] = await variants(services, admin, "€10.00")
    line = await added(ada, variant)
    cart = await shown(ada)
    ids = {"cart": cart["id"], "line": line["id"]}
    document = "query($cart: ID!, $line: ID!) { cart(id: $cart) { id } node(id: $line) { id } }"
    assert await grace.run(document, **ids) == {"cart": None, "node": None}
    refused = await grace.do("updateCartLine", UPDATED, cartLineId=line["id"], quantity=9)
    assert codes(refused) == [("NOT_FOUND", ["cartLineId"])]
    assert (await shown(ada))["version"] == cart["version"]


async def test_equal_options_join_one_line_and_others_do_not(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    """C7."""
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    size, colour = {"name": "size", "value": "L"}, {"name": "colour", "value": "red"}
    first = await added(ada, variant, options=[size, colour])
    joined = await added(ada, variant, 2, options=[colour, size])
    assert (joined["id"], joined["quantity"], joined["version"]) == (first["id"], 3, 2)
    assert joined["options"] == [colour, size]
    small = await added(ada, variant, options=[{"name": "size", "value": "l"}, colour])
    assert small["id"] != first["id"]
    accent = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    composed = await added(ada, variant, options=[{"name": "mark", "value": accent[0]}])
    decomposed = await added(ada, variant, options=[{"name": "mark", "value": accent[1]}])
    assert (decomposed["id"], decomposed["quantity"]) == (composed["id"], 2)
    twice = await ada.ask(
        "mutation($input: AddCartLineInput!) { addCartLine(input: $input) { errors { code } } }",
        input={"idempotencyKey": key(), "item": {"productVariantId": variant}, "options": [size, size]},
    )
    assert twice.code == "BAD_USER_INPUT"


@pytest.mark.parametrize("quantity", [0, -1])
async def test_negative_or_zero_quantity_on_add(
    services: Services, admin: Phone, new_phone: NewPhone, quantity: int
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    answer = await ada.ask(
        "mutation($input: AddCartLineInput!) { addCartLine(input: $input) { errors { code } } }",
        input={"idempotencyKey": key(), "item": {"productVariantId": variant}, "quantity": quantity},
    )
    assert answer.code == "BAD_USER_INPUT"
    assert (await shown(ada))["lines"] == []


async def test_same_add_sent_twice_same_key(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    sent = {"idempotencyKey": key(), "id": line_id()}
    first, second = await add(ada, variant, 2, **sent), await add(ada, variant, 2, **sent)
    assert second == {**first, "replayed": True}
    assert (await shown(ada))["itemCount"] == 2


async def test_same_key_other_input(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    sent = key()
    await add(ada, variant, 2, idempotencyKey=sent)
    answer = await ada.ask(
        "mutation($input: AddCartLineInput!) { addCartLine(input: $input) { errors { code } } }",
        input={"idempotencyKey": sent, "item": {"productVariantId": variant}, "quantity": 3},
    )
    assert answer.code == "IDEMPOTENCY_KEY_REUSED"
    assert (await shown(ada))["itemCount"] == 2


async def test_same_line_id_new_key_retry_after_app_restart(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    """C6."""
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    id, alias = line_id(), line_id()
    first = await added(ada, variant, 2, id=id)
    again = await added(ada, variant, 2, id=id)
    assert again == first
    joined = await added(ada, variant, id=alias)
    assert (joined["id"], joined["quantity"], joined["aliases"]) == (id, 3, [alias])
    assert await added(ada, variant, id=alias) == joined
    by_alias = await ada.do("updateCartLine", UPDATED, cartLineId=alias, quantity=5)
    assert (by_alias["cartLine"]["id"], by_alias["cartLine"]["quantity"]) == (id, 5)
    gone = await ada.do("removeCartLine", f"cart {{ {CART} }} deletedCartLineId", cartLineId=id)
    assert (gone["deletedCartLineId"], gone["cart"]["lines"]) == (id, [])
    for known in (id, alias):
        refused = await add(ada, variant, id=known)
        assert codes(refused) == [("LINE_REMOVED", ["id"])]
    assert (await shown(ada))["version"] == gone["cart"]["version"]


async def test_a_quantity_is_set_and_0_removes(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00", stock=500)
    line = await added(ada, variant, 2)
    changed = await ada.do("updateCartLine", UPDATED, cartLineId=line["id"], quantity=7, expectedVersion=1)
    assert (changed["cartLine"]["quantity"], changed["cartLine"]["version"]) == (7, 2)
    late = await ada.do("updateCartLine", UPDATED, cartLineId=line["id"], quantity=3, expectedVersion=1)
    assert codes(late) == [("CONFLICT", None)]
    assert (late["cartLine"]["quantity"], late["cart"]["itemCount"]) == (7, 7)
    most = await ada.do("updateCartLine", UPDATED, cartLineId=line["id"], quantity=100)
    assert [(each["code"], each["limit"]) for each in most["errors"]] == [("OUT_OF_RANGE", 99)]
    more = await add(ada, variant, 93)
    assert [(each["code"], each["field"], each["limit"]) for each in more["errors"]] == [
        ("OUT_OF_RANGE", ["quantity"], 99)
    ]
    gone = await ada.do("updateCartLine", UPDATED, cartLineId=line["id"], quantity=0)
    assert (gone["deletedCartLineId"], gone["cartLine"], gone["cart"]["lines"]) == (line["id"], None, [])
    refused = await ada.do("updateCartLine", UPDATED, cartLineId=line["id"], quantity=1)
    assert codes(refused) == [("LINE_REMOVED", ["cartLineId"])]


async def test_a_lines_version_grows_with_its_own_changes_alone(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00")
    first, second = await added(ada, one), await added(ada, two)
    await ada.do("updateCartLine", UPDATED, cartLineId=first["id"], quantity=3)
    await ada.do("updateCart", "cart { id }", note="Leave it at the door")
    cart = await shown(ada)
    assert [(each["id"], each["version"]) for each in cart["lines"]] == [(second["id"], 1), (first["id"], 2)]
    assert (cart["version"], cart["note"]) == (5, "Leave it at the door")


async def test_new_options_equal_to_another_lines_join_both(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    plain = await added(ada, variant, 2)
    other = await added(ada, variant, 3, options=[{"name": "size", "value": "L"}])
    joined = await ada.do("updateCartLine", UPDATED, cartLineId=other["id"], options=[])
    assert (joined["cartLine"]["id"], joined["cartLine"]["quantity"]) == (plain["id"], 5)
    assert (joined["cartLine"]["aliases"], joined["deletedCartLineId"]) == ([other["id"]], other["id"])
    assert len(joined["cart"]["lines"]) == 1


async def test_clearing_removes_only_lines_that_the_app_has_seen(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00")
    seen = await added(ada, one)
    version = (await shown(ada))["version"]
    unseen = await added(ada, two)
    done = await ada.do("clearCart", f"cart {{ {CART} }} deletedCartLineIds", expectedVersion=version)
    assert done["deletedCartLineIds"] == [seen["id"]]
    assert [each["id"] for each in done["cart"]["lines"]] == [unseen["id"]]
    absent = await ada.do("removeCartLine", f"cart {{ {CART} }} deletedCartLineId", cartLineId=line_id())
    assert (absent["errors"], absent["cart"]["version"]) == ([], done["cart"]["version"])


async def test_a_cart_has_at_most_100_lines_and_20_options_each(
    services: Services, admin: Phone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    one, two, three = await variants(services, admin, "€10.00", "€5.00", "€1.00")
    monkeypatch.setattr("resolvers.cart.adding.MOST_LINES", 2)
    for variant in (one, two, one):
        await added(ada, variant)
    full = await add(ada, three)
    assert [(each["code"], each["limit"]) for each in full["errors"]] == [("LIMIT_REACHED", 2)]
    many = [{"name": f"o{number}", "value": "x"} for number in range(21)]
    assert codes(await add(ada, one, options=many)) == [("TOO_MANY", ["options"])]
    long = [{"name": "o", "value": "x" * 201}]
    assert codes(await add(ada, one, options=long)) == [("TOO_LONG", ["options", "value"])]


async def test_price_10_when_added_offline_now_12(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    payload = await add(ada, variant, seenUnitPrice=euros("10.00"))
    [line] = payload["cart"]["lines"]
    assert (line["status"], line["unitPrice"]["amount"], line["currentUnitPrice"]["amount"]) == (
        "PRICE_CHANGED",
        "10.00",
        "12.00",
    )
    [issue] = line["cartIssues"]
    assert (issue["code"], issue["blocking"]) == ("PRICE_CHANGED", True)
    assert (issue["oldPrice"]["amount"], issue["newPrice"]["amount"]) == ("10.00", "12.00")
    assert line["lineTotal"]["amount"] == payload["cart"]["subtotal"]["amount"] == "12.00"


async def test_client_sends_unit_price_0_01(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    payload = await add(ada, variant, seenUnitPrice=euros("0.01"))
    assert payload["cart"]["subtotal"]["amount"] == "12.00"
    assert issues(payload["cart"]) == [("PRICE_CHANGED", True)]


async def test_amount_with_more_digits_than_the_currency_has(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    refused = await add(ada, variant, seenUnitPrice=euros("0.001"))
    assert codes(refused) == [("INVALID_INPUT", ["seenUnitPrice", "amount"])]


async def test_price_drops_before_the_quote(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    await added(ada, variant)
    await priced(admin, variant, "11.00")
    cart = await shown(ada)
    assert (issues(cart), cart["subtotal"]["amount"]) == ([("PRICE_CHANGED", False)], "11.00")


async def test_5_wanted_1_left(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    await set_stock(services, variant, 1)
    payload = await add(ada, variant, 5)
    [line] = payload["cart"]["lines"]
    assert (payload["errors"], line["status"]) == ([], "INSUFFICIENT_STOCK")
    [issue] = line["cartIssues"]
    assert (issue["code"], issue["availableQuantity"], issue["lineId"]) == (
        "INSUFFICIENT_STOCK",
        1,
        line["id"],
    )
    await set_stock(services, variant, 0)
    [line] = (await shown(ada))["lines"]
    assert (line["status"], line["cartIssues"][0]["availableQuantity"]) == ("OUT_OF_STOCK", 0)


async def test_two_lines_of_a_variant_share_its_stock(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    await set_stock(services, variant, 3)
    await added(ada, variant, 2)
    await added(ada, variant, 2, options=[{"name": "size", "value": "L"}])
    later, earlier = (await shown(ada))["lines"]
    assert (earlier["status"], later["status"]) == ("OK", "INSUFFICIENT_STOCK")
    assert later["cartIssues"][0]["availableQuantity"] == 1


async def test_a_product_that_is_no_longer_sold(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [kept, product] = await products(services, admin, "€12.00", "€10.00")
    line = await added(ada, product["variant"], 2)
    await admin.do("setProductStatus", "product { id }", productId=product["id"], status="DISCONTINUED")
    [shown_line] = (await shown(ada))["lines"]
    assert (shown_line["id"], shown_line["status"]) == (line["id"], "UNAVAILABLE")
    refused = await ada.do("addCartLine", f"{ADDED} alternatives {{ id }}", item={"productId": product["id"]})
    assert codes(refused) == [("PRODUCT_DISCONTINUED", ["item", "productId"])]
    assert refused["alternatives"]
    default = await ada.do("addCartLine", ADDED, item={"productId": kept["id"]})
    assert (default["errors"], default["cart"]["itemCount"]) == ([], 3)


async def test_a_hidden_product_is_not_found(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [result] = await import_rows(admin, [row()], publish=False)
    refused = await add(ada, result["product"]["variants"][0]["id"])
    assert codes(refused) == [("NOT_FOUND", ["item", "productVariantId"])]
    assert (await shown(ada))["lines"] == []


async def test_inventory_unavailable(
    services: Services, admin: Phone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00", stock=3)
    await added(ada, variant, 5)

    async def away(*_: Any) -> Any:
        raise AutoReconnect("away")

    monkeypatch.setattr("loaders.cart.levels", away)
    document = "{ viewer { cart { lines { status checkedAt variant { availability { checkedAt } } } } } }"
    [line] = (await ada.run(document))["viewer"]["cart"]["lines"]
    assert line["status"] == "INSUFFICIENT_STOCK"
    assert line["checkedAt"] == line["variant"]["availability"]["checkedAt"]
    answer = await ada.ask(
        "mutation($input: ValidateCartInput!) { validateCart(input: $input) { errors { code } } }",
        input={"idempotencyKey": key()},
    )
    assert (answer.code, answer.errors[0]["extensions"].get("retryable", True)) == ("UNAVAILABLE", True)


async def test_61st_mutation_in_a_minute(
    services: Services, admin: Phone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€12.00")
    monkeypatch.setattr(services.limits, "scale", 2 / 60)
    for _ in range(2):
        await added(ada, variant)
    third = await add(ada, variant)
    [error] = third["errors"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert error["retryAfterSeconds"] >= 1
    assert (await stored(services, ada))["lines"][0]["quantity"] == 2


async def test_a_card_number_in_a_note_is_refused(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    before = await shown(ada)
    refused = await ada.do("updateCart", f"cart {{ {CART} }}", note="Use 4111 1111 1111 1111 please")
    assert codes(refused) == [("CARD_DATA_REFUSED", ["note"])]
    long = await ada.do("updateCart", f"cart {{ {CART} }}", giftMessage="x" * 301)
    assert [(each["code"], each["field"], each["limit"]) for each in long["errors"]] == [
        ("TOO_LONG", ["giftMessage"], 300)
    ]
    assert await shown(ada) == before


async def test_additions_of_two_devices_at_once_both_count(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other = await new_phone(user_id=ada.user_id)
    [variant] = await variants(services, admin, "€10.00")
    # The first of them makes the cart, too.
    await asyncio.gather(*(added(phone, variant, 2) for phone in (ada, other) for _ in range(4)))
    cart = await shown(ada)
    assert [each["quantity"] for each in cart["lines"]] == [16]
    assert await carts.carts.find(services.db, {"owner_id": ada.user_id}, fields=("_id",)) == [
        {"_id": cart["id"]}
    ]
