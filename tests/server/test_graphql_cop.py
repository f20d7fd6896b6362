"""The checks of graphql-cop, each named after it, against a Landfall in production.

Two of what it warns of are on purpose, and bounded: batches of at most twenty operations, each weighed and
charged, and queries by GET, which nobody but the caller can sign.
"""

import json
from typing import Any

import aiohttp
import pytest

from core.context import Services
from tests.conftest import NewPhone
from tests.phone import Answer, Phone, key

JSON = "application/json"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CREATE = "mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code } } }"


@pytest.fixture
def target(http: aiohttp.ClientSession, production: str) -> Phone:
    return Phone(http, f"{production}/graphql")


def refused_alone(answer: Answer, limit: str) -> None:
    """One error however often it was asked for, and no data."""
    assert set(answer.body) == {"errors"}
    [error] = answer.errors
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("QUERY_TOO_COMPLEX", limit)


async def test_dos_alias_overloading(target: Phone) -> None:
    aliases = " ".join(f"alias{n}: __typename" for n in range(101))
    refused_alone(await target.ask(f"query cop {{ {aliases} }}"), "aliases")


async def test_dos_field_duplication(target: Phone) -> None:
    refused_alone(await target.ask("query cop { " + "__typename " * 500 + "}"), "repeated fields")
    repeated = "query cop { viewer { " + "user { name } " * 500 + "} }"
    refused_alone(await target.ask(repeated), "repeated fields")
    hidden = "query cop { viewer { " + "... { user { name } } " * 500 + "} }"
    refused_alone(await target.ask(hidden), "repeated fields")


async def test_dos_directive_overloading(target: Phone) -> None:
    for place in (
        "query cop {{ __typename {} }}",
        "query cop {} {{ __typename }}",
        "query cop {{ ... {} {{ __typename }} }}",
        "query cop {{ ...f {} }} fragment f on Query {{ __typename }}",
        "query cop {{ ...f }} fragment f on Query {} {{ __typename }}",
        "query cop($a: Int {}) {{ __typename @skip(if: $a) }}",
    ):
        refused_alone(await target.ask(place.format("@aa" * 10)), "repeated directives")


async def test_dos_batch(target: Phone) -> None:
    operation = {"query": "query cop { __typename }"}
    whole = await target.post([operation] * 20)
    assert whole.body == [{"data": {"__typename": "Query"}}] * 20
    answer = await target.post([operation] * 21)
    assert answer.status == 400
    refused_alone(answer, "operations")


async def test_dos_circular_introspection(target: Phone, anonymous: Phone) -> None:
    query = "query cop { __schema { types { " + "fields { type { " * 6 + "name" + " } }" * 6 + " } } }"
    assert (await target.ask(query)).code == "FORBIDDEN"
    # In development too, where introspection is on.
    answer = await anonymous.ask(query)
    assert (answer.code, "data" in answer.body) == ("BAD_USER_INPUT", False)


async def test_info_introspection(target: Phone) -> None:
    for query in (
        "query cop { __schema { types { name } } }",
        'query cop { __type(name: "User") { fields { name } } }',
        "query cop { ...on Query { __schema { types { name } } } }",
        "query cop { ...f } fragment f on Query { s: __schema { types { name } } }",
    ):
        for accept in (JSON, "text/event-stream"):
            answer = await target.post({"query": query}, Accept=accept)
            assert "Introspection is off here." in str(answer.body)
            assert "FORBIDDEN" in str(answer.body)
            assert "User" not in str(answer.body)


async def test_info_field_suggest(target: Phone) -> None:
    for query, variables in (
        ("query cop { vieer { user { id } } }", {}),
        ("query cop { viewer { usr { id } } }", {}),
        ('query cop { post(idd: "x") { id } }', {}),
        ("query cop { viewer { feed(sort: LATST) { edges { cursor } } } }", {}),
        ("query cop { viewer { ...on Vewer { user { id } } } }", {}),
        ("query cop($a: Strin) { __typename }", {}),
        ("query cop { __typename @skp(if: true) }", {}),
        ("query cop($m: FeedSort) { viewer { feed(sort: $m) { edges { cursor } } } }", {"m": "LATST"}),
        (CREATE, {"input": {"idempotencyKeyd": "x"}}),
        (CREATE, {"input": {"idempotencyKey": "x", "visibility": "PUBLC"}}),
        ('mutation { createPost(input: {idempotencyKeyd: "x"}) { replayed } }', {}),
        ('mutation { createPost(input: {idempotencyKey: "x", visibility: PUBLC}) { replayed } }', {}),
    ):
        answer = await target.ask(query, **variables)
        assert answer.code == "BAD_USER_INPUT", query
        assert "Did you mean" not in str(answer.body)


