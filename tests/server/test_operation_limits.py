"""Operation limits: sizes, depth, cost and graphql-cop's checks, all enforced before anything runs."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema

from core import clock
from core.context import Context, Services
from core.errors import Forbidden
from core.security.limits import Rate
from core.settings import Environment, Settings
from core.storage.mongo import Database
from server import lifespan
from server.cost import default_page
from server.operation_limits import OperationLimits
from tests.conftest import NewPhone
from tests.phone import Failed, Phone, key
from tests.server.conftest import Configured, eventually
from tests.server.test_event_cost import remaining

FEED = "query($first: Int) { viewer { feed(first: $first) { edges { node { id author { name } } } } } }"


def nested(levels: int) -> str:
    return "{ __schema { types " + "{ fields { type " * levels + "{ name }" + " } }" * levels + " } }"


def parents(depth: int) -> str:
    return '{ node(id: "x") { ... on Comment ' + "{ parent " * depth + "{ id }" + " }" * depth + " } }"


TOO_MUCH = {
    "tokens": ("{ " + "__typename " * 10_001 + "}", {}),
    "depth": (parents(25), {}),
    "aliases": ("{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }", {}),
    "directives": ("{ __typename " + "@skip(if: false) " * 101 + "}", {}),
    "repeated directives": ("{ __typename " + "@skip(if: false) " * 7 + "}", {}),
    "repeated fields": ("{ viewer { " + "user { id } " * 102 + "} }", {}),
    "root fields": ("{ " + "viewer { user { id } } " * 61 + "}", {}),
    "cost": (
        "{ viewer { feed(first: 100) { edges { node { comments(first: 100) { edges { node { author { id } } "
        "} } } } } } }",
        {},
    ),
    "cost of a variable": (
        "query($n: Int) { viewer { feed(first: $n) { edges { node { comments(first: $n) { edges { node "
        "{ author { id } } } } } } } } }",
        {"n": 100},
    ),
}


@pytest.mark.parametrize("what", TOO_MUCH)
async def test_too_much_of_it_is_refused(anonymous: Phone, what: str) -> None:
    query, variables = TOO_MUCH[what]
    answer = await anonymous.post({"query": query, "variables": variables})
    assert answer.code == "QUERY_TOO_COMPLEX", answer.body
    assert answer.errors[0]["extensions"]["limit"] == what.partition(" of")[0]
    assert "data" not in answer.body


async def test_too_many_bytes_are_refused(configured: Configured) -> None:
    async with configured(max_body_bytes=500) as phone:
        body = {"query": "{ __typename }", "variables": {"text": "x" * 500}}
        for accept in ("application/json", "text/event-stream"):
            answer = await phone.post(body, Accept=accept)
            assert (answer.status, answer.errors) == (
                413,
                [
                    {
                        "message": "A request has at most 500 bytes.",
                        "extensions": {"code": "QUERY_TOO_COMPLEX", "limit": "bytes", "allowed": 500},
                    }
                ],
            )


async def test_too_many_operations_in_a_batch_are_refused(configured: Configured) -> None:
    async with configured(max_batch=3) as phone:
        asked = {"query": "{ __typename }"}
        assert (await phone.post([asked] * 3)).body == [{"data": {"__typename": "Query"}}] * 3
        answer = await phone.post([asked] * 4)
        assert answer.status == 400
        assert answer.errors == [
            {
                "message": "A batch has at most 3 operations.",
                "extensions": {"code": "QUERY_TOO_COMPLEX", "limit": "operations", "allowed": 3, "found": 4},
            }
        ]


async def test_an_empty_batch_is_refused(anonymous: Phone) -> None:
    answer = await anonymous.post([])
    assert (answer.status, answer.code) == (400, "BAD_USER_INPUT")
    assert answer.errors[0]["message"] == "A batch has at least one operation."


async def test_every_operation_of_a_batch_is_weighed(new_phone: NewPhone) -> None:
    """And none of them takes the others along."""
    query, variables = TOO_MUCH["cost of a variable"]
    fine = {"query": "{ __typename }"}
    answer = await (await new_phone()).post([fine, {"query": query, "variables": variables}, fine])
    codes = [each.get("errors", [{"extensions": {}}])[0]["extensions"].get("code") for each in answer.body]
    assert codes == [None, "QUERY_TOO_COMPLEX", None]


async def test_fragments_in_a_circle_are_refused(anonymous: Phone) -> None:
    for query in (
        "{ viewer { user { ...A } } } fragment A on User { id ...A }",
        "{ viewer { user { ...A } } } fragment A on User { id ...B } fragment B on User { ...C } "
        "fragment C on User { name ...A }",
    ):
        answer = await anonymous.ask(query)
        assert "data" not in answer.body
        assert answer.code == "BAD_USER_INPUT"
        assert answer.errors[0]["message"].startswith("Cannot spread fragment 'A' within itself")


def connections(schema: GraphQLSchema) -> list[tuple[str, GraphQLField]]:
    return [
        (f"{kind.name}.{name}", field)
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if "first" in field.args
    ]


def test_a_list_without_a_size_is_weighed_by_the_page_it_gives() -> None:
    """Clients read the size in the description, too."""
    found = connections(lifespan.make_schema(Settings())._schema)
    assert len(found) > 20
    for name, field in found:
        page = default_page(field)
        assert page, f"{name} does not say how many it gives to who names no size"
        default = field.args["first"].default_value
        told = f"; {page} when no size is given." in (field.args["first"].description or "")
        assert told or default == page, name


@pytest.mark.parametrize("given", ["", "(first: $n)"])
async def test_chat_messages_are_weighed_by_the_twenty_they_give(new_phone: NewPhone, given: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    query = (
        "query($id: ID!, $n: Int) { user(id: $id) { viewerChat { "
        "messages%s { edges { node { sender { id } } } } x: messages(first: $n) { edges { cursor } } } } }"
    )
    body = {"query": query % given, "variables": {"id": grace.user_id}}
    cost = (await ada.post(body, **{"Landfall-Cost": "1"})).body["extensions"]["cost"]
    assert cost["requested"] == 1 + 1 + 20 * 4 + 20 * 2


SLOW = {"find": "slow", "filter": {"$where": "sleep(10) || true"}, "batchSize": 5_000}
ROWS = 2_000
"""Ten milliseconds each: twenty seconds, unless somebody ends it."""


async def working(services: Services) -> int:
    """Number of slow reads that MongoDB is running."""
    pipeline = [{"$currentOp": {}}, {"$match": {"active": True, "command.find": "slow"}}]
    found = await services.db.client.admin.command({"aggregate": 1, "pipeline": pipeline, "cursor": {}})
    return len(found["cursor"]["firstBatch"])


@pytest.mark.parametrize("way", ["http", "batch", "get", "socket", "sse"])
async def test_a_timeout_ends_the_work_of_the_database(
    configured: Configured, new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    ada = await new_phone("Ada")
    if not await services.db.find("slow", {}, limit=1):
        await services.db.write({"insert": "slow", "documents": [{} for _ in range(ROWS)]})
    rows = Database._rows

    async def slow(self: Database, command: dict[str, Any]) -> list[dict[str, Any]]:
        of_users = command.get("find") == "users"
        return await rows(self, {**SLOW, "maxTimeMS": command["maxTimeMS"]} if of_users else command)

    query = "query($id: ID!) { user(id: $id) { name } }"
    body = {"query": query, "variables": {"id": ada.user_id}}
    async with configured(request_timeout=1.5) as phone:
        monkeypatch.setattr(Database, "_rows", slow)
        if way == "socket":
            async with phone.watch(query, id=ada.user_id) as stream:
                assert await working(services) == 1
                with pytest.raises(Failed) as failed:
                    await stream.next()
            errors = failed.value.errors
        else:
            asking = asyncio.create_task(_ask(phone, way, body))

            async def begun() -> bool:
                assert not asking.done(), asking.result()
                return await working(services) == 1

            await eventually(begun)
            errors = await asking
    assert [error["extensions"]["code"] for error in errors] == ["TIMEOUT"]

    async def ended() -> bool:
        return await working(services) == 0

    await eventually(ended)


async def _ask(phone: Phone, way: str, body: dict[str, Any]) -> Any:
    if way == "get":
        return (await phone.get(query=body["query"], variables=json.dumps(body["variables"]))).errors
    answer = await phone.post(
        [body] if way == "batch" else body, Accept="text/event-stream" if way == "sse" else "application/json"
    )
    if way == "sse":
        [data] = [line for line in answer.body.splitlines() if line.startswith("data: {")]
        return json.loads(data.removeprefix("data: "))["errors"]
    return answer.body[0]["errors"] if way == "batch" else answer.errors


async def test_introspection_in_circles_is_refused(anonymous: Phone) -> None:
    answer = await anonymous.post({"query": nested(6)})
    assert (answer.code, "data" in answer.body) == ("BAD_USER_INPUT", False)


async def test_fragments_that_grow_cost_what_they_grow_to(anonymous: Phone) -> None:
    """Each doubles the one before it: written in a line, and as long as a book."""
    page = "author {{ posts(first: 10) {{ edges {{ node {{ ...F{} }} }} }} }}"
    doubling = " ".join(f"fragment F{n} on Post {{ {page.format(n + 1)} }}" for n in range(10))
    query = "{ post(id: 1) { ...F0 } } " + doubling + " fragment F10 on Post { id }"
    answer = await anonymous.post({"query": query})
    assert answer.code == "QUERY_TOO_COMPLEX"


async def test_fifty_queued_mutations_are_not_too_much(new_phone: NewPhone) -> None:
    phone = await new_phone()
    fields = " ".join(
        f'm{n}: createPost(input: {{idempotencyKey: "{key()}", text: "{n}", visibility: PRIVATE}}) '
        "{ errors { code } post { id } }"
        for n in range(50)
    )
    answer = await phone.post({"query": f"mutation {{ {fields} }}"})
    assert len(answer.data) == 50


@pytest.mark.parametrize("way", ["header", "extension"])
async def test_the_cost_is_told_to_who_asks(new_phone: NewPhone, way: str) -> None:
    phone = await new_phone()
    body: dict[str, Any] = {"query": FEED, "variables": {"first": 12}}
    headers = {"Landfall-Cost": "1"} if way == "header" else {}
    if way == "extension":
        body["extensions"] = {"cost": True}
    cost = (await phone.post(body, **headers)).body["extensions"]["cost"]
    assert cost["requested"] == 1 + 12 * 4
    assert cost["remaining"] <= cost["limit"] - cost["requested"]
    assert cost["resetAt"].endswith("Z")
    assert "extensions" not in (await phone.post({"query": FEED, "variables": {"first": 12}})).body


async def test_a_budget_is_used_up_and_comes_back(
    configured: Configured, services: Services, new_phone: NewPhone
) -> None:
    """A slow machine takes seconds for it: what comes back meanwhile is not enough for 201 objects again."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    async with configured(cost_per_minute=300) as phone:
        other = replace(phone, token=grace.token)
        phone.token = ada.token
        dear = {"query": FEED, "variables": {"first": 50}}
        assert (await phone.post(dear)).code is None
        refused = await phone.post(dear)
        assert refused.code == "RATE_LIMITED"
        wait = refused.errors[0]["extensions"]["retryAfterSeconds"]
        assert wait >= 1
        assert (await other.post(dear)).code is None
        clock.shift(timedelta(seconds=wait + 1))
        assert (await phone.post(dear)).code is None


