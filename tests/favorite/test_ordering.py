"""Order of lists: put in order as a whole, with a version and without, or one favorite moved."""

import pytest

from core import ids
from core.context import Context, Services
from resolvers.favorite import ordering, ranks
from stores import favorite as store
from tests.conftest import NewPhone
from tests.favorite.steps import (
    Shop,
    add,
    add_all,
    allowed,
    new_list,
    refusals,
    remove,
    stored,
    targets,
    targets_in,
    the_list,
)
from tests.phone import Phone

REORDERED = "favoriteList { id version favoriteCount } rejected { targetId errors { code } }"
MOVED = "favorite { position } favoriteList { version }"
BY_KIND = {"kind": "PRODUCT"}


async def reorder(phone: Phone, target_ids: list[str], **input: object) -> dict[str, object]:
    return dict(
        await phone.do("reorderFavorites", REORDERED, **{"by": BY_KIND, "targetIds": target_ids, **input})
    )


async def test_without_a_version_the_named_ones_come_first_and_strangers_are_passed_over(
    shop: Shop, ada: Phone
) -> None:
    """Golden case F3."""
    a, b, c, d, stranger = await shop.products(5)
    await add_all(ada, [a, b, c, d])
    done = await reorder(ada, [c, stranger, a])
    assert done["rejected"] == [{"targetId": stranger, "errors": [{"code": "NOT_FOUND"}]}]
    assert await targets(ada) == [c, a, b, d]


async def test_reorder_names_an_item_twice_and_nothing_changes(shop: Shop, ada: Phone) -> None:
    a, b = await shop.products(2)
    await add_all(ada, [a, b])
    version = (await the_list(ada))["version"]
    refused = await reorder(ada, [b, b])
    assert refusals(refused) == [("INVALID_INPUT", ["targetIds"])]
    assert (await targets(ada), (await the_list(ada))["version"]) == ([a, b], version)


async def test_with_the_current_version_all_are_named_and_no_stranger(shop: Shop, ada: Phone) -> None:
    a, b, stranger = await shop.products(3)
    await add_all(ada, [a, b])
    version = (await the_list(ada))["version"]
    for wrong, code in (([b], "INVALID_INPUT"), ([b, a, stranger], "NOT_FOUND")):
        refused = await reorder(ada, wrong, expectedVersion=version)
        assert refusals(refused) == [(code, ["targetIds"])]
    assert await targets(ada) == [a, b]
    done = await reorder(ada, [b, a], expectedVersion=version)
    assert done["favoriteList"]["version"] == version + 1  # type: ignore[index]
    assert await targets(ada) == [b, a]


async def test_device_a_reorders_b_adds_meanwhile(shop: Shop, ada: Phone, new_phone: NewPhone) -> None:
    """With a version it is a conflict, with the list; without, what B added keeps its place behind."""
    other, (a, b, c) = await new_phone(user_id=ada.user_id), await shop.products(3)
    await add_all(ada, [a, b])
    version = (await the_list(ada))["version"]
    await add(other, c)
    late = await reorder(ada, [b, a], expectedVersion=version)
    assert refusals(late) == [("CONFLICT", None)]
    assert late["favoriteList"] == {
        "id": (await the_list(ada))["id"],
        "version": version + 1,
        "favoriteCount": 3,
    }
    assert await targets(ada) == [c, a, b]
    await reorder(ada, [b, a])
    assert await targets(ada) == [b, a, c]


async def test_an_order_that_is_there_already_is_no_change(shop: Shop, ada: Phone) -> None:
    a, b = await shop.products(2)
    await add_all(ada, [a, b])
    version = (await the_list(ada))["version"]
    await reorder(ada, [a, b])
    moved = await ada.do("moveFavorite", MOVED, targetId=b, afterTargetId=a)
    assert moved["favoriteList"]["version"] == version


async def test_one_is_moved_behind_another_or_to_the_top(shop: Shop, ada: Phone) -> None:
    a, b, c, stranger = await shop.products(4)
    await add_all(ada, [a, b, c])
    version = (await the_list(ada))["version"]
    moved = await ada.do("moveFavorite", MOVED, targetId=a, afterTargetId=b)
    assert (moved["favorite"]["position"], moved["favoriteList"]["version"]) == (1, version + 1)
    assert await targets(ada) == [b, a, c]
    await ada.do("moveFavorite", MOVED, targetId=c)
    assert await targets(ada) == [c, b, a]
    for wrong, field in (
        ({"targetId": stranger}, "targetId"),
        ({"targetId": a, "afterTargetId": stranger}, "afterTargetId"),
        ({"targetId": a, "afterTargetId": a}, "afterTargetId"),
    ):
        assert refusals(await ada.do("moveFavorite", MOVED, **wrong)) == [("NOT_FOUND", [field])]
    assert await targets(ada) == [c, b, a]


