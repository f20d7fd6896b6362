"""Link previews: what is shown, and that nothing but public addresses is ever reached."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from core import jobs
from core.context import Services
from ports.feed import Unfetchable
from providers import web as provider
from providers.web import Web, is_public
from resolvers.feed.links import Previews
from tests.conftest import NewPhone
from tests.feed.steps import publish

PUBLIC = "93.184.215.14"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Names(AbstractResolver):
    """Knows what tests say, and counts who asks; nothing leaves this machine."""

    def __init__(self, **known: list[list[str]]) -> None:
        self.known = {name.replace("_", "."): answers for name, answers in known.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.known.get(host)
        if not answers:
            raise OSError("no such name")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            {"hostname": host, "host": each, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for each in found
        ]

    async def close(self) -> None:
        pass


class Site:
    """A web server on this machine that plays the public one; every visit is remembered."""

    def __init__(self) -> None:
        self.port = 0
        self.visits: list[str] = []
        self.routed: list[tuple[str, int]] = []
        self.answer: Handler = page("<title>Hello</title>")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.visits.append(request.path)
        return await self.answer(request)

    def route(self, address: str, port: int) -> tuple[str, int]:
        """In place of the network: only the public address leads to the site."""
        self.routed.append((address, port))
        assert address == PUBLIC
        return "127.0.0.1", self.port


def page(html: str, **options: Any) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(**{"text": html, "content_type": "text/html", **options})

    return answer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    made.port = listening._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield made
    await runner.cleanup()


@pytest.fixture
def previewed(services: Services) -> Iterator[Callable[[Web], None]]:
    before = services.extra[Previews]

    def put(previewer: Web) -> None:
        services.extra[Previews] = Previews(previewer)

    yield put
    services.extra[Previews] = before


RICH = """<html><head><title>Plain</title><meta property="og:title" content="  Sea &amp; shore ">
<meta name="description" content="About\nthe sea"><meta property="og:site_name" content="Shore"></head>"""


async def test_a_link_shows_what_the_page_says_of_itself(
    new_phone: NewPhone, services: Services, site: Site, previewed: Callable[[Web], None]
) -> None:
    previewed(Web(Names(site_example=[[PUBLIC]]), site.route))
    site.answer = page(RICH)
    ada = await new_phone("Ada")
    url = "http://site.example/a"
    made = await ada.do("createPost", "post { id link { title } }", linkUrl=url, visibility="PUBLIC")
    assert (made["errors"], made["post"]["link"]) == ([], None)
    await jobs.run_due(services)
    query = "query($id: ID!) { post(id: $id) { text version link { url title description siteName } } }"
    found = (await ada.run(query, id=made["post"]["id"]))["post"]
    expected = {"url": url, "title": "Sea & shore", "description": "About the sea", "siteName": "Shore"}
    assert (found["link"], found["version"]) == (expected, 2)
    assert site.visits == ["/a"]


PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::1", "::", "fc00::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "fe80::1%eth0", "nonsense",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_into_a_private_network_is_not_followed(address: str, site: Site) -> None:
    assert not is_public(address)
    names = Names(evil_example=[[address]], mixed_example=[[PUBLIC, address]])
    for host in ("evil.example", "mixed.example"):
        with pytest.raises(Unfetchable):
            await Web(names, site.route).preview(f"http://{host}/")
    assert (site.visits, site.routed) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/", "http://93.184.215.14/", "ftp://site.example/", "file:///etc/passwd",
        "http://site.example:6379/", "http://site.example:27017/", "http://user:pass@site.example/",
        "http://2130706433/", "http://0x7f.1/", "http://localhost/", "http:///nothing", "http://[site.example/",
        "http://site.example:99999/",
    ],
)  # fmt: skip
async def test_addresses_and_odd_ports_are_not_followed(url: str, site: Site) -> None:
    names = Names(site_example=[[PUBLIC]], localhost=[["127.0.0.1"]])
    names.known |= {"2130706433": [["127.0.0.1"]], "0x7f.1": [["127.0.0.1"]]}
    with pytest.raises(Unfetchable):
        await Web(names, site.route).preview(url)
    assert site.visits == []


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:{port}/secret", "http://inside.example/secret", "http://[::1]/", "//inside.example/x",
     "file:///etc/passwd", "http://site.example:22/"],
)  # fmt: skip
async def test_a_redirect_into_a_private_network_is_not_followed(target: str, site: Site) -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(target.format(port=site.port))

    site.answer = away
    names = Names(site_example=[[PUBLIC]], inside_example=[["10.0.0.7"]])
    with pytest.raises(Unfetchable):
        await Web(names, site.route).preview("http://site.example/start")
    assert site.visits == ["/start"]


async def test_a_name_that_changes_between_check_and_connection_gains_nothing(site: Site) -> None:
    """It is asked once for each connection, and that answer is the one connected to."""
    names = Names(rebind_example=[[PUBLIC], ["127.0.0.1"]])
    found = await Web(names, site.route).preview("http://rebind.example/")
    assert found.title == "Hello"
    assert (names.asked, site.routed) == (["rebind.example"], [(PUBLIC, 80)])

    async def again(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://turning.example/second")

    site.answer = again
    turning = Names(turning_example=[[PUBLIC], ["127.0.0.1"]])
    with pytest.raises(Unfetchable):
        await Web(turning, site.route).preview("http://turning.example/first")
    assert site.visits == ["/", "/first"]


async def test_redirects_end(site: Site) -> None:
    async def round_and_round(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/again")

    site.answer = round_and_round
    with pytest.raises(Unfetchable, match="too often"):
        await Web(Names(site_example=[[PUBLIC]]), site.route).preview("http://site.example/")
    assert len(site.visits) == provider.MOST_REDIRECTS + 1


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_mebibyte_is_enough(chunked: bool, site: Site) -> None:
    sent = 0

    async def huge(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        if not chunked:
            response.content_length = 1 << 30
        await response.prepare(request)
        for _ in range(200):
            await response.write(b"a" * 65_536)
            sent += 65_536
        return response

    site.answer = huge
    with pytest.raises(Unfetchable, match="too large"):
        await Web(Names(site_example=[[PUBLIC]]), site.route).preview("http://site.example/")
    assert sent < 12 * provider.MOST_BYTES


async def test_a_page_that_trickles_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "SECONDS", 0.3)

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"a")
            await asyncio.sleep(0.05)
        return response

    site.answer = slow
    with pytest.raises(Unfetchable, match="too long"):
        await Web(Names(site_example=[[PUBLIC]]), site.route).preview("http://site.example/")


@pytest.mark.parametrize(
    "options",
    [
        {"status": 404}, {"status": 500}, {"content_type": "application/pdf"},
        {"headers": {"Content-Encoding": "gzip"}}, {"headers": {"Content-Encoding": "br"}},
    ],
)  # fmt: skip
async def test_what_is_no_page_has_no_preview(options: dict[str, Any], site: Site) -> None:
    site.answer = page("<title>x</title>", **options)
    with pytest.raises(Unfetchable):
        await Web(Names(site_example=[[PUBLIC]]), site.route).preview("http://site.example/")


@pytest.mark.parametrize(
    "html",
    ["", "<title>", "<meta><meta property=og:title>", "\x00<title>\x00\x1b[31m</title>", "<" * 5_000,
     "<title>" + "x" * 5_000],
)  # fmt: skip
async def test_odd_pages_do_no_harm(html: str, site: Site) -> None:
    site.answer = page(html, charset="utf-8")
    found = await Web(Names(site_example=[[PUBLIC]]), site.route).preview("http://site.example/")
    assert found.title is None or (len(found.title) <= 200 and found.title.isprintable())


async def test_a_link_into_a_private_network_has_no_preview_and_the_post_is_there(
    new_phone: NewPhone, services: Services, site: Site, previewed: Callable[[Web], None]
) -> None:
    """Row: Link to private network."""
    previewed(Web(Names(intranet_example=[["10.1.2.3"]]), site.route))
    ada = await new_phone("Ada")
    post = await publish(ada, linkUrl="http://intranet.example/wiki")
    await jobs.run_due(services)
    found = await ada.run("query($id: ID!) { post(id: $id) { text link { url } } }", id=post)
    assert found == {"post": {"text": "Hello", "link": None}}
    assert site.visits == []
    assert await services.db.find("jobs", {"task": "feed.fetch_link"}) == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "http://", "http://a b/", "x" * 3_000, "http://u:p@h/"]
)
async def test_what_is_no_link_is_refused(new_phone: NewPhone, url: str) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("createPost", "post { id }", linkUrl=url)
    [error] = refused["errors"]
    assert (error["code"], error["field"], error["limit"]) == ("INVALID_FORMAT", ["linkUrl"], 2_000)
