"""A deployment whose MongoDB is a sharded cluster, as far as its router goes."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr
from pymongo.errors import OperationFailure

from core import jobs
from core.context import Services
from core.settings import Settings
from core.storage.store import COLLECTIONS
from devstack.servers import Servers
from server import lifespan, process, sharding
from tests.chat.steps import history, mark_read, open_chat, say
from tests.commands import landfall_of
from tests.feed.steps import comment, feed_of, follow, publish
from tests.phone import Phone, make_user, sign_in_directly
from tests.router import Router, router

DATABASE = "sharded"


@pytest.fixture
async def cluster(servers: Servers, settings: Settings) -> AsyncIterator[tuple[Router, Settings]]:
    async with router(servers.mongo.ports[0]) as (made, url):
        secret = SecretStr("a secret of thirty-two characters")
        own = {"mongo_url": url, "mongo_database": DATABASE, "secret": secret}
        yield made, settings.model_copy(update=own)


async def test_everything_works_through_a_router(
    cluster: tuple[Router, Settings], http: aiohttp.ClientSession
) -> None:
    made, settings = cluster
    # Before anything else started, and again.
    for _ in range(2):
        done = await landfall_of(settings, "shard")
        assert (done.returncode, done.stderr) == (0, "")
        assert "chat_members" in done.stdout
    declared = {f"{DATABASE}.{each.name}": each.shard_key for each in COLLECTIONS.values() if each.shard_key}
    assert made.sharded.items() >= declared.items()
    assert f"{DATABASE}.products" not in made.sharded
    async with lifespan.services(settings) as services, process.listening(services) as port:
        phones = [Phone(http, f"http://127.0.0.1:{port}/graphql") for _ in range(2)]
        ada, grace = [
            await sign_in_directly(services, phone, await make_user(services, name))
            for phone, name in zip(phones, ("Ada", "Grace"), strict=True)
        ]
        await used(services, ada, grace)
        assert made.refusals == []
        by_id = {"q": {"_id": "x"}, "u": {"$set": {"text": "x"}}}
        with pytest.raises(OperationFailure, match="without naming `chat_id`"):
            await services.db.write({"update": "messages", "updates": [by_id]})
    done = await landfall_of(settings, "doctor")
    assert done.returncode == 0, done.stderr
    assert "sharded cluster" in done.stdout


async def used(services: Services, ada: Phone, grace: Phone) -> None:
    """People follow, post, comment at once, talk, and work goes on behind."""
    await follow(ada, grace)
    post = await publish(grace)
    await asyncio.gather(*(comment(ada, post) for _ in range(5)))
    await jobs.run_due(services)
    assert await feed_of(ada) == [post]
    counted = await ada.run("query($id: ID!) { post(id: $id) { commentCount } }", id=post)
    assert counted["post"]["commentCount"] == 5
    chat = await open_chat(ada, grace)
    said = await say(ada, chat)
    await mark_read(grace, chat, 1)
    assert await history(grace, chat) == ["Hello"]
    edited = await ada.do("updateMessage", "message { text }", messageId=said["id"], text="Good day")
    assert edited["message"]["text"] == "Good day"
    assert await jobs.enqueue_periodic(services.db)
    await jobs.run_due(services)


async def test_a_collection_that_is_sharded_otherwise_is_told(cluster: tuple[Router, Settings]) -> None:
    made, settings = cluster
    made.sharded[f"{DATABASE}.messages"] = "sender_id"
    done = await landfall_of(settings, "shard")
    assert done.returncode == 1
    assert "sh.reshardCollection('sharded.messages', {'chat_id': 'hashed'})" in done.stderr


async def test_what_is_no_router_is_told(settings: Settings, services: Services) -> None:
    done = await landfall_of(settings, "shard")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("LANDFALL_MONGO_URL leads to a replica set, which needs no shard keys.")
    with pytest.raises(sharding.NotSharded):
        await sharding.declare(services.db)
