"""Puts the process together: services, schema, and what starts and stops with them."""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import structlog
from aiohttp import ClientSession
from redis.asyncio import Redis

from core import changes, discovery, migrations
from core.binding.build import Schema, build
from core.classifier import Classifier
from core.context import Services
from core.crypto import Keyring, keyring
from core.folding import Folder
from core.limits import Limits
from core.live import Live
from core.mongo import Database
from core.ports import Places
from core.position import Signer
from core.settings import Settings
from core.tally import Tally
from providers.formula import Formula
from providers.judge import Elsewhere
from providers.outbox import Outbox
from providers.places import Nowhere, PlacesFile
from providers.rules import Rules
from providers.web import Web
from resolvers.auth import passwords
from resolvers.auth.revocations import Revocations
from resolvers.auth.signing import LockedOut, SigningKeys
from resolvers.auth.tokens import Tokens, signing_key
from resolvers.feed.behind import Behind
from resolvers.feed.experimenting import Experiments
from resolvers.feed.links import Previews
from resolvers.feed.moderating import Moderation
from resolvers.feed.ranking import Ranking
from resolvers.feed.snapshots import Snapshots
from server.documents import Documents
from server.failures import OneOperation, PublicErrors
from server.outside import Outside, outside
from server.starting import (
    UNSET,
    NotReady,
    check_addresses,
    look_for_redis,
    mongo_client,
    named_database,
    redis_client,
    wait_for_mongo,
)
from server.storage import Storage, storage

logger = structlog.get_logger(__name__)

SHORTEST_SECRET = 32
URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/?")


def make_schema(settings: Settings) -> Schema:
    rooms = discovery.all_rooms()
    return build(
        rooms["schema"],
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
    return signing_key(settings.data_dir / "signing-key.pem")


def field_keys(settings: Settings) -> Keyring:
    """What seals and opens single fields."""
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
    secret = secret_of(settings)
    crypto, first_key = _keyring(settings, secret), _key_pem(settings)
    places = _places(settings)
    redis = redis_client(settings)
    async with database(settings, listeners=listeners) as db, aclosing(redis):
        await look_for_redis(redis, settings)
        await migrations.migrate(db)
        live = Live(db, redis, overlap=await changes.overlap(db, settings.transaction_lifetime))
        counters = Folder(db, live)
        revocations, keys = Revocations(db, live), SigningKeys(db, crypto)
        await _start_keys(keys, first_key)
        await live.start()
        await revocations.start()
        feeds = _feeds(settings, redis)
        experiments = Experiments(db, live, feeds[Ranking])
        await experiments.start()
        tokens = Tokens(keys, secret, issuer=settings.token_issuer, audience=settings.token_audience)
        try:
            async with ClientSession() as http:
                beyond = _outside(settings, redis, http)
                extra = {Tokens: tokens, SigningKeys: keys, Revocations: revocations, **feeds}
                extra |= {Places: places, Moderation: Moderation(_classifier(settings, http))}
                yield _services(settings, db, redis, live, counters, secret, crypto, extra, beyond)
        finally:
            await counters.stop()
            await feeds[Behind].stop()
            await experiments.stop()
            await keys.stop()
            await revocations.stop()
            await live.stop()


@asynccontextmanager
async def database(settings: Settings, *, listeners: Sequence[Any] = ()) -> AsyncIterator[Database]:
    """MongoDB alone, for what must work although nothing else would start."""
    if not settings.mongo_url:
        raise NotReady(UNSET)
    # A collection that nobody has imported yet would go without its indexes.
    discovery.all_rooms()
    client = mongo_client(settings, listeners)
    try:
        db = named_database(client, settings)
        await wait_for_mongo(db, settings)
        yield db
    finally:
        closing = client.close()
        if closing is not None:
            await closing


async def _start_keys(keys: SigningKeys, first: bytes | None) -> None:
    try:
        await keys.start(first)
    except LockedOut as problem:
        raise NotReady(str(problem)) from None
    except ValueError as problem:
        raise NotReady(f"LANDFALL_SIGNING_KEY_FILE: {problem}") from None


def _outside(settings: Settings, redis: "Redis", http: ClientSession) -> Outside:
    try:
        return outside(settings, redis, http)
    except ValueError as problem:
        raise NotReady(str(problem)) from None


def _classifier(settings: Settings, http: ClientSession) -> Classifier:
    rules = Rules()
    if not settings.classifier_url:
        return rules
    return Elsewhere(http, settings.classifier_url, settings.classifier_token.get_secret_value(), rules)


def _places(settings: Settings) -> Places:
    try:
        return PlacesFile(settings.places_file) if settings.places_file else Nowhere()
    except ValueError as problem:
        raise NotReady(str(problem)) from None


def _storage(settings: Settings, signer: Signer) -> Storage:
    try:
        return storage(settings, signer)
    except ValueError as problem:
        raise NotReady(str(problem)) from None


def _services(
    settings: Settings,
    db: Database,
    redis: "Redis",
    live: Live,
    counters: Folder,
    secret: str,
    crypto: Keyring,
    extra: dict[type, Any],
    beyond: Outside,
) -> Services:
    passwords.use(memory_kib=settings.password_memory_kib, rounds=settings.password_rounds)
    signer = Signer(secret)
    kept = _storage(settings, signer)
    return Services(
        settings=settings,
        db=db,
        redis=redis,
        live=live,
        counters=counters,
        limits=Limits(redis, settings.rate_scale),
        tally=Tally(redis),
        signer=signer,
        crypto=crypto,
        mailer=beyond.mailer,
        texters=beyond.texters,
        pusher=beyond.pusher,
        captcha=beyond.captcha,
        risk=beyond.risk,
        objects=kept.objects,
        scanner=kept.scanner,
        studio=kept.studio,
        extra={**extra, Outbox: beyond.outbox, Documents: Documents(db, redis, settings)},
    )


def _feeds(settings: Settings, redis: "Redis") -> dict[type, Any]:
    """What home feeds are put together with."""
    ranking = Ranking(Formula(settings.feed_experiment), Formula)
    previews = Previews(Web() if settings.link_previews else None)
    return {
        Behind: Behind(),
        Snapshots: Snapshots(redis),
        Ranking: ranking,
        Previews: previews,
    }
