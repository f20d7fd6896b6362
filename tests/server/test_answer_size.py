"""Answers have a greatest size, on every transport, and what repeats a text is dear."""

import json
import time
from typing import Any

import pytest

from core.context import Services
from server import answers
from server.cost import Weight
from tests.conftest import NewPhone
from tests.feed.steps import publish
from tests.phone import Phone, key
from tests.server.conftest import Configured

LONG = "x" * 5_000
MANY = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Post { %s } } }"


def aliased(count: int) -> str:
    return MANY % " ".join(f"t{number}: text" for number in range(count))


async def test_a_text_asked_for_ten_thousand_times_is_dear(new_phone: NewPhone) -> None:
    """100 aliases on 100 equal ids: 3.9 KB in, 150 MB out, at a cost of 100."""
    ada = await new_phone("Ada")
    post = await publish(ada, text=LONG)
    body = {"query": aliased(50), "variables": {"ids": [post] * 100}}
    started = time.thread_time()
    answer = await ada.post(body, **{"Landfall-Cost": "1"})
    assert time.thread_time() - started < 2
    assert answer.code == "QUERY_TOO_COMPLEX"
    assert answer.errors[0]["extensions"]["limit"] == "answer bytes"
    assert answer.body["data"] is None
    assert answer.body["extensions"]["cost"]["requested"] == 100 * 50
    dearer = await ada.ask(
        "query($ids: [ID!]!) { "
        + aliased(49)[len("query($ids: [ID!]!) {") : -1]
        + " ".join(
            f"n{n}: nodes(ids: $ids) {{ ... on Post {{ a: text b: text c: text d: text }} }}"
            for n in range(9)
        )
        + " }",
        ids=[post] * 100,
    )
    assert dearer.code == "QUERY_TOO_COMPLEX"


@pytest.mark.parametrize("way", ["short", "view", "batch", "get", "socket", "sse", "reference"])
async def test_an_answer_beyond_the_limit_is_an_error(
    configured: Configured, new_phone: NewPhone, services: Services, way: str
) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada, text=LONG)
    document = f"query N{key()[:8]}($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Post {{ text }} }} }}"
    settings: dict[str, Any] = {"max_answer_bytes": 20_000}
    if way == "reference":
        settings["executor"] = "reference"
    async with configured(**settings) as phone:
        phone.token = ada.token
        for count, fits in ((2, True), (6, False)):
            for _ in range(3 if way == "short" else 1):
                body = await _ask(phone, way, document, [post] * count)
                if fits:
                    assert not body.get("errors")
                    assert [node["text"] for node in body["data"]["nodes"]] == [LONG] * count
                else:
                    assert body["data"] is None
                    [error] = body["errors"]
                    limit = {"code": "QUERY_TOO_COMPLEX", "limit": "answer bytes", "allowed": 20_000}
                    assert error["extensions"] == limit


async def _ask(phone: Phone, way: str, document: str, ids: list[str]) -> Any:
    body = {"query": document, "variables": {"ids": ids}}
    if way == "socket":
        async with phone.socket() as socket:
            await socket.send({"id": "1", "type": "subscribe", "payload": body})
            return (await socket.receive())["payload"]
    if way == "get":
        return (await phone.get(query=document, variables=json.dumps(body["variables"]))).body
    if way == "batch":
        return (await phone.post([body])).body[0]
    if way == "sse":
        text = (await phone.post(body, Accept="text/event-stream")).body
        [data] = [line for line in text.splitlines() if line.startswith("data: {")]
        return json.loads(data.removeprefix("data: "))
    headers = {"Landfall-Cost": "1"} if way == "view" else {}
    return {
        name: value
        for name, value in (await phone.post(body, **headers)).body.items()
        if name != "extensions"
    }


def test_what_cannot_be_large_is_not_looked_at_and_what_is_large_not_to_its_end() -> None:
    shared = {"text": LONG}
    data = {"nodes": [shared] * 1_000_000}
    started = time.thread_time()
    assert not answers.sized(data, 1_000_000)
    assert time.thread_time() - started < 0.2
    assert answers.sized({"nodes": [shared] * 100}, 1_000_000)
    result = answers.ExecutionResult(data=data, errors=None)
    assert answers.fits(result, 1_000_000, Weight(1, texts=10))
    assert not answers.fits(result, 1_000_000, Weight(1, texts=10_000))
