"""Live events beside graphql-yoga with graphql-ws: `make bench-live`; see bench/README.md."""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from redis.asyncio import Redis
from rich.table import Table

from bench import dataset, fleet
from bench.console import console
from bench.fleet import Fleet, Kind, Member
from bench.report import machine
from core import logs
from core.context import Context, Services, Viewer
from core.settings import Environment, Settings
from devstack.servers import Servers, embedded
from resolvers.auth.signing import make_signing_key
from resolvers.feed import comments, posts
from server import lifespan
from tests.phone import Phone, make_user, sign_in_directly

out = console()

LANDFALL = Kind("landfall", "Landfall", (sys.executable, "-m", "server", "serve"), "motor")
YOGA = Kind("yoga-live", "graphql-yoga, graphql-ws", ("node", "yoga/live.js"))
ENOUGH = 5.0
"""Seconds until all subscribers must have the event."""
PAUSE = 0.15
LATEST = 0.050
MOST_MEMORY = 25
SETTLED = 50
"""Sockets opened before memory is counted: the first ones cost what all have in common."""

WATCH = """subscription Watch($id: ID!) { postEvents(postId: $id) { __typename ... on Event { eventId at }
  ... on CommentUpdated { comment { id text version reactions { total like love wow sad angry } } } } }"""


@dataclass(frozen=True, slots=True)
class Plan:
    subscribers: int = 1_000
    idle: int = 5_000
    warm_up: int = 60
    """Events before counting: V8 must have compiled what is hot."""
    events: int = 40


QUICK = Plan(subscribers=100, idle=200, warm_up=3, events=5)


@dataclass
class Figures:
    last: list[float] = field(default_factory=list)
    """Seconds from commit until the last subscriber had the event, event by event."""
    cpu: float = 0.0
    """Microseconds of the server's process per delivered event."""
    idle: float = 0.0
    """Kilobytes per socket that is signed in and watches nothing."""
    watching: float = 0.0
    """Kilobytes per socket with one subscription."""


class Crowd(AbstractContextManager["Crowd"]):
    """The process that holds the clients' ends."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.subscribers"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    async def do(self, **job: Any) -> dict[str, Any]:
        return await asyncio.to_thread(self._do, job)

    def _do(self, job: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(job) + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = orjson.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"The subscribers' side: {answer['error']}")
        return answer

    def __exit__(self, *failure: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@dataclass
class Stage:
    """A post, those who watch it, and who changes it."""

    services: Services
    redis: "Redis"
    author: Viewer
    post_id: str
    comment_id: str
    tokens: list[str]
    turn: int = 0

    @property
    def said(self) -> str:
        return f"Said {self.turn} times."

    async def change(self, member: Member) -> float:
        """Change a comment as the server's own writers would; the moment of the commit."""
        self.turn += 1
        ctx = Context(self.services, viewer=self.author)

        async def write() -> Any:
            return await comments.update_comment(ctx, comment_id=self.comment_id, text=self.said)

        done = await ctx.unit(write)
        committed = time.monotonic()
        if member.kind is YOGA:
            await self._publish(done["comment"]["version"])
        return committed

    async def _publish(self, version: int) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        reactions = dict.fromkeys(("total", "like", "love", "wow", "sad", "angry"), 0)
        event = {
            "type": "CommentUpdated",
            "eventId": f"{self.comment_id}-{self.turn}-{'x' * 40}",
            "at": moment,
            "postId": self.post_id,
            "comment": {"id": self.comment_id, "text": self.said, "version": version, "reactions": reactions},
            "hiddenFrom": [],
        }
        await self.redis.publish("bench:post", orjson.dumps(event))


@asynccontextmanager
async def stage(servers: Servers, subscribers: int) -> AsyncIterator[Stage]:
    settings = Settings(
        env=Environment.TEST,
        mongo_url=servers.mongo_url,
        mongo_database=dataset.DATABASE,
        redis_url=servers.redis_url,
        secret=fleet.SECRET,  # type: ignore[arg-type]
        field_keys=dataset.FIELD_KEYS,  # type: ignore[arg-type]
        signing_key_file=dataset.key_file(servers),
        rate_scale=1_000_000,
        max_connections=0,
        log_level="ERROR",
    )
    logs.configure(settings)
    async with lifespan.services(settings) as services:
        phones = await _phones(services, subscribers + 1)
        author = Viewer(phones[0].user_id, phones[0].session_id, phones[0].device_id)
        ctx = Context(services, viewer=author)
        made = await ctx.unit(lambda: posts.create_post(ctx, text="Watched by many", visibility="PUBLIC"))  # type: ignore[arg-type]
        post_id = made["post"]["_id"]
        wrote = await ctx.unit(lambda: comments.create_comment(ctx, post_id=post_id, text="Said once."))
        tokens = [phone.token or "" for phone in phones[1:]]
        redis = Redis.from_url(servers.redis_url)
        yield Stage(services, redis, author, post_id, wrote["comment"]["_id"], tokens)
        await redis.aclose()


