"""Messages of refusals and errors in the language that a client asks for, on all transports."""

import json
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type

from core.context import Services
from core.settings import Settings
from server.lifespan import make_schema
from tests.conftest import NewPhone
from tests.phone import SUBPROTOCOL, Phone, key

CREATE = """mutation($input: CreatePostInput!) {
  createPost(input: $input) { replayed errors { kind code message limit } } }"""
ENGLISH, GERMAN = "At most 5,000 characters.", "Höchstens 5.000 Zeichen."
TOO_LONG = {"kind": "INVALID", "code": "TOO_LONG", "limit": 5_000}


def too_long(once: str = "") -> dict[str, Any]:
    input = {"idempotencyKey": once or key(), "text": "a" * 5_001}
    return {"query": CREATE, "variables": {"input": input}}


async def refused(phone: Phone, body: dict[str, Any], accepted: str | None) -> dict[str, Any]:
    headers = {} if accepted is None else {"Accept-Language": accepted}
    payload: dict[str, Any] = (await phone.post(body, **headers)).data["createPost"]
    return payload


@pytest.mark.parametrize(
    ("accepted", "message"),
    [
        (None, ENGLISH),
        ("de-CH, en;q=0.8", GERMAN),
        ("fr", ENGLISH),
        ("de;q=0.1, en", ENGLISH),
        ("de" + ";" * 8_000, ENGLISH),
    ],
)
async def test_a_refusal_is_in_the_language_asked_for(
    new_phone: NewPhone, accepted: str | None, message: str
) -> None:
    payload = await refused(await new_phone("Ada"), too_long(), accepted)
    assert payload["errors"] == [{**TOO_LONG, "message": message}]


async def test_a_replay_is_in_the_language_of_the_retry(new_phone: NewPhone, services: Services) -> None:
    ada, body = await new_phone("Ada"), too_long("once")
    assert (await refused(ada, body, "en"))["errors"] == [{**TOO_LONG, "message": ENGLISH}]
    for accepted, message in (("de", GERMAN), ("en", ENGLISH)):
        payload = await refused(ada, body, accepted)
        assert (payload["replayed"], payload["errors"]) == (True, [{**TOO_LONG, "message": message}])
    [receipt] = await services.db.find("receipts", {"_id": f"{ada.user_id}:once"})
    assert receipt["payload"]["errors"][0]["message"] == "At most {limit} characters."


async def test_a_receipt_of_an_earlier_version_is_shown_as_it_is(
    new_phone: NewPhone, services: Services
) -> None:
    """It holds the finished text, and no number."""
    ada, body = await new_phone("Ada"), too_long("earlier")
    await refused(ada, body, "de")
    stored = {"code": "TOO_LONG", "message": "At most {5,000} words.", "field": ["text"]}
    earlier = {"payload.errors": [{**stored, "retryable": False, "retry_after_seconds": None}]}
    update = {"q": {"_id": f"{ada.user_id}:earlier"}, "u": {"$set": earlier}}
    await services.db.write({"update": "receipts", "updates": [update]})
    payload = await refused(ada, body, "de")
    assert payload["errors"] == [{**TOO_LONG, "limit": None, "message": "At most {5,000} words."}]


@pytest.mark.parametrize(
    ("headers", "init"),
    [({"Accept-Language": "de"}, {}), ({"Accept-Language": "en"}, {"acceptLanguage": "de"})],
)
async def test_a_socket_keeps_its_language(
    new_phone: NewPhone, headers: dict[str, str], init: dict[str, str]
) -> None:
    ada = await new_phone("Ada")
    async with ada.http.ws_connect(ada.url, protocols=[SUBPROTOCOL], headers=headers) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"accessToken": ada.token, **init}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": too_long()})
        told = await socket.receive_json()
        assert told["payload"]["data"]["createPost"]["errors"] == [{**TOO_LONG, "message": GERMAN}]
        await socket.receive_json()
        query = {
            "query": 'subscription { postEvents(postId: "post_01h455vb4pex5vsknk084sn02q") { __typename } }'
        }
        await socket.send_json({"id": "2", "type": "subscribe", "payload": query})
        told = await socket.receive_json()
        [error] = told["payload"]["errors"] if told["type"] == "next" else told["payload"]
        assert (error["message"], error["extensions"]["code"]) == (
            "Das gibt es nicht, oder es ist für Sie nicht sichtbar.",
            "NOT_FOUND",
        )


async def test_an_event_stream_has_its_language(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    answer = await ada.post(too_long(), Accept="text/event-stream", **{"Accept-Language": "de"})
    line = next(each for each in answer.body.splitlines() if each.startswith("data: {"))
    told = json.loads(line.removeprefix("data: "))
    assert told["data"]["createPost"]["errors"] == [{**TOO_LONG, "message": GERMAN}]


async def test_errors_that_people_see_are_translated_and_those_for_developers_are_not(
    anonymous: Phone,
) -> None:
    german = {"Accept-Language": "de"}
    [signed_out] = (await anonymous.post(too_long(), **german)).errors
    assert (signed_out["message"], signed_out["extensions"]["reason"]) == (
        "Bitte melden Sie sich zuerst an.",
        "NO_TOKEN",
    )
    [wrong] = (await anonymous.post({"query": "{ nothing }"}, **german)).errors
    assert wrong["message"].startswith("Cannot query field 'nothing'")


def test_no_answer_by_get_depends_on_the_language() -> None:
    """So none of them varies by `Accept-Language`: messages are in payloads, which no query has."""
    schema = make_schema(Settings())._schema
    assert schema.query_type is not None
    reached: set[str] = set()
    left: list[Any] = [schema.query_type]
    while left:
        each = left.pop()
        if each.name in reached:
            continue
        reached.add(each.name)
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            left += [get_named_type(field.type) for field in each.fields.values()]
        if isinstance(each, GraphQLInterfaceType | GraphQLUnionType):
            left += schema.get_possible_types(each)
    assert "Post" in reached
    assert "UserError" not in reached
