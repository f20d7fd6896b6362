"""Figures of orders: `make bench-orders`. Embedded servers on loopback; operations run as requests run them.

The payment gateway answers at once, from within: what it takes is not ours.
"""

import argparse
from typing import Any

import uvloop
from rich.table import Table

from bench.cart import ADD, Asker, asker, running, timed
from bench.console import console
from core import ids
from core.context import Services
from devstack import seed_cart
from ports.order import Charge, ChargeStatus, Instrument, PaymentGateway, PaymentMethodKind, Source
from stores.catalog import products
from tests.cart.steps import ADDRESS
from tests.order.test_orders import ORDER

out = console(110)
ROUNDS, LINES, PAGE = 200, 5, 20
SHORT = "id version number createdAt status summary itemCount total { amount currencyCode }"
HISTORY = "{ viewer { orders(first: %d) { edges { node { %s } } } } }"
QUOTE = (
    "mutation($input: ValidateCartInput!) { validateCart(input: $input) "
    "{ checkoutQuote { token } errors { code } } }"
)
PLACE = (
    "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id status } "
    "cart { id } errors { code } } }"
)
REORDER = (
    "mutation($input: ReorderItemsInput!) { reorderItems(input: $input) { outcome cart { id itemCount } "
    "errors { code } } }"
)


class Instant:
    """A gateway that authorizes everything, in no time."""

    async def authorize(self, source: Source, *, amount: int, currency: str, **of: Any) -> Charge:
        card = Instrument(PaymentMethodKind.CARD, "visa", "4242")
        named = {name: of[name] for name in ("subject_id", "part", "attempt")}
        ref = ids.new_id("charge")
        return Charge(ref, ChargeStatus.AUTHORIZED, amount, currency, paid_with=card, **named)


async def filled(someone: Asker, variants: list[str]) -> str:
    """A cart of these, and the token of its quote."""
    for variant in variants:
        await someone.ask(ADD, item={"productVariantId": variant})
    quoted = await someone.ask(QUOTE, shippingAddress=ADDRESS)
    return str(quoted["validateCart"]["checkoutQuote"]["token"])


async def ordered(someone: Asker, token: str) -> str:
    """Id of the order that is placed with a token, and paid."""
    placed = (await someone.ask(PLACE, quoteToken=token, source={"token": "tok_visa"}))["placeOrder"]
    assert placed["errors"] == [], placed
    assert placed["order"]["status"] == "PROCESSING"
    return str(placed["order"]["id"])


async def sold(services: Services) -> list[str]:
    rows = await products.products.find(services.db, {"status": "ACTIVE", "currency": "EUR"}, limit=200)
    return [variant["_id"] for row in rows for variant in row["variants"] if variant["active"]]


async def measure(rounds: int) -> Table:
    title = f"Orders of {LINES} lines, {rounds} rounds each"
    table = Table("", "CPU p95", "asked", "time p95", title=title)
    async with running() as (services, executor):
        services.extra[PaymentGateway] = Instant()
        await seed_cart.fill(services)
        variants = await sold(services)
        plenty = {"on_hand": 1_000_000, "available": 1_000_000}
        await services.db.write(
            {"update": "inventory", "updates": [{"q": {}, "u": {"$set": plenty}, "multi": True}]}
        )
        buyers = [await asker(services, executor) for _ in range(rounds + 20)]
        tokens = [await filled(each, variants[:LINES]) for each in buyers]

        async def place(number: int) -> None:
            await ordered(buyers[number], tokens[number])

        placing = await timed(rounds, place)
        someone = await asker(services, executor)
        for _ in range(PAGE):
            last = await ordered(someone, await filled(someone, variants[:LINES]))

        def read(shown: str, first: int) -> Any:
            return lambda _: someone.ask(HISTORY % (first, shown))

        figures = [
            ("order that is placed, without the gateway's time", "12 ms", placing),
            (f"page of {PAGE} orders, in short", "3 ms", await timed(rounds, read(SHORT, PAGE))),
            ("one order, as a whole", "", await timed(rounds, read(ORDER, 1))),
        ]

        async def again(number: int) -> None:
            done = await someone.ask(REORDER, orderId=last, cartBehavior="REPLACE")
            assert done["reorderItems"]["outcome"] == "CART_REPOPULATED"

        figures.append(("reorder into the cart", "", await timed(rounds, again)))
        for name, asked, (cpu, took) in figures:
            table.add_row(name, f"{cpu:.2f} ms", asked, f"{took:.1f} ms")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    out.print(uvloop.run(measure(parser.parse_args().rounds)))
