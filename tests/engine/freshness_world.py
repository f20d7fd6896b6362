"""Four people with devices that keep every field of every node they are sent."""

from dataclasses import dataclass, field
from typing import Any

from core import jobs
from core.context import Services
from tests.conftest import NewPhone
from tests.engine.synced_fields import flat
from tests.phone import Phone, deleted_ids, sign_in_directly


@dataclass
class Cache:
    """Normalising cache: a device that keeps the nodes it is sent."""

    phone: Phone
    query: str
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str | None = None

    async def sync(self) -> None:
        more = True
        while more:
            page = (await self.phone.run(self.query, since=self.token))["viewer"]["changes"]
            for node in page["nodes"]:
                self.nodes[node["id"]] = flat(node)
            for id in deleted_ids(page):
                self.nodes.pop(id, None)
            self.token, more = page["token"], page["hasMore"]

    async def fresh(self) -> dict[str, dict[str, Any]]:
        other = Cache(self.phone, self.query)
        await other.sync()
        return other.nodes


@dataclass
class World:
    """Ada and Grace are friends who chat; Hedy follows Ada and shares what she writes; Rosa moderates."""

    services: Services
    new_phone: NewPhone
    ada: Phone
    grace: Phone
    hedy: Phone
    rosa: Phone
    caches: list[Cache]
    ids: dict[str, str]
    doing: frozenset[str] = frozenset()
    """Collections that the act under way changes."""
    changed: set[tuple[str, str]] = field(default_factory=set)
    """Fields that were seen to change on some device, with the collections that changed then."""
    checks: int = 0
    fields: int = 0

    async def check(self, what: str, *, only: tuple[Phone, ...] = ()) -> None:
        """All devices catch up, and then have what a new device gets."""
        while await jobs.run_due(self.services):
            continue
        for cache in self.caches:
            if only and cache.phone not in only:
                continue
            before = dict(cache.nodes)
            await cache.sync()
            fresh = await cache.fresh()
            who = f"{what}: {cache.phone.user_id}"
            kept_too_long, missed = set(cache.nodes) - set(fresh), set(fresh) - set(cache.nodes)
            assert not kept_too_long, f"{who} keeps {kept_too_long}"
            assert not missed, f"{who} misses {missed}"
            for id, node in fresh.items():
                kept = cache.nodes[id]
                stale = {
                    path: (kept.get(path), value) for path, value in node.items() if kept.get(path) != value
                }
                assert not stale, f"{who}: {id} shows {stale}"
                self.fields += len(node)
            self._note(before, fresh)
            self.checks += 1

    async def signs_in_again(self, phone: Phone) -> None:
        """Another session of the person is the current one from now on: the device begins anew."""
        await sign_in_directly(self.services, phone, phone.user_id)
        for cache in self.caches:
            if cache.phone is phone:
                cache.nodes, cache.token = {}, None

    def _note(self, before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> None:
        for id, node in after.items():
            known = before.get(id)
            for path, value in node.items() if known is not None else ():
                if known is not None and known.get(path) != value:
                    self.changed |= {(path, collection) for collection in self.doing}


async def done(phone: Phone, name: str, selection: str = "idempotencyKey", /, **input: Any) -> Any:
    """The payload of a mutation that is not refused."""
    payload = await phone.do(name, selection, **input)
    assert payload["errors"] == [], (name, payload["errors"])
    return payload
