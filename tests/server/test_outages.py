"""MongoDB or Redis away: at the start, and later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import pytest

from core.context import Services
from core.settings import Settings
from devstack.process import free_port
from devstack.servers import Servers, embedded
from server import lifespan, process, worker
from tests.commands import all_done, landfall
from tests.phone import Answer, Phone, key, make_user, sign_in_directly

REFRESH = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { errors { code } } }"
PERSON = "query($id: ID!) { user(id: $id) { name } }"


@pytest.fixture(scope="module")
def hopeless(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Output of servers that lack something; started all at once, because each takes seconds."""
    nowhere = f"127.0.0.1:{free_port()}"
    common = {"START_TIMEOUT": "1", "DATA_DIR": str(tmp_path_factory.mktemp("hopeless")), "PORT": "0"}
    lacking = {
        "mongodb": {
            "MONGO_URL": f"mongodb://landfall:top-secret@{nowhere}/?replicaSet=rs0",
            "REDIS_URL": servers.redis_url,
        },
        "addresses": {},
    }
    runs = {name: partial(landfall, "serve", **(common | settings)) for name, settings in lacking.items()}
    return {"nowhere": nowhere, **all_done(runs)}


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("mongodb", "MongoDB at mongodb://{nowhere}/?replicaSet=rs0 does not answer"),
        ("addresses", "Set LANDFALL_MONGO_URL and LANDFALL_REDIS_URL, or run `landfall dev`."),
    ],
)
def test_a_server_that_cannot_start_says_why(hopeless: dict[str, Any], lacking: str, said: str) -> None:
    done = hopeless[lacking]
    assert done.returncode == 1
    assert said.format(nowhere=hopeless["nowhere"]) in done.stderr
    assert "top-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[Services, str]]:
    async with lifespan.services(settings) as services, process.listening(services) as port:
        yield services, f"http://127.0.0.1:{port}"


async def readiness(http: aiohttp.ClientSession, address: str) -> tuple[int, dict[str, str]]:
    async with http.get(f"{address}/readyz") as response:
        return response.status, await response.json()


def refreshing(phone: Phone) -> dict[str, str | None]:
    return {"idempotencyKey": key(), "refreshToken": phone.refresh_token, "deviceId": phone.device_id}


def assert_unavailable(answer: Answer, field: str) -> None:
    [error] = answer.errors
    assert error["message"] == "The service is not available for the moment."
    assert error["extensions"] == {"code": "UNAVAILABLE"}
    if answer.body.get("data") is None:
        assert answer.status == 503
    else:
        assert (answer.status, answer.body["data"]) == (200, {field: None})


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> object:
    with embedded(tmp_path_factory.mktemp("outages"), ephemeral=True) as running:
        yield running


async def test_the_server_outlives_its_databases(
    own_servers: Servers, settings: Settings, http: aiohttp.ClientSession
) -> None:
    own = settings.model_copy(
        update={
            "mongo_url": f"{own_servers.mongo_url}&serverSelectionTimeoutMS=300",
            "redis_url": own_servers.redis_url,
            "request_timeout": 8.0,
        }
    )
    async with running(own) as (services, address):
        ada = Phone(http, f"{address}/graphql")
        await sign_in_directly(services, ada, await make_user(services, "Ada"))
        assert await ada.run(PERSON, id=ada.user_id) == {"user": {"name": "Ada"}}

        await asyncio.to_thread(own_servers.redis.stop)
        assert await readiness(http, address) == (
            200,
            {"status": "degraded", "mongodb": "ok", "redis": "unreachable"},
        )
        assert await ada.run(PERSON, id=ada.user_id) == {"user": {"name": "Ada"}}

        await asyncio.to_thread(own_servers.mongo.stop)
        assert_unavailable(await ada.ask(PERSON, id=ada.user_id), "user")
        assert_unavailable(await ada.ask("{ viewer { user { name } } }"), "viewer")
        # A fault is never a REFRESH_ refusal: the phone keeps its tokens.
        failed = await ada.ask(REFRESH, input=refreshing(ada))
        assert failed.body["data"] == {"refreshSession": None}
        assert failed.code in ("UNAVAILABLE", "TIMEOUT")
        status, found = await readiness(http, address)
        assert (status, found["mongodb"], found["redis"]) == (503, "unreachable", "unreachable")
        async with http.get(f"{address}/healthz") as response:
            assert response.status == 200

        await asyncio.to_thread(own_servers.redis.start)
        assert_unavailable(await ada.ask(PERSON, id=ada.user_id), "user")
        await asyncio.to_thread(own_servers.mongo.start)
        assert await ada.run(PERSON, id=ada.user_id) == {"user": {"name": "Ada"}}
        assert await readiness(http, address) == (
            200,
            {"status": "ready", "mongodb": "ok", "redis": "ok"},
        )
        refreshed = await ada.run(REFRESH, input=refreshing(ada))
        assert refreshed == {"refreshSession": {"errors": []}}
        done = await ada.do("createPost", "post { text }", text="Still here")
        assert done["post"] == {"text": "Still here"}


async def test_a_process_starts_and_works_without_redis(
    settings: Settings, services: Services, http: aiohttp.ClientSession
) -> None:
    own = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    async with lifespan.services(own) as started, worker.waking(started), process.listening(started) as port:
        address = f"http://127.0.0.1:{port}"
        assert await readiness(http, address) == (
            200,
            {"status": "degraded", "mongodb": "ok", "redis": "unreachable"},
        )
        ada = Phone(http, f"{address}/graphql")
        await sign_in_directly(started, ada, await make_user(started, "Ada"))
        done = await ada.do("createPost", "post { id text }", text="All the same")
        assert (done["errors"], done["post"]["text"]) == ([], "All the same")
        query = "subscription($id: ID!) { postEvents(postId: $id) { __typename } }"
        async with ada.watch(query, id=done["post"]["id"]) as stream:
            wrote = await ada.do("createComment", "comment { id }", postId=done["post"]["id"], text="Live")
            assert wrote["errors"] == []
            assert (await stream.next(timeout=5)) == {"postEvents": {"__typename": "CommentCreated"}}
