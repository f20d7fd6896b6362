"""Requests that are wrong, each in its own way: told so with the right code, and never a 500."""

import base64
import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from typeid import TypeID

from core import clock, ids
from core.context import Services
from tests.conftest import NewPhone
from tests.phone import Answer, Phone, key

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
POST = "query($id: ID!) { post(id: $id) { id } }"
GOOD_ID = ids.new_id("post")


async def send(phone: Phone, method: str = "POST", body: Any = None, **headers: str) -> Answer:
    """A request with exactly these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = BytesIO(body) if body is not None else None
    async with phone.http.request(
        method, phone.url, data=sent, headers=named, skip_auto_headers=["Content-Type"]
    ) as response:
        raw = await response.read()
        assert response.headers["X-Request-Id"]
        return Answer(response.status, response.headers, json.loads(raw) if raw else None)


def assert_refused(answer: Answer, status: int, message: str | None = None) -> None:
    """One error about the request, no data, in JSON."""
    assert answer.status == status
    assert set(answer.body) == {"errors"}
    [error] = answer.body["errors"]
    too_large = {"code": "QUERY_TOO_COMPLEX", "limit": "bytes", "allowed": 1_000_000}
    assert error["extensions"] == (too_large if status == 413 else {"code": "BAD_USER_INPUT"})
    if message is not None:
        assert error["message"] == message


def ahead(hours: float) -> str:
    """An id minted so many hours ahead of the clock."""
    milliseconds = int((clock.timestamp() + hours * 3600) * 1000)
    whole = milliseconds.to_bytes(6, "big") + bytes([0x70, 1, 0x80, 2, 3, 4, 5, 6, 7, 8])
    import uuid

    return str(TypeID.from_uuid(uuid.UUID(bytes=whole), prefix="post"))


MALFORMED = {
    "empty": "",
    "a number": "42",
    "a prefix alone": "post_",
    "no prefix": GOOD_ID.removeprefix("post_"),
    "too short": GOOD_ID[:-1],
    "too long": f"{GOOD_ID}0",
    "other letters": f"post_{'u' * 26}",
    "capitals": GOOD_ID.upper(),
    "too large": f"post_{'8' + 'z' * 25}",
    "blanks": f" {GOOD_ID}",
    "a null byte": f"{GOOD_ID[:-1]}\0",
    "another script": "post_" + "é" * 26,
    "very long": "post_" + "a" * 100_000,
    "a query": '{"$ne": null}',
}


@pytest.mark.parametrize("id", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("field", ["post", "user", "node"])
async def test_malformed_ids(anonymous: Phone, field: str, id: str) -> None:
    answer = await anonymous.ask(f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=id)
    assert answer.status == 200
    [error] = answer.errors
    assert (error["path"], error["extensions"]) == ([field], {"code": "BAD_USER_INPUT"})
    assert error["message"].endswith(" is not an id.")
    assert len(error["message"]) < 200


@pytest.mark.parametrize(("field", "prefix"), [("post", "user"), ("user", "post"), ("post", "comment")])
async def test_ids_of_something_else(anonymous: Phone, field: str, prefix: str) -> None:
    id = ids.new_id(prefix)
    answer = await anonymous.ask(f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=id)
    [error] = answer.errors
    assert error["message"] == f"'{id}' is not the id of a {field}."
    assert (error["path"], error["extensions"]) == ([field], {"code": "BAD_USER_INPUT"})


async def test_an_unknown_kind_of_thing_is_no_node(anonymous: Phone) -> None:
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert await anonymous.run(query, id=ids.new_id("unicorn")) == {"node": None}


async def test_one_bad_id_among_many(anonymous: Phone) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await anonymous.run(query, ids=[GOOD_ID, *MALFORMED.values()]) == {
        "nodes": [None] * (1 + len(MALFORMED))
    }
    many = await anonymous.ask(query, ids=[GOOD_ID] * 101)
    assert many.errors[0]["message"] == "At most 100 ids."
    assert await anonymous.run(query, ids=[GOOD_ID] * 100) == {"nodes": [None] * 100}


CREATE = "mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code } } }"


@pytest.mark.parametrize("what", [*MALFORMED, "of another type"])
async def test_malformed_minted_ids(new_phone: NewPhone, services: Services, what: str) -> None:
    id = MALFORMED[what] if what in MALFORMED else ids.new_id("comment")
    ada = await new_phone("Ada")
    answer = await ada.ask(CREATE, input={"idempotencyKey": key(), "id": id, "text": "Hello"})
    assert answer.body["data"] == {"createPost": None}
    assert (answer.code, answer.errors[0]["path"]) == ("BAD_USER_INPUT", ["createPost"])
    assert await services.db.find("posts", {"author_id": ada.user_id}) == []


async def test_ids_from_the_future(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    late = ahead(24.1)
    answer = await ada.ask(CREATE, input={"idempotencyKey": key(), "id": late, "text": "Hello"})
    [error] = answer.errors
    assert error["message"] == f"'{late}' was made more than 24 hours ahead of the server's clock."
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert await services.db.find("posts", {"author_id": ada.user_id}) == []
    fine = ahead(23.9)
    done = await ada.run(CREATE, input={"idempotencyKey": key(), "id": fine, "text": "Hello"})
    assert done["createPost"] == {"post": {"id": fine}, "errors": []}


@pytest.mark.parametrize("once", ["", "k" * 129])
async def test_bad_idempotency_keys(new_phone: NewPhone, once: str) -> None:
    answer = await (await new_phone()).ask(CREATE, input={"idempotencyKey": once, "text": "Hello"})
    [error] = answer.errors
    assert error["message"] == "idempotencyKey must have 1 to 128 characters."
    assert (error["path"], error["extensions"]) == (["createPost"], {"code": "BAD_USER_INPUT"})


FEED = """query($first: Int, $after: String, $last: Int, $before: String) {
  viewer { feed(first: $first, after: $after, last: $last, before: $before) { edges { cursor } } } }"""
RANGE = "must be between 1 and 50."


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"first": 0}, f"`first` {RANGE}"),
        ({"first": -1}, f"`first` {RANGE}"),
        ({"first": 101}, f"`first` {RANGE}"),
        ({"first": 1000}, f"`first` {RANGE}"),
        ({"last": 0}, f"`last` {RANGE}"),
        ({"last": -5}, f"`last` {RANGE}"),
        ({"last": 101}, f"`last` {RANGE}"),
        ({"first": 1, "last": 1}, "Give first/after or last/before, not both."),
        ({"last": 1, "after": "x"}, "Give first/after or last/before, not both."),
        ({"before": "x"}, "`before` goes with `last`."),
        ({"first": 1, "before": "x"}, "`before` goes with `last`."),
        ({"after": "x"}, "The cursor is malformed."),
        ({"after": "%%%"}, "The cursor is malformed."),
        ({"after": "é"}, "The cursor is malformed."),
        ({"after": "\0"}, "The cursor is malformed."),
        ({"last": 1, "before": "nonsense"}, "The cursor is malformed."),
        ({"after": cursor()}, "The cursor is malformed."),
        ({"after": base64.b64encode(b"{}").decode()}, "The cursor is malformed."),
        ({"after": base64.b64encode(b"1").decode()}, "The cursor is malformed."),
        ({"after": base64.b64encode(b"[" * 5000).decode()}, "The cursor is malformed."),
        ({"after": cursor("other", 1)}, "The cursor belongs to another list or filter."),
    ],
)
async def test_bad_pages(new_phone: NewPhone, page: dict[str, Any], message: str) -> None:
    answer = await (await new_phone()).ask(FEED, **page)
    assert answer.status == 200
    [error] = answer.errors
    assert error["message"] == message
    assert (error["path"], error["extensions"]) == (["viewer", "feed"], {"code": "BAD_USER_INPUT"})


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1],
        [1, 2, 3],
        [{"t": "noon"}, "x"],
        [{"t": 1e300}, "x"],
        [{"t": 1e20}, "x"],
        [{"t": -1e20}, "x"],
        [{"t": None}, "x"],
        [{"$gt": ""}, "x"],
        [{}, "x"],
        [[1], "x"],
        [2**63, "x"],
        [2**64 - 1, "x"],
        [None, ["$gt"]],
    ],
)
async def test_forged_cursors(new_phone: NewPhone, values: list[Any]) -> None:
    """Of the right list, with places that cannot be."""
    ada = await new_phone("Ada")
    await ada.do("createPost", "post { id }", text="Hello", visibility="PUBLIC")
    good = (await ada.run(FEED, first=1))["viewer"]["feed"]["edges"][0]["cursor"]
    listing = json.loads(base64.urlsafe_b64decode(good + "=="))[0]
    for page in (
        {"first": 5, "after": cursor(listing, *values)},
        {"last": 5, "before": cursor(listing, *values)},
    ):
        answer = await ada.ask(FEED, **page)
        [error] = answer.errors
        assert error["message"] == "The cursor is malformed."
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}


REQUESTS: dict[str, tuple[Any, int, str | None]] = {
    "nothing": (b"", 400, None),
    "invalid JSON": (b"{", 400, None),
    "a string": (b'"{ __typename }"', 400, None),
    "a number": (b"1", 400, None),
    "null": (b"null", 400, None),
    "a list of numbers": (b"[1]", 400, None),
    "no query": (b"{}", 400, None),
    "a query that is null": (b'{"query": null}', 400, None),
    "a query that is empty": (b'{"query": ""}', 400, None),
    "a query that is a number": (b'{"query": 1}', 400, None),
    "a query that is an object": (b'{"query": {}}', 400, None),
    "variables that are a list": (b'{"query": "{ __typename }", "variables": [1]}', 400, None),
    "variables that are a string": (b'{"query": "{ __typename }", "variables": "x"}', 400, None),
    "an operation name that is a number": (b'{"query": "{ __typename }", "operationName": 1}', 400, None),
    "extensions that are a string": (b'{"query": "{ __typename }", "extensions": "x"}', 400, None),
    "invalid UTF-8": (b'{"query": "{ \xff }"}', 400, None),
    "a lone surrogate": (b'{"query": "{ \\ud800 }"}', 400, None),
    "a null byte": (b'{"query": "{ __typename }"}\0', 400, None),
    "depth": (b'{"query": ' + b"[" * 100_000, 400, None),
    "ten megabytes": (b'{"query": "' + b" " * 10_000_000, 413, "A request has at most 1,000,000 bytes."),
    "ten megabytes of a document": (
        b'{"query": "{ __typename }' + b" " * 10_000_000 + b'"}',
        413,
        "A request has at most 1,000,000 bytes.",
    ),
}


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize(("body", "status", "message"), REQUESTS.values(), ids=REQUESTS)
async def test_bad_bodies(
    anonymous: Phone, body: bytes, status: int, message: str | None, accept: str
) -> None:
    answer = await send(anonymous, body=body, Content_Type=JSON, Accept=accept)
    assert_refused(answer, status, message)
    assert answer.headers["Content-Type"] == f"{accept}; charset=utf-8"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/xml",
        "text/plain; application/json",
        "application/json; charset=utf-16",
        "nonsense",
        None,
    ],
)
async def test_other_content_types_are_refused_before_anything_runs(
    new_phone: NewPhone, services: Services, content_type: str | None
) -> None:
    """A page elsewhere may send forms and plain text with a person's cookies or network, but not JSON."""
    ada = await new_phone("Ada")
    body = json.dumps({"query": CREATE, "variables": {"input": {"idempotencyKey": key(), "text": "Hi"}}})
    headers = {
        "Authorization": f"Bearer {ada.token}",
        **({"Content_Type": content_type} if content_type else {}),
    }
    answer = await send(ada, body=body.encode(), **headers)
    assert_refused(answer, 415)
    assert await services.db.find("posts", {"author_id": ada.user_id}) == []


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8"])
async def test_utf_8_may_be_named(anonymous: Phone, charset: str) -> None:
    answer = await send(
        anonymous, body=b'{"query": "{ __typename }"}', Content_Type=f"application/json; charset={charset}"
    )
    assert (answer.status, answer.body) == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("accept", ["text/csv", "image/*", "application/json;q=0", "nonsense"])
