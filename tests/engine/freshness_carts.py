"""More acts that change what synced nodes are made of: carts and their lines, until they are ordered."""

from typing import Any

from core import ids
from core.context import Context
from resolvers.cart import begin, convert, customer, quote_named, reopen
from stores.cart.quotes import Quote
from stores.catalog import CATALOG_ADMIN
from tests.cart.steps import ADDRESS, device
from tests.catalog.steps import euros, on_sale, row, staff
from tests.engine.freshness_acts import act
from tests.engine.freshness_world import World, done

NAMED = "cart { id version } cartLine { id }"


async def _on_sale(w: World, *prices: str) -> list[str]:
    """Variants of products on sale."""
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    made = await on_sale(w.services, shop, *(row(price=price) for price in prices))
    return [each["variants"][0]["id"] for each in made]


async def _added(w: World, variant: str, **more: Any) -> str:
    payload = await done(w.ada, "addCartLine", NAMED, item={"productVariantId": variant}, **more)
    await w.check("added")
    return str(payload["cartLine"]["id"])


@act("carts")
async def ada_fills_her_cart_and_changes_it(w: World) -> None:
    one, two, dollars = await _on_sale(w, "€10.00", "€5.00", "US$7.00")
    first = await _added(w, one, seenUnitPrice=euros("9.00"))
    await _added(w, one)
    size = [{"name": "size", "value": "L"}]
    second = await _added(w, one, options=size)
    await done(w.ada, "resolveCartIssues", resolutions=[{"cartLineId": first, "kind": "ACCEPT_PRICE"}])
    await w.check("accepted")
    await done(w.ada, "updateCartLine", cartLineId=second, options=[{"name": "mark", "value": "A"}])
    await w.check("options")
    swap = {"cartLineId": second, "kind": "SWAP", "productVariantId": two}
    await done(w.ada, "resolveCartIssues", resolutions=[swap])
    await w.check("swapped")
    await done(w.ada, "updateCart", note="Leave it", giftMessage="For you")
    await w.check("noted")
    await done(w.ada, "validateCart", reserve=True)
    await w.check("held")
    joined = await _added(w, one, options=size)
    await done(w.ada, "updateCartLine", cartLineId=joined, options=[])
    await w.check("joined")
    await done(w.ada, "clearCart")
    await w.check("cleared")
    last = await _added(w, dollars)
    await done(w.ada, "removeCartLine", cartLineId=last)
    await w.check("removed")
    await _added(w, two)


@act("carts", "promotions")
async def a_code_comes_and_goes(w: World) -> None:
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    given = {"name": "Sale", "kind": "PERCENT", "percentOff": "10", "code": ids.new_id("code")[-10:]}
    await done(shop, "createPromotion", **given)
    await done(w.ada, "applyPromotionCode", code=given["code"])
    await w.check("applied")
    await done(w.ada, "removePromotionCode", code=given["code"])


@act("carts")
async def a_device_signs_in_with_a_cart(w: World) -> None:
    [variant] = await _on_sale(w, "€10.00")
    phone = device(w.ada.http, w.ada.url.removesuffix("/graphql"))
    await done(phone, "addCartLine", item={"productVariantId": variant})
    await done(w.ada, "mergeCart", cartToken=phone.headers["X-Cart-Token"])


@act("carts", "checkout_quotes")
async def ada_pays_her_cart_at_the_second_time(w: World) -> None:
    shop = await staff(w.new_phone, w.services, CATALOG_ADMIN)
    rate = {"name": "Parcel", "countryCodes": ["DE"], "price": euros("1.00"), "minDays": 1, "maxDays": 2}
    await done(shop, "createShippingRate", **rate)
    order, ctx = ids.new_id("order"), Context(w.services)
    await _pays(w, ctx, order)
    await ctx.unit(lambda: reopen(ctx, w.ada.user_id, order))
    await w.check("declined")
    quote = await _pays(w, ctx, order)
    await ctx.unit(lambda: convert(ctx, w.ada.user_id, str(quote["cart_id"]), order, quote["lines"]))


async def _pays(w: World, ctx: Context, order: str) -> Quote:
    """Ada begins to pay what was quoted to her."""
    payload = await done(w.ada, "validateCart", "checkoutQuote { token }", shippingAddress=ADDRESS)
    quote = await quote_named(ctx, customer(w.ada.user_id), payload["checkoutQuote"]["token"])
    assert quote is not None
    await ctx.unit(lambda: begin(ctx, quote, order))
    await w.check("being paid")
    return quote
