"""Web fetcher with SSRF protection: never at addresses of our own network, not for long, and not at much.

Names are resolved by the connection itself, and what it connects to is what was checked: a name that points
elsewhere a moment later gains nothing. Redirects are followed one by one, each checked like the first.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from core.values.text import line
from ports.feed import Picture, Preview, Unfetchable

SECONDS = 5.0
MOST_BYTES = 1024 * 1024
MOST_REDIRECTS = 3
PORTS = (80, 443)
LONGEST_TITLE, LONGEST_TEXT = 200, 500
HTML = ("text/html", "application/xhtml+xml")
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")
LONGEST_URL = 2_000
IMAGES = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image")
NAT64 = ip_network("64:ff9b::/96")

Route = Callable[[str, int], tuple[str, int]]


class Forbidden(OSError):
    """The name leads into a network that is not public."""


class Public(AbstractResolver):
    """Resolves names to public addresses only; one that is not makes the whole name forbidden."""

    def __init__(self, names: AbstractResolver, route: Route) -> None:
        self._names = names
        self._route = route

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        if not found or not all(is_public(each["host"]) for each in found):
            raise Forbidden("The name leads to no public address.")
        routed = []
        for each in found:
            address, through = self._route(each["host"], each["port"] or port)
            routed.append({**each, "host": address, "port": through})
        return routed  # type: ignore[return-value]

    async def close(self) -> None:
        await self._names.close()


def is_public(address: str) -> bool:
    """True if the address is reachable from the internet, whatever it is wrapped in."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast and not each.is_reserved for each in _meant(found))


def _meant(address: IPv4Address | IPv6Address) -> Sequence[IPv4Address | IPv6Address]:
    """The address, or the IPv4 addresses that an IPv6 one carries."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour is not None:
        return [address, address.sixtofour]
    if address.teredo is not None:
        return [address, *address.teredo]
    return [address]


def directly(address: str, port: int) -> tuple[str, int]:
    """To the address itself; a network that has an egress proxy puts it in between here."""
    return address, port


def public_session(
    names: AbstractResolver | None, route: Route, headers: Mapping[str, str]
) -> aiohttp.ClientSession:
    """A session that connects to public addresses only; it keeps nothing and decompresses nothing."""
    resolver = Public(names or aiohttp.ThreadedResolver(), route)
    connector = aiohttp.TCPConnector(
        resolver=resolver, use_dns_cache=False, force_close=True, family=socket.AF_UNSPEC
    )
    return aiohttp.ClientSession(
        connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )


class Fetched(NamedTuple):
    """Response of an address, after redirects."""

    url: str
    """Where it was in the end."""
    mime: str
    charset: str | None
    body: bytes


class Web:
    """Fetches pages, and their pictures, for previews."""

    def __init__(self, names: AbstractResolver | None = None, route: Route = directly) -> None:
        self._names = names
        self._route = route

    async def preview(self, url: str) -> Preview:
        fetched = await self._fetched(url, HTML)
        return _read(fetched.body, fetched.charset, fetched.url)

    async def picture(self, url: str) -> Picture:
        fetched = await self._fetched(url, PICTURES)
        return Picture(fetched.body, fetched.mime)

    async def _fetched(self, url: str, types: Sequence[str]) -> "Fetched":
        try:
            async with asyncio.timeout(SECONDS):
                return await self._fetch(url, types)
        except TimeoutError:
            raise Unfetchable("It took too long.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unfetchable(f"It could not be fetched: {type(error).__name__}.") from None

    async def _fetch(self, url: str, types: Sequence[str]) -> "Fetched":
        # Compressed answers are refused: a small one may hold a large page.
        headers = {
            "Accept": ", ".join(types),
            "Accept-Encoding": "identity",
            "User-Agent": "Landfall-Preview/1",
        }
        async with public_session(self._names, self._route, headers) as http:
            for _ in range(MOST_REDIRECTS + 1):
                check(url)
                async with http.get(url, allow_redirects=False) as response:
                    if response.status not in (301, 302, 303, 307, 308):
                        body = await _body(response, types)
                        return Fetched(url, response.content_type, response.charset, body)
                    url = urljoin(url, response.headers.get("Location", ""))
        raise Unfetchable("It redirects too often.")


def check(url: str) -> None:
    """Addresses are not resolved, so those in the URL itself are judged here."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unfetchable("This is no address.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise Unfetchable("Only http and https are followed.")
    if (port or (443 if parts.scheme == "https" else 80)) not in PORTS:
        raise Unfetchable("Only the ports of the web are followed.")
    try:
        ip_address(parts.hostname)
    except ValueError:
        return
    if not is_public(parts.hostname):
        raise Unfetchable("The address is not public.")
    # Literal addresses do not pass through the resolver, and so would escape its route.
    raise Unfetchable("Only names are followed.")


async def _body(response: aiohttp.ClientResponse, types: Sequence[str]) -> bytes:
    if response.status != 200 or response.content_type not in types:
        raise Unfetchable("There is nothing of the kind.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unfetchable("It is compressed.")
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unfetchable("It is too large.")
    return bytes(body)


class Head(HTMLParser):
    """Collects what a page says of itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: dict[str, str] = {}
        self._title: list[str] | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name, content = given.get("property") or given.get("name"), given.get("content")
        if tag == "meta" and name and content:
            self.said.setdefault(name.lower(), content)
        elif tag == "title" and "title" not in self.said:
            self._title = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._title is not None:
            self.said.setdefault("title", "".join(self._title))
            self._title = None

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)


def _read(body: bytes, charset: str | None, url: str) -> Preview:
    try:
        text = body.decode(charset or "utf-8", errors="replace")
    except LookupError:
        text = body.decode("utf-8", errors="replace")
    head = Head()
    head.feed(text)
    return Preview(
        title=_first(head.said, LONGEST_TITLE, "og:title", "twitter:title", "title"),
        description=_first(head.said, LONGEST_TEXT, "og:description", "twitter:description", "description"),
        site_name=_first(head.said, LONGEST_TITLE, "og:site_name", "application-name"),
        image_url=_picture_of(head.said, url),
    )


def _picture_of(said: dict[str, str], page: str) -> str | None:
    """The address of the page's picture, which is judged when it is fetched."""
    named = next((said[name].strip() for name in IMAGES if said.get(name, "").strip()), None)
    try:
        found = urljoin(page, named) if named else None
    except ValueError:
        return None
    fine = found is not None and found.startswith(("http://", "https://")) and len(found) <= LONGEST_URL
    return found if fine else None


def _first(said: dict[str, str], longest: int, *names: str) -> str | None:
    for name in names:
        found = line(said.get(name, ""))
        if found:
            return found[:longest]
    return None
