"""Named lists: some of the favorites, in an order of their own."""

import asyncio

from core import ids
from core.context import Services
from stores import favorite as store
from tests.conftest import NewPhone
from tests.favorite.steps import (
    SHOWN,
    Shop,
    add,
    add_all,
    new_list,
    refusal,
    refusals,
    remove,
    stored,
    targets,
    targets_in,
    the_list,
)
from tests.phone import Phone

LISTS = """query($filter: FavoriteListFilterInput) { viewer { favoriteLists(filter: $filter, first: 50) {
  edges { cursor node { id listName favoriteCount version } } } } }"""
MADE = "favoriteList { id listName version favoriteCount } favoriteListEdge { cursor node { id } }"
PUT = f"{SHOWN} favoriteEdge {{ position }} favoriteLists {{ id favoriteCount }}"


async def lists(phone: Phone) -> list[str]:
    edges = (await phone.run(LISTS))["viewer"]["favoriteLists"]["edges"]
    return [edge["node"]["listName"] for edge in edges]


async def test_one_is_made_renamed_and_deleted_and_its_favorites_stay_saved(
    shop: Shop, services: Services, ada: Phone, new_phone: NewPhone
) -> None:
    a, b = await shop.products(2)
    id = ids.new_id("favorite_list")
    made = await ada.do("createFavoriteList", MADE, id=id, kind="PRODUCT", name=" Sleep ")
    assert made["favoriteList"] == {"id": id, "listName": "Sleep", "version": 1, "favoriteCount": 0}
    [edge] = (await ada.run(LISTS))["viewer"]["favoriteLists"]["edges"]
    narrowed = await ada.run(LISTS, filter={"kinds": ["PRODUCT"]})
    assert [each["node"] for each in narrowed["viewer"]["favoriteLists"]["edges"]] == [edge["node"]]
    assert made["favoriteListEdge"] == {"cursor": edge["cursor"], "node": {"id": id}}
    for target in (a, b):
        await ada.do("addToFavoriteList", PUT, favoriteListId=id, targetId=target)
    renamed = await ada.do(
        "updateFavoriteList", MADE.split(" favoriteListEdge")[0], favoriteListId=id, name="Night"
    )
    assert renamed["favoriteList"] == {"id": id, "listName": "Night", "version": 4, "favoriteCount": 2}
    late = await ada.do(
        "updateFavoriteList", "favoriteList { listName }", favoriteListId=id, name="Late", expectedVersion=1
    )
    assert (refusals(late), late["favoriteList"]) == ([("CONFLICT", None)], {"listName": "Night"})
    assert await lists(await new_phone("Grace")) == []
    gone = await ada.do("deleteFavoriteList", "deletedFavoriteListId", favoriteListId=id)
    assert (gone["errors"], gone["deletedFavoriteListId"]) == ([], id)
    assert (await lists(ada), await targets(ada)) == ([], [b, a])
    assert [each["list_ids"] for each in await stored(services, ada)] == [[], []]
    assert await store.favorite_list_items.find(services.db, {"list_id": id}) == []


async def test_what_is_put_into_a_list_is_saved_first_and_what_is_taken_out_stays_saved(
    shop: Shop, ada: Phone
) -> None:
    a, b, c = await shop.products(3)
    id = await new_list(ada, "Sleep", a, b)
    assert await targets(ada) == [a, b]
    put = await ada.do("addToFavoriteList", PUT, favoriteListId=id, targetId=c, position=1)
    default = (await the_list(ada))["id"]
    assert put["favoriteEdge"] == {"position": 1}
    assert put["favoriteLists"] == [{"id": default, "favoriteCount": 3}, {"id": id, "favoriteCount": 3}]
    assert (await targets_in(ada, id), await targets(ada)) == ([a, c, b], [c, a, b])
    again = await ada.do("addToFavoriteList", PUT, favoriteListId=id, targetId=c)
    assert (again["favoriteEdge"], again["favorite"]) == ({"position": 1}, put["favorite"])
    [edge, *_] = (await the_list(ada))["favorites"]["edges"]
    assert edge["node"]["namedLists"] == [{"id": id}]
    for _ in range(2):
        out = await ada.do(
            "removeFromFavoriteList",
            "removedFavoriteId favoriteLists { favoriteCount } favorite { namedLists { id } }",
            favoriteListId=id,
            targetId=a,
        )
        assert (out["errors"], out["favoriteLists"]) == ([], [{"favoriteCount": 2}])
        assert out["favorite"] == {"namedLists": []}
    assert (await targets_in(ada, id), await targets(ada)) == ([c, b], [c, a, b])


