"""Cost of mutations: `make bench-writes`. Commands and CPU of each, beside another commit in the same run.

Both versions are web processes of their own over the same embedded servers, each with its database. They
are measured in turns of a second or so; a ratio is the median of the ratios of the rounds.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from pymongo import AsyncMongoClient
from redis.asyncio import Redis
from rich.table import Table

from bench.console import console
from bench.dataset import ROOT
from bench.earlier import checked_out
from bench.report import machine
from core import ids, logs
from core.context import Context, Services, Viewer
from core.settings import Environment, Settings
from devstack.process import free_port
from devstack.servers import Servers, embedded
from resolvers.auth.signing import make_signing_key
from resolvers.chat import opening
from server import lifespan
from tests.phone import Phone, make_user, sign_in_directly

out = console(150)
SECRET = "a secret of the benchmark, long enough"
PEOPLE = 16
EACH = 20
"""Mutations of a person in a turn."""
COUNTED = ("find", "aggregate", "insert", "update", "delete", "findAndModify", "commitTransaction")
TEXT = "A sentence of ordinary length, as people write them."


@dataclass
class Person:
    phone: Phone
    chat_id: str
    post_id: str = ""


@dataclass
class Version:
    """One of the two, as it runs."""

    name: str
    process: psutil.Process
    people: list[Person]

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system


Act = Callable[[Person], Awaitable[Any]]


async def _create_post(person: Person) -> Any:
    post_id = ids.new_id("post")
    payload = await person.phone.do(
        "createPost", "post { id text }", id=post_id, text=TEXT, visibility="PUBLIC"
    )
    person.post_id = post_id
    return payload["post"]


async def _send_message(person: Person) -> Any:
    message_id = ids.new_id("message")
    shown = "message { id sequence status createdAt } chat { id lastSequence preview }"
    payload = await person.phone.do("sendMessage", shown, id=message_id, chatId=person.chat_id, text=TEXT)
    return payload["message"]


async def _create_comment(person: Person) -> Any:
    payload = await person.phone.do("createComment", "comment { id }", postId=person.post_id, text=TEXT)
    return payload["comment"]


async def _react(person: Person) -> Any:
    kind = random.choice(("LIKE", "LOVE", "WOW", "SAD", "ANGRY"))
    payload = await person.phone.do(
        "setReaction", "subject { __typename }", subjectId=person.post_id, kind=kind
    )
    return payload["subject"]


ACTS: dict[str, Act] = {
    "createPost": _create_post,
    "sendMessage": _send_message,
    "createComment": _create_comment,
    "setReaction": _react,
}


@dataclass
class Figures:
    cpu: list[float] = field(default_factory=list)
    """Milliseconds per mutation, round by round."""
    commands: Counter[str] = field(default_factory=Counter)
    redis: float = 0.0

    def listed(self, count: int) -> str:
        parts = (f"{name} {number / count:.1f}" for name, number in self.commands.items() if number)
        return f"{self.commands.total() / count:.1f}: {', '.join(parts)}"


async def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-writes", description=__doc__)
    parser.add_argument("--against", default="HEAD", help="the commit to compare with")
    parser.add_argument("--driver", choices=("motor", "pymongo"), default="motor")
    parser.add_argument("--rounds", type=int, default=12)
    chosen = parser.parse_args()
    logs.configure(Settings(log_level="ERROR"))
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "data") as servers:
        (Path(name) / "key.pem").write_bytes(make_signing_key())
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            start = [("this", ROOT), (chosen.against, stack.enter_context(checked_out(chosen.against)))]
            versions = [
                await stack.enter_async_context(_running(name, number, folder, servers, chosen.driver, http))
                for number, (name, folder) in enumerate(start)
            ]
            out.print(machine())
            await _measure(versions, servers, chosen.rounds)


@asynccontextmanager
async def _running(
    name: str, number: int, folder: Path, servers: Servers, driver: str, http: aiohttp.ClientSession
) -> AsyncIterator[Version]:
    port = free_port()
    settings = Settings(
        env=Environment.TEST,
        port=port,
        mongo_url=servers.mongo_url,
        mongo_database=f"writes{number}",
        redis_url=servers.redis_url,
        secret=SECRET,  # type: ignore[arg-type]
        signing_key_file=servers.data_dir.parent / "key.pem",
        rate_scale=1_000_000,
        max_connections=0,
        log_level="ERROR",
    )
    environment = {
        "ENV": "test",
        "PORT": str(port),
        "MONGO_URL": servers.mongo_url,
        "MONGO_DATABASE": settings.mongo_database,
        "MONGO_DRIVER": driver,
        "REDIS_URL": servers.redis_url,
        "SECRET": SECRET,
        "SIGNING_KEY_FILE": str(settings.signing_key_file),
        "RATE_SCALE": "1000000",
        "LOG_LEVEL": "ERROR",
    }
    given = {f"LANDFALL_{field}": value for field, value in environment.items()}
    whole = {**os.environ, "PYTHONPATH": str(folder), **given}
    web = await asyncio.create_subprocess_exec(sys.executable, "-m", "server", "serve", cwd=folder, env=whole)
    try:
        await _ready(http, port)
        async with lifespan.services(settings) as services:
            url = f"http://127.0.0.1:{port}/graphql"
            people = [await _person(services, http, url) for _ in range(PEOPLE)]
        yield Version(name, psutil.Process(web.pid), people)
    finally:
        web.terminate()
        await asyncio.wait_for(web.wait(), 20)


async def _ready(http: aiohttp.ClientSession, port: int) -> None:
    for _ in range(600):
        try:
            async with http.get(f"http://127.0.0.1:{port}/readyz") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError("the web process is not ready")


async def _person(services: Services, http: aiohttp.ClientSession, url: str) -> Person:
    """Somebody with a chat."""
    phone = await sign_in_directly(services, Phone(http, url), await make_user(services))
    other = await make_user(services, "Other")
    ctx = Context(services, viewer=Viewer(phone.user_id, phone.session_id, phone.device_id))
    made = await ctx.unit(lambda: opening.create_chat(ctx, user_id=other))  # type: ignore[arg-type]
    return Person(phone, made["chat"]["_id"])


async def _measure(versions: list[Version], servers: Servers, rounds: int) -> None:
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(servers.mongo_url)
    redis = Redis.from_url(servers.redis_url)
    table = Table("Mutation", "Commands", "Redis", "CPU ms", "Then: commands", "Redis", "CPU ms", "Share")
    try:
        for name, act in ACTS.items():
            figures = [Figures() for _ in versions]
            for version in versions:
                await _turn(version, act)
            for turn in range(rounds):
                pairs = list(zip(versions, figures, strict=True))
                for version, seen in pairs if turn % 2 else reversed(pairs):
                    before, keys = await _commands(mongo), await _keys(redis)
                    cpu = version.cpu()
                    await _turn(version, act)
                    seen.cpu.append((version.cpu() - cpu) / (PEOPLE * EACH) * 1000)
                    seen.commands += await _commands(mongo) - before
                    seen.redis += await _keys(redis) - keys
            count = rounds * PEOPLE * EACH
            shares = [new / old for new, old in zip(*(seen.cpu for seen in figures), strict=True)]
            columns = [
                (seen.listed(count), f"{seen.redis / count:.1f}", f"{statistics.median(seen.cpu):.2f}")
                for seen in figures
            ]
            table.add_row(name, *columns[0], *columns[1], f"{statistics.median(shares):.2f}")
    finally:
        await mongo.close()
        await redis.aclose()
    out.print(table)


async def _turn(version: Version, act: Act) -> None:
    async def go(person: Person) -> None:
        for _ in range(EACH):
            assert await act(person)

    await asyncio.gather(*(go(person) for person in version.people))


async def _commands(mongo: "AsyncMongoClient[dict[str, Any]]") -> Counter[str]:
    counts = (await mongo.admin.command("serverStatus"))["metrics"]["commands"]
    return Counter({name: int(counts[name]["total"]) for name in COUNTED})


async def _keys(redis: "Redis") -> int:
    """Commands that Redis was sent, so far."""
    stats = await redis.info("commandstats")
    return sum(int(each["calls"]) for name, each in stats.items() if name != "cmdstat_info")


if __name__ == "__main__":
    asyncio.run(main())
