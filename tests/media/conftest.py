"""Landfall over both kinds of stores: a folder on disk, and a server that speaks S3."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from core.context import Services
from core.settings import Settings
from server import lifespan, process
from tests.phone import Phone, make_user, sign_in_directly

BUCKET = "landfall-media"


@dataclass
class Place:
    """One Landfall with its store."""

    services: Services
    address: str
    http: aiohttp.ClientSession
    kind: str

    async def phone(self, name: str = "Ada") -> Phone:
        phone = Phone(self.http, f"{self.address}/graphql")
        return await sign_in_directly(self.services, phone, await make_user(self.services, name))


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """A bucket on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    bucket = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test-key",
        aws_secret_access_key="test-secret",
    )
    bucket.create_bucket(Bucket=BUCKET)
    yield endpoint
    server.stop()


@pytest.fixture(scope="session")
def in_bucket(settings: Settings, s3: str) -> Settings:
    changes: dict[str, Any] = {
        "mongo_database": "landfall_s3",
        "media_store": f"s3://{BUCKET}/app",
        "s3_endpoint": s3,
        "s3_access_key_id": "test-key",
        "s3_secret_access_key": SecretStr("test-secret"),
    }
    return settings.model_copy(update=changes)


@pytest.fixture(scope="session")
async def bucket_place(in_bucket: Settings, http: aiohttp.ClientSession) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(lifespan.services(in_bucket))
        port = await stack.enter_async_context(process.listening(services))
        yield Place(services, f"http://127.0.0.1:{port}", http, "s3")


@pytest.fixture(params=["disk", "s3"])
def place(
    request: pytest.FixtureRequest, services: Services, address: str, http: aiohttp.ClientSession
) -> Place:
    if request.param == "disk":
        return Place(services, address, http, "disk")
    found: Callable[[str], Any] = request.getfixturevalue
    made: Place = found("bucket_place")
    return made
