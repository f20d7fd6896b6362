"""Pages of other origins, as a browser would let them: files by their address, GraphQL by leave."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from core import jobs
from core.context import Services
from core.settings import Settings
from server import lifespan, process
from tests.conftest import NewPhone
from tests.media import steps
from tests.phone import Phone, make_user, sign_in_directly

SHOP = "https://shop.example.com"
ELSEWHERE = "https://evil.example.net"
ALLOW = "Access-Control-Allow-Origin"


async def preflight(
    http: aiohttp.ClientSession, url: str, method: str, origin: str = SHOP, headers: str = "content-type"
) -> tuple[int, dict[str, str]]:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    async with http.options(url, headers=asked) as response:
        return response.status, {name: value for name, value in response.headers.items() if "Allow" in name}


async def test_a_page_sends_and_fetches_files(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada, body = await new_phone("Ada"), steps.picture((64, 48))
    upload = await steps.created(ada, body)
    [part] = upload["parts"]
    assert await preflight(http, part["url"], "PUT") == (
        204,
        {
            ALLOW: "*",
            "Access-Control-Allow-Methods": "PUT",
            "Access-Control-Allow-Headers": "content-type",
        },
    )
    headers = {"Origin": SHOP, "Content-Type": "application/octet-stream"}
    async with http.put(part["url"], data=body, headers=headers) as response:
        assert (response.status, response.headers[ALLOW]) == (200, "*")
        # What completeUpload is told.
        assert "ETag" in response.headers["Access-Control-Expose-Headers"]
    async with http.put(part["url"] + "x", data=body, headers=headers) as response:
        # A page can tell a refusal from a network that is down.
        assert (response.status, response.headers[ALLOW]) == (403, "*")
    await steps.complete(ada, upload)
    await jobs.run_due(services)
    url = (await steps.read(ada, upload["id"]))["processedMedia"]["url"]
    status, allowed = await preflight(http, url, "GET", headers="range")
    assert (status, allowed[ALLOW], allowed["Access-Control-Allow-Headers"]) == (204, "*", "range")
    status, told, _ = await steps.fetched(http, url, headers={"Origin": SHOP, "Range": "bytes=0-9"})
    assert (status, told[ALLOW]) == (206, "*")
    assert "Content-Range" in told["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in told


async def test_other_pages_do_not_use_graphql(anonymous: Phone, http: aiohttp.ClientSession) -> None:
    status, allowed = await preflight(http, anonymous.url, "POST")
    assert (status, allowed) == (405, {"Allow": "GET, POST"})
    answer = await anonymous.post({"query": "{ __typename }"}, Origin=SHOP)
    assert (answer.data, ALLOW in answer.headers) == ({"__typename": "Query"}, False)


@pytest.fixture
async def open_to_a_shop(settings: Settings, http: aiohttp.ClientSession) -> AsyncIterator[Phone]:
    async with (
        lifespan.services(settings.model_copy(update={"allowed_origins": (SHOP,)})) as services,
        process.listening(services) as port,
    ):
        phone = Phone(http, f"http://127.0.0.1:{port}/graphql")
        yield await sign_in_directly(services, phone, await make_user(services, "Ada"))


async def test_pages_that_may_use_graphql(open_to_a_shop: Phone, http: aiohttp.ClientSession) -> None:
    phone = open_to_a_shop
    status, allowed = await preflight(http, phone.url, "POST", headers="authorization,content-type")
    assert (status, allowed[ALLOW]) == (204, SHOP)
    assert allowed["Access-Control-Allow-Headers"] == "authorization,content-type"
    assert await preflight(http, phone.url, "POST", origin=ELSEWHERE) == (405, {"Allow": "GET, POST"})
    query = {"query": "{ viewer { user { id } } }"}
    answer = await phone.post(query, Origin=SHOP)
    assert answer.data["viewer"]["user"]["id"] == phone.user_id
    assert (answer.headers[ALLOW], "Origin" in answer.headers["Vary"]) == (SHOP, True)
    # Refusals too, or the page could not tell them from a network that is down.
    refused = await phone.post({"query": "{ nonsense }"}, Origin=SHOP)
    assert (refused.code, refused.headers[ALLOW]) == ("BAD_USER_INPUT", SHOP)
    for origin in (ELSEWHERE, "null", f"{SHOP}.evil.example.net"):
        answer = await phone.post(query, Origin=origin)
        assert ALLOW not in answer.headers
        # No cache may give one page's leave to another.
        assert "Origin" in answer.headers["Vary"]
