"""Raw connections: silent, slow, too many, and bodies that are not what they say they are."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from core.context import Services
from core.settings import Environment, Settings
from server import lifespan
from server.lifespan import NotReady
from tests.conftest import NewPhone
from tests.phone import Phone
from tests.server.conftest import Configured, eventually

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
QUERY = json.dumps({"query": "{ __typename }"}).encode()


@asynccontextmanager
async def raw(phone: Phone, sent: bytes = b"") -> AsyncIterator[Stream]:
    """A connection that has sent just these bytes."""
    address = urlsplit(phone.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(sent)
        yield reader, writer
    finally:
        writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that is still answered until the server closes the connection."""
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("sent", [b"", b"P", HEAD, b"GET / HTTP/1.1\r\nHost: x\r\nX: "])
async def test_a_connection_whose_request_never_comes_is_closed(configured: Configured, sent: bytes) -> None:
    async with configured(read_timeout=0.2) as phone, AsyncExitStack() as stack:
        started = time.monotonic()
        held = [await stack.enter_async_context(raw(phone, sent)) for _ in range(60)]
        assert [await ended(reader) for reader, _ in held] == [b""] * 60
        assert time.monotonic() - started < 5
        # And others are served meanwhile and after.
        assert (await phone.ask("{ __typename }")).data == {"__typename": "Query"}


async def test_a_head_that_trickles_in_is_closed_too(configured: Configured) -> None:
    async with configured(read_timeout=0.4) as phone, raw(phone, b"GET / HTTP/1.1\r\n") as (reader, writer):
        ending = asyncio.create_task(ended(reader))
        sent = 0
        while not ending.done() and sent < 100:
            writer.write(b"X-A: b\r\n")
            sent += 1
            await asyncio.sleep(0.05)
        assert await ending == b""
        assert sent < 40


async def test_a_body_that_pauses_is_answered_with_408(configured: Configured) -> None:
    announced = HEAD + b"Content-Length: %d\r\n\r\n" % len(QUERY)
    async with configured(read_timeout=0.2) as phone, raw(phone, announced + QUERY[:5]) as (reader, _):
        answer = await asyncio.wait_for(reader.readuntil(b"}]}"), 5)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"The request came too slowly." in answer


async def test_a_slow_body_that_goes_on_is_read(configured: Configured) -> None:
    announced = HEAD + b"Content-Length: %d\r\n\r\n" % len(QUERY)
    async with configured(read_timeout=0.4) as phone, raw(phone, announced) as (reader, writer):
        for place in range(0, len(QUERY), 4):
            await asyncio.sleep(0.05)
            writer.write(QUERY[place : place + 4])
        answer = await asyncio.wait_for(reader.readuntil(b"}}"), 5)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b'{"data":{"__typename":"Query"}}')


async def test_an_idle_connection_between_two_requests_is_kept(configured: Configured) -> None:
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(QUERY) + QUERY
    async with configured(read_timeout=0.2) as phone, raw(phone, request) as (reader, writer):
        await reader.readuntil(b"}}")
        await asyncio.sleep(0.5)
        writer.write(request)
        assert (await asyncio.wait_for(reader.readuntil(b"}}"), 5)).startswith(b"HTTP/1.1 200 ")


