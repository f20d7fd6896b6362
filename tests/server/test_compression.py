"""Large answers are compressed as `Accept-Encoding` says; small ones and streams are not."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest

from core.context import Services
from server.compression import METHODS, method
from tests.conftest import NewPhone
from tests.engine.streams import POST_EVENTS
from tests.feed.steps import publish
from tests.phone import Phone, key
from tests.server.conftest import Configured

JSON = "application/json"
LARGE = "{ " + " ".join(f"a{n}: __typename" for n in range(55)) + " }"
"""Its answer has more bytes than its limit here, and compresses well."""
READ: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
}


async def raw(phone: Phone, body: Any, *, accepted: str | None, method: str = "POST") -> tuple[Any, bytes]:
    """The answer's headers and bytes as they travelled."""
    headers = {"Content-Type": JSON, **({"Accept-Encoding": accepted} if accepted is not None else {})}
    given: dict[str, Any] = {"data": json.dumps(body)} if method == "POST" else {"params": body}
    async with phone.http.request(
        method,
        phone.url,
        headers=headers,
        skip_auto_headers=["Accept-Encoding"],
        auto_decompress=False,
        **given,
    ) as response:
        return response.headers, await response.read()


@pytest.fixture
async def small_limit(configured: Configured) -> Any:
    async with configured(compress_above=500) as phone:
        yield phone


@pytest.mark.parametrize(
    ("accepted", "name"),
    [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("deflate", "deflate"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
        ("identity;q=0.5, gzip", "gzip"),
        ("zstd, gzip;q=0.1", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=nonsense", None),
        ("gzip;q=0.5, identity", None),
        ("zstd", None),
        ("", None),
        (None, None),
    ],
)
async def test_a_large_answer_is_compressed_as_the_client_takes_it(
    small_limit: Phone, accepted: str | None, name: str | None
) -> None:
    # Twice: by the view, and compiled, by the short way.
    for _ in range(2):
        headers, body = await raw(small_limit, {"query": LARGE}, accepted=accepted)
        assert headers.get("Content-Encoding") == name
        assert headers["Vary"] == "Accept-Encoding"
        assert int(headers["Content-Length"]) == len(body)
        plain = READ[name](body) if name else body
        assert json.loads(plain) == {"data": {f"a{n}": "Query" for n in range(55)}}
        assert len(plain) > 2 * len(body) or name is None


async def test_small_answers_go_as_they_are(small_limit: Phone) -> None:
    for _ in range(2):
        headers, body = await raw(small_limit, {"query": "{ __typename }"}, accepted="gzip, br")
        assert (headers.get("Content-Encoding"), body) == (None, b'{"data":{"__typename":"Query"}}')
        assert "Vary" not in headers


async def test_batches_and_errors_are_compressed_too(small_limit: Phone) -> None:
    for body in ([{"query": LARGE}] * 2, {"query": "{ " + "nonsense " * 50 + "}"}):
        headers, packed = await raw(small_limit, body, accepted="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(packed))


async def test_it_can_be_left_to_a_proxy(configured: Configured) -> None:
    async with configured(compress_above=0) as phone:
        headers, body = await raw(phone, {"query": LARGE}, accepted="gzip")
    assert "Content-Encoding" not in headers
    assert json.loads(body)["data"]["a0"] == "Query"


async def test_by_get_the_tag_of_a_compressed_answer_is_weak_and_known_again(small_limit: Phone) -> None:
    """A strong tag promises the same bytes, and there are four ways to write them."""
    query = "{ topSellers { id } " + " ".join(f"a{n}: __typename" for n in range(55)) + " }"
    headers, body = await raw(small_limit, {"query": query}, accepted="br", method="GET")
    assert headers["Content-Encoding"] == "br"
    assert "Accept-Encoding" in headers["Vary"]
    assert headers["Cache-Control"].startswith("public")
    assert headers["ETag"].startswith('W/"')
    again = {"If-None-Match": headers["ETag"], "Accept-Encoding": "br"}
    async with small_limit.http.get(small_limit.url, params={"query": query}, headers=again) as response:
        assert (response.status, await response.read()) == (304, b"")
    assert 3 * len(body) < len(brotli.decompress(body))


@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
async def test_streams_are_not_compressed(new_phone: NewPhone, accept: str) -> None:
    ada = await new_phone("Ada")
    headers = {"Accept": accept, "Accept-Encoding": "gzip, br", "Authorization": f"Bearer {ada.token}"}
    body = {"query": POST_EVENTS, "variables": {"id": await publish(ada)}}
    async with ada.http.post(ada.url, json=body, headers=headers) as response:
        assert response.status == 200
        assert "Content-Encoding" not in response.headers


async def test_a_very_large_answer_is_compressed_beside_the_loop(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server import compression

    monkeypatch.setattr(compression, "SLOW", 3_000)
    ada = await new_phone("Ada")
    posts = [await publish(ada, f"{key()} " * 30) for _ in range(8)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Post { id text } } }"
    signed = {"Authorization": f"Bearer {ada.token}", "Accept-Encoding": "gzip"}
    sent = {"query": query, "variables": {"ids": posts}}
    async with ada.http.post(ada.url, json=sent, headers=signed) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert [node["id"] for node in (await response.json())["data"]["nodes"]] == posts


async def test_a_bomb_of_a_request_is_refused(anonymous: Phone) -> None:
    """A kilobyte that unpacks to a megabyte and more."""
    bomb = gzip.compress(b'{"query": "' + b" " * 50_000_000 + b'"}')
    assert len(bomb) < 60_000
    async with anonymous.http.post(
        anonymous.url, data=bomb, headers={"Content-Type": JSON, "Content-Encoding": "gzip"}
    ) as response:
        assert response.status == 413
        assert (await response.json())["errors"][0]["extensions"]["limit"] == "bytes"


def test_all_methods_are_tested() -> None:
    assert set(READ) == set(METHODS)
    assert method("gzip") == "gzip"
