"""Figures of the engine: `make bench-engine`. One web process, embedded servers, loopback: trust ratios."""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from rich.table import Table

from bench.console import console
from core import clock, ids, logs
from core.context import Context, Services, Viewer
from core.mutations.idempotency import Mutation
from core.mutations.idempotency import run as run_mutation
from core.settings import Environment, Settings
from core.storage import mongo
from core.sync.changes import user_scope
from devstack.process import free_port
from devstack.servers import Servers, embedded
from resolvers import sync
from resolvers.auth.signing import make_signing_key
from resolvers.feed import posts
from server import lifespan
from stores import feed as store
from tests.phone import Phone, Socket, key, make_user, sign_in_directly

out = console(110)
SECRET = "a secret of the benchmark, long enough"
CONNECTIONS = 16
MUTATIONS = 2_000
UNITS = 400
CHANGES = 1_000
SUBSCRIPTIONS = 1_000
EVENTS = 200
IDLE = 5_000
SOCKETS_EACH = 100

EVENT = "subscription($id: ID!) { postEvents(postId: $id) { __typename ... on Event { eventId at } } }"


@dataclass
class Bench:
    services: Services
    http: aiohttp.ClientSession
    url: str
    process: psutil.Process

    async def phone(self, name: str = "Bench") -> Phone:
        user_id = await make_user(self.services, name)
        return await sign_in_directly(self.services, Phone(self.http, self.url), user_id)


def settings_for(servers: Servers, folder: Path, port: int) -> Settings:
    return Settings(
        env=Environment.TEST,
        port=port,
        mongo_url=servers.mongo_url,
        redis_url=servers.redis_url,
        secret=SECRET,  # type: ignore[arg-type]
        signing_key_file=folder / "key.pem",
        rate_scale=1_000_000,
        max_connections=0,
        log_level="ERROR",
    )


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    """One web process over embedded servers that write as they would in development."""
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "data") as servers:
        folder = Path(name)
        (folder / "key.pem").write_bytes(make_signing_key())
        settings = settings_for(servers, folder, free_port())
        logs.configure(settings)
        environment = {
            f"LANDFALL_{field}": value
            for field, value in {
                "ENV": "test",
                "PORT": str(settings.port),
                "MONGO_URL": servers.mongo_url,
                "REDIS_URL": servers.redis_url,
                "SECRET": SECRET,
                "SIGNING_KEY_FILE": str(folder / "key.pem"),
                "RATE_SCALE": "1000000",
                "LOG_LEVEL": "ERROR",
                "MAX_SUBSCRIPTIONS": "1000",
            }.items()
        }
        web = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "serve", env={**os.environ, **environment}
        )
        connector = aiohttp.TCPConnector(limit=0)
        try:
            async with (
                lifespan.services(settings) as services,
                aiohttp.ClientSession(connector=connector) as http,
            ):
                await _ready(http, settings.port)
                url = f"http://127.0.0.1:{settings.port}/graphql"
                yield Bench(services, http, url, psutil.Process(web.pid))
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
            await asyncio.sleep(0.1)
    raise TimeoutError("the web process is not ready")


