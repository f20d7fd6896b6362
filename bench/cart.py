"""Figures of carts: `make bench-cart`. Embedded servers on loopback; operations run as requests run them."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import uvloop
from rich.table import Table

from bench.console import console
from bench.embedded_settings import embedded_settings
from core.context import Context, Services, Viewer
from devstack import seed
from executor import Executor
from resolvers.auth.tokens import Tokens
from server import lifespan
from stores.catalog import products
from tests.cart.steps import CART, QUOTE
from tests.phone import Phone, key, make_user, sign_in_directly

out = console(110)
ROUNDS, LINES = 300, 20
READ = f"{{ viewer {{ cart {{ {CART} }} }} }}"
BADGE = "{ viewer { cart { itemCount } } }"
ADD = (
    "mutation($input: AddCartLineInput!) { addCartLine(input: $input) { cart { id itemCount } "
    "cartLine { id quantity } errors { code } } }"
)
SET = (
    "mutation($input: UpdateCartLineInput!) { updateCartLine(input: $input) { cart { id itemCount } "
    "cartLine { id quantity } errors { code } } }"
)
VALIDATE = (
    f"mutation($input: ValidateCartInput!) {{ validateCart(input: $input) {{ checkoutQuote {{ {QUOTE} }} "
    "errors { code } } }"
)


@dataclass
class Asker:
    """Somebody who asks one Landfall, without a network between."""

    services: Services
    executor: Executor
    viewer: Viewer

    async def ask(self, query: str, **input: Any) -> Any:
        variables = {"input": {"idempotencyKey": key(), **input}} if input else {}
        ctx = Context(self.services, viewer=self.viewer)
        answer = await self.executor.run(query, variables, None, ctx)
        if answer is None or answer.errors:
            raise AssertionError(answer and answer.errors)
        orjson.dumps(answer.data, default=str)
        return answer.data


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Services, Executor]]:
    """Services with the products of the demo."""
    with embedded_settings(rate_scale=1_000_000.0) as settings:
        async with lifespan.services(settings) as services:
            size = seed.Size().scaled(0.05)
            await seed.seed(services.db, settings.media_dir, services.crypto, size=size)
            yield services, Executor(lifespan.make_schema(settings), eager=True)


async def asker(services: Services, executor: Executor) -> Asker:
    phone = Phone(None, "")  # type: ignore[arg-type]
    await sign_in_directly(services, phone, await make_user(services, "Ada"))
    return Asker(services, executor, services.get(Tokens).verify(phone.token or ""))


async def timed(rounds: int, work: Callable[[int], Awaitable[Any]]) -> tuple[float, float]:
    """95th percentile of CPU and of time, in milliseconds."""
    cpu, took = [], []
    for number in range(rounds + 20):
        began, spent = time.perf_counter(), time.process_time()
        await work(number)
        if number >= 20:
            cpu.append((time.process_time() - spent) * 1000)
            took.append((time.perf_counter() - began) * 1000)
        # What goes on beside it is not its cost.
        await asyncio.sleep(0)
    return sorted(cpu)[int(rounds * 0.95)], sorted(took)[int(rounds * 0.95)]


async def measure(rounds: int) -> Table:
    table = Table("", "CPU p95", "asked", "time p95", title=f"Carts of {LINES} lines, {rounds} rounds each")
    async with running() as (services, executor):
        someone = await asker(services, executor)
        rows = await products.products.find(services.db, {"status": "ACTIVE"}, limit=200)
        sold = [v["_id"] for row in rows for v in row["variants"] if v["active"] and v["currency"] == "EUR"]
        for variant in sold[:LINES]:
            await someone.ask(ADD, item={"productVariantId": variant})
        cart = (await someone.ask(READ))["viewer"]["cart"]
        line = cart["lines"][0]["id"]

        async def change(number: int) -> None:
            await someone.ask(SET, cartLineId=line, quantity=1 + number % 2)

        others = [await asker(services, executor) for _ in range(rounds + 20)]

        async def first(number: int) -> None:
            await others[number].ask(ADD, item={"productVariantId": sold[number % len(sold)]})

        async def again(number: int) -> None:
            variant = sold[LINES + number % (len(sold) - LINES)]
            await others[number].ask(ADD, item={"productVariantId": variant})

        figures = (
            ("badge", "", lambda _: someone.ask(BADGE)),
            ("read of all lines", "3 ms", lambda _: someone.ask(READ)),
            ("first addition of a customer", "5 ms", first),
            ("another addition", "5 ms", again),
            ("change of a quantity", "5 ms", change),
            ("validation", "10 ms", lambda _: someone.ask(VALIDATE, reserve=False)),
        )
        for name, asked, work in figures:
            cpu, took = await timed(rounds, work)
            table.add_row(name, f"{cpu:.2f} ms", asked, f"{took:.1f} ms")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    out.print(uvloop.run(measure(parser.parse_args().rounds)))