async def test_an_address_holds_so_many_connections_and_no_more(
    configured: Configured, http: aiohttp.ClientSession
) -> None:
    async with configured(max_connections=5) as phone, AsyncExitStack() as stack:
        held = [await stack.enter_async_context(raw(phone)) for _ in range(5)]
        async with raw(phone, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as (reader, _):
            assert await ended(reader) == b""
        held[0][1].close()

        async def served() -> bool:
            async with raw(phone, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as (reader, _):
                try:
                    return (await reader.readline()).startswith(b"HTTP/1.1 200 ")
                except ConnectionResetError:
                    return False

        await eventually(served)


async def test_an_address_behind_a_proxy_holds_so_many_sockets(
    configured: Configured, new_phone: NewPhone
) -> None:
    """All connections are the proxy's: what is counted is whom it names."""
    token = (await new_phone()).token
    async with configured(max_connections=2, trust_proxy=1) as phone:
        phone.token = token
        for forwarded, others in (("192.0.2.1", 0), ("192.0.2.2", 2)):
            headers = {"X-Forwarded-For": forwarded}
            async with AsyncExitStack() as stack:
                connect = lambda: phone.http.ws_connect(  # noqa: E731
                    phone.url,
                    protocols=["graphql-transport-ws"],
                    headers=headers,  # noqa: B023
                )
                for _ in range(2):
                    await stack.enter_async_context(connect())
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await stack.enter_async_context(connect())
                assert refused.value.status == 429, others


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", QUERY),
        ("gzip", gzip.compress(QUERY, mtime=0)[:-6] + b"broken"),
        ("deflate", b"\xff\xfe not deflate"),
        ("br", b"\xff\xfe not brotli"),
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/uploads/incoming/x/1"])
async def test_a_body_that_is_not_what_content_encoding_says_is_refused(
    anonymous: Phone, address: str, encoding: str, body: bytes, path: str
) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    method = "POST" if path == "/graphql" else "PUT"
    async with anonymous.http.request(method, address + path, data=body, headers=headers) as answer:
        text = await answer.text()
        assert answer.status == (400 if path == "/graphql" else 403), text
        if path == "/graphql":
            told = json.loads(text)["errors"]
            message = "The body is not what Content-Encoding or Content-Length says it is."
            assert told == [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]


async def test_a_packed_body_is_read(anonymous: Phone) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with anonymous.http.post(anonymous.url, data=gzip.compress(QUERY), headers=headers) as answer:
        assert await answer.json() == {"data": {"__typename": "Query"}}


PATHS = ("/graphql", "/healthz", "/nothing-here", "/app/index.html", "/p/x", "/media/x", "/metrics")


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_is_safe_for_browsers_and_says_nothing_of_what_we_run(
    http: aiohttp.ClientSession, production: str, path: str
) -> None:
    async with http.get(production + path) as answer:
        assert "Server" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


async def test_a_request_that_is_none_is_told_nothing_of_what_we_run(anonymous: Phone) -> None:
    async with raw(anonymous, b"NONSENSE\r\n\r\n") as (reader, _):
        answer = await ended(reader)
        assert answer.startswith(b"HTTP/1.0 400 ") or answer.startswith(b"HTTP/1.1 400 ")
        assert b"aiohttp" not in answer
        assert b"Python" not in answer


@pytest.mark.parametrize("path", ["/app", "/app/index.html", "/assets/graphiql/index.html"])
async def test_production_serves_no_page_of_development(
    http: aiohttp.ClientSession, production: str, path: str
) -> None:
    async with http.get(production + path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(("given", "told"), [("", "must say where"), ("api.example.com", "is no address")])
async def test_production_does_not_start_without_its_public_address(
    settings: Settings, given: str, told: str
) -> None:
    secret = type(settings.secret)("a secret of thirty-two characters")
    own = settings.model_copy(update={"env": Environment.PRODUCTION, "secret": secret, "public_url": given})
    with pytest.raises(NotReady, match=f"LANDFALL_PUBLIC_URL {told}"):
        async with lifespan.services(own):
            pass


async def test_links_and_addresses_never_follow_a_request_s_host_where_ours_is_known(
    configured: Configured, new_phone: NewPhone, services: Services
) -> None:
    token = (await new_phone("Ada")).token
    async with configured(public_url="https://api.example.com/") as phone:
        phone.token = token
        evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        create = """mutation { createPost(input: {idempotencyKey: "host", text: "x", visibility: PUBLIC})
          { post { id } } }"""
        made = (await phone.post({"query": create}, **evil)).data["createPost"]["post"]["id"]
        share = """mutation($id: ID!) {
          createShareLink(input: {idempotencyKey: "link", postId: $id}) { shareLink { url } } }"""
        link = (await phone.post({"query": share, "variables": {"id": made}}, **evil)).data
        assert link["createShareLink"]["shareLink"]["url"].startswith("https://api.example.com/p/")
        upload = """mutation { createUpload(input: {idempotencyKey: "up", purpose: POST_MEDIA, sizeBytes: 9,
          mimeType: "image/png", fileName: "x.png"}) { errors { code } upload { parts { url } } } }"""
        begun = (await phone.post({"query": upload}, **evil)).data["createUpload"]
        assert begun["errors"] == []
        assert all(part["url"].startswith("https://api.example.com/") for part in begun["upload"]["parts"])
