"""Saving and removing: states that are set, safe to repeat, within their limits."""

import asyncio
import os
from typing import Any

import pytest

from core import ids
from core.context import Services
from core.errors import Unavailable
from core.nodes import GUARDS
from resolvers.favorite import saving
from stores import favorite as store
from tests.conftest import Commands, NewPhone
from tests.favorite.steps import (
    ADDED,
    SHOWN,
    Shop,
    add,
    add_all,
    allowed,
    fill,
    refusal,
    refusals,
    remove,
    stored,
    targets,
    the_list,
)
from tests.phone import Phone, key

PRODUCTS = "query($ids: [ID!]!) { products(ids: $ids) { id viewerFavorited } }"
ADDS_AT_ONCE = 501 if os.environ.get("LANDFALL_LONG") == "1" else 60
ONE = "query($by: FavoriteByInput!) { favorite(by: $by) { id targetId note } }"


async def test_one_is_saved_shown_to_its_owner_alone_and_removed(
    shop: Shop, ada: Phone, new_phone: NewPhone, anonymous: Phone
) -> None:
    grace, product = await new_phone("Grace"), await shop.product()
    empty = await the_list(ada)
    assert (empty["version"], empty["favoriteCount"], empty["favorites"]["edges"]) == (0, 0, [])
    id = ids.new_id("favorite")
    done = await ada.do(
        "addFavorite", f"{ADDED} alreadyExisted deletedFavoriteId", id=id, targetId=product, note=" Try it "
    )
    assert done["favorite"] == {"id": id, "version": 1, "targetId": product, "position": 0, "note": "Try it"}
    assert done["favoriteEdge"] == {"position": 0, "node": {"id": id}}
    assert done["favoriteLists"] == [{"id": empty["id"], "version": 1, "favoriteCount": 1}]
    assert (done["alreadyExisted"], done["deletedFavoriteId"]) == (False, None)
    [edge] = (await the_list(ada))["favorites"]["edges"]
    assert edge["node"]["priceWhenSaved"] == {"amount": "24.90", "currencyCode": "EUR"}
    assert edge["node"]["notices"] == {
        "availability": True,
        "cancellations": True,
        "promotions": False,
        "priceDrop": True,
        "backInStock": True,
    }
    assert edge["node"]["target"]["name"].startswith("Magnesium")
    shown = {"id": id, "targetId": product, "note": "Try it"}
    for by in ({"id": id}, {"targetId": product}):
        assert (await ada.run(ONE, by=by))["favorite"] == shown
        assert (await grace.run(ONE, by=by))["favorite"] is None
    assert await grace.run("query($id: ID!) { node(id: $id) { id } }", id=id) == {"node": None}
    assert await grace.run("query($id: ID!) { favoriteList(id: $id) { id } }", id=empty["id"]) == {
        "favoriteList": None
    }
    assert (await the_list(grace))["favorites"]["edges"] == []
    for phone, saved in ((ada, True), (grace, False), (anonymous, None)):
        assert (await phone.run(PRODUCTS, ids=[product]))["products"] == [
            {"id": product, "viewerFavorited": saved}
        ]
    gone = await ada.do(
        "removeFavorite",
        "deletedFavoriteId target { ... on Product { viewerFavorited } } "
        "favoriteLists { version favoriteCount }",
        targetId=product,
    )
    assert gone["deletedFavoriteId"] == id
    assert gone["target"] == {"viewerFavorited": False}
    assert gone["favoriteLists"] == [{"version": 2, "favoriteCount": 0}]
    assert await targets(ada) == []


async def test_not_signed_in_is_unauthenticated_and_is_favorited_is_null(
    shop: Shop, anonymous: Phone
) -> None:
    product = await shop.product()
    document = """mutation($input: AddFavoriteInput!) { addFavorite(input: $input) { errors { code } } }"""
    answer = await anonymous.ask(document, input={"idempotencyKey": key(), "targetId": product})
    assert answer.code == "UNAUTHENTICATED"
    assert (await anonymous.run(PRODUCTS, ids=[product]))["products"][0]["viewerFavorited"] is None