async def _phones(services: Services, count: int) -> list[Phone]:
    """People who are signed in, without the cost of hashing their passwords."""
    found: list[Phone] = []

    async def some(number: int) -> None:
        for _ in range(number):
            phone = Phone(None, "")  # type: ignore[arg-type]
            found.append(await sign_in_directly(services, phone, await make_user(services, "Watcher")))

    await asyncio.gather(*(some(count // 8 + (index < count % 8)) for index in range(8)))
    return found


async def measure(member: Member, on: Stage, crowd: Crowd, plan: Plan) -> Figures:
    figures = Figures()
    watch = {"query": WATCH, "variables": {"id": on.post_id}, "operationName": "Watch"}
    # Memory first: later sockets would live in what earlier ones have left.
    await _weigh(member, on, crowd, plan, figures, watch)
    await crowd.do(open={"port": member.port, "tokens": on.tokens})
    await crowd.do(subscribe=watch)
    await _deliver(member, on, crowd, plan, figures)
    await crowd.do(close=True)
    return figures


async def _weigh(
    member: Member, on: Stage, crowd: Crowd, plan: Plan, figures: Figures, watch: dict[str, Any]
) -> None:
    await crowd.do(open={"port": member.port, "tokens": on.tokens[:SETTLED]})
    await crowd.do(subscribe=watch)
    await asyncio.sleep(1)
    before = member.memory()
    tokens = (on.tokens * (plan.idle // len(on.tokens) + 1))[: plan.idle]
    await crowd.do(open={"port": member.port, "tokens": tokens})
    await asyncio.sleep(2)
    figures.idle = (member.memory() - before) / plan.idle / 1024
    await crowd.do(subscribe=watch)
    await _until_all_listen(member, on, crowd, plan.idle + SETTLED)
    figures.watching = (member.memory() - before) / plan.idle / 1024
    await crowd.do(close=True)
    await asyncio.sleep(2)


async def _deliver(member: Member, on: Stage, crowd: Crowd, plan: Plan, figures: Figures) -> None:
    subscribers = len(on.tokens)
    await _until_all_listen(member, on, crowd, subscribers)
    for _ in range(plan.warm_up):
        await _event(member, on, crowd)
    before = member.cpu()
    for _ in range(plan.events):
        figures.last.append(await _event(member, on, crowd))
    figures.cpu = (member.cpu() - before) / plan.events / subscribers * 1e6


async def _until_all_listen(member: Member, on: Stage, crowd: Crowd, count: int) -> None:
    """The protocol has no word for "listening now"."""
    for _ in range(20):
        await crowd.do(arm=True)
        await on.change(member)
        told = await crowd.do(collect={"seconds": 3.0})
        if len(told["moments"]) == count:
            return
    raise RuntimeError(f"{member.kind.title}: only {len(told['moments'])} of {count} listen.")


async def _event(member: Member, on: Stage, crowd: Crowd) -> float:
    """Seconds from the commit until the last subscriber has the event."""
    await asyncio.sleep(PAUSE)
    await crowd.do(arm=True)
    committed = await on.change(member)
    told = await crowd.do(collect={"seconds": ENOUGH})
    if len(told["moments"]) < len(on.tokens) or len(told["payloads"]) != 1:
        raise RuntimeError(f"{member.kind.title}: {len(told['moments'])} told of {told['payloads']}")
    event = json.loads(told["payloads"][0])["payload"]["data"]["postEvents"]
    if event["comment"]["text"] != on.said:
        raise RuntimeError(f"{member.kind.title} told {event}")
    return float(max(told["moments"]) - committed)


def show(results: dict[str, Figures], plan: Plan, titles: dict[str, str]) -> None:
    table = Table(
        "Server",
        "CPU µs per delivered event",
        "Last told, ms: best",
        "median",
        "worst",
        "KB per idle socket",
        "with a subscription",
        title=f"{plan.subscribers:,} watch a post, {plan.events} events; {plan.idle:,} idle sockets",
    )
    for name, figures in results.items():
        ranked = [1000 * each for each in sorted(figures.last)]
        table.add_row(
            titles[name],
            f"{figures.cpu:.1f}",
            *(f"{each:.0f}" for each in (ranked[0], statistics.median(ranked), ranked[-1])),
            f"{figures.idle:.1f}",
            f"{figures.watching:.1f}",
        )
    out.print(table)
    ours = results["landfall"]
    last = statistics.median(ours.last)
    for what, fine in (
        (f"Last told {last * 1000:.0f} ms after the commit, target {LATEST * 1000:.0f}", last < LATEST),
        (f"{ours.idle:.1f} KB per idle socket, target {MOST_MEMORY}", ours.idle < MOST_MEMORY),
    ):
        out.print(f"{what}: {'within' if fine else 'ABOVE'}")


def enough_files(wanted: int) -> int:
    """As many sockets as one process may have open, up to `wanted`."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard - 300)
    if possible < wanted:
        out.print(f"Only {possible:,} sockets: `ulimit -Hn` is {hard:,}.")
    return possible


async def run(chosen: argparse.Namespace) -> None:
    plan = QUICK if chosen.quick else Plan()
    plan = Plan(plan.subscribers, enough_files(plan.idle), plan.warm_up, plan.events)
    kinds = [LANDFALL] if chosen.alone else [LANDFALL, YOGA]
    if YOGA in kinds:
        fleet.install_peers(out)
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "data") as servers:
        dataset.key_file(servers).write_bytes(make_signing_key())
        with fleet.fleet(servers) as started, Crowd() as crowd:
            async with stage(servers, plan.subscribers) as on:
                _start(started, kinds)
                out.print(machine())
                results = {each.name: await measure(each, on, crowd, plan) for each in started.members}
    show(results, plan, {kind.name: kind.title for kind in kinds})


def _start(started: Fleet, kinds: Sequence[Kind]) -> None:
    started.start(kinds[:1], started.landfall())
    with urllib.request.urlopen(
        f"http://127.0.0.1:{started.members[0].port}/.well-known/jwks.json"
    ) as answer:
        jwks = orjson.loads(answer.read())
    started.start(kinds[1:], started.peers(jwks, {}))


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-live", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="does everything work? No figures")
    parser.add_argument("--alone", action="store_true", help="Landfall only, without Node")
    try:
        asyncio.run(run(parser.parse_args()))
    except RuntimeError as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
