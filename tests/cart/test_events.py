"""Events of a cart on an open screen, and what other devices are told of it."""

from datetime import timedelta

import aiohttp
import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from jobs import catalog as catalog_jobs
from resolvers.cart import begin, convert, customer, quote_named
from tests.cart.steps import (
    CART,
    added,
    device,
    priced,
    quoted,
    set_stock,
    ships,
    shown,
    validated,
    variants,
)
from tests.catalog.steps import within
from tests.conftest import NewPhone
from tests.phone import Phone, deleted_ids

EVENTS = f"""subscription($after: String) {{ cartEvents(after: $after) {{
  __typename
  ... on CartChanged {{ eventId cart {{ {CART} }} changedLines {{ id quantity }} deletedLines {{ lineId }}
    origin {{ deviceId }} }}
  ... on CartLineChanged {{ eventId cartLine {{ id status }} cart {{ subtotal {{ amount }} }} }}
  ... on CartMerged {{ eventId cart {{ id status }} report {{ addedCount token }} }}
  ... on CartHoldExpired {{ eventId cart {{ id }} }}
  ... on CartConverted {{ eventId cart {{ id itemCount }} deletedCartId }}
}} }}"""
DELTA = """query($since: SyncToken) { viewer { changes(since: $since, types: [CART, CART_LINE]) {
  nodes { id ... on Cart { itemCount cartStatus: status } ... on CartLine { quantity } }
  deleted { id typename } token } } }"""


async def test_changes_reach_the_other_devices_at_once(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other = await new_phone(user_id=ada.user_id)
    one, two = await variants(services, admin, "€10.00", "€5.00")
    first = await added(ada, one)
    async with ada.watch(EVENTS) as stream:
        second = await added(other, two, 2)
        event = (await stream.next())["cartEvents"]
        assert event["__typename"] == "CartChanged"
        assert (event["changedLines"], event["deletedLines"]) == ([{"id": second["id"], "quantity": 2}], [])
        assert event["origin"] == {"deviceId": other.device_id}
        assert event["cart"]["itemCount"] == 3
        await other.do("removeCartLine", "cart { id }", cartLineId=first["id"])
        event = (await stream.next())["cartEvents"]
        assert (event["changedLines"], event["deletedLines"]) == ([], [{"lineId": first["id"]}])
    await added(other, one)
    async with ada.watch(EVENTS, after=event["eventId"]) as stream:
        event = (await stream.next())["cartEvents"]
        assert event["cart"]["itemCount"] == 3
        assert {each["quantity"] for each in event["changedLines"]} == {1, 2}


async def test_price_and_stock_of_what_the_cart_has_are_told(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00")
    line = await added(ada, one, 2)
    async with ada.watch(EVENTS) as stream:
        await priced(admin, one, "12.00")
        await catalog_jobs.tell(services)
        event = (await stream.next())["cartEvents"]
        assert event["__typename"] == "CartLineChanged"
        assert event["cartLine"] == {"id": line["id"], "status": "PRICE_CHANGED"}
        assert event["cart"] == {"subtotal": {"amount": "24.00"}}
        later = await added(ada, two)
        assert (await stream.next())["cartEvents"]["changedLines"] == [{"id": later["id"], "quantity": 1}]
        await set_stock(services, two, 0)
        event = (await stream.next())["cartEvents"]
        assert event["cartLine"] == {"id": later["id"], "status": "OUT_OF_STOCK"}


async def test_a_merge_is_told_to_both_and_ends_the_devices_stream(
    services: Services,
    admin: Phone,
    new_phone: NewPhone,
    http: aiohttp.ClientSession,
    address: str,
) -> None:
    ada, phone = await new_phone("Ada"), device(http, address)
    [variant] = await variants(services, admin, "€10.00")
    await added(phone, variant)
    mine = (await shown(ada))["id"]
    theirs = (await shown(phone))["id"]
    async with ada.watch(EVENTS) as stream, phone.watch(EVENTS) as ending:
        await ada.do("mergeCart", "cart { id }", cartToken=phone.headers["X-Cart-Token"])
        found = {}
        for _ in range(2):
            event = (await stream.next())["cartEvents"]
            found[event["__typename"]] = event
        assert found["CartMerged"]["cart"] == {"id": mine, "status": "ACTIVE"}
        assert found["CartMerged"]["report"] == {"addedCount": 1, "token": "MERGED"}
        assert found["CartChanged"]["cart"]["itemCount"] == 1
        event = (await ending.next())["cartEvents"]
        assert (event["__typename"], event["cart"]) == ("CartMerged", {"id": theirs, "status": "MERGED"})
        with pytest.raises(StopAsyncIteration):
            await ending.next()


async def test_a_devices_stream_needs_its_token(http: aiohttp.ClientSession, address: str) -> None:
    phone = Phone(http, f"{address}/graphql")
    async with phone.watch(EVENTS) as stream:
        with pytest.raises(AssertionError, match="UNAUTHENTICATED"):
            await stream.next()


@pytest.mark.usefixtures("bare")
async def test_the_end_of_a_hold_and_a_conversion_are_told(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    await ships(admin)
    await validated(ada, reserve=True)
    async with ada.watch(EVENTS) as stream:
        clock.shift(timedelta(minutes=10, seconds=1))
        while await jobs.run_due(services):
            continue
        found = {(await stream.next())["cartEvents"]["__typename"] for _ in range(2)}
        assert found == {"CartChanged", "CartHoldExpired"}
    token = (await quoted(ada))["token"]
    quote = await quote_named(Context(services), customer(ada.user_id), token)
    assert quote is not None
    order = ids.new_id("order")
    await within(services, begin, quote, order)
    async with ada.watch(EVENTS) as stream:
        fresh = await within(services, convert, ada.user_id, quote["cart_id"], order, quote["lines"])
        converted = (await stream.next())["cartEvents"]
        while converted["__typename"] != "CartConverted":
            converted = (await stream.next())["cartEvents"]
        assert converted["cart"] == {"id": fresh["_id"], "itemCount": 0}
        assert converted["deletedCartId"] == quote["cart_id"]


async def test_carts_and_lines_are_in_the_delta_of_their_owner(
    services: Services, admin: Phone, new_phone: NewPhone, http: aiohttp.ClientSession, address: str
) -> None:
    ada, phone = await new_phone("Ada"), device(http, address)
    one, two = await variants(services, admin, "€10.00", "€5.00")
    kept, gone = await added(ada, one), await added(ada, two)
    await added(phone, one)
    first = (await ada.run(DELTA))["viewer"]["changes"]
    cart = await shown(ada)
    assert {each["id"] for each in first["nodes"]} == {cart["id"], kept["id"], gone["id"]}
    await ada.do("updateCartLine", "cart { id }", cartLineId=kept["id"], quantity=4)
    await ada.do("removeCartLine", "cart { id }", cartLineId=gone["id"])
    delta = (await ada.run(DELTA, since=first["token"]))["viewer"]["changes"]
    nodes = {each["id"]: each for each in delta["nodes"]}
    assert nodes[cart["id"]]["itemCount"] == 4
    assert nodes[kept["id"]]["quantity"] == 4
    assert delta["deleted"] == [{"id": gone["id"], "typename": "CartLine"}]
    assert deleted_ids(delta) == [gone["id"]]
