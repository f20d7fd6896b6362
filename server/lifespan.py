"""Process assembly (composition root): services, schema, and what starts and stops with them."""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, get_type_hints

import structlog
from aiohttp import ClientSession
from redis.asyncio import Redis

from core import discovery
from core.context import Services
from core.graphql.build import Schema, build
from core.redis_batches import RedisBatches
from core.security.crypto import Deployment, Keyring, keyring, make_signing_key
from core.security.limits import Limits
from core.security.sliding_window import SlidingWindowCounter
from core.services import NotReady, started
from core.settings import Settings, of_systems
from core.storage import migrations, mongo
from core.storage.folding import Folder
from core.storage.mongo import Database
from core.sync import changes
from core.sync.live import Live
from core.sync.log_offset import Signer
from providers.chosen import chosen
from providers.outbox import Outbox
from providers.provider_setup import Providers
from providers.storage import Storage
from server.documents import Documents
from server.errors import OneOperation, PublicErrors
from server.starting import (
    UNSET,
    check_addresses,
    look_for_redis,
    mongo_client,
    named_database,
    redis_client,
    wait_for_mongo,
)

logger = structlog.get_logger(__name__)

SHORTEST_SECRET = 32
URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/?")


def make_schema(settings: Settings) -> Schema:
    systems = discovery.all_systems()
    return build(
        systems["schema"],
        extensions=[PublicErrors, OneOperation],
        production=settings.production,
        max_batch=settings.max_batch,
    )


def check_public_url(settings: Settings) -> None:
    """Links in production name the deployment, never what a request says it is called."""
    url = settings.public_url
    if settings.production and not url:
        raise NotReady("LANDFALL_PUBLIC_URL must say where phones reach this deployment: https://...")
    if url and not URL.fullmatch(url):
        raise NotReady(f"LANDFALL_PUBLIC_URL is no address of a server: {url!r}; write https://name.")


def secret_of(settings: Settings) -> str:
    """The server secret; outside production it may be derived from the signing key on disk."""
    secret = settings.secret.get_secret_value()
    if len(secret) >= SHORTEST_SECRET:
        return secret
    if settings.production or secret:
        raise NotReady(f"LANDFALL_SECRET must have at least {SHORTEST_SECRET} characters.")
    return hashlib.sha256(_key_pem(settings) or b"").hexdigest()


def _key_pem(settings: Settings) -> bytes | None:
    """The first key of a deployment; later ones are made, and kept in MongoDB."""
    if settings.signing_key_file is not None:
        if not settings.signing_key_file.exists():
            raise NotReady(
                f"LANDFALL_SIGNING_KEY_FILE names {settings.signing_key_file}, which does not exist."
            )
        return settings.signing_key_file.read_bytes()
    if settings.production:
        return None
    return _key_on_disk(settings.data_dir / "signing-key.pem")


def _key_on_disk(file: Path) -> bytes:
    """The key in the file, made there with owner-only rights if it is missing."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(make_signing_key())
    return file.read_bytes()


def field_keys(settings: Settings) -> Keyring:
    """Keyring that encrypts and decrypts single fields."""
    return _keyring(settings, secret_of(settings))


def _keyring(settings: Settings, secret: str) -> Keyring:
    try:
        return keyring(settings.field_keys.get_secret_value(), secret)
    except ValueError as problem:
        raise NotReady(f"LANDFALL_FIELD_KEYS: {problem}") from None


@asynccontextmanager
async def services(settings: Settings, *, listeners: Sequence[Any] = ()) -> AsyncIterator[Services]:
    """The process's services, ready: or NotReady with the reason."""
    check_addresses(settings)
    check_public_url(settings)
    deployment = Deployment(secret_of(settings), _key_pem(settings))
    crypto = _keyring(settings, deployment.secret)
    redis = redis_client(settings)
    async with database(settings, listeners=listeners) as db, aclosing(redis), ClientSession() as http:
        await look_for_redis(redis, settings)
        await migrations.migrate(db)
        batches = RedisBatches(redis)
        live = Live(db, redis, batches, overlap=await changes.overlap(db, settings.transaction_lifetime))
        made = _services(settings, db, redis, live, crypto, Signer(deployment.secret), http)
        await live.start()
        try:
            beside = {Deployment: deployment, ClientSession: http, RedisBatches: batches, Services: made}
            given = beside | made.extra
            async with started(_by_type(made) | given) as found:
                made.extra |= found
                yield made
        finally:
            await made.counters.stop()
            await live.stop()
            await batches.stop()


def _by_type(services: Services) -> dict[Any, Any]:
    """Services of the process by their types, for the factories that need them."""
    return {kind: getattr(services, name) for name, kind in get_type_hints(Services).items()}


@asynccontextmanager
async def database(settings: Settings, *, listeners: Sequence[Any] = ()) -> AsyncIterator[Database]:
    """MongoDB alone, for what must work although nothing else would start."""
    if not settings.mongo_url:
        raise NotReady(UNSET)
    # A collection that nobody has imported yet would go without its indexes.
    discovery.all_systems()
    client = mongo_client(settings, listeners)
    try:
        db = named_database(client, settings)
        await wait_for_mongo(db, settings)
        yield db
    finally:
        await mongo.close(client)


def _services(
    settings: Settings,
    db: Database,
    redis: Redis,
    live: Live,
    crypto: Keyring,
    signer: Signer,
    http: ClientSession,
) -> Services:
    """Build the services that every process has."""
    beyond, kept = chosen(settings, redis, http, signer)
    return Services(
        settings=settings,
        db=db,
        redis=redis,
        live=live,
        counters=Folder(db, live),
        limits=Limits(redis, settings.rate_scale),
        window_counter=SlidingWindowCounter(redis),
        signer=signer,
        crypto=crypto,
        mailer=beyond.mailer,
        sms_senders=beyond.sms_senders,
        pusher=beyond.pusher,
        objects=kept.objects,
        extra=of_systems(settings)
        | {
            Providers: beyond,
            Storage: kept,
            Outbox: beyond.outbox,
            Documents: Documents(db, redis, settings),
        },
    )
