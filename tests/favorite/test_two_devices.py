"""Two devices of one person that save, remove, move and sync, offline and back, end with the same list."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.context import Services
from tests.conftest import NewPhone
from tests.favorite.steps import DELTA, Shop, sync, targets, the_list, written
from tests.phone import Phone, deleted_ids, key

TARGETS = 5
ACTS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["add", "add", "remove", "move", "online", "sync", "lost"]),
        st.integers(0, TARGETS - 1),
        st.integers(0, TARGETS - 1),
    ),
    min_size=6,
    max_size=24,
)


@dataclass
class Device:
    """Device: its list as it is shown offline, and its acts since it was last online."""

    phone: Phone
    saved: dict[str, datetime] = field(default_factory=dict)
    removed: dict[str, datetime] = field(default_factory=dict)
    queue: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str | None = None

    def act(self, name: str, **input: Any) -> None:
        self.queue.append((name, {"idempotencyKey": key(), **input}))

    async def flush(self, *, lost: bool = False) -> None:
        """Replay the queue first in, first out; a lost answer means that it is sent again."""
        while self.queue:
            name, given = self.queue[0]
            await self.phone.do(name, "idempotencyKey", **given)
            if lost:
                return
            self.queue.pop(0)
        await self.read()

    async def sync(self) -> None:
        """One call instead of the queue."""
        local = [
            {"targetId": id, "position": place, "savedAt": written(at)}
            for place, (id, at) in enumerate(self.saved.items())
        ]
        removed = [{"targetId": id, "removedAt": written(at)} for id, at in self.removed.items()]
        self.queue.clear()
        await sync(self.phone, local=local, removed=removed)
        await self.read()

    async def read(self) -> None:
        page = (await self.phone.run(DELTA, since=self.token))["viewer"]["changes"]
        for node in page["nodes"]:
            self.nodes[node["id"]] = node
        for id in deleted_ids(page):
            self.nodes.pop(id, None)
        self.token = page["token"]
        self.saved = dict.fromkeys(await targets(self.phone), clock.now())
        self.removed = {}


async def _history(services: Services, devices: list[Device], wanted: list[str], acts: list[Any]) -> None:
    for number, what, one, other in acts:
        # Each act has a moment of its own.
        clock.shift(timedelta(seconds=1))
        device, target, behind = devices[number], wanted[one], wanted[other]
        if what == "add":
            device.saved.setdefault(target, clock.now())
            device.removed.pop(target, None)
            device.act("addFavorite", targetId=target)
        elif what == "remove":
            device.removed[target] = clock.now()
            device.saved.pop(target, None)
            device.act("removeFavorite", targetId=target)
        elif what == "move":
            device.act("moveFavorite", targetId=target, afterTargetId=behind)
        elif what == "sync":
            await device.sync()
        else:
            await device.flush(lost=what == "lost")
    for device in devices * 2:
        await device.flush()


async def test_they_converge_whatever_they_do(services: Services, shop: Shop, new_phone: NewPhone) -> None:
    wanted = await shop.products(TARGETS)
    loop = asyncio.get_running_loop()

    async def one(acts: list[Any]) -> None:
        first = await new_phone(f"Ada {random.random()}")
        devices = [Device(first), Device(await new_phone(user_id=first.user_id))]
        await _history(services, devices, wanted, acts)
        here, there = devices
        assert here.nodes == there.nodes
        assert list(here.saved) == list(there.saved)
        found = await the_list(first)
        assert found["favoriteCount"] == len(found["favorites"]["edges"]) == len(here.saved)
        clock.reset()

    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ACTS)
    def histories(acts: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(one(acts), loop).result(120)

    await asyncio.to_thread(histories)
