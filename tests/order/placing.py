"""Steps of the tests of orders: orders that are placed of a quote, without a payment."""

from typing import Any

from core import ids
from core.context import Context, Services
from resolvers.cart import customer, quote_named
from resolvers.cart.owners import cart_of
from resolvers.order.writing import create_order
from stores import order as store
from stores.order import Order, OrderSource
from tests.cart.steps import added, quoted
from tests.phone import Phone


async def placed(services: Services, phone: Phone, *variants: str, **words: Any) -> Order:
    """An order of these variants, two of each."""
    for variant in variants:
        await added(phone, variant, 2, options=[{"name": "engraving", "value": "For Grace"}])
    owner, ctx = customer(phone.user_id), Context(services)
    quote = await quote_named(ctx, owner, (await quoted(phone))["token"])
    assert quote is not None
    number, cart = await store.next_number(services.db), await cart_of(ctx, owner)
    given: dict[str, Any] = {"id": ids.new_id("order"), "number": number, "source": OrderSource.CART, **words}
    made: Order = await ctx.unit(lambda: create_order(ctx, quote, cart=cart, **given))
    await phone.do("clearCart", "cart { id }")
    return made