async def test_a_removed_favorite_leaves_its_lists(shop: Shop, ada: Phone) -> None:
    a, b = await shop.products(2)
    one, two = await new_list(ada, "One", a, b), await new_list(ada, "Two", a)
    await remove(ada, a)
    assert (await targets_in(ada, one), await targets_in(ada, two)) == ([b], [])
    await add(ada, a)
    assert await targets_in(ada, one) == [b]


async def test_one_is_saved_into_a_list_at_once(shop: Shop, ada: Phone) -> None:
    a, b = await shop.products(2)
    id = await new_list(ada, "One", a)
    await add(ada, b, favoriteListId=id, position=5)
    assert (await targets_in(ada, id), await targets(ada)) == ([a, b], [b, a])


async def test_the_51st_named_list_is_refused(ada: Phone) -> None:
    for number in range(50):
        await new_list(ada, f"List {number}")
    refused = await ada.do("createFavoriteList", MADE, kind="PRODUCT", name="One more")
    assert refused["errors"] == [refusal("LIMIT_REACHED", "At most 50 lists.", limit=50)]
    assert len(await lists(ada)) == 50


async def test_a_name_has_1_to_60_characters_and_is_taken_once(ada: Phone, new_phone: NewPhone) -> None:
    id = await new_list(ada, "Sleep")
    other = await new_list(ada, "Stress")
    for name, code in (("", "REQUIRED"), ("x" * 61, "TOO_LONG"), ("Sleep", "NAME_TAKEN")):
        refused = await ada.do("createFavoriteList", MADE, kind="PRODUCT", name=name)
        assert refusals(refused) == [(code, ["name"])]
        refused = await ada.do("updateFavoriteList", "favoriteList { id }", favoriteListId=other, name=name)
        assert refusals(refused) == [(code, ["name"])]
    done = await ada.do("updateFavoriteList", "favoriteList { id }", favoriteListId=id, name="Sleep")
    assert done["errors"] == []
    await new_list(await new_phone("Grace"), "Sleep")


async def test_of_two_lists_of_one_name_at_once_one_is_made(ada: Phone) -> None:
    made = await asyncio.gather(
        *(ada.do("createFavoriteList", MADE, kind="PRODUCT", name="Sleep") for _ in range(3))
    )
    assert sorted(map(str, map(refusals, made))) == ["[('NAME_TAKEN', ['name'])]"] * 2 + ["[]"]


async def test_item_added_to_a_list_deleted_elsewhere_is_not_found_and_nothing_is_written(
    shop: Shop, services: Services, ada: Phone
) -> None:
    product, id = await shop.product(), await new_list(ada, "Sleep")
    await ada.do("deleteFavoriteList", "deletedFavoriteListId", favoriteListId=id)
    for name, shown in (("addToFavoriteList", PUT), ("addFavorite", SHOWN)):
        refused = await ada.do(name, shown, favoriteListId=id, targetId=product)
        assert refusals(refused) == [("NOT_FOUND", ["favoriteListId"])]
    assert await stored(services, ada) == []


async def test_the_default_list_is_neither_renamed_nor_deleted_nor_anybody_elses(
    shop: Shop, ada: Phone, new_phone: NewPhone
) -> None:
    product, grace = await shop.product(), await new_phone("Grace")
    await add_all(ada, [product])
    mine, theirs = (await the_list(ada))["id"], await new_list(grace, "Hers")
    for id in (mine, theirs):
        for name, shown, more in (
            ("updateFavoriteList", "favoriteList { id }", {"name": "Mine"}),
            ("deleteFavoriteList", "deletedFavoriteListId", {}),
            ("addToFavoriteList", PUT, {"targetId": product}),
            ("removeFromFavoriteList", "removedFavoriteId", {"targetId": product}),
        ):
            refused = await ada.do(name, shown, favoriteListId=id, **more)
            assert refusals(refused) == [("NOT_FOUND", ["favoriteListId"])], name
