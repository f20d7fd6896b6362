"""Replicas fed by `viewer.changes` and `changeEvents`, of a world that is asked without a network."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from core import outages
from core.context import Context, Services, Viewer
from core.graphql.build import Schema
from devstack.gateway import Gateway
from tests.engine.sync_documents import changes_of, events_of
from tests.engine.synced_fields import flat, selection
from tests.phone import deleted_ids

TYPES = (
    "USER",
    "SESSION",
    "POST",
    "COMMENT",
    "FOLLOW",
    "CART",
    "CART_LINE",
    "SCAN_RECORD",
    "STACK",
    "STACK_ITEM",
    "PAYMENT_METHOD",
)


@dataclass
class World:
    """One Landfall, asked without a network between."""

    services: Services
    schema: Schema
    products: list[str] = field(default_factory=list)
    """Products that people may save, buy and take."""
    codes: list[str] = field(default_factory=list)
    """Codes that people may scan, of products and of none."""
    gateway: Gateway | None = None
    """Gateway that keeps people's payment methods."""

    def __post_init__(self) -> None:
        """All that is told of a node is asked for, whatever is declared."""
        synced = selection(self.schema._schema)
        self.changes, self.events = changes_of(synced), events_of(synced)

    async def ask(self, viewer: Viewer, query: str, **variables: Any) -> dict[str, Any]:
        ctx = Context(self.services, viewer=viewer)
        result = await self.schema.execute(query, variable_values=variables, context_value=ctx)
        if result.errors:
            raise AssertionError(result.errors)
        assert result.data is not None
        return result.data

    async def send(self, viewer: Viewer, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer of a flush, with the errors of what has to come again."""
        ctx = Context(self.services, viewer=viewer)
        result = await self.schema.execute(query, variable_values=variables, context_value=ctx)
        errors = []
        for error in result.errors or ():
            fault = outages.fault_of(error.original_error) if error.original_error else None
            if fault is None or not fault.transient:
                raise AssertionError(result.errors)
            errors.append({"path": error.path, "extensions": fault.extensions})
        return {"data": result.data, "errors": errors}


NOTHING = {"__typename": "Nothing"}


@dataclass
class Replica:
    """Replica of a device: its nodes, and the token from which it reads on."""

    world: World
    viewer: Viewer
    types: list[str] | None = None
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str | None = None
    more: bool = False

    async def page(self, first: int, *, lost: bool = False) -> None:
        """Read a page; `lost`: the answer never arrives."""
        variables = {"since": self.token, "types": self.types, "first": first}
        data = await self.world.ask(self.viewer, self.world.changes, **variables)
        if not lost:
            self.take(data["viewer"]["changes"])

    def take(self, changes: dict[str, Any]) -> None:
        if changes["reset"]:
            self.nodes.clear()
        for node in changes["nodes"]:
            self.keep(node)
        for id in deleted_ids(changes):
            self.nodes.pop(id, None)
        self.token, self.more = changes["token"], changes["hasMore"]

    def keep(self, node: dict[str, Any]) -> None:
        known = self.nodes.get(node["id"])
        if known is None or known["version"] <= node["version"]:
            self.nodes[node["id"]] = node

    async def round(self, first: int) -> int:
        """Pages until there is no more; how many."""
        for count in range(1, 10_000):
            await self.page(first)
            if not self.more:
                return count
        raise AssertionError("The round never ended.")

    async def catch_up(self, first: int) -> int:
        """A round that began in the middle of writing, and one that began after it."""
        return await self.round(first) + await self.round(first)

    async def fresh(self) -> dict[str, dict[str, Any]]:
        """Nodes of a new device after its first sync."""
        other = Replica(self.world, self.viewer, self.types)
        await other.round(1_000)
        return other.nodes

    async def stale(self) -> tuple[dict[str, Any], int]:
        """Fields that differ from a new device's, by id and field; and the number of fields compared."""
        fresh = await self.fresh()
        found: dict[str, Any] = {}
        for id in {*fresh, *self.nodes}:
            if (kept := self.nodes.get(id)) != (node := fresh.get(id)):
                one, other = flat(kept or NOTHING), flat(node or NOTHING)
                fields = {path for path in {*one, *other} if one.get(path) != other.get(path)}
                found[id] = {path: (one.get(path), other.get(path)) for path in sorted(fields)}
        return found, sum(map(len, fresh.values()))

    def forget(self) -> None:
        self.nodes, self.token, self.more = {}, None, False

    def backup(self) -> "tuple[dict[str, dict[str, Any]], str | None]":
        return dict(self.nodes), self.token

    def restore(self, backup: "tuple[dict[str, dict[str, Any]], str | None]") -> None:
        self.nodes, self.token = dict(backup[0]), backup[1]
        self.more = True


@dataclass
class LiveReplica(Replica):
    """A device that follows `changeEvents`, and loses the connection now and then."""

    task: asyncio.Task[None] | None = None
    events: int = 0

    async def connect(self) -> None:
        if self.token is None:
            await self.round(100)
        self.task = asyncio.create_task(self._follow())

    async def disconnect(self) -> None:
        if self.task is not None:
            self.task.cancel()
            [outcome] = await asyncio.gather(self.task, return_exceptions=True)
            self.task = None
            assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome

    async def _follow(self) -> None:
        ctx = Context(self.world.services, viewer=self.viewer)
        stream = await self.world.schema.stream(
            self.world.events, variable_values={"since": self.token}, context_value=ctx
        )
        async for result in stream:
            assert not result.errors, result.errors
            self._apply(result.data["changeEvents"])

    def _apply(self, event: dict[str, Any]) -> None:
        self.events += 1
        if event["__typename"] == "NodeChanged":
            self.keep(event["node"])
        elif event["__typename"] == "NodeDeleted":
            self.nodes.pop(event["deleted"]["id"], None)
        else:
            raise AssertionError("No position in this history is too old.")
        self.token = event["token"]
