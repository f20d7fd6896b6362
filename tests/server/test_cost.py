"""Cost analysis: weighed as the executor will run an operation, never less than what it is then served."""

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from core import ids
from core.context import Context, Services, Viewer
from core.errors import QueryTooComplex
from core.graphql.build import Schema
from core.security.limits import Rate, Verdict
from core.settings import Settings
from server import lifespan
from server.answers import objects
from server.operation_limits import OperationLimits
from tests.executor.fuzz import world as worlds
from tests.executor.fuzz.documents import Maker
from tests.executor.fuzz.world import Bench, World


@pytest.fixture(scope="module")
def schema() -> Schema:
    return lifespan.make_schema(Settings())


@pytest.fixture
def gate(schema: Schema, services: Services) -> OperationLimits:
    return OperationLimits(schema, Settings(max_cost=10**9), services.limits)


def feed(arguments: str, declared: str = "") -> str:
    head = f"query({declared}) " if declared else ""
    return head + "{ viewer { feed" + arguments + " { edges { node { author { id } } } } } }"


COSTS: list[tuple[str, dict[str, Any], int]] = [
    (feed("(first: 12)"), {}, 1 + 12 * 4),
    # A Float for an Int, which is one to who coerces it.
    (feed("(first: $n)", "$n: Int"), {"n": 50.0}, 1 + 50 * 4),
    (feed("(first: $n)", "$n: Int"), {"n": 50}, 1 + 50 * 4),
    # What a variable is without a value, and what null stands for.
    (feed("(first: $n)", "$n: Int = 40"), {}, 1 + 40 * 4),
    (feed("(first: $n)", "$n: Int = 2"), {"n": None}, 1 + 20 * 4),
    (feed("(first: null, last: 50)"), {}, 1 + 50 * 4),
    (feed("(first: $n, last: $m)", "$n: Int, $m: Int"), {"n": None, "m": 50}, 1 + 50 * 4),
    # The larger of those given.
    (feed("(first: 1, last: 50)"), {}, 1 + 50 * 4),
    (feed("(first: 50, last: 1)"), {}, 1 + 50 * 4),
    # Lists, also by default, as one thing and out of several variables.
    ("query($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": ["a", "b", "c"]}, 3),
    ('query($i: [ID!]! = ["a", "b", "c", "d"]) { nodes(ids: $i) { id } }', {}, 4),
    ("query($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": "a"}, 1),
    ("query($a: ID!, $b: ID!) { nodes(ids: [$a, $b]) { id } }", {"a": "a", "b": "b"}, 2),
    # A limit, whatever the filter has.
    ('{ viewer { predictions(filter: {productIds: ["a", "b"]}, limit: 1) { product { id } } } }', {}, 1 + 2),
    # Conditions that can both hold: what they give is added.
    (
        '{ node(id: "x") { ... on Node { ... on Post { author { id } } } '
        "... on Post { share: author { id } } } }",
        {},
        1 + 2,
    ),
    (
        '{ node(id: "x") { ... on Post { ... on Node { ... on Post { author { id } } } b: author { id } } '
        "... on Comment { c: author { id } } } }",
        {},
        1 + 2,
    ),
    # Fields of one key are one, wherever they are written.
    ('{ node(id: "x") { ... on Post { author { id } } ... on Post { author { name } } } }', {}, 1 + 1),
    # Root fields in fragments, also a mutation's.
    ("{ ... on Query { ...Q } } fragment Q on Query { viewer { user { id } } }", {}, 2),
    (
        "mutation($i: CreatePostInput!) { ... { ...M } a: createPost(input: $i) { replayed } } "
        "fragment M on Mutation { b: createPost(input: $i) { replayed } "
        "c: createPost(input: $i) { replayed } }",
        {},
        3 * (10 + 1),
    ),
    # What is included later on may be served.
    ("query($b: Boolean!) { viewer { user @include(if: $b) { id } } }", {"b": False}, 2),
    # Scalars asked for again.
    ("{ viewer { user { a: name b: name c: name name } } }", {}, 2 + 3),
    ("{ a: __typename b: __typename }", {}, 1),
]


@pytest.mark.parametrize(("query", "variables", "cost"), COSTS)
async def test_it_is_weighed_as_it_will_be_run(
    gate: OperationLimits, services: Services, query: str, variables: dict[str, Any], cost: int
) -> None:
    ctx = Context(services)
    assert gate._readings.read(query).errors == []
    assert gate.weigh(query, variables, None, ctx).cost == cost
    # And once more, remembered.
    assert gate.weigh(query, variables, None, ctx).cost == cost


async def test_root_fields_are_counted_in_fragments_too(services: Services, schema: Schema) -> None:
    gate = OperationLimits(schema, Settings(max_root_fields=3), services.limits)
    inside = "{ ...Q } fragment Q on Query { a: __typename b: __typename ... { c: __typename%s } }"
    assert gate.weigh(inside % "", None, None, Context(services)).cost == 2
    with pytest.raises(QueryTooComplex, match="more than 3 root fields"):
        gate.weigh(inside % " d: __typename", None, None, Context(services))


