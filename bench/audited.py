"""CPU of an audited mutation beside the same one unaudited: `make bench-audited`. The ratio counts.

One process with embedded servers; turns alternate, so that what else the machine does hits both.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.console import console
from bench.engine import settings_for
from core import ids, logs
from core.audit import Audited
from core.context import Context, Services, Viewer
from core.mutations.idempotency import Mutation, run
from core.sync.changes import user_scope
from devstack.servers import embedded
from resolvers.auth.signing import make_signing_key
from server import lifespan
from stores import feed as store
from tests.phone import key, make_user

TURNS = 40
EACH = 50
"""Mutations of a turn."""
MOST_MS = 0.6
"""CPU that an entry may cost."""


async def follow(ctx: Context) -> dict[str, Any]:
    """A small mutation: one row and its log entry."""
    edge = await ctx.tx.insert(
        store.follows,
        {
            "_id": ids.new_id("follow"),
            "follower_id": ctx.viewer_id,
            "followee_id": ids.new_id("user"),
            "state": store.FollowStatus.FOLLOWING,
            "mutual": False,
        },
    )
    ctx.tx.changed(edge, scopes=[user_scope(ctx.viewer_id)], created=True)
    return {"follow": edge}


PLAIN = Mutation("bench.plain", follow)
AUDITED = Mutation("bench.audited", follow, audit=Audited("bench.followed", "USER_ACTION", "CONTENT"))


async def turn(services: Services, viewer: Viewer, mutation: Mutation) -> tuple[float, float]:
    """Milliseconds of CPU, and of time, that one mutation took."""
    cpu, started = time.process_time(), time.perf_counter()
    for _ in range(EACH):
        ctx = Context(services, viewer=viewer, request_id="bench", address="192.0.2.7", user_agent="Bench/1")
        await run(ctx, mutation, key(), {})
    spent, passed = time.process_time() - cpu, time.perf_counter() - started
    return spent / EACH * 1000, passed / EACH * 1000


async def measure(services: Services) -> dict[str, list[tuple[float, float]]]:
    viewer = Viewer(await make_user(services), ids.new_id("session"), ids.new_id("device"))
    both = {"unaudited": PLAIN, "audited": AUDITED}
    for mutation in both.values():
        await turn(services, viewer, mutation)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in both}
    for _ in range(TURNS):
        for name, mutation in both.items():
            found[name].append(await turn(services, viewer, mutation))
    return found


def report(found: dict[str, list[tuple[float, float]]]) -> Table:
    table = Table("mutation", "CPU ms", "ms", title=f"median of {TURNS} turns of {EACH}")
    medians = {
        name: [statistics.median(each) for each in zip(*rows, strict=True)] for name, rows in found.items()
    }
    for name, (cpu, passed) in medians.items():
        table.add_row(name, f"{cpu:.2f}", f"{passed:.2f}")
    more = [audited - plain for plain, audited in zip(*medians.values(), strict=True)]
    table.add_row(f"an entry (at most {MOST_MS})", f"{more[0]:.2f}", f"{more[1]:.2f}")
    return table


async def main() -> None:
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "data") as servers:
        (Path(name) / "key.pem").write_bytes(make_signing_key())
        settings = settings_for(servers, Path(name), 0)
        logs.configure(settings)
        async with lifespan.services(settings) as services:
            console(80).print(report(await measure(services)))


if __name__ == "__main__":
    asyncio.run(main())
