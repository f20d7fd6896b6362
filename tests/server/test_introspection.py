"""Introspection: what it costs, that it is answered once for all, and that others are served meanwhile."""

import asyncio
import time
from typing import Any

import pytest
from graphql import get_introspection_query

from core.settings import Settings
from server import introspection, lifespan
from server.introspection import VALUES_EACH, Introspection
from tests.conftest import NewPhone
from tests.phone import Phone
from tests.server.conftest import Configured

WHOLE = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
TYPES = "{ __schema { types { name fields { name type { name ofType { name } } } } } }"


async def cost_of(phone: Phone, query: str, **variables: object) -> int:
    answer = await phone.post({"query": query, "variables": variables}, **{"Landfall-Cost": "1"})
    assert answer.errors == []
    requested: int = answer.body["extensions"]["cost"]["requested"]
    return requested


async def test_it_is_made_once_and_costs_less_from_then_on(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    run = Introspection._run

    def counted(self: Introspection, *given: object) -> object:
        made.append(given)
        return run(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Introspection, "_run", counted)
    async with configured() as phone:
        first = (await phone.ask(WHOLE)).data
        answers = await asyncio.gather(*(phone.ask(WHOLE) for _ in range(5)))
        assert [answer.data for answer in answers] == [first] * 5
        assert len(made) == 1
        assert len(first["__schema"]["types"]) > 300
        dear, cheap = await cost_of(phone, TYPES), await cost_of(phone, TYPES)
        assert 0 < cheap * 5 < dear < 20_000
        assert len(made) == 2


@pytest.mark.parametrize("way", ["get", "batch", "socket", "sse"])
async def test_it_is_answered_alike_on_every_transport(configured: Configured, way: str) -> None:
    query = '{ __type(name: "Post") { name kind } __typename }'
    data = {"__type": {"name": "Post", "kind": "OBJECT"}, "__typename": "Query"}
    async with configured() as phone:
        for _ in range(2):
            if way == "get":
                found = (await phone.get(query=query)).data
            elif way == "batch":
                found = (await phone.post([{"query": query}])).body[0]["data"]
            elif way == "socket":
                async with phone.watch(query) as stream:
                    found = await stream.next()
            else:
                text = (await phone.post({"query": query}, Accept="text/event-stream")).body
                assert '"name":"Post"' in text.replace(": ", ":")
                found = data
            assert found == data


async def test_variables_tell_answers_apart(anonymous: Phone) -> None:
    query = "query($name: String!) { __type(name: $name) { name } }"
    for name in ("Post", "User", "Post"):
        assert (await anonymous.run(query, name=name))["__type"] == {"name": name}
    assert (await anonymous.run(query, name="Nobody")) == {"__type": None}


async def test_sixty_schemas_at_once_are_too_much(anonymous: Phone) -> None:
    """They took 49 seconds."""
    started = time.process_time()
    sixty = " ".join(
        f"a{n}: {WHOLE[WHOLE.index('__schema') : WHOLE.index('fragment')].strip()[:-1]}" for n in range(60)
    )
    answer = await anonymous.ask("{ " + sixty + " } " + WHOLE[WHOLE.index("fragment") :])
    assert answer.code == "QUERY_TOO_COMPLEX"
    assert time.process_time() - started < 2


async def test_large_introspection_stands_alone(new_phone: NewPhone) -> None:
    phone = await new_phone("Ada")
    small = "{ viewer { user { name } } __schema { queryType { name } } }"
    assert await phone.run(small) == {
        "viewer": {"user": {"name": "Ada"}},
        "__schema": {"queryType": {"name": "Query"}},
    }
    beside = await phone.ask("{ viewer { user { name } } " + TYPES[1:-1] + " }")
    assert (beside.code, "data" in beside.body) == ("BAD_USER_INPUT", False)
    assert beside.errors[0]["message"] == "Ask for `__schema` and `__type` in an operation of its own."


async def test_others_are_served_while_a_schema_is_read(configured: Configured) -> None:
    async with configured() as phone:
        reading = asyncio.create_task(phone.ask(WHOLE))
        served = 0
        while not reading.done():
            assert (await phone.ask("{ __typename }")).data == {"__typename": "Query"}
            served += 1
        assert (await reading).errors == []
        assert served >= 2


def test_what_it_counts_is_what_is_given() -> None:
    """The library's own resolvers say how many values there will be."""
    from graphql import OperationDefinitionNode, graphql_sync, parse

    from server.cost import NO_VARIABLES, Scales

    schema = lifespan.make_schema(Settings())
    for query in (WHOLE, TYPES, '{ __type(name: "Post") { fields { args { name } type { kind } } } }'):
        document = parse(query)
        [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        operation = Scales(schema._schema, document).operation(node)
        price = Introspection(schema, 10**6).price(query, document, operation.introspection, NO_VARIABLES)
        values = _values(graphql_sync(schema._schema, query).data)
        assert values / VALUES_EACH <= price <= values / VALUES_EACH * 1.5 + 10, query


def _values(data: object) -> int:
    if isinstance(data, dict):
        return sum(1 + _values(each) for each in data.values())
    if isinstance(data, list):
        return sum(map(_values, data))
    return 0


async def test_what_is_too_dear_is_counted_once(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting goes on up to what one may ask for, which a caller can have for nothing again and again."""
    counted = []
    roots = introspection._Count.roots

    def noted(self: Any, groups: Any) -> int:
        counted.append(groups)
        return roots(self, groups)

    monkeypatch.setattr(introspection._Count, "roots", noted)
    async with configured(max_cost=100) as phone:
        for _ in range(3):
            answer = await phone.ask(TYPES)
            assert (answer.code, answer.errors[0]["extensions"]["allowed"]) == ("QUERY_TOO_COMPLEX", 100)
    assert len(counted) == 1
