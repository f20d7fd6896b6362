"""Client address of a request: X-Forwarded-For is trusted as far as our own proxies wrote it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from core.context import Services
from core.settings import Settings
from server import lifespan, process
from tests.phone import PASSWORD, key, make_member

SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { session { ipMasked } errors { code } } }"
DEVICE = {"deviceId": "9f0a3b52-8a41-4c1e-9d5e-0c5d6a1f7e21", "name": "Phone", "platform": "OTHER"}


@pytest.fixture
async def behind_two(settings: Settings) -> AsyncIterator[str]:
    own = settings.model_copy(update={"trust_proxy": 2})
    async with lifespan.services(own) as services, process.listening(services) as port:
        await make_member(services, "forwarded@example.com", "Ada", PASSWORD)
        yield f"http://127.0.0.1:{port}/graphql"


async def seen_as(http: aiohttp.ClientSession, url: str, *forwarded: str) -> Any:
    given = {"idempotencyKey": key(), "email": "forwarded@example.com", "password": PASSWORD}
    body = {"query": SIGN_IN, "variables": {"input": {**given, "device": DEVICE}}}
    headers = [("X-Forwarded-For", each) for each in forwarded]
    async with http.post(url, json=body, headers=headers) as response:
        answer = (await response.json())["data"]["signIn"]
    assert answer["errors"] == []
    return answer["session"]["ipMasked"]


async def test_the_outermost_of_our_proxies_says_who_it_is(
    behind_two: str, http: aiohttp.ClientSession
) -> None:
    """Entries that the sender wrote into X-Forwarded-For are further to the left, and are never trusted."""
    assert await seen_as(http, behind_two, "203.0.113.9, 10.0.0.1") == "203.0.113.0"
    assert await seen_as(http, behind_two, "6.6.6.6, 198.51.100.7, 10.0.0.1") == "198.51.100.0"
    assert await seen_as(http, behind_two, "6.6.6.6", "198.51.100.7", "10.0.0.1") == "198.51.100.0"
    assert await seen_as(http, behind_two, "6.6.6.6, 2001:db8:7::1, 10.0.0.1") == "2001:db8:7::"


async def test_a_header_that_our_proxies_did_not_write_is_ignored(
    behind_two: str, http: aiohttp.ClientSession
) -> None:
    assert await seen_as(http, behind_two) == "127.0.0.0"
    assert await seen_as(http, behind_two, "203.0.113.9") == "127.0.0.0"
    assert await seen_as(http, behind_two, "somebody, 10.0.0.1") == "127.0.0.0"


async def test_without_proxies_the_header_is_ignored(
    address: str, services: Services, http: aiohttp.ClientSession
) -> None:
    await make_member(services, "forwarded@example.com", "Ada", PASSWORD)
    assert await seen_as(http, f"{address}/graphql", "203.0.113.9, 10.0.0.1") == "127.0.0.0"
