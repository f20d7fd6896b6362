"""Figures of the catalog at 20,000 products: `make bench-catalog`. One web process, embedded servers.

Every request is made alone, so that its time is the server's own and a few tenths of a millisecond.
Searches are measured cold: what Redis keeps of facets is thrown away before each.
"""

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from redis.asyncio import Redis
from rich.table import Table

from bench import dataset
from bench.console import console
from core.security.crypto import keyring
from core.settings import Settings
from core.storage import mongo, store
from core.storage.mongo import Database
from devstack import seed
from devstack.process import free_port
from devstack.servers import Servers, embedded
from jobs import catalog
from resolvers.auth.signing import make_signing_key
from server import lifespan
from tests.phone import Phone

out = console()
PRODUCTS = 20_000
ROUNDS = 200
SECRET = "a secret of the benchmark, long enough"

CARD = """id name brand form availability { status remaining } priceRange { min { amount currencyCode } }
  servingsPerContainer labelImage { url(width: 160) altText } ratingSummary { average count }"""
SEARCH = """query($filter: ProductFilterInput, $sort: ProductSort! = RELEVANCE) {
  searchProducts(filter: $filter, sort: $sort, first: 20) {
    edges { cursor match { keywords reason confidence } node { CARD } }
    pageInfo { hasNextPage endCursor } totalCount totalIsLowerBound degraded
    facets { brands { value count } ingredients { value count } forms { form count }
      categories { category { id name } count } prices { min below count } }
  }
}""".replace("CARD", CARD)
BROWSE = """query($filter: ProductFilterInput, $sort: ProductSort! = RELEVANCE, $after: String) {
  searchProducts(filter: $filter, sort: $sort, first: 20, after: $after) {
    edges { cursor node { CARD } } pageInfo { hasNextPage endCursor }
  }
}""".replace("CARD", CARD)
DETAIL = """query($id: ID!) { product(by: {id: $id}) { CARD description category { name goal } directions
  ingredients { name amount unit } dosage { recommendedUnits recommendedFrequency } schedule { timeslots }
  images { url(width: 640) altText } variants { id sku title price { amount } availability { status } }
  bundleLinks { goal confidence } purposes impactedBiomarkers } }""".replace("CARD", CARD)
BULK = "query($ids: [ID!]!) { products(ids: $ids) { version CARD } }".replace("CARD", CARD)

QUERIES = (
    "omega", "omega 3", "fish oil", "vit", "vitamin d", "vitamin c pow", "magnesium glyc", "mag", "prob",
    "probiotic women", "ashwagandha", "lions mane", "reishi", "turmeric curc", "melatonin", "melat 3 mg",
    "collagen", "collagen marine", "glucosamine", "zinc", "iron", "b12", "b complex", "nordic harbor",
    "nordic harbor omega", "alpine", "sleep", "capsule", "rice flour", "green tea ex", "berberine",
    "creatine", "electrolyte", "inulin", "psyllium", "saffron", "joint", "organic", "plus", "essentials",
)  # fmt: skip


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "EUR"}


FILTERS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {"forms": ["CAPSULE"]}, {"priceMin": euros("10"), "priceMax": euros("25")}, {"inStock": True},
    {"brands": ["Nordic Harbor", "Alpine Roots"]}, {"forms": ["SOFTGEL", "LIQUID"], "inStock": True},
)  # fmt: skip
SORTS = ("RELEVANCE", "PRICE_ASC", "PRICE_DESC", "NAME", "NEWEST", "RATING", "TOP_SELLING")
TARGETS = {
    "Search with facets": 80,
    "Search with facets, kept": 80,
    "Browse": 25,
    "Browse with rare filters": 25,
    "Detail": 10,
    "Bulk of 100": 30,
}


@dataclass
class Measured:
    """Times of one kind of request, and the CPU it took."""

    title: str
    waited: list[float] = field(default_factory=list)
    """Milliseconds until the answer was there."""
    web: list[float] = field(default_factory=list)
    mongod: list[float] = field(default_factory=list)
    """Milliseconds of CPU: all that a busy machine does not disturb."""

    @property
    def worked(self) -> list[float]:
        return [web + mongod for web, mongod in zip(self.web, self.mongod, strict=True)]


def quantile(values: list[float], at: float) -> float:
    return sorted(values)[min(len(values) - 1, int(at * len(values)))]


@dataclass
class Bench:
    phone: Phone
    redis: "Redis"
    web: psutil.Process
    mongod: psutil.Process
    ids: list[str]
    categories: list[str]

    async def measure(
        self,
        title: str,
        rounds: int,
        query: str,
        variables: Callable[[random.Random], Any],
        *,
        cold: bool = False,
    ) -> Measured:
        rng, found = random.Random(1), Measured(title)
        for warming in range(10):
            await self.phone.run(query, **variables(random.Random(warming)))
        for _ in range(rounds):
            if cold:
                await self.redis.flushdb()
            asked = variables(rng)
            before, started = (cpu(self.web), cpu(self.mongod)), time.perf_counter()
            await self.phone.run(query, **asked)
            found.waited.append((time.perf_counter() - started) * 1000)
            found.web.append(cpu(self.web) - before[0])
            found.mongod.append(cpu(self.mongod) - before[1])
        return found


def cpu(process: psutil.Process) -> float:
    """Milliseconds that all threads have run; `cpu_times` would count in hundredths of a second."""
    total = 0
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1_000_000


async def main(products: int, rounds: int) -> None:
    folder = dataset.KEPT / f"catalog-{products}"
    with embedded(folder / "data") as servers:
        await fill(servers, folder, products)
        async with running(servers, folder) as bench:
            report(await figures(bench, rounds), products)