async def test_info_get_method_support(target: Phone) -> None:
    """A page elsewhere may make a browser ask, but not as anybody, and cannot read the answer."""
    async with target.http.get(
        target.url,
        params={"query": "query cop { viewer { user { id } } }"},
        headers={"Origin": "https://evil.example", "Cookie": "session=x; Authorization=Bearer x"},
    ) as response:
        body = await response.json()
        assert body == {"data": {"viewer": None}}
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Set-Cookie" not in response.headers


async def test_info_get_based_mutation(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    document = (
        f'mutation cop {{ createPost(input: {{idempotencyKey: "{key()}", text: "x"}}) {{ replayed }} }}'
    )
    for accept in (JSON, "text/event-stream"):
        headers = {"Authorization": f"Bearer {ada.token}", "Accept": accept}
        async with ada.http.get(ada.url, params={"query": document}, headers=headers) as response:
            assert "Mutations are not sent by GET." in await response.text()
            assert response.status == (405 if accept == JSON else 200)
    assert await services.db.find("posts", {"author_id": ada.user_id}) == []


FORMS = {
    "application/x-www-form-urlencoded": "query=mutation+cop+%7B+__typename+%7D",
    "text/plain": json.dumps({"query": "mutation cop { __typename }"}),
    "multipart/form-data; boundary=x": (
        '--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n'
        '{"query": "mutation cop { __typename }"}\r\n'
        '--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--x--\r\n'
    ),
}


@pytest.mark.parametrize("form", FORMS)
async def test_info_post_based_csrf(target: Phone, form: str) -> None:
    """Simple requests, which a form of any page can send without a CORS preflight, are refused."""
    for accept in (JSON, "text/event-stream", "*/*"):
        answer = await target.post(FORMS[form], **{"Content-Type": form, "Accept": accept})
        assert (answer.status, answer.code) == (415, "BAD_USER_INPUT")
        assert "data" not in answer.body


async def test_info_trace_mode(target: Phone) -> None:
    body: dict[str, Any] = {"query": "query cop { __typename }", "extensions": {"tracing": True}}
    answer = await target.post(body, **{"X-Apollo-Tracing": "1", "Apollo-Tracing": "1"})
    assert answer.body == {"data": {"__typename": "Query"}}
    async with target.http.request("TRACE", target.url) as response:
        assert response.status == 405


async def test_info_graphiql(target: Phone, production: str) -> None:
    for path in ("/", "/graphql", "/graphiql", "/playground", "/console", "/app", "/dev/outbox"):
        async with target.http.get(production + path, headers=BROWSER) as response:
            text = (await response.text()).lower()
            assert response.status in (400, 404), path
            assert not any(word in text for word in ("graphiql", "playground", "<script", "landfall-demo"))
    async with target.http.get(f"{production}/assets/graphiql/favicon.svg") as response:
        assert response.status == 404


async def test_graphiql_may_be_shown_in_production(configured: Any) -> None:
    async with (
        configured(env="production", graphiql="on") as phone,
        phone.http.get(phone.url, headers=BROWSER) as response,
    ):
        assert "graphiql" in (await response.text()).lower()


LEAKS = (
    "Traceback",
    'File "',
    "exception",
    "stack",
    "pymongo",
    "redis",
    "strawberry",
    "graphql-core",
    "/site-",
)


@pytest.mark.parametrize(
    "body",
    [
        '{"query": "qwerty cop { abc }"}',
        '{"query": "query cop { post(id: \\"x\\") { id } }"}',
        '{"query": "query cop { post(id: {}) { id } }"}',
        '{"query": "subscription cop { postEvents(postId: \\"x\\") { __typename } }"}',
        '{"query": "query cop { post(id: \\"x\\") { id } }", "variables": {"$where": "1"}}',
        '{"query": "query cop { __typename }", "operationName": "other"}',
        '{"query": "' + "{" * 900 + '"}',
        '[{"query": 5}]',
        '[{"query": "{ __typename }", "variables": 5}]',
        '[{"query": "{ __typename }", "extensions": [1]}]',
        '{"query": "{ __typename }", "extensions": {"persistedQuery": 1}}',
        '{"extensions": {"persistedQuery": {"version": {}, "sha256Hash": {}}}}',
        "{",
        "null",
    ],
)
async def test_info_unhandled_error(target: Phone, body: str) -> None:
    answer = await target.post(body)
    assert answer.status < 500
    assert answer.errors
    assert all(error["extensions"]["code"] not in ("INTERNAL", None) for error in answer.errors)
    assert not any(word in str(answer.body) for word in LEAKS)
