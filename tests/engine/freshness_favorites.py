"""More acts that change what synced nodes are made of: favorites and their lists."""

from tests.engine.freshness_acts import act
from tests.engine.freshness_payments import ACTS as ACTS
from tests.engine.freshness_world import World, done
from tests.favorite.steps import Shop, new_list, sync
from tests.phone import Phone


@act("favorites", "favorite_lists")
async def ada_saves_a_product_with_a_note_and_takes_the_note_away(w: World) -> None:
    product = w.ids["product"]
    await done(w.ada, "addFavorite", targetId=product)
    await w.check("saved")
    notices = {"availability": False, "cancellations": False, "priceDrop": False, "backInStock": False}
    for changes in ({"note": "Try it"}, {"notices": {**notices, "promotions": True}}, {"note": None}):
        await done(w.ada, "updateFavorite", targetId=product, **changes)
        await w.check(f"changed {changes}")


@act("favorites", "favorite_lists")
async def ada_puts_it_into_a_list_that_is_renamed_and_deleted(w: World) -> None:
    id = await new_list(w.ada, "Sleep", w.ids["product"])
    await w.check("put in")
    await done(w.ada, "updateFavoriteList", favoriteListId=id, name="Night")
    await w.check("renamed")
    named = {"favoriteListId": id, "targetId": w.ids["product"]}
    await done(w.ada, "removeFromFavoriteList", **named)
    await w.check("taken out")
    await done(w.ada, "addToFavoriteList", **named)
    await w.check("put in again")
    await done(w.ada, "deleteFavoriteList", favoriteListId=id)


@act("favorites", "favorite_lists")
async def another_device_of_ada_moves_and_syncs(w: World) -> None:
    other: Phone = await w.new_phone(user_id=w.ada.user_id)
    shop = Shop(w.services, w.rosa)
    [copy] = await shop.copies(w.ids["product"], 1)
    await done(other, "addFavorite", targetId=copy)
    await done(other, "moveFavorite", targetId=copy, afterTargetId=w.ids["product"])
    await w.check("moved")
    await sync(other)
    await w.check("synced")
    await sync(other, strategy="LOCAL_WINS", confirmed=True)


@act("favorites", "favorite_lists")
async def what_ada_saved_again_is_withdrawn(w: World) -> None:
    await done(w.ada, "addFavorite", targetId=w.ids["product"])
    await w.check("saved again")
    shop = Shop(w.services, w.rosa)
    await shop.hide(w.ids["product"])
