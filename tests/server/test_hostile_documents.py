"""Documents made to be dear to read: whatever their shape, twice as much takes no more than twice as long."""

import contextlib
import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.context import Context, Services
from core.errors import BadUserInput, QueryTooComplex
from core.graphql.build import Schema
from core.settings import Settings
from server import lifespan
from server.operation_limits import OperationLimits
from tests.phone import Phone, key, make_user, sign_in_directly
from tests.server.conftest import Configured

SMALLEST, DOUBLINGS = 32, 5
STEPS_MORE = 2.6
"""Largest growth of the steps when a document doubles; above two, for work that only sets in with size."""
MOST_SECONDS = 1.0
"""CPU of the thread that reads a document, for any; most take a tenth of it."""


def fragments(count: int, body: str) -> str:
    return " ".join(f"fragment F{n} on User {{ {body.format(n=n, next=n + 1)} }}" for n in range(count))


def many(text: str, count: int) -> str:
    return " ".join(text.format(n=n) for n in range(count))


SHAPES: dict[str, Callable[[int], str]] = {
    "a ladder of fragments that each spread the next twice": lambda n: (
        "{ viewer { user { ...F0 } } } "
        + fragments(n, "id ...F{next} ...F{next}")
        + f" fragment F{n} on User {{ id }}"
    ),
    "a ladder of fragments under two fields each": lambda n: (
        "{ viewer { user { ...F0 } } } "
        + fragments(
            n,
            "a: posts {{ edges {{ node {{ author {{ ...F{next} }} }} }} }} "
            "b: posts {{ edges {{ node {{ author {{ ...F{next} }} }} }} }}",
        )
        + f" fragment F{n} on User {{ id }}"
    ),
    "fragments in a row": lambda n: (
        "{ viewer { user { ...F0 } } } " + fragments(n, "id ...F{next}") + f" fragment F{n} on User {{ id }}"
    ),
    "fragments in circles": lambda n: (
        "{ viewer { user { ...F0 } } } "
        + fragments(n, "id ...F0 ...F{next}")
        + f" fragment F{n} on User {{ ...F0 }}"
    ),
    "similar fragments": lambda n: (
        "{ viewer { user { "
        + many("...F{n}", n)
        + " } } } "
        + fragments(n, "id name posts(first: 1) {{ edges {{ node {{ id text author {{ id name }} }} }} }}")
    ),
    "one fragment spread often": lambda n: (
        "{ viewer { user { " + "...F0 " * n + "} } } fragment F0 on User { id name }"
    ),
    "the same field with selections that differ": lambda n: (
        "{ viewer { " + many("user {{ a{n}: name }}", n) + " } }"
    ),
    "the same field in inline fragments": lambda n: "{ viewer { " + "... { user { id name } } " * n + "} }",
    "inline fragments in each other": lambda n: (
        "{ viewer { user " + "{ ... " * n + "{ id }" + " }" * n + " } }"
    ),
    "selections in each other": lambda n: (
        "{ viewer { user " + "{ posts { edges { node { author " * n + "{ id }" + " } } } }" * n + " } }"
    ),
    "lists in each other": lambda n: "{ nodes(ids: " + "[" * n + "]" * n + ") { id } }",
    "objects in each other": lambda n: (
        "mutation { createPost(input: " + "{text: " * n + "1" + "}" * n + ") { replayed } }"
    ),
    "lists beside each other": lambda n: "{ nodes(ids: [" + '"x", ' * n + "]) { id } }",
    "one long comment": lambda n: "{ __typename } # " + "x" * (n * 200),
    "comments": lambda n: "# x\n" * n * 10 + "{ __typename }",
    "blanks": lambda n: " , \n" * n * 100 + "{ __typename }",
    "one long text": lambda n: '{ node(id: "' + "x" * (n * 200) + '") { id } }',
    "one long block of text": lambda n: '{ node(id: """' + "\n x" * (n * 50) + '""") { id } }',
    "escapes": lambda n: '{ node(id: "' + "\\u00e9" * (n * 20) + '") { id } }',
    "aliases": lambda n: "{ " + many("a{n}: __typename", n) + " }",
    "repeated fields": lambda n: "{ viewer { user { " + "name " * n + "} } }",
    "directives": lambda n: "{ __typename " + "@skip(if: false) " * n + "}",
    "directives here and there": lambda n: "{ " + many("a{n}: __typename @skip(if: false)", n) + " }",
    "variables": lambda n: "query(" + many("$v{n}: Int", n) + ") { __typename }",
    "variables in use": lambda n: (
        "query(" + many("$v{n}: ID!", n) + ") { nodes(ids: [" + many("$v{n}", n) + "]) { id } }"
    ),
    "variables in use by fragments": lambda n: (
        "query("
        + many("$v{n}: Boolean!", n)
        + ") { viewer { user { ...F0 } } } "
        + fragments(n, "id @skip(if: $v{n}) ...F{next}")
        + f" fragment F{n} on User {{ id }}"
    ),
    "operations": lambda n: (
        many("query Q{n} {{ viewer {{ user {{ ...F0 ...F1 }} }} }}", n)
        + " fragment F0 on User { id ...F1 } fragment F1 on User { name }"
    ),
    "names that are nobody's": lambda n: "{ viewer { " + many("usr{n} feeed{n}", n) + " } }",
    "types that are nobody's": lambda n: "{ viewer { " + many("... on Viewr{n} {{ id }}", n) + " } }",
    "arguments that are nobody's": lambda n: (
        "{ viewer { feed(" + many("frst{n}: 1", n) + ") { edges { cursor } } } }"
    ),
    "values that are nobody's": lambda n: (
        "{ viewer { " + many("a{n}: feed(sort: LATST{n}) {{ edges {{ cursor }} }}", n) + " } }"
    ),
    "the schema again and again": lambda n: (
        "{ " + many("a{n}: __schema {{ types {{ fields {{ args {{ type {{ name }} }} }} }} }}", n) + " }"
    ),
    "types of types": lambda n: (
        "{ __schema { types { ...T0 } } } "
        + " ".join(
            f"fragment T{at} on __Type {{ a: ofType {{ ...T{at + 1} }} b: ofType {{ ...T{at + 1} }} }}"
            for at in range(n)
        )
        + f" fragment T{n} on __Type {{ name }}"
    ),
    "nodes of every type": lambda n: (
        "{ "
        + many('n{n}: node(id: "x") {{ id ... on User {{ name posts {{ edges {{ cursor }} }} }} }}', n)
        + " }"
    ),
    "no document at all": lambda n: "{" * n * 20,
    "names": lambda n: "query " + "x" * n * 200 + " { __typename }",
    "numbers": lambda n: "{ viewer { feed(first: " + "1" * n * 50 + ") { edges { cursor } } } }",
}