async def test_a_named_list_has_an_order_of_its_own(shop: Shop, ada: Phone) -> None:
    a, b, c = await shop.products(3)
    await add_all(ada, [a, b, c])
    id = await new_list(ada, "Evening", c, a)
    await ada.do("moveFavorite", MOVED, targetId=c, favoriteListId=id, afterTargetId=a)
    assert (await targets_in(ada, id), await targets(ada)) == ([a, c], [a, b, c])
    await reorder(ada, [c, a], by={"id": id})
    assert (await targets_in(ada, id), await targets(ada)) == ([c, a], [a, b, c])
    refused = await ada.do("moveFavorite", MOVED, targetId=b, favoriteListId=id)
    assert refusals(refused) == [("NOT_FOUND", ["targetId"])]


async def test_of_a_list_that_is_not_ones_own_nothing_is_put_in_order(
    shop: Shop, ada: Phone, new_phone: NewPhone
) -> None:
    grace, product = await new_phone("Grace"), await shop.product()
    id = await new_list(ada, "Mine", product)
    await add(grace, product)
    assert refusals(await reorder(grace, [product], by={"id": id})) == [("NOT_FOUND", ["by"])]
    refused = await grace.do("moveFavorite", MOVED, targetId=product, favoriteListId=id)
    assert refusals(refused) == [("NOT_FOUND", ["favoriteListId"])]


async def test_moves_between_the_same_neighbors_renew_the_keys_before_one_is_over_64_long(
    shop: Shop, services: Services, ada: Phone
) -> None:
    """Golden case F4: the order is right after each, and positions stay dense."""
    a, b, c, d = await shop.products(4)
    await add_all(ada, [a, b, c, d])
    rows = {each["target_id"]: each["_id"] for each in await stored(services, ada)}
    # So close that the next key between them would be too long.
    close = {a: "1V", b: f"1V{'0' * 61}1", c: f"1V{'0' * 61}2", d: "2V"}
    named = store.empty_default_list(ada.user_id, store.FavoriteKindName("PRODUCT"))
    await store.write_ranks(services.db, named, {rows[id]: rank for id, rank in close.items()})
    order = [a, b, c, d]
    for moved, behind in ((d, a), (d, b), (c, a), (a, b), (d, a)) * 4:
        done = await ada.do("moveFavorite", MOVED, targetId=moved, afterTargetId=behind)
        assert done["errors"] == []
        order.remove(moved)
        order.insert(order.index(behind) + 1, moved)
        assert await targets(ada) == order
        assert max(len(each["rank"]) for each in await stored(services, ada)) <= ranks.LONGEST


async def test_2000_moves_between_the_same_neighbors(services: Services, shop: Shop, ada: Phone) -> None:
    """Golden case F4, without a phone between: two change places over and over."""
    a, b, c, d = await shop.products(4)
    await add_all(ada, [a, b, c, d])
    rows = {each["target_id"]: each["_id"] for each in await stored(services, ada)}
    order = [rows[a], rows[b], rows[c], rows[d]]
    keys = dict(zip(order, ranks.spread(4), strict=True))
    renewed = 0
    for turn in range(2_000):
        # b and c go between a and the other one.
        moving = order[2]
        low, high = keys[order[0]], keys[order[1]]
        keys[moving] = ranks.between(low, high)
        order = [order[0], moving, order[1], order[3]]
        if len(keys[moving]) > ranks.LONGEST:
            keys, renewed = dict(zip(order, ranks.spread(4), strict=True)), renewed + 1
        assert sorted(order, key=keys.__getitem__) == order, turn
    assert renewed > 3


@pytest.mark.usefixtures("hurried")
async def test_a_list_is_put_in_order_20_times_a_minute(shop: Shop, ada: Phone) -> None:
    a, b = await shop.products(2)
    await add_all(ada, [a, b])
    orders = [[a, b], [b, a]]

    async def act(number: int) -> dict[str, object]:
        return await reorder(ada, orders[number % 2])

    assert await allowed(act, ordering.REORDER_RATE) == 20


async def test_500_targets_at_most_are_put_in_order(ada: Phone) -> None:
    refused = await reorder(ada, [ids.new_id("product") for _ in range(501)])
    assert refusals(refused) == [("TOO_MANY", ["targetIds"])]


async def test_what_was_removed_is_no_member(shop: Shop, services: Services, ada: Phone) -> None:
    a, b = await shop.products(2)
    await add_all(ada, [a, b])
    await remove(ada, a)
    done = await reorder(ada, [a, b])
    assert [each["targetId"] for each in done["rejected"]] == [a]  # type: ignore[index,attr-defined]
    assert await targets(ada) == [b]


async def test_an_order_by_a_job_keeps_the_time_that_it_is_given(
    shop: Shop, services: Services, ada: Phone
) -> None:
    """The time of a device's order decides between it and a later one."""
    a, b = await shop.products(2)
    made = await add_all(ada, [a, b])
    ctx = Context(services)
    kind = store.FavoriteKindName("PRODUCT")
    named = await store.default_list(services.db, ada.user_id, kind)
    moment = named["created_at"]
    await ctx.unit(lambda: ordering.put_in_order(ctx, named, made[::-1], at=moment))
    kept = await store.default_list(services.db, ada.user_id, kind)
    assert kept["ordered_at"] == moment
    assert await targets(ada) == [b, a]