async def fill(servers: Servers, folder: Path, products: int) -> None:
    client = mongo.connect(servers.mongo_url, "pymongo")
    db = Database(client, dataset.DATABASE)
    try:
        if await seed.seeded(db):
            return
        out.print(f"Making {products:,} products, once.")
        await db.command({"dropDatabase": 1})
        await store.ensure_indexes(db)
        crypto = keyring(dataset.FIELD_KEYS, dataset.SECRET)
        await seed.seed(db, folder / "media", crypto, size=seed.Size(20, 20, 20, products, 4, 40))
    finally:
        await client.close()


@asynccontextmanager
async def running(servers: Servers, folder: Path) -> AsyncIterator[Bench]:
    if not (folder / "key.pem").exists():
        (folder / "key.pem").write_bytes(make_signing_key())
    port = free_port()
    environment = {
        "env": "test",
        "port": str(port),
        "mongo_url": servers.mongo_url,
        "redis_url": servers.redis_url,
        "mongo_database": dataset.DATABASE,
        "secret": SECRET,
        "field_keys": dataset.FIELD_KEYS,
        "signing_key_file": str(folder / "key.pem"),
        "media_dir": str(folder / "media"),
        "rate_scale": "1000000",
        "log_level": "ERROR",
    }
    settings = Settings.model_validate(environment)
    web = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server", "serve"),
        env={**os.environ, **{f"LANDFALL_{name.upper()}": value for name, value in environment.items()}},
    )
    client = mongo.connect(servers.mongo_url, "pymongo")
    redis: Redis = Redis.from_url(servers.redis_url)
    try:
        async with aiohttp.ClientSession() as http:
            await ready(http, port)
            db = Database(client, dataset.DATABASE)
            await work_once(settings)
            rows = await db.find("product_entries", {}, fields=("category_id",), limit=5_000)
            yield Bench(
                Phone(http, f"http://127.0.0.1:{port}/graphql"),
                redis,
                psutil.Process(web.pid),
                psutil.Process(await _pid_of_mongod(db)),
                [row["_id"] for row in rows],
                sorted({row["category_id"] for row in rows}),
            )
    finally:
        await redis.aclose()
        await client.close()
        web.terminate()
        await asyncio.wait_for(web.wait(), 20)


async def work_once(settings: Settings) -> None:
    """Run the job that a worker runs every quarter of an hour."""
    async with lifespan.services(settings) as services:
        await catalog.rebuild_hot(services)


async def _pid_of_mongod(db: Database) -> int:
    return int((await db.client["admin"].command({"serverStatus": 1}))["pid"])


async def ready(http: aiohttp.ClientSession, port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def figures(bench: Bench, rounds: int) -> list[Measured]:
    def search(rng: random.Random) -> dict[str, Any]:
        return {
            "filter": {"query": rng.choice(QUERIES), **rng.choice(FILTERS)},
            "sort": rng.choice(("RELEVANCE", "RELEVANCE", "RELEVANCE", "PRICE_ASC", "RATING")),
        }

    def browse(rng: random.Random) -> dict[str, Any]:
        chosen: dict[str, Any] = {"categoryIds": [rng.choice(bench.categories)]} if rng.random() < 0.7 else {}
        if rng.random() < 0.3:
            chosen["inStock"] = True
        return {"filter": chosen, "sort": rng.choice(SORTS)}

    def rare(rng: random.Random) -> dict[str, Any]:
        return {
            "filter": rng.choice(
                (
                    {"brands": ["Kestrel Health Select"], "forms": ["POWDER"]},
                    {"ingredients": ["Bacosides"]},
                    {"brands": ["Fjordline"], "priceMax": euros("15")},
                    {"forms": ["PATCH"]},
                )
            ),
            "sort": rng.choice(SORTS),
        }

    return [
        await bench.measure("Search with facets", rounds, SEARCH, search, cold=True),
        await bench.measure("Search with facets, kept", rounds, SEARCH, search),
        await bench.measure("Browse", rounds, BROWSE, browse),
        await bench.measure("Browse with rare filters", rounds, BROWSE, rare),
        await bench.measure("Detail", rounds, DETAIL, lambda rng: {"id": rng.choice(bench.ids)}),
        await bench.measure("Bulk of 100", rounds, BULK, lambda rng: {"ids": rng.sample(bench.ids, 100)}),
    ]


def report(found: list[Measured], products: int) -> None:
    table = Table(
        "Request", "target p95", "CPU p50", "p95", "p99", "web", "mongod", "Waited p50", "p95", "p99"
    )
    for each in found:
        target = TARGETS[each.title]
        table.add_row(
            each.title,
            f"< {target}",
            *(_shown(quantile(each.worked, at), target if at == 0.95 else None) for at in (0.5, 0.95, 0.99)),
            *(f"{statistics.mean(times):.1f}" for times in (each.web, each.mongod)),
            *(_shown(quantile(each.waited, at), target if at == 0.95 else None) for at in (0.5, 0.95, 0.99)),
        )
    out.print(
        f"Catalog of {products:,} products, milliseconds, load average {os.getloadavg()[0]:.1f}. CPU is the "
        f"web process's and mongod's together: the server's time on a quiet machine. Waited: here and now."
    )
    out.print(table)


def _shown(value: float, target: int | None) -> str:
    if target is None:
        return f"{value:.1f}"
    return f"[{'green' if value < target else 'red'}]{value:.1f}[/]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    asyncio.run(main(chosen.products, chosen.rounds))
