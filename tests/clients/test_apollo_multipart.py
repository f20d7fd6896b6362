"""Multipart subscriptions, read by Apollo Client's own parser from npm, wherever a network cuts them."""

import asyncio
import base64
import json
from typing import Any

import pytest

from server import streaming
from server.multipart import END
from tests.clients.test_clients import CLIENTS, installed
from tests.conftest import NewPhone
from tests.engine.streams import APOLLO_WEB, LIKE_A_DELIMITER, POST_EVENTS, attached, begin, parts
from tests.feed.steps import publish
from tests.phone import Phone
from tests.server.conftest import Configured, configured

__all__ = ["configured", "installed"]

TEXTS = [LIKE_A_DELIMITER, "Grüße, 日本 🏔️", 'A "quoted" line\n\n--\nand more']
READ_SECONDS = 60


async def _parsed(content_type: str, sent: bytes) -> dict[str, Any]:
    """Result that Apollo Client parses, the same for every way to split the bytes."""
    size = len(sent)
    cuts = [[], *([at] for at in range(1, size)), *(list(range(step, size, step)) for step in (1, 2, 3, 7))]
    program = await asyncio.create_subprocess_exec(
        "node",
        "multipart.js",
        cwd=CLIENTS / "apollo" / "test",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    given = {"contentType": content_type, "bytes": base64.b64encode(sent).decode(), "cuts": cuts}
    async with asyncio.timeout(READ_SECONDS):
        said, _ = await program.communicate(json.dumps(given).encode())
    assert program.returncode == 0, said.decode()
    [outcome] = [json.loads(line) for line in said.splitlines()]
    return dict(outcome)


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "lost"])
async def test_every_event_between_heartbeats_is_read(
    installed: str, configured: Configured, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    monkeypatch.setattr(streaming, "MULTIPART_SECONDS", 0.05)
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with configured() as other:
        phone = Phone(other.http, other.url, token=ada.token)
        async with attached(phone, APOLLO_WEB, POST_EVENTS, id=post) as response:
            said = await parts(response, "{}")
            for text in TEXTS:
                created = await ada.do("createComment", "comment { id }", postId=post, text=text)
                said += await parts(response, created["comment"]["id"])
            said += await parts(response, "{}")
            content_type = response.headers["Content-Type"]
    assert said.count("{}") >= 2
    found = await _parsed(content_type, (said + (END if ended else "")).encode())
    events = [payload["data"]["postEvents"] for payload in found["payloads"]]
    assert [
        each["commentEdge"]["node"]["text"] for each in events if each["__typename"] == "CommentCreated"
    ] == TEXTS
    assert found["error"] == (None if ended else "premature end of multipart body")


async def test_a_refusal_is_one_payload_and_the_end(installed: str, new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    private = await publish(ada, "Mine", visibility="PRIVATE")
    async with await begin(grace, APOLLO_WEB, POST_EVENTS, id=private) as response:
        sent, content_type = await response.read(), response.headers["Content-Type"]
    found = await _parsed(content_type, sent)
    [payload] = found["payloads"]
    assert (payload["data"], [each["extensions"]["code"] for each in payload["errors"]]) == (
        None,
        ["NOT_FOUND"],
    )
    assert found["error"] is None