class Reader:
    """Reads and weighs documents as they are read before anything runs, each for the first time."""

    def __init__(self, services: Services, schema: Schema) -> None:
        self._services, self._schema = services, schema

    def __call__(self, query: str) -> None:
        gate = OperationLimits(self._schema, Settings(), self._services.limits)
        with contextlib.suppress(QueryTooComplex, BadUserInput):
            gate._readings.price(query)
            gate.weigh(query, {}, None, Context(self._services))


def steps(work: Callable[[], Any]) -> int:
    """Calls of functions, which are the same on every machine."""
    count = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.fixture(scope="module")
def schema() -> Schema:
    return lifespan.make_schema(Settings())


@pytest.mark.parametrize("shape", SHAPES)
async def test_twice_the_document_takes_no_more_than_twice_the_work(
    services: Services, schema: Schema, shape: str
) -> None:
    read = Reader(services, schema)
    read("{ __typename }")
    sizes = [SMALLEST * 2**doubling for doubling in range(DOUBLINGS)]
    documents = [SHAPES[shape](size) for size in sizes]
    found = [steps(lambda query=query: read(query)) for query in documents]
    for before, after in itertools.pairwise(found):
        assert after <= max(STEPS_MORE * before, 2_000), (shape, found)
    started = time.thread_time()
    read(documents[-1])
    assert time.thread_time() - started < MOST_SECONDS, shape


@pytest.mark.parametrize("depth", [26, 90])
async def test_fragments_as_a_tree_are_weighed_once_each(anonymous: Phone, depth: int) -> None:
    """At depth 26 a process was busy for minutes, and heard no SIGTERM."""
    query = SHAPES["a ladder of fragments that each spread the next twice"](depth)
    started = time.thread_time()
    answer = await anonymous.ask(query)
    assert answer.body == {"data": {"viewer": None}}
    assert time.thread_time() - started < MOST_SECONDS
    refused = await anonymous.ask(SHAPES["a ladder of fragments under two fields each"](4))
    assert (refused.code, refused.errors[0]["extensions"]["limit"]) == ("QUERY_TOO_COMPLEX", "cost")


async def test_mutations_in_a_tree_of_fragments_are_looked_through_once(
    services: Services, configured: Configured
) -> None:
    """Looking for the receipts of a flush walked the tree: at depth 17 a process was deaf for 80 seconds."""
    depth = 16
    tree = " ".join(f"fragment F{at} on Mutation {{ ...F{at + 1} ...F{at + 1} }}" for at in range(depth))
    made = "createPost(input: $input) { post { text } errors { code } }"
    query = (
        f"mutation($input: CreatePostInput!) {{ ...F0 }} {tree} fragment F{depth} on Mutation {{ {made} }}"
    )
    # Documents that are seen for the first time run on the reference.
    async with configured(executor="reference") as phone:
        await sign_in_directly(services, phone, await make_user(services, "Ada"))
        started = time.thread_time()
        done = await phone.run(query, input={"idempotencyKey": key(), "text": "Hi"})
        assert time.thread_time() - started < MOST_SECONDS
    assert done == {"createPost": {"post": {"text": "Hi"}, "errors": []}}


@pytest.mark.parametrize(
    ("shape", "size", "limit"),
    [
        ("fragments in a row", 101, "fragments"),
        ("one fragment spread often", 301, "spreads"),
        ("similar fragments", 90, "comparisons"),
        ("one long comment", 4_000, "characters"),
        ("comments", 101, "comments"),
        ("the schema again and again", 60, "cost"),
        ("nodes of every type", 61, "root fields"),
    ],
)
async def test_each_of_these_has_a_limit_of_its_own(
    anonymous: Phone, shape: str, size: int, limit: str
) -> None:
    answer = await anonymous.ask(SHAPES[shape](size))
    assert (answer.code, answer.errors[0]["extensions"]["limit"]) == ("QUERY_TOO_COMPLEX", limit), answer.body
    assert "data" not in answer.body
