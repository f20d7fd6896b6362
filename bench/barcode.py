"""Figures of the barcode scanner: `make bench-barcode`. Embedded servers on loopback, requests of a phone."""

import argparse
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import uvloop
from rich.table import Table

from bench.console import console
from bench.embedded_settings import embedded_settings
from core import clock, ids
from core.context import Context, Services
from resolvers.barcode import catalog_codes
from resolvers.barcode.normal_form import check_digit
from resolvers.catalog import all_products
from server import lifespan, process
from stores.catalog.roles import CATALOG_ADMIN
from tests.catalog.steps import import_rows, row
from tests.phone import Phone, granted, key, sign_up_directly

out = console(110)
PRODUCTS, LOOKUPS, BATCHES, SIZE = 500, 300, 30, 100
SEED = 20_261_201
LOOKUP = """query($code: String!) { barcodeLookup(code: $code) {
  status gtin product { id name brand } variant { id price { amount } } } }"""
MANY = "query($codes: [String!]!) { barcodeLookups(codes: $codes) { status product { id name } } }"
SCANS = """mutation($input: RecordScansInput!) { recordScans(input: $input) {
  results { itemId status scanRecord { id status productName } } errors { code } } }"""

Act = Callable[[], Awaitable[Any]]


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Services, Phone]]:
    """A server without rate limits, and somebody who keeps the shop."""
    with embedded_settings(rate_scale=1_000_000.0, cost_per_minute=2_000_000_000) as settings:
        async with (
            lifespan.services(settings) as services,
            process.listening(services) as port,
            aiohttp.ClientSession() as http,
        ):
            phone = Phone(http, f"http://127.0.0.1:{port}/graphql")
            await sign_up_directly(services, phone, "Keeper")
            await granted(services, phone, CATALOG_ADMIN)
            yield services, phone


async def shelf(services: Services, keeper: Phone) -> list[str]:
    """Codes of products on sale, all of them mapped."""
    codes = []
    for number in range(PRODUCTS):
        body = f"40{number:010d}"
        codes.append(body + check_digit(body))
    for start in range(0, PRODUCTS, 250):
        await import_rows(keeper, [row(barcodes=code) for code in codes[start : start + 250]])
    async for products in all_products(services.db):
        for product in products:
            ctx = Context(services)
            await ctx.unit(partial(catalog_codes.map_product, ctx, product))
    return codes


async def timed(acts: list[Act]) -> tuple[list[float], list[float]]:
    """Milliseconds of each act, and of the CPU that this process spent on it; sorted."""
    took, cpu = [], []
    for act in acts:
        began, spent = time.perf_counter(), time.process_time()
        await act()
        cpu.append((time.process_time() - spent) * 1000)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took), sorted(cpu)


def p95(figures: list[float]) -> float:
    return figures[int(len(figures) * 0.95) - 1]


def batch(codes: list[str], rng: random.Random) -> dict[str, Any]:
    """A batch of scans of the last day, as a phone sends it that was without a connection."""
    at = clock.now() - timedelta(days=1)
    scans = [
        {
            "id": ids.new_id("scan_record"),
            "code": rng.choice(codes),
            "matchedFrom": "LOCAL_CACHE",
            "scannedAt": (at + timedelta(seconds=20 * number)).isoformat(),
            "timeZone": "Europe/Vienna",
        }
        for number in range(SIZE)
    ]
    return {"idempotencyKey": key(), "scans": scans}


async def measure() -> Table:
    rng = random.Random(SEED)
    table = Table("", "p50", "p95", "CPU p95", "asked", title=f"Barcodes, {PRODUCTS} products")
    async with running() as (services, keeper):
        codes = await shelf(services, keeper)

        def row_of(name: str, figures: tuple[list[float], list[float]], asked: str) -> None:
            took, cpu = figures
            middle = took[len(took) // 2]
            table.add_row(name, f"{middle:.1f} ms", f"{p95(took):.1f} ms", f"{p95(cpu):.1f} ms", asked)

        for warm in (50, LOOKUPS):
            acts: list[Act] = [partial(keeper.run, LOOKUP, code=rng.choice(codes)) for _ in range(warm)]
            figures = await timed(acts)
        row_of("lookup of one code", figures, "p95 30 ms")
        acts = [partial(keeper.run, MANY, codes=rng.sample(codes, SIZE)) for _ in range(BATCHES)]
        row_of(f"lookup of {SIZE} codes", await timed(acts), "")
        acts = [partial(keeper.run, SCANS, input=batch(codes, rng)) for _ in range(BATCHES)]
        row_of(f"batch of {SIZE} scans", await timed(acts), "p95 200 ms, CPU 40 ms")
        again = batch(codes, rng)
        await keeper.run(SCANS, input=again)
        acts = [partial(keeper.run, SCANS, input=again) for _ in range(BATCHES)]
        row_of(f"the same {SIZE} scans again", await timed(acts), "")
    return table


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    out.print(uvloop.run(measure()))
