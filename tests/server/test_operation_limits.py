"""What is too much is refused before it runs: sizes, depth, cost, and the checks that graphql-cop makes."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services
from core.errors import Forbidden
from core.limits import Rate
from core.settings import Environment, Settings
from server import assembly
from server.gate import Gate
from tests.conftest import NewPhone
from tests.phone import Phone, key

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
        f'm{n}: createPost(input: {{clientMutationId: "{key()}", text: "{n}", visibility: PRIVATE}}) '
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


async def test_a_budget_is_used_up_and_comes_back(new_phone: NewPhone, services: Services) -> None:
    phone, other = await new_phone(), await new_phone()
    dear = {"query": FEED, "variables": {"first": 50}}
    await services.limits.take(_budget(services), phone.user_id, count=_budget(services).count - 250)
    assert (await phone.post(dear)).code is None
    refused = await phone.post(dear)
    assert refused.code == "RATE_LIMITED"
    wait = refused.errors[0]["extensions"]["retryAfterSeconds"]
    assert wait >= 1
    assert (await other.post(dear)).code is None
    clock.shift(timedelta(seconds=wait + 1))
    assert (await phone.post(dear)).code is None


def _budget(services: Services) -> Rate:
    return Rate("cost", services.settings.cost_per_minute, 60)


@pytest.mark.parametrize(("mode", "allowed"), [("auto", False), ("on", True), ("off", False)])
async def test_introspection_in_production(services: Services, mode: str, allowed: bool) -> None:
    settings = services.settings.model_copy(update={"env": Environment.PRODUCTION, "introspection": mode})
    gate = Gate(assembly.make_schema(Settings())._schema, settings, services.limits)
    ctx = Context(services)
    if allowed:
        assert gate.weigh("{ __schema { queryType { name } } }", None, None, ctx) >= 1
    else:
        with pytest.raises(Forbidden):
            gate.weigh("{ __schema { queryType { name } } }", None, None, ctx)
    assert gate.weigh("{ __typename }", None, None, ctx) == 0
