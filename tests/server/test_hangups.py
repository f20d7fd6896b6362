"""A phone that goes away in the middle of a request: no error of the server's, and none in its log."""

import asyncio
import json
import logging
from urllib.parse import urlsplit

import pytest

from core import context
from core.context import Context, Services
from core.errors import DoneElsewhere, TimedOut, UserError
from core.settings import Settings
from server.http_metrics import REQUESTS
from tests.conftest import NewPhone
from tests.media import steps
from tests.phone import Phone, key
from tests.server.conftest import eventually
from tests.server.test_bugs import logged

BODIES = {
    "announced": "Content-Length: 1000\r\n\r\n",
    "in pieces": "Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
    "nothing yet": "Content-Length: 1000\r\n\r\n",
}


async def hang_up(url: str, head: str, sent: str) -> None:
    where = urlsplit(url)
    _, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"{head} HTTP/1.1\r\nHost: {where.netloc}\r\n{sent}".encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()


def counted(status: int) -> float:
    return sum(
        sample.value
        for family in REQUESTS.collect()
        for sample in family.samples
        if sample.labels.get("status") == str(status)
    )


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("route", ["graphql", "upload"])
async def test_a_phone_that_hung_up_was_a_500_and_a_bug_in_the_log(
    new_phone: NewPhone, settings: Settings, caplog: pytest.LogCaptureFixture, body: str, route: str
) -> None:
    ada = await new_phone("Ada")
    if route == "upload":
        address = (await steps.created(ada, 1000))["parts"][0]["url"]
        line = f"PUT {urlsplit(address).path}?{urlsplit(address).query}"
    else:
        address, line = ada.url, "POST /graphql"
    before = counted(500)
    begun = BODIES[body] + ("" if body == "nothing yet" else '{"query": "{ view')
    caplog.set_level(logging.DEBUG)
    with logged(settings) as log:
        await hang_up(address, line, f"Content-Type: application/json\r\n{begun}")
        await asyncio.sleep(0.1)
    assert '"event":"bug"' not in log.getvalue()
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
    assert counted(500) == before


async def test_it_is_counted_as_nginx_counts_it(anonymous: Phone) -> None:
    before = counted(499), counted(500)
    await hang_up(
        anonymous.url, "POST /graphql", f"Content-Type: application/json\r\n{BODIES['announced']}{{"
    )

    async def told() -> bool:
        return (counted(499), counted(500)) == (before[0] + 1, before[1])

    await eventually(told)


async def test_what_was_sent_whole_lands_once_when_it_is_sent_again(
    new_phone: NewPhone, services: Services, settings: Settings
) -> None:
    ada, once = await new_phone("Ada"), key()
    document = "mutation($input: CreatePostInput!) { createPost(input: $input) { post { id text } } }"
    given = {"idempotencyKey": once, "text": "Sent from the tunnel"}
    body = json.dumps({"query": document, "variables": {"input": given}})
    head = f"Authorization: Bearer {ada.token}\r\nContent-Type: application/json\r\n"
    with logged(settings) as log:
        await hang_up(ada.url, "POST /graphql", f"{head}Content-Length: {len(body)}\r\n\r\n{body}")
    assert '"event":"bug"' not in log.getvalue()
    assert (await ada.run(document, input=given))["createPost"]["post"]["text"] == given["text"]
    assert len(await services.db.find("posts", {"author_id": ada.user_id})) == 1


@pytest.mark.parametrize(
    ("error", "is_bug"),
    [
        (DoneElsewhere(), False),
        (UserError("NOT_FOUND", "Gone."), False),
        (TimedOut(), False),
        (KeyError(), True),
    ],
)
async def test_a_retry_that_hung_up_too_was_a_bug_in_the_log(
    services: Services, settings: Settings, error: Exception, is_bug: bool
) -> None:
    """Seen in the long history: the first try had the key when the second was cut off."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go.wait()
        raise error

    with logged(settings) as log:
        request = asyncio.create_task(Context(services).unit(work))
        await begun.wait()
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        units = list(context._RUNNING)
        go.set()
        await asyncio.gather(*units, return_exceptions=True)
        await asyncio.sleep(0)
    assert ('"event":"bug"' in log.getvalue()) is is_bug


@pytest.mark.parametrize("content_type", ["APPLICATION/JSON", "Application/Json; Charset=UTF-8"])
async def test_media_types_have_no_case(anonymous: Phone, content_type: str) -> None:
    headers = {"Content-Type": content_type, "Accept": "APPLICATION/JSON"}
    for _ in range(2):
        answer = await anonymous.post({"query": "{ __typename }"}, **headers)
        assert (answer.status, answer.body) == (200, {"data": {"__typename": "Query"}})
    body = {"query": "{ __typename }"}
    headers["Accept"] = "TEXT/EVENT-STREAM"
    async with anonymous.http.post(anonymous.url, json=body, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