async def throughput(bench: Bench) -> str:
    """Comments per second through HTTP, GraphQL, receipt, log and commit."""
    author = await bench.phone("Author")
    posts = [(await author.do("createPost", "post { id }", text="x", visibility="PUBLIC")) for _ in range(64)]
    phones = [await bench.phone() for _ in range(CONNECTIONS)]
    rng = random.Random(1)

    async def write(phone: Phone) -> None:
        for _ in range(MUTATIONS // CONNECTIONS):
            post_id = rng.choice(posts)["post"]["id"]
            payload = await phone.do("createComment", "comment { id }", postId=post_id, text="A comment")
            assert payload["comment"]

    cpu, started = bench.process.cpu_times(), time.perf_counter()
    await asyncio.gather(*(write(phone) for phone in phones))
    seconds, after = time.perf_counter() - started, bench.process.cpu_times()
    used = after.user + after.system - cpu.user - cpu.system
    rate, each = MUTATIONS / seconds, used / MUTATIONS * 1000
    return f"{rate:.0f}/s at {CONNECTIONS} connections, {each:.1f} ms CPU each"


async def unit_cost(bench: Bench) -> str:
    """Median latency of a mutation with receipt and log against a bare transaction of the same insert."""
    author = await bench.phone("Author")
    mutation = Mutation("bench.follow_note", _insert_noted)
    bare, whole = [], []
    for _ in range(UNITS):
        bare.append(await _timed(lambda: _bare(bench.services, author.user_id)))
        ctx = Context(bench.services, viewer=Viewer(author.user_id, author.session_id, author.device_id))
        whole.append(await _timed(lambda ctx=ctx: run_mutation(ctx, mutation, key(), {})))  # type: ignore[misc]
    least, most = statistics.median(bare) * 1000, statistics.median(whole) * 1000
    return f"{least:.2f} ms bare, {most:.2f} ms whole: {most / least:.2f}x"


def _follow(follower_id: str) -> dict[str, Any]:
    return {
        "_id": ids.new_id("follow"),
        "follower_id": follower_id,
        "followee_id": ids.new_id("user"),
        "state": store.FollowStatus.FOLLOWING,
        "mutual": False,
    }


async def _insert_noted(ctx: Context) -> dict[str, Any]:
    edge = await ctx.tx.insert(store.follows, _follow(ctx.viewer_id))
    ctx.tx.changed(edge, scopes=[user_scope(ctx.viewer_id)], created=True)
    return {"follow": edge}


async def _bare(services: Services, follower_id: str) -> None:
    now = clock.now()
    stamps = {"version": 1, "created_at": now, "updated_at": now}
    async with mongo.transaction(services.db) as handle:
        await handle.write({"insert": store.follows.name, "documents": [{**_follow(follower_id), **stamps}]})


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def delta(bench: Bench) -> str:
    """A page of 1,000 changed posts: log, nodes and access, without GraphQL and HTTP."""
    author = await bench.phone("Author")
    ctx = Context(bench.services, viewer=Viewer(author.user_id, author.session_id, author.device_id))

    async def write() -> None:
        for _ in range(CHANGES // 10):
            await posts.create_post(ctx, text="A post of ordinary length, as they are.")

    for _ in range(10):
        await ctx.unit(write)
    times = []
    for _ in range(15):
        fresh = Context(bench.services, viewer=ctx.viewer)
        started = time.perf_counter()
        page = await sync.changes(fresh, {}, types=["POST"], limit=CHANGES)  # type: ignore[list-item]
        times.append(time.perf_counter() - started)
        assert len(page["nodes"]) == CHANGES
    return f"{statistics.median(times) * 1000:.0f} ms median, {min(times) * 1000:.0f} ms best"


async def delivery(bench: Bench) -> str:
    """From the commit's answer to each of 1,000 subscribers, spread over 500 posts."""
    author = await bench.phone("Author")
    posts = [
        (await author.do("createPost", "post { id }", text="x", visibility="PUBLIC"))["post"]["id"]
        for _ in range(500)
    ]
    arrivals: dict[str, list[float]] = {post: [] for post in posts}
    async with _sockets(bench, SUBSCRIPTIONS // SOCKETS_EACH) as sockets:
        listeners = []
        for number, socket in enumerate(sockets):
            mine = {}
            for index in range(SOCKETS_EACH):
                post = posts[(number * SOCKETS_EACH + index) % len(posts)]
                mine[str(index)] = post
                payload = {"query": EVENT, "variables": {"id": post}}
                await socket.send({"id": str(index), "type": "subscribe", "payload": payload})
            listeners.append(asyncio.create_task(_listen(socket, mine, arrivals)))
        await asyncio.sleep(3)
        delays: list[float] = []
        for _ in range(EVENTS):
            post = random.choice(posts)
            before = len(arrivals[post])
            await author.do("createComment", "comment { id }", postId=post, text="now")
            committed = time.perf_counter()
            await asyncio.sleep(0.04)
            delays += [max(0.0, at - committed) for at in arrivals[post][before:]]
        await asyncio.sleep(1)
        for listener in listeners:
            listener.cancel()
        received = sum(map(len, arrivals.values()))
    ranked = sorted(delays)
    p50, p99 = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
    times = f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms after the answer"
    return f"{times}; {received} of {EVENTS * 2} events"


async def _listen(socket: Socket, posts: dict[str, str], arrivals: dict[str, list[float]]) -> None:
    while True:
        message = await socket.receive(timeout=60)
        if message["type"] != "next":
            continue
        if message["payload"]["data"]["postEvents"]["__typename"] == "CommentCreated":
            arrivals[posts[message["id"]]].append(time.perf_counter())


async def memory(bench: Bench) -> str:
    """Resident memory per idle subscription, 100 on each socket."""
    author = await bench.phone("Author")
    post = (await author.do("createPost", "post { id }", text="x", visibility="PUBLIC"))["post"]["id"]
    async with _sockets(bench, IDLE // SOCKETS_EACH) as sockets:
        before = bench.process.memory_info().rss
        for socket in sockets:
            for index in range(SOCKETS_EACH):
                payload = {"query": EVENT, "variables": {"id": post}}
                await socket.send({"id": str(index), "type": "subscribe", "payload": payload})
        await asyncio.sleep(8)
        after = bench.process.memory_info().rss
    each = (after - before) / IDLE / 1024
    return f"{each:.1f} KB each, {IDLE} subscriptions on {IDLE // SOCKETS_EACH} sockets"


@asynccontextmanager
async def _sockets(bench: Bench, count: int) -> AsyncIterator[list[Socket]]:
    phone = await bench.phone("Watcher")
    contexts = [phone.socket() for _ in range(count)]
    try:
        yield [await context.__aenter__() for context in contexts]
    finally:
        for context in contexts:
            await context.__aexit__(None, None, None)


async def main() -> None:
    table = Table("What", "Measured", "Target")
    async with running() as bench:
        for what, measure, target in (
            ("Mutations through the full path", throughput, ""),
            ("Receipt and log against a bare transaction", unit_cost, "at most 2x"),
            (f"Delta of {CHANGES:,} changes", delta, "under 60 ms"),
            (f"Commit to subscriber, {SUBSCRIPTIONS:,} open", delivery, "p50 15 ms, p99 60 ms"),
            ("Memory of an idle subscription", memory, "under 25 KB"),
        ):
            table.add_row(what, await measure(bench), target)
    out.print(table)


if __name__ == "__main__":
    asyncio.run(main())
