"""Steps of the tests of orders: orders that are placed of a quote, with a payment and without one."""

from typing import Any

from core import ids
from core.context import Context, Services
from resolvers.cart import cart_of, customer, quote_named
from resolvers.order.writing import create_order
from stores import order as store
from stores.catalog import HolderType
from stores.catalog import stock as stocks
from stores.order import Order, OrderSource
from tests.cart.steps import added, quoted
from tests.order.steps import ACTION, PAYMENT
from tests.phone import Phone, key

ORDER = (
    "id number version status total { amount currencyCode } timeline { status actor note } note giftMessage"
)
CART = "cart { id status itemCount }"
PLACED = f"""order {{ {ORDER} }} orderEdge {{ cursor node {{ id }} }} {CART}
  checkoutQuote {{ id token valid total {{ amount }} cartIssues {{ code availableQuantity }} }}
  payment {{ {PAYMENT} }} {ACTION}"""
RETRIED = f"order {{ {ORDER} }} payment {{ {PAYMENT} }} {ACTION}"
HISTORY = "{ viewer { orders { edges { cursor node { id } } } } }"
OPTIONS = [{"name": "engraving", "value": "For Grace"}]

CREATED = ("CREATED", "CUSTOMER", None)
PAID = ("PROCESSING", "GATEWAY", None)


async def placed(services: Services, phone: Phone, *variants: str, **words: Any) -> Order:
    """An order of these variants, two of each, for which nobody is charged."""
    for variant in variants:
        await added(phone, variant, 2, options=OPTIONS)
    owner, ctx = customer(phone.user_id), Context(services)
    quote = await quote_named(ctx, owner, (await quoted(phone))["token"])
    assert quote is not None
    number, cart = await store.next_number(services.db), await cart_of(ctx, owner)
    given: dict[str, Any] = {
        "id": ids.new_id("order"),
        "number": number,
        "source": OrderSource.CART,
        "key": key(),
        **words,
    }
    made: Order = await ctx.unit(lambda: create_order(ctx, quote, cart=cart, **given))
    await phone.do("clearCart", "cart { id }")
    return made


async def place(phone: Phone, token: str | None = "tok_visa", **given: Any) -> Any:
    """The payload of an order of the cart, quoted anew unless a token is given, and paid with this card."""
    if "quoteToken" not in given:
        given["quoteToken"] = (await quoted(phone))["token"]
    if token is not None:
        given.setdefault("source", {"token": token})
    return await phone.do("placeOrder", PLACED, **given)


async def ordered(
    services: Services, phone: Phone, *variants: str, paid: bool = True, quantity: int = 2, **given: Any
) -> Order:
    """An order of these variants that was placed, within `till`: it is paid, or waits for its customer."""
    for variant in variants:
        await added(phone, variant, quantity, options=OPTIONS)
    payload = await place(phone, "tok_visa" if paid else "tok_3ds", **given)
    assert payload["errors"] == [], payload["errors"]
    return await order_now(services, payload["order"]["id"])


async def order_now(services: Services, order_id: str) -> Order:
    found = await store.orders.by_id(services.db, order_id)
    assert found is not None
    return found


async def retry(phone: Phone, order_id: str, token: str = "tok_visa", **given: Any) -> Any:
    return await phone.do("retryPayment", RETRIED, orderId=order_id, source={"token": token}, **given)


def steps(order: Any) -> list[tuple[str, str, str | None]]:
    """The timeline of an order, shown or stored."""
    return [(each["status"], each["actor"], each["note"]) for each in order["timeline"]]


async def history(phone: Phone) -> list[str]:
    """Ids of a person's orders, newest first."""
    found = (await phone.run(HISTORY))["viewer"]["orders"]["edges"]
    return [edge["node"]["id"] for edge in found]


async def level(services: Services, variant: str) -> tuple[int, int, int]:
    """Units of a variant that are there, that may be sold, and that were."""
    [found] = await stocks.levels(services.db, [variant])
    return found["on_hand"], found["available"], found["sold"]


async def hold_state(services: Services, order_id: str) -> str | None:
    found = await stocks.latest(services.db, {"type": HolderType.ORDER, "id": order_id})
    return found["state"] if found else None
