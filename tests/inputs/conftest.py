"""One world for all inputs: each is tried by a phone of its own."""

from typing import Any

import aiohttp
import pytest

from core.context import Services
from tests.inputs.world import World, make_world
from tests.phone import Phone, make_user, sign_in_directly


@pytest.fixture(scope="module")
async def world(http: aiohttp.ClientSession, address: str, services: Services) -> World:
    async def new_phone(name: str = "Test", *, user_id: str | None = None, **fields: Any) -> Phone:
        person = user_id or await make_user(services, name, **fields)
        return await sign_in_directly(services, Phone(http, f"{address}/graphql"), person)

    return await make_world(new_phone, services)