async def test_answers_we_do_not_have(anonymous: Phone, accept: str) -> None:
    answer = await send(anonymous, body=b'{"query": "{ __typename }"}', Content_Type=JSON, Accept=accept)
    message = "Accept application/graphql-response+json or application/json."
    assert_refused(answer, 406, message)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods(anonymous: Phone, method: str) -> None:
    answer = await send(anonymous, method, b'{"query": "{ __typename }"}', Content_Type=JSON)
    assert_refused(answer, 405, "GraphQL is served by GET and POST.")
    assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_a_get_never_writes(new_phone: NewPhone, services: Services, accept: str) -> None:
    ada = await new_phone("Ada")
    variables = json.dumps({"input": {"idempotencyKey": key(), "text": "Hello"}})
    headers = {"Authorization": f"Bearer {ada.token}", "Accept": accept}
    for query in (CREATE, f"query A {{ __typename }} {CREATE.replace('mutation', 'mutation B')}"):
        given = {"query": query, "variables": variables, "operationName": "B"}
        sent = given if "B" in query else {name: given[name] for name in ("query", "variables")}
        async with ada.http.get(ada.url, params=sent, headers=headers) as response:
            assert response.status == 405
            assert (await response.json(content_type=None)).keys() == {"errors"}
    assert await services.db.find("posts", {"author_id": ada.user_id}) == []


async def test_a_get_without_a_query(anonymous: Phone) -> None:
    for parameters in ({}, {"query": ""}, {"query": "{ __typename }", "variables": "{"}):
        assert_refused(await anonymous.get(**parameters), 400)
    assert (await anonymous.get(query="{ __typename }")).data == {"__typename": "Query"}


async def test_a_moved_clock_moves_the_limit_of_minted_ids(new_phone: NewPhone) -> None:
    ada, late = await new_phone("Ada"), ahead(25)
    clock.shift(timedelta(hours=2))
    ada.token = (await new_phone(user_id=ada.user_id)).token
    done = await ada.run(CREATE, input={"idempotencyKey": key(), "id": late, "text": "Hello"})
    assert done["createPost"]["errors"] == []


async def test_a_broken_connection_is_nobody_s_fault(anonymous: Phone) -> None:
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        await anonymous.http.post(
            anonymous.url,
            data=b'{"query": "{',
            headers={"Content-Type": JSON, "Content-Length": "5000"},
            timeout=aiohttp.ClientTimeout(total=0.3),
        )
    assert (await anonymous.ask("{ __typename }")).data == {"__typename": "Query"}
