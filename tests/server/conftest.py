"""A Landfall as it runs in production, beside the one of all tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from core.context import Services
from core.settings import Environment, Settings
from server import lifespan, process
from server.documents import Documents
from tests.phone import Phone


async def eventually(check: Callable[[], Awaitable[bool]], *, seconds: float = 10.0) -> None:
    """Until the check holds; TimeoutError where it does not."""
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(0.02)


async def free(cost: int) -> None:
    """A budget that has no end."""


Configured = Callable[..., AbstractAsyncContextManager[Phone]]


@pytest.fixture(scope="session")
async def production(settings: Settings, services: Services) -> AsyncIterator[str]:
    """Its address; put together as `landfall serve` does, with a database of its own."""
    own = settings.model_copy(
        update={
            "env": Environment.PRODUCTION,
            "mongo_database": "production",
            "public_url": "https://api.example.com",
            "secret": type(settings.secret)("a secret of thirty-two characters"),
        }
    )
    async with lifespan.services(own) as running, process.listening(running) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def configured(services: Services, http: aiohttp.ClientSession) -> Configured:
    """Another server on the same databases, with other settings; gives an anonymous phone of it."""

    @asynccontextmanager
    async def serve(**update: Any) -> AsyncIterator[Phone]:
        settings = services.settings.model_copy(update=update)
        documents = Documents(services.db, services.redis, settings)
        own = replace(services, settings=settings, extra={**services.extra, Documents: documents})
        async with process.listening(own) as port:
            yield Phone(http, f"http://127.0.0.1:{port}/graphql")

    return serve
