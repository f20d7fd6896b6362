"""Documents that are wrong: refused without data, and never a 500."""

import json
from typing import Any

import pytest

from core import ids
from tests.conftest import NewPhone
from tests.phone import Phone

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
POST = "query($id: ID!) { post(id: $id) { id } }"
CREATE = "mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code } } }"
GOOD_ID = ids.new_id("post")

DOCUMENTS = {
    "a syntax error": ("{", None),
    "an unknown field": ("{ nonsense }", None),
    "no selection": ("{ viewer }", None),
    "an unknown argument": ('{ post(id: "x", size: 1) { id } }', None),
    "an unknown enum value": ("{ viewer { feed(sort: BEST) { edges { cursor } } } }", None),
    "an enum value of another case": ("{ viewer { feed(sort: latest) { edges { cursor } } } }", None),
    "a number for an enum": ("{ viewer { feed(sort: 1) { edges { cursor } } } }", None),
    "a page that is no number": ('{ viewer { feed(first: "ten") { edges { cursor } } } }', None),
    "a page too large for 32 bits": ("{ viewer { feed(first: 99999999999) { edges { cursor } } } }", None),
    "an undeclared variable": ("query { post(id: $id) { id } }", None),
    "a missing variable": (POST, {}),
    "a variable that is null": (POST, {"id": None}),
    "a variable of another type": (POST, {"id": {"$gt": ""}}),
    "a list for one": (POST, {"id": [GOOD_ID]}),
    "an unknown enum value in a variable": (
        "query($sort: FeedSort) { viewer { feed(sort: $sort) { edges { cursor } } } }",
        {"sort": "BEST"},
    ),
    "an unknown input field": (CREATE, {"input": {"idempotencyKey": "x", "admin": True}}),
    "a circle of fragments": ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", None),
    "a null byte": ("{ __type\0name }", None),
    "an unknown operation": ("query A { __typename } query B { __typename }", None),
    "a lone surrogate": ('{ post(id: "\\uD800") { id } }', None),
}


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize(("query", "variables"), DOCUMENTS.values(), ids=DOCUMENTS)
async def test_documents_that_cannot_run_have_no_data(
    new_phone: NewPhone, query: str, variables: dict[str, Any] | None, accept: str
) -> None:
    ada = await new_phone("Ada")
    body = {"query": query, "variables": variables}
    answer = await ada.post(body, Accept=accept)
    assert answer.status == (400 if accept == RESPONSE else 200)
    assert "data" not in answer.body
    assert {error["extensions"]["code"] for error in answer.errors} == {"BAD_USER_INPUT"}
    assert answer.headers["Content-Type"] == f"{accept}; charset=utf-8"


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_an_error_of_a_field_is_an_answer(anonymous: Phone, accept: str) -> None:
    answer = await anonymous.post({"query": POST, "variables": {"id": "no id"}}, Accept=accept)
    assert (answer.status, answer.code) == (200, "BAD_USER_INPUT")
    assert answer.body["data"] == {"post": None}


NESTED = "{" * 3_000
DEEP = [
    "query { " + "viewer { user { posts { edges { node { author { " * 200,
    "{ a" + "(b: " + "[" * 50_000,
    "{ a" + "(b: " + "{c: " * 20_000,
    NESTED,
    "query($a: " + "[" * 20_000,
    "{ " + "...on Query { " * 5_000,
    '{ a(b: "' + "\\" * 100_001 + '") }',
    '{ a(b: """' + '"' * 100_000,
    "{ " + "__typename " * 8_000 + "}",
    "{ " + "a: __typename " * 8_000 + "}",
    "{ __typename " + "@skip(if: false) " * 8_000 + "}",
    "\ufeff{ __typename",
    "{ __typename }" * 100,
    "fragment a on Query { __typename } " * 2_000 + "{ ...a }",
]


@pytest.mark.parametrize("document", DEEP, ids=range(len(DEEP)))
async def test_deep_nonsense_is_never_our_fault(anonymous: Phone, document: str) -> None:
    answer = await anonymous.post({"query": document}, Accept=RESPONSE)
    codes = {error["extensions"]["code"] for error in answer.errors}
    assert answer.status < 500
    assert "INTERNAL" not in codes


async def test_deep_variables_are_never_our_fault(anonymous: Phone) -> None:
    for value in ("[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900):
        body = f'{{"query": {json.dumps(POST)}, "variables": {{"id": {value}}}}}'
        answer = await anonymous.post(body)
        assert (answer.status, answer.code) == (200, "BAD_USER_INPUT")


async def test_wild_requests_are_never_our_fault(anonymous: Phone) -> None:
    """A socket that is none, headers that make no sense."""
    for headers in (
        {"Upgrade": "websocket"},
        {"Authorization": "\xff\xfe"},
        {"X-Request-Id": "a" * 5000},
        {"Accept": "," * 4000},
        {"Accept": f"{JSON};q=nan"},
    ):
        async with anonymous.http.post(
            anonymous.url, json={"query": "{ __typename }"}, headers=headers
        ) as got:
            assert got.status < 500
