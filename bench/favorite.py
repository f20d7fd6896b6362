"""Figures of favorites: `make bench-favorite`. Embedded servers on loopback, phone and server one process."""

import argparse
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import uvloop
from rich.table import Table

from bench.console import console
from bench.embedded_settings import embedded_settings
from core.storage.mongo import Database
from devstack import seed
from server import lifespan, process
from stores import catalog
from stores import favorite as store
from tests.favorite.steps import fill
from tests.phone import Phone, key, sign_up_directly

out = console(110)
ROUNDS, LENGTH = 400, 200
LIST = """query { viewer { favoriteList(kind: PRODUCT) { version favoriteCount favorites(first: 50) {
  edges { position node { id note target { ... on Product { name availability { status }
    priceRange { min { amount } } } } } } pageInfo { hasNextPage endCursor } } } } }"""
ADD = """mutation($input: AddFavoriteInput!) { addFavorite(input: $input) {
  favorite { id position } favoriteLists { version } errors { code } } }"""
REMOVE = """mutation($input: RemoveFavoriteInput!) { removeFavorite(input: $input) {
  deletedFavoriteId errors { code } } }"""


async def act(phone: Phone, mutation: str, target_id: str) -> None:
    data = await phone.run(mutation, input={"idempotencyKey": key(), "targetId": target_id})
    [payload] = data.values()
    assert payload["errors"] == []


async def timed(work: Callable[[], Awaitable[Any]], rounds: int) -> tuple[list[float], float]:
    """Milliseconds of each round, sorted, and CPU of one."""
    took, cpu = [], time.process_time()
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took), (time.process_time() - cpu) / rounds * 1000


def row(table: Table, name: str, measured: tuple[list[float], float], asked: str) -> None:
    took, cpu = measured
    middle, late = took[len(took) // 2], took[int(len(took) * 0.95)]
    table.add_row(name, f"{middle:.1f} ms", f"{late:.1f} ms", f"{cpu:.1f} ms", asked)


async def real_products(db: Database, person: Phone) -> list[str]:
    """Let the list be of products that are on sale; others are to be saved."""
    found = await catalog.products.products.find(db, {"status": "ACTIVE"}, limit=2 * LENGTH, fields=("_id",))
    ids = [each["_id"] for each in found]
    rows = await store.favorites.find(db, {"user_id": person.user_id}, limit=LENGTH)
    updates = [
        {"q": {"_id": each["_id"], "user_id": person.user_id}, "u": {"$set": {"target_id": id}}}
        for each, id in zip(rows, ids, strict=False)
    ]
    await db.write({"update": store.favorites.name, "updates": updates})
    return ids[LENGTH:]


async def measure(rounds: int) -> Table:
    table = Table("", "median", "p95", "CPU", "asked at p95", title=f"Favorites, a list of {LENGTH}")
    with embedded_settings(rate_scale=1_000_000) as settings:
        async with lifespan.services(settings) as services:
            await seed.seed(services.db, settings.media_dir, services.crypto, size=seed.Size(posts=4))
            async with process.listening(services) as port, aiohttp.ClientSession() as http:
                phone = await sign_up_directly(
                    services, Phone(http, f"http://127.0.0.1:{port}/graphql"), "Ada"
                )
                await fill(services, phone, LENGTH)
                left = await real_products(services.db, phone)
                await measured(table, phone, left, rounds)
    return table


async def measured(table: Table, phone: Phone, left: list[str], rounds: int) -> None:
    """Rows of one phone's list, whose length stays the same but for what it saves meanwhile."""
    wanted, saved = iter(left), list[str]()

    async def add() -> None:
        saved.append(next(wanted))
        await act(phone, ADD, saved[-1])

    async def remove() -> None:
        await act(phone, REMOVE, saved.pop())

    async def read() -> None:
        await phone.run(LIST)

    # Plans are made, and documents compiled.
    await timed(read, 20)
    row(table, "50 of a list", await timed(read, rounds), "50 ms")
    row(table, "save", await timed(add, min(rounds, len(left))), "80 ms")
    row(table, "remove", await timed(remove, min(rounds, len(left))), "80 ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    out.print(uvloop.run(measure(parser.parse_args().rounds)))
