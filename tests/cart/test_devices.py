"""Carts of devices on which nobody is signed in: by a token of which only the hash is kept."""

import hashlib
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from core import clock
from core.context import Services
from jobs import cart as jobs
from resolvers.cart import owners
from stores.cart import carts
from tests.cart.steps import ADDED, CART, add, added, cart_token, codes, device, line_id, shown, variants
from tests.conftest import NewPhone
from tests.phone import Phone, key

TOKEN = "X-Cart-Token"


async def test_a_device_gets_a_cart_with_its_first_write(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    phone = device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    assert await shown(phone) is None
    line = await added(phone, variant, 2)
    cart = await shown(phone)
    assert (cart["anonymous"], [each["id"] for each in cart["lines"]]) == (True, [line["id"]])
    found = await phone.run("query($id: ID!) { node(id: $id) { id } }", id=line["id"])
    assert found == {"node": {"id": line["id"]}}
    row = await carts.carts.by_id(services.db, cart["id"])
    assert row is not None
    assert row["owner_key"] == hashlib.sha256(phone.headers[TOKEN].encode()).hexdigest()


async def test_answer_to_the_first_anonymous_write_lost(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    phone = device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    sent = {"idempotencyKey": key(), "id": line_id()}
    lost, again = await add(phone, variant, **sent), await add(phone, variant, **sent)
    assert again == {**lost, "replayed": True}
    assert (await shown(phone))["itemCount"] == 1


async def test_an_anonymous_key_belongs_to_the_tokens_hash(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    one, other = device(http, address), device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    sent = key()
    first, second = (
        await add(one, variant, idempotencyKey=sent),
        await add(other, variant, idempotencyKey=sent),
    )
    assert (second["replayed"], second["cart"]["id"] != first["cart"]["id"]) == (False, True)


@pytest.mark.parametrize("token", ["short", "x" * 44, "=" * 43])
async def test_cart_token_too_short_or_malformed(
    http: aiohttp.ClientSession, address: str, new_phone: NewPhone, token: str
) -> None:
    phone = Phone(http, f"{address}/graphql")
    phone.headers[TOKEN] = token
    assert (await phone.ask("{ anonymousCart { id } }")).code == "BAD_USER_INPUT"
    ada = await new_phone("Ada")
    merge = "mutation($input: MergeCartInput!) { mergeCart(input: $input) { errors { code } } }"
    answer = await ada.ask(merge, input={"idempotencyKey": key(), "cartToken": token})
    assert answer.code == "BAD_USER_INPUT"


async def test_without_a_token_nobody_has_a_cart(anonymous: Phone) -> None:
    assert await shown(anonymous) is None
    document = "mutation($input: ClearCartInput!) { clearCart(input: $input) { errors { code } } }"
    answer = await anonymous.ask(document, input={"idempotencyKey": key()})
    assert answer.code == "UNAUTHENTICATED"


async def test_another_devices_cart_is_not_found(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    one, other = device(http, address), device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    line = await added(one, variant)
    cart = await shown(one)
    document = "query($cart: ID!, $line: ID!) { cart(id: $cart) { id } node(id: $line) { id } }"
    ids = {"cart": cart["id"], "line": line["id"]}
    assert await other.run(document, **ids) == {"cart": None, "node": None}


async def test_an_expired_access_token_never_acts_on_the_devices_cart(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    phone = device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    await added(phone, variant)
    phone.token = "no.access.token"
    document = "mutation($input: ClearCartInput!) { clearCart(input: $input) { errors { code } } }"
    assert (await phone.ask(document, input={"idempotencyKey": key()})).code == "UNAUTHENTICATED"
    phone.token = None
    assert (await shown(phone))["itemCount"] == 1


async def test_the_token_comes_with_requests_that_are_answered_as_events_too(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    phone = device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    await added(phone, variant, 3)
    asked = {"query": "{ anonymousCart { itemCount } }"}
    told = (await phone.post(asked, Accept="text/event-stream")).body
    assert '"itemCount":3' in told.replace(" ", "")


async def test_new_carts_of_devices_are_limited_by_address(
    services: Services,
    admin: Phone,
    http: aiohttp.ClientSession,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [variant] = await variants(services, admin, "€10.00")
    monkeypatch.setattr(services.limits, "scale", 1 / 20)
    taken: list[Any] = [await add(device(http, address), variant) for _ in range(3)]
    assert [code for payload in taken for code, _ in codes(payload)][-1] == "RATE_LIMITED"
    # All tests have one address.
    await services.redis.delete(f"rate:{owners.NEW_RATE.name}:127.0.0.1")


async def test_a_cart_expires_30_days_after_its_last_change(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str
) -> None:
    phone = device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    await added(phone, variant)
    id = (await shown(phone))["id"]
    clock.shift(timedelta(days=29))
    await added(phone, variant)
    clock.shift(timedelta(days=29))
    await jobs.expire(services)
    assert (await shown(phone))["itemCount"] == 2
    clock.shift(timedelta(days=2))
    assert await shown(phone) is None
    closed = await phone.do("addCartLine", ADDED, item={"productVariantId": variant})
    assert (codes(closed), closed["cart"]) == ([("CART_CLOSED", None)], None)
    await jobs.expire(services)
    row = await carts.carts.by_id(services.db, id)
    assert row is not None
    assert row["status"] == "EXPIRED"
    clock.shift(timedelta(days=31))
    await jobs.expire(services)
    assert await carts.carts.by_id(services.db, id) is None
    fresh = device(http, address, cart_token())
    assert (await added(fresh, variant))["quantity"] == 1


async def test_the_token_is_kept_nowhere(
    services: Services, admin: Phone, http: aiohttp.ClientSession, address: str, new_phone: NewPhone
) -> None:
    """`confidential` looks for it in logs, errors and the whole database, at the end of all tests."""
    phone, ada = device(http, address), await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(phone, variant)
    merged = await ada.do(
        "mergeCart", f"cart {{ {CART} }} report {{ token }}", cartToken=phone.headers[TOKEN]
    )
    assert merged["report"] == {"token": "MERGED"}
    assert await shown(phone) is None
    closed = await phone.do("addCartLine", ADDED, item={"productVariantId": variant})
    assert codes(closed) == [("CART_CLOSED", None)]
