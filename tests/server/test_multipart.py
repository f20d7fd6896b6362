"""Apollo's multipart protocol, read by the rules of its own clients: iOS, Kotlin and the web."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from server import streaming
from tests.conftest import NewPhone
from tests.engine.streams import APOLLO_WEB, LIKE_A_DELIMITER, POST_EVENTS, attached, begin, parts
from tests.feed.steps import publish
from tests.phone import Phone
from tests.server.conftest import Configured

IOS = "multipart/mixed;subscriptionSpec=1.0,application/graphql-response+json,application/json"
KOTLIN = "multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json, application/json"
LAST = "application/json, multipart/mixed; boundary=\"graphql\"; subscriptionSpec='1.0'"
ACCEPTS = {"iOS": IOS, "Kotlin": KOTLIN, "web": APOLLO_WEB, "named last, quoted": LAST}
PART = "\r\ncontent-type: application/json\r\n\r\n"


@dataclass
class Ios:
    """Apollo iOS: `HTTPURLResponse.multipartHeaderComponents`, then `MultipartResponseSubscriptionParser`."""

    content_type: str
    buffer: str = ""

    def __post_init__(self) -> None:
        directives = [each.strip() for each in self.content_type.split(";")]
        [boundary] = [
            each.partition("=")[2].strip('"') for each in directives if each.startswith("boundary=")
        ]
        assert [each for each in directives if each.endswith("Spec=1.0")] == ["subscriptionSpec=1.0"]
        assert directives[0] == "multipart/mixed"
        self.delimiter = f"--{boundary}"

    def feed(self, text: str) -> list[Any]:
        """Parts that are complete: all before the last delimiter; the rest stays in the buffer."""
        self.buffer += text
        whole, found, rest = self.buffer.rpartition(self.delimiter)
        if not found:
            return []
        self.buffer = rest
        return [each for chunk in whole.split(self.delimiter) for each in self._parse(chunk)]

    @staticmethod
    def _parse(chunk: str) -> list[Any]:
        payloads = []
        for line in (each.strip("\r\n") for each in chunk.split("\r\n\r\n")):
            if line.startswith("content-type:"):
                # Word for word: a charset or a further head would be refused.
                assert line.rsplit(":", 1)[1].strip() == "application/json"
            elif line not in ("", "{}"):
                payloads.append(json.loads(line)["payload"])
        return payloads


@dataclass
class Kotlin:
    """Apollo Kotlin: okhttp's `MultipartReader`, byte by byte, with the boundary that the head names."""

    content_type: str
    buffer: bytes = b""
    begun: bool = False
    over: bool = False

    def __post_init__(self) -> None:
        parameters = [each.strip() for each in self.content_type.split(";")]
        [boundary] = [each.split("=")[1].strip("\"'") for each in parameters if each.startswith("boundary=")]
        self.dashed = f"--{boundary}".encode()

    def feed(self, text: str) -> list[Any]:
        self.buffer += text.encode()
        if not self.begun:
            if len(self.buffer) < len(self.dashed):
                return []
            assert self.buffer.startswith(self.dashed), "A preamble would be skipped, not read."
            self.buffer, self.begun = self.buffer[len(self.dashed) :], True
        found = []
        while not self.over and b"\r\n" + self.dashed in self.buffer:
            part, _, self.buffer = self.buffer.partition(b"\r\n" + self.dashed)
            assert part.startswith(b"\r\n")
            heads, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            assert heads == b"content-type: application/json"
            found += [payload] if (payload := json.loads(body).get("payload")) else []
        self.over = self.buffer.startswith(b"--")
        return found


@dataclass
class Web:
    """Apollo Client: `readMultipartBody`."""

    content_type: str
    buffer: str = ""
    begun: bool = False
    over: bool = False

    def __post_init__(self) -> None:
        match = re.search(r""";\s*boundary=(?:'([^']+)'|"([^"]+)"|([^"'].+?))\s*(?:;|$)""", self.content_type)
        assert match is not None
        self.delimiter = "\r\n--" + next(filter(None, match.groups()))

    def feed(self, text: str) -> list[Any]:
        self.buffer += text
        found = []
        while not self.over and self.delimiter in self.buffer:
            message, _, self.buffer = self.buffer.partition(self.delimiter)
            self.begun = True
            found += (
                [payload] if (payload := json.loads(message.partition("\r\n\r\n")[2]).get("payload")) else []
            )
        self.over = self.begun and self.buffer.startswith("--")
        return found


@pytest.mark.parametrize("accept", ACCEPTS.values(), ids=ACCEPTS)
async def test_apollo_ios_refused_our_content_type(new_phone: NewPhone, accept: str) -> None:
    ada = await new_phone("Ada")
    async with await begin(ada, accept, POST_EVENTS, id=await publish(ada)) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        # The first delimiter, an empty part, and the delimiter that ends it.
        assert await parts(response, "{}") == f"--graphql{PART}{{}}\r\n--graphql"


@pytest.mark.parametrize("reader", [Ios, Kotlin, Web])
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_each_of_apollos_clients_reads_every_event_as_it_comes(
    configured: Configured, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch, reader: Any, size: int
) -> None:
    """However the network cuts the bytes; heartbeats lie between."""
    monkeypatch.setattr(streaming, "MULTIPART_SECONDS", 0.05)
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with configured() as other:
        phone = Phone(other.http, other.url, token=ada.token)
        async with attached(phone, IOS, POST_EVENTS, id=post) as response:
            parser, seen = reader(response.headers["Content-Type"]), []
            said = await parts(response, "{}")
            for text in (LIKE_A_DELIMITER, "And again"):
                await ada.do("createComment", "comment { id }", postId=post, text=text)
                said += await parts(response, text[:5])
                for at in range(0, len(said), size):
                    seen += parser.feed(said[at : at + size])
                said = ""
                events = [each["data"]["postEvents"] for each in seen]
                edges = [each["commentEdge"] for each in events if "commentEdge" in each]
                assert edges[-1]["node"]["text"] == text
            assert [each["data"]["postEvents"]["__typename"] for each in seen].count("CommentCreated") == 2


@pytest.mark.parametrize("reader", [Ios, Kotlin, Web])
async def test_a_refused_subscription_is_one_part_and_the_end(new_phone: NewPhone, reader: Any) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    private = await publish(ada, "Mine", visibility="PRIVATE")
    async with await begin(grace, KOTLIN, POST_EVENTS, id=private) as response:
        said = await response.text()
        parser = reader(response.headers["Content-Type"])
    assert said.startswith(f"--graphql{PART}")
    assert said.endswith("}\r\n--graphql--\r\n")
    [told] = parser.feed(said)
    assert [each["extensions"]["code"] for each in told["errors"]] == ["NOT_FOUND"]
    if reader is not Ios:
        assert parser.over
