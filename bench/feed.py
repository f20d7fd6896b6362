"""Cost of the first page of the home feed: `make bench-feed`.

Server time of one operation, compiled, from its document to its answer as bytes, one at a time in this
process: HTTP and the network are not in it. 5,000 people, 50,000 posts; and how it grows with the number of
people that somebody follows.
"""

import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import typer
import uvloop
from rich.table import Table

from bench import dataset, fleet
from bench.console import console
from core import clock, ids, logs
from core.context import Context, Services, Viewer
from core.settings import Environment, Settings
from devstack.servers import Servers
from executor import Executor
from resolvers.feed.background import KeyedTasks
from resolvers.feed.snapshots import Snapshots
from server import lifespan
from stores import feed as store
from tests.phone import make_user

FIRST_SCREEN = """query FirstScreen { viewer { feed(first: 12) {
  snapshotId degraded newerToken
  edges { cursor reason score position node {
    id textPreview truncated createdAt visibility commentCount shareCount
    author { id name avatar { thumbnailUrl } }
    media { url width height }
    reactionSummary { total like love viewerReaction }
    commentPreview { id text author { id name } }
  } }
  pageInfo { hasNextPage endCursor }
} } }"""
TARGETS = {"warm": 60.0, "cold": 150.0}
"""Milliseconds that 95 of 100 first pages take at most."""
FOLLOWED = (10, 50, 200, 1_000, 2_500, 5_000)
SEED = 7

out = console(110)


@dataclass(frozen=True, slots=True)
class Bench:
    services: Services
    executor: Executor

    async def page(self, user_id: str) -> float:
        """Milliseconds of one first page."""
        ctx = Context(self.services, viewer=Viewer(user_id, "", ""), origin="http://127.0.0.1")
        began = time.perf_counter()
        answer = await self.executor.run(FIRST_SCREEN, {}, "FirstScreen", ctx)
        if answer is None or answer.errors:
            sys.exit(f"The page could not be read: {answer and answer.errors}")
        orjson.dumps(answer.data, default=str)
        return (time.perf_counter() - began) * 1000

    async def cold(self, user_id: str) -> float:
        """Without a snapshot; the inbox is kept."""
        await self.services.get(Snapshots).spoil([user_id])
        return await self.alone(user_id)

    async def alone(self, user_id: str) -> float:
        """One page, and then what goes on behind it: neither disturbs the other's figures."""
        took = await self.page(user_id)
        await self.services.get(KeyedTasks).done()
        return took


async def spread(
    measure: Callable[[str], Awaitable[float]], people: Sequence[str], count: int
) -> list[float]:
    rng = random.Random(SEED)
    return sorted([await measure(rng.choice(people)) for _ in range(count)])


def at(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


async def everybody(bench: Bench, people: Sequence[str], count: int) -> dict[str, list[float]]:
    """First pages of many people: never seen before, cold, warm."""
    for _ in range(2):
        await bench.alone(people[0])
    never = sorted([await bench.alone(person) for person in people])
    return {
        "never read": never,
        "cold": await spread(bench.cold, people, count),
        "warm": await spread(bench.alone, people, count),
    }


async def follow_many(services: Services, user_id: str, authors: Sequence[str]) -> None:
    """The first of the authors that are not followed yet."""
    now = clock.now()
    rows = [
        {
            "_id": ids.new_id("follow"),
            "follower_id": user_id,
            "followee_id": author,
            "state": "FOLLOWING",
            "mutual": False,
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        for author in authors
    ]
    for start in range(0, len(rows), 1_000):
        await services.db.write({"insert": store.follows.name, "documents": rows[start : start + 1_000]})


async def curve(bench: Bench, authors: Sequence[str], count: int) -> list[tuple[int, float, float, float]]:
    """Medians for one who follows more and more people: never read, cold, warm."""
    found = []
    for followed in FOLLOWED:
        person = await make_user(bench.services, "Reader")
        await follow_many(bench.services, person, authors[:followed])
        never = await bench.alone(person)
        cold = sorted([await bench.cold(person) for _ in range(count)])
        warm = sorted([await bench.alone(person) for _ in range(count)])
        found.append((followed, never, at(cold, 0.5), at(warm, 0.5)))
        await forget(bench.services, person)
    return found


async def forget(services: Services, person: str) -> None:
    """Leave the data as they were found."""
    for name, query in (
        ("follows", {"follower_id": person}),
        ("feed_inbox", {"user_id": person}),
        ("feed_affinities", {"_id": person}),
        ("users", {"_id": person}),
        ("user_keys", {"user_id": person}),
        ("changes", {"node": person}),
    ):
        await services.db.write({"delete": name, "deletes": [{"q": query, "limit": 0}]})


def settings_for(servers: Servers) -> Settings:
    return Settings(
        env=Environment.TEST,
        mongo_url=servers.mongo_url,
        mongo_database=dataset.DATABASE,
        redis_url=servers.redis_url,
        secret=fleet.SECRET,  # type: ignore[arg-type]
        field_keys=dataset.FIELD_KEYS,  # type: ignore[arg-type]
        signing_key_file=dataset.key_file(servers),
        data_dir=Path(servers.data_dir),
        media_dir=Path(servers.data_dir) / "media",
        link_previews=False,
        log_level="ERROR",
        log_format="json",
    )


async def measured(servers: Servers, count: int) -> bool:
    settings = settings_for(servers)
    logs.configure(settings)
    async with lifespan.services(settings) as services:
        bench = Bench(services, Executor(lifespan.make_schema(settings), eager=True))
        rows: list[Any] = await services.db.find("users", {"following_count": {"$gt": 0}}, fields=("_id",))
        people = [row["_id"] for row in rows]
        random.Random(SEED).shuffle(people)
        await services.db.write({"delete": "feed_affinities", "deletes": [{"q": {}, "limit": 0}]})
        await services.db.write({"delete": "feed_inbox", "deletes": [{"q": {}, "limit": 0}]})
        await services.redis.flushdb()
        fine = told(await everybody(bench, people[:200], count))
        told_curve(await curve(bench, people, max(5, count // 10)))
        return fine


def told(times: dict[str, list[float]]) -> bool:
    table = Table("First page", "p50 ms", "p95 ms", "p99 ms", "target p95", "pages")
    fine = True
    for name, each in times.items():
        target = TARGETS.get(name)
        met = target is None or at(each, 0.95) <= target
        fine = fine and met
        figures = [f"{at(each, share):.1f}" for share in (0.5, 0.95, 0.99)]
        table.add_row(name, *figures, "" if target is None else f"{target:.0f}", str(len(each)))
    out.print(table)
    return fine


def told_curve(rows: Sequence[tuple[int, float, float, float]]) -> None:
    table = Table("People followed", "never read ms", "cold p50 ms", "warm p50 ms", "")
    longest = max(cold for _, _, cold, _ in rows)
    for followed, never, cold, warm in rows:
        bar = "█" * max(1, round(cold / longest * 40))
        table.add_row(f"{followed:,}", f"{never:.1f}", f"{cold:.1f}", f"{warm:.1f}", bar)
    out.print(table)


def main(scale: float = 25.0, count: int = 300) -> None:
    """Measure, print, and fail when a target is missed."""
    with dataset.prepared(scale, out) as servers:
        fine = uvloop.run(measured(servers, count))
    if not fine:
        sys.exit("A target was missed.")


if __name__ == "__main__":
    typer.run(main)