async def test_star_tapped_twice_quickly_makes_one_favorite_and_the_second_already_existed(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    taps = await asyncio.gather(
        *(ada.do("addFavorite", f"{SHOWN} alreadyExisted", targetId=product) for _ in range(2))
    )
    assert sorted(tap["alreadyExisted"] for tap in taps) == [False, True]
    assert taps[0]["favorite"] == taps[1]["favorite"]
    assert [each["version"] for each in await stored(services, ada)] == [1]
    assert (await the_list(ada))["version"] == 1


async def test_two_devices_add_the_same_target_offline_with_different_ids_and_the_first_id_wins(
    shop: Shop, ada: Phone, new_phone: NewPhone
) -> None:
    """Golden case F2."""
    other, product = await new_phone(user_id=ada.user_id), await shop.product()
    first, second = ids.new_id("favorite"), ids.new_id("favorite")
    await add(ada, product, id=first)
    done = await other.do(
        "addFavorite", f"{SHOWN} alreadyExisted deletedFavoriteId", id=second, targetId=product
    )
    assert (done["favorite"]["id"], done["alreadyExisted"]) == (first, True)
    assert done["deletedFavoriteId"] == second
    assert await other.run("query($id: ID!) { node(id: $id) { id } }", id=second) == {"node": None}


async def test_replay_of_an_add_after_the_user_removed_it_elsewhere_revives_nothing(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone
) -> None:
    """Golden case F5: receipts answer, and only a new key saves again, under the same id."""
    other, product = await new_phone(user_id=ada.user_id), await shop.product()
    keys = {"idempotencyKey": "k1", "targetId": product}
    made = await ada.do("addFavorite", SHOWN, **keys)
    await ada.do("removeFavorite", "deletedFavoriteId", idempotencyKey="k2", targetId=product)
    again = await ada.do("addFavorite", SHOWN, idempotencyKey="k3", targetId=product)
    assert again["favorite"]["id"] == made["favorite"]["id"]
    version = (await the_list(ada))["version"]
    for name, shown, used in (
        ("addFavorite", SHOWN, "k1"),
        ("removeFavorite", "deletedFavoriteId", "k2"),
        ("addFavorite", SHOWN, "k3"),
    ):
        replay = await ada.do(name, shown, idempotencyKey=used, targetId=product)
        assert (replay["replayed"], replay["errors"]) == (True, [])
    assert (await targets(ada), (await the_list(ada))["version"]) == ([product], version)
    await other.do("removeFavorite", "deletedFavoriteId", idempotencyKey="k4", targetId=product)
    assert (await ada.do("addFavorite", SHOWN, **keys))["replayed"]
    assert await targets(ada) == []
    assert (await add(ada, product))["id"] == made["favorite"]["id"]


async def test_remove_of_an_absent_favorite_succeeds_and_tells_nothing(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    assert await remove(ada, product) is None
    assert await stored(services, ada) == []
    assert (await the_list(ada))["version"] == 0


async def test_saved_again_it_is_the_same_one_on_top_without_its_note_at_todays_price(
    shop: Shop, ada: Phone
) -> None:
    product, other = await shop.products(2)
    first = await add(ada, product, note="Old")
    await add(ada, other)
    await remove(ada, product)
    await shop.set_price(product, "19.90")
    again = await add(ada, product)
    assert (again["id"], again["note"], again["position"]) == (first["id"], None, 0)
    assert again["version"] > first["version"]
    [top, _] = (await the_list(ada))["favorites"]["edges"]
    assert top["node"]["priceWhenSaved"] == {"amount": "19.90", "currencyCode": "EUR"}


async def test_a_new_one_is_on_top_unless_a_position_is_given_and_beyond_the_end_is_the_end(
    shop: Shop, ada: Phone
) -> None:
    one, two, three, four = await shop.products(4)
    await add(ada, one)
    await add(ada, two)
    assert (await add(ada, three, position=1))["position"] == 1
    assert (await add(ada, four, position=99))["position"] == 3
    assert await targets(ada) == [two, three, one, four]
    refused = await ada.do("addFavorite", SHOWN, targetId=one, position=-1)
    assert refusals(refused) == [("OUT_OF_RANGE", ["position"])]


async def test_unknown_and_withdrawn_targets_are_refused_and_the_queue_continues(
    shop: Shop, services: Services, ada: Phone
) -> None:
    """Target withdrawn while the add was queued."""
    hidden, product = await shop.products(2)
    await shop.hide(hidden)
    refused = await ada.do("addFavorite", SHOWN, targetId=hidden)
    assert refused["errors"] == [refusal("TARGET_UNAVAILABLE", "This is no longer offered.", ["targetId"])]
    refused = await ada.do("addFavorite", SHOWN, targetId=ids.new_id("product"))
    assert refused["errors"] == [refusal("NOT_FOUND", "There is no such target.", ["targetId"])]
    assert await stored(services, ada) == []
    await add(ada, product)
    assert await targets(ada) == [product]


async def test_the_id_of_another_type_is_bad_user_input(ada: Phone) -> None:
    """`targetId` of another type."""
    document = "mutation($input: AddFavoriteInput!) { addFavorite(input: $input) { errors { code } } }"
    for wrong in (ids.new_id("post"), ids.new_id("variant"), "nothing"):
        answer = await ada.ask(document, input={"idempotencyKey": key(), "targetId": wrong})
        assert answer.code == "BAD_USER_INPUT"


async def test_the_501st_favorite_is_refused(shop: Shop, services: Services, ada: Phone) -> None:
    await fill(services, ada, 499)
    one, two = await shop.products(2)
    await add(ada, one)
    refused = await ada.do("addFavorite", SHOWN, targetId=two)
    assert refused["errors"] == [refusal("LIMIT_REACHED", "At most 500 favorites.", limit=500)]
    assert (await the_list(ada))["favoriteCount"] == 500
    await remove(ada, one)
    await add(ada, two)


async def test_the_501st_favorite_also_when_501_adds_come_at_once(
    shop: Shop, services: Services, ada: Phone
) -> None:
    """Golden case F6: a count without locking the list lets several in."""
    await fill(services, ada, 499)
    wanted = await shop.copies(await shop.product(), ADDS_AT_ONCE)
    done = await asyncio.gather(*(ada.do("addFavorite", "favorite { id }", targetId=id) for id in wanted))
    codes = [each["errors"][0]["code"] if each["errors"] else "" for each in done]
    assert (codes.count(""), codes.count("LIMIT_REACHED")) == (1, ADDS_AT_ONCE - 1)
    assert len(await stored(services, ada)) == 500


@pytest.mark.usefixtures("hurried")
async def test_11_toggles_of_one_target_in_a_minute_are_rate_limited_and_the_state_is_unchanged(
    shop: Shop, ada: Phone
) -> None:
    product = await shop.product()

    async def toggle(number: int) -> dict[str, Any]:
        name = "removeFavorite" if number % 2 else "addFavorite"
        return dict(await ada.do(name, "idempotencyKey", targetId=product))

    assert await allowed(toggle, saving.TARGET_RATE) == 10
    before = await targets(ada)
    for name in ("removeFavorite", "addFavorite"):
        refused = await ada.do(name, "idempotencyKey", targetId=product)
        if refused["errors"]:
            assert await targets(ada) == before


async def test_what_was_removed_is_not_read_by_its_id(shop: Shop, ada: Phone) -> None:
    product = await shop.product()
    made = await add(ada, product)
    await remove(ada, product)
    assert await ada.run("query($id: ID!) { node(id: $id) { id } }", id=made["id"]) == {"node": None}
    assert await ada.run(ONE, by={"id": made["id"]}) == {"favorite": None}


async def test_a_note_has_at_most_500_characters(shop: Shop, services: Services, ada: Phone) -> None:
    product = await shop.product()
    refused = await ada.do("addFavorite", SHOWN, targetId=product, note="x" * 501)
    assert refusals(refused) == [("TOO_LONG", ["note"])]
    assert await stored(services, ada) == []
    assert (await add(ada, product, note="x" * 500))["note"] == "x" * 500


async def test_note_and_notices_change_for_who_saw_the_version(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product = await shop.product()
    made = await add(ada, product, note="Health")
    [row] = await stored(services, ada)
    assert "Health" not in str(row)
    shown = f"{SHOWN[:-2]} notices {{ promotions priceDrop }} }}"
    changed = await ada.do("updateFavorite", shown, targetId=product, notices={"promotions": True})
    assert changed["favorite"]["notices"] == {"promotions": True, "priceDrop": True}
    assert changed["favorite"]["note"] == "Health"
    late = await ada.do(
        "updateFavorite", SHOWN, targetId=product, note="Late", expectedVersion=made["version"]
    )
    assert ([each["code"] for each in late["errors"]], late["favorite"]["note"]) == (["CONFLICT"], "Health")
    cleared = await ada.do("updateFavorite", SHOWN, targetId=product, note=None)
    assert cleared["favorite"]["note"] is None
    await remove(ada, product)
    refused = await ada.do("updateFavorite", SHOWN, targetId=product, note="Gone")
    assert refusals(refused) == [("NOT_FOUND", ["targetId"])]


async def test_100_rows_cost_one_command_to_know_what_is_favorited(
    shop: Shop, services: Services, ada: Phone, commands: Commands
) -> None:
    """Golden case F7."""
    wanted = await shop.copies(await shop.product(), 100)
    await add(ada, wanted[3])
    bare = "query($ids: [ID!]!) { products(ids: $ids) { id } }"
    for document in (bare, PRODUCTS):
        await ada.run(document, ids=wanted)
    commands.reset()
    await ada.run(bare, ids=wanted)
    without = commands.sent
    commands.reset()
    found = (await ada.run(PRODUCTS, ids=wanted))["products"]
    assert commands.sent == without + 1
    assert [each["id"] for each in found if each["viewerFavorited"]] == [wanted[3]]


async def test_a_list_is_read_by_pages_that_costs_do_not_grow_with(
    shop: Shop, services: Services, ada: Phone, commands: Commands
) -> None:
    await fill(services, ada, 120)
    first = await the_list(ada, first=50)
    assert len(first["favorites"]["edges"]) == 50
    after = first["favorites"]["pageInfo"]["endCursor"]
    second = await the_list(ada, first=50, after=after)
    assert [edge["position"] for edge in second["favorites"]["edges"]] == list(range(50, 100))
    document = """query($first: Int) { viewer { favoriteList(kind: PRODUCT) { favoriteCount
      favorites(first: $first) { edges { position node { id position } } } } } }"""
    sent = []
    for first_ in (1, 1, 100):
        commands.reset()
        await ada.run(document, first=first_)
        sent.append(commands.sent)
    assert sent[1] == sent[2] <= 3


async def test_an_add_and_a_removal_cost_the_same_however_long_the_list_is(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    grace, one = await new_phone("Grace"), await shop.product()
    await fill(services, grace, 400)
    costs = []
    for phone in (ada, grace):
        commands.reset()
        await phone.do("addFavorite", "favorite { id }", targetId=one)
        added = commands.sent
        commands.reset()
        await phone.do("removeFavorite", "deletedFavoriteId", targetId=one)
        costs.append((added, commands.sent))
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 14


async def test_provider_service_down_returns_favorites_with_target_null_ids_and_order_intact(
    shop: Shop, ada: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await shop.products(2)
    await add_all(ada, wanted)

    async def down(*_: object) -> list[None]:
        raise Unavailable

    monkeypatch.setitem(GUARDS, "product", down)
    edges = (await the_list(ada))["favorites"]["edges"]
    assert [edge["node"]["targetId"] for edge in edges] == wanted
    assert [edge["node"]["target"] for edge in edges] == [None, None]


async def test_discontinued_products_stay(shop: Shop, ada: Phone) -> None:
    product = await shop.product()
    await add(ada, product)
    done = await shop.keeper.do(
        "setProductStatus", "product { status }", productId=product, status="DISCONTINUED"
    )
    assert done["errors"] == []
    [edge] = (await the_list(ada))["favorites"]["edges"]
    assert edge["node"]["target"]["name"]


async def test_the_kind_is_that_of_the_target(shop: Shop, services: Services, ada: Phone) -> None:
    await add(ada, await shop.product())
    [row] = await stored(services, ada)
    assert (row["kind"], row["status"]) == ("PRODUCT", store.FavoriteStatus.SAVED)