async def test_sizes_of_one_operation_are_not_another_s(gate: OperationLimits, services: Services) -> None:
    """In one document, with a fragment that both spread and a variable that has another default in each."""
    document = (
        "query A($n: Int = 5) { ...F } query B($n: Int = 50) { ...F } "
        "fragment F on Query { viewer { feed(first: $n) { edges { node { id } } } } }"
    )
    costs = [gate.weigh(document, None, name, Context(services)).cost for name in ("A", "B", "A")]
    assert costs == [1 + 5 * 3, 1 + 50 * 3, 1 + 5 * 3]


async def test_a_hundred_at_once_were_each_charged_what_one_reserves(
    gate: OperationLimits, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phone that begins its subscriptions together had used up its minute with the first hundred."""
    taken: list[int] = []
    take = services.limits.take

    async def noted(rate: Rate, subject: str, *, count: int = 1) -> Verdict:
        taken.append(count)
        return await take(rate, subject, count=count)

    monkeypatch.setattr(services.limits, "take", noted)
    viewer = Viewer(ids.new_id("user"), ids.new_id("session"), "device")
    asking = [Context(services, viewer=viewer) for _ in range(100)]
    charges = await asyncio.gather(*(gate.charge(ctx, 500) for ctx in asking))
    spent = 100 * 500
    assert spent <= sum(taken) <= spent + gate._ahead
    assert min(each.left for each in charges) >= 0
    # What a reservation has left is in the next one.
    assert sum(taken) - spent == gate._leases.get(viewer.user_id).left  # type: ignore[union-attr]


async def test_what_others_took_while_one_reserved_was_given_out_again(
    gate: OperationLimits, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = Context(services, viewer=Viewer(ids.new_id("user"), ids.new_id("session"), "device"))
    left = (await gate.charge(ctx, 0)).left
    take = services.limits.take

    async def meanwhile(rate: Rate, subject: str, *, count: int = 1) -> Verdict:
        assert gate.try_charge_locally(ctx, left - 10)
        return await take(rate, subject, count=count)

    monkeypatch.setattr(services.limits, "take", meanwhile)
    charge = await gate.charge(ctx, left + 1)
    assert charge.left == gate._ahead + 10


SIZES = st.one_of(
    st.none(),
    st.integers(-3, 130),
    st.integers(1, 100).map(float),
    st.sampled_from([True, "5", 1e300, [1], {}, 2.5]),
)


@given(first=SIZES, last=SIZES, default=st.one_of(st.none(), st.integers(1, 100)), written=st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@seed(1)
async def test_no_spelling_of_a_size_costs_less_than_it_is_worth(
    gate: OperationLimits, services: Services, first: Any, last: Any, default: int | None, written: bool
) -> None:
    """Against what graphql-core makes of it, worked out here once more by hand."""
    declared = f"$n: Int{'' if default is None else f' = {default}'}, $m: Int"
    variables = {name: value for name, value in (("n", first), ("m", last)) if written or value is not None}
    cost = gate.weigh(feed("(first: $n, last: $m)", declared), variables, None, Context(services)).cost
    asked = [_number(variables.get("n", default)), _number(variables.get("m"))]
    if "refused" not in asked:
        most = max((each for each in asked if isinstance(each, int)), default=12)
        assert cost >= 1 + 4 * min(100, most)


def _number(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return "refused"
    return int(value) if -(2**31) <= value < 2**31 else "refused"


@pytest.fixture(scope="module")
async def tame(services: Services) -> World:
    return await worlds.tame(services, services.settings)


async def test_what_is_charged_is_never_below_what_was_served(
    services: Services, schema: Schema, tame: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For generated documents and variables: compiled, and by what the reference was served."""
    worlds.freeze(monkeypatch)
    rng = random.Random(7)
    bench = Bench(services, schema)
    gate = OperationLimits(schema, Settings(max_cost=10**9, max_aliases=10**6), services.limits)
    every = [id for listed in tame.ids.values() for id in listed]
    maker = Maker(schema._schema, rng, {**tame.ids, "node": every}, worlds.tokens(services, tame))
    tried = dear = 0
    # The more fields there are, the fewer of the documents hit upon one with much behind it.
    while tried < 300 or (dear <= 3 and tried < 3_000):
        tried += 1
        document = maker.query(wild=rng.random() < 0.2, signed_in=True)
        viewer = rng.choice(tame.viewers)
        ctx = bench.context(tame, viewer)
        weight = gate.weigh(document.text, document.variables, "Q", ctx)
        answer = await bench.executor.run(document.text, document.variables, "Q", ctx)
        if answer is None:
            answer = await bench.reference(tame, viewer, document.text, document.variables)
            ctx.served = objects(answer.data)
        served = objects(json.loads(json.dumps(answer.data, default=str))) if answer.data else 0
        charged = gate.settle(ctx, weight.cost)
        assert charged >= served, f"{document.text}\n{json.dumps(document.variables)}"
        dear += served > 20
    assert dear > 3, f"{dear} of {tried} documents served more than 20 objects"
