"""Databases at the start: patience with what is not up yet, plain words for what no waiting cures.

MongoDB must be there. Redis may be away: everything works without it, only slower.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog
from pymongo.errors import OperationFailure, PyMongoError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from core.services import NotReady
from core.settings import Settings
from core.storage import mongo, store
from core.storage.indexes import NotUnique
from core.storage.mongo import Database
from server.interrupts import stop_if_cancelled

logger = structlog.get_logger(__name__)

MONGO_SCHEMES = ("mongodb://", "mongodb+srv://")
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
NOT_BY_WAITING = frozenset({2, 67, 72, 73, 85, 86})
"""Codes of indexes, names and options that MongoDB will refuse again."""
PAUSE = 0.2
LOOK_SECONDS = 2.0
"""Within which a member that is looked at by itself must answer."""
MOST_LOOKED_AT = 3
REDIS_SECONDS = 2.0
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"


UNSET = "Set LANDFALL_MONGO_URL and LANDFALL_REDIS_URL, or run `landfall dev`."


def check_addresses(settings: Settings) -> None:
    """NotReady for addresses that cannot be right, before anything is connected or loaded."""
    if not settings.mongo_url or not settings.redis_url:
        raise NotReady(UNSET)
    _check_mongo_url(settings)
    redis_client(settings)


def mongo_client(settings: Settings, listeners: Sequence[Any] = ()) -> Any:
    _check_mongo_url(settings)
    return mongo.connect(settings.mongo_url, settings.mongo_driver, listeners=listeners)


def _check_mongo_url(settings: Settings) -> None:
    if not settings.mongo_url.startswith(MONGO_SCHEMES):
        raise NotReady("LANDFALL_MONGO_URL must begin with mongodb:// or mongodb+srv://.")
    try:
        mongo.check(settings.mongo_url)
    except (PyMongoError, ValueError, OSError) as error:
        raise NotReady(f"LANDFALL_MONGO_URL: {error}") from None


def named_database(client: Any, settings: Settings) -> Database:
    try:
        return Database(client, settings.mongo_database)
    except PyMongoError as error:
        raise NotReady(f"LANDFALL_MONGO_DATABASE: {error}") from None


def redis_client(settings: Settings) -> "Redis":
    # One quick try: everything in Redis may be missing, and every caller knows what to do then.
    try:
        return Redis.from_url(
            settings.redis_url,
            socket_connect_timeout=1.0,
            socket_timeout=5.0,
            retry=Retry(NoBackoff(), 1),
            retry_on_error=[RedisError],
            max_connections=200,
        )
    except ValueError as error:
        raise NotReady(f"LANDFALL_REDIS_URL: {error}") from None


async def wait_for_mongo(db: Database, settings: Settings) -> None:
    """Until there is a primary that has our collections.

    Building indexes does not count: on a big collection that takes as long as it takes.
    """
    try:
        async with asyncio.timeout(settings.start_timeout):
            while not await _has_primary(db, settings):  # noqa: ASYNC110
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise NotReady(await _diagnosis(settings)) from None
    await _make_indexes(db, settings)


async def _has_primary(db: Database, settings: Settings) -> bool:
    try:
        hello = await db.command({"hello": 1})
    except PyMongoError as error:
        if (said := _incurable(error, settings)) is not None:
            raise NotReady(said) from None
        return False
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise NotReady(_no_set(hello, settings))
    return bool(hello.get("isWritablePrimary"))


async def _make_indexes(db: Database, settings: Settings) -> None:
    """A primary may step down meanwhile, and others may start beside us: retried for a while."""
    loop = asyncio.get_running_loop()
    failing_since: float | None = None
    while True:
        began = loop.time()
        try:
            await store.ensure_indexes(db)
            return
        except NotUnique as blocked:
            raise NotReady(str(blocked)) from None
        except PyMongoError as error:
            if (said := _incurable(error, settings)) is not None:
                raise NotReady(said) from None
            # A build that failed after an hour is no hour of failing.
            failing_since = began if failing_since is None else max(failing_since, began - PAUSE)
            if loop.time() - failing_since > settings.start_timeout:
                raise NotReady(f"{_mongo(settings)} makes no indexes: {_first_line(error)}") from None
        await asyncio.sleep(PAUSE)


def _incurable(error: PyMongoError, settings: Settings) -> str | None:
    """Problem with MongoDB that no retry cures; None for one that may pass."""
    if UNTRUSTED in str(error):
        return (
            f"The certificate of {_mongo(settings)} is not trusted: name its authority by tlsCAFile=... "
            "in LANDFALL_MONGO_URL."
        )
    if not isinstance(error, OperationFailure):
        return None
    if error.code == AUTHENTICATION_FAILED:
        return f"{_mongo(settings)} refuses the user and password of LANDFALL_MONGO_URL."
    if error.code == UNAUTHORIZED:
        return (
            f"{_mongo(settings)} lets our user not do that: it needs a user in LANDFALL_MONGO_URL whose role "
            f"on the database {settings.mongo_database} is readWrite."
        )
    return f"{_mongo(settings)}: {_first_line(error)}" if error.code in NOT_BY_WAITING else None


async def _diagnosis(settings: Settings) -> str:
    """Why there is no primary for us, by looking at the members that the address names one by one."""
    found = f"{_mongo(settings)} does not answer: is it running?"
    if not settings.mongo_url.startswith(MONGO_SCHEMES[0]):
        return found
    for host in mongo.hosts(settings.mongo_url)[:MOST_LOOKED_AT]:
        try:
            hello = await _look_at(host, settings)
        except PyMongoError as error:
            if (said := _incurable(error, settings)) is not None:
                return said
            if "SSL handshake failed" in str(error):
                found = f"{_mongo(settings)} does not speak TLS as LANDFALL_MONGO_URL wants it."
        else:
            return _no_primary(hello, settings)
    return found


async def _look_at(host: str, settings: Settings) -> Mapping[str, Any]:
    client = mongo.connect(settings.mongo_url, settings.mongo_driver, timeout=LOOK_SECONDS, member=host)
    try:
        return await Database(client, settings.mongo_database).command({"hello": 1})
    finally:
        await mongo.close(client)


def _no_primary(hello: Mapping[str, Any], settings: Settings) -> str:
    """Reason why no primary is found, by the word of a member that answers."""
    if "setName" not in hello:
        return _no_set(hello, settings)
    options = {name.lower(): value for name, value in parse_qsl(urlsplit(settings.mongo_url).query)}
    wanted, name = options.get("replicaset"), hello["setName"]
    if wanted not in (None, name):
        return f"{_mongo(settings)} is of the replica set {name}: write replicaSet={name}, not {wanted}."
    members = ", ".join(hello.get("hosts", ()))
    if "primary" not in hello:
        return f"{_mongo(settings)} has no primary at present; the members of its set are {members}."
    return (
        f"{_mongo(settings)} names its members {members}: "
        "the primary cannot be reached from here by its name."
    )


def _no_set(hello: Mapping[str, Any], settings: Settings) -> str:
    if hello.get("isreplicaset"):
        return f"{_mongo(settings)} waits to be made a replica set: run rs.initiate() there once."
    return f"{_mongo(settings)} is not a replica set: transactions need one."


async def look_for_redis(redis: "Redis", settings: Settings) -> None:
    """Say what no waiting cures; without Redis the process starts all the same."""
    try:
        async with asyncio.timeout(REDIS_SECONDS):
            await redis.ping()
    except AuthenticationError:
        raise NotReady(f"{_redis(settings)} refuses the user and password of LANDFALL_REDIS_URL.") from None
    except ResponseError as error:
        raise NotReady(f"{_redis(settings)} refuses us: {_first_line(error)}") from None
    except TypeError:
        # The client gives what it does not know on to its connections.
        raise NotReady("LANDFALL_REDIS_URL: There is no such option.") from None
    except (RedisError, OSError, TimeoutError) as error:
        if UNTRUSTED in str(error):
            raise NotReady(
                f"The certificate of {_redis(settings)} is not trusted: name its authority by "
                "ssl_ca_certs=... in LANDFALL_REDIS_URL."
            ) from None
        logger.warning("redis does not answer", address=without_password(settings.redis_url))
    stop_if_cancelled()


def _mongo(settings: Settings) -> str:
    return f"MongoDB at {without_password(settings.mongo_url)}"


def _redis(settings: Settings) -> str:
    return f"Redis at {without_password(settings.redis_url)}"


def _first_line(error: Exception) -> str:
    """First line of a server's message, without the whole of its answer."""
    text = getattr(error, "details", None)
    said = text.get("errmsg") if isinstance(text, Mapping) else None
    return str(said or error).splitlines()[0].rstrip(".") + "."


def without_password(url: str) -> str:
    """The address as it may be shown."""
    scheme, _, rest = url.partition("://")
    host = rest.rpartition("@")[2]
    address, mark, query = host.partition("?")
    # Redis takes a password as an option too.
    shown = [part for part in query.split("&") if not part.lower().startswith(("password", "username"))]
    return f"{scheme}://{address}{mark if any(shown) else ''}{'&'.join(shown)}"