async def test_the_budget_told_is_what_there_is_now(new_phone: NewPhone, services: Services) -> None:
    """A reservation, and the verdict that came with it, are some seconds old at most."""
    phone, budget = await new_phone(), _budget(services)
    await services.limits.take(budget, phone.user_id, count=budget.count // 2)
    assert await remaining(phone) < budget.count * 0.6
    clock.shift(timedelta(minutes=1))
    assert await remaining(phone) > budget.count * 0.9


def _budget(services: Services) -> Rate:
    return Rate("cost", services.settings.cost_per_minute, 60)


@pytest.mark.parametrize(("mode", "allowed"), [("auto", False), ("on", True), ("off", False)])
async def test_introspection_in_production(services: Services, mode: str, allowed: bool) -> None:
    settings = services.settings.model_copy(update={"env": Environment.PRODUCTION, "introspection": mode})
    gate = OperationLimits(lifespan.make_schema(Settings()), settings, services.limits)
    ctx = Context(services)
    if allowed:
        assert gate.weigh("{ __schema { queryType { name } } }", None, None, ctx).cost >= 1
    else:
        with pytest.raises(Forbidden):
            gate.weigh("{ __schema { queryType { name } } }", None, None, ctx)
    assert gate.weigh("{ __typename }", None, None, ctx).cost == 0
