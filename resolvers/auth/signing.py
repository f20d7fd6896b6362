"""Signing keys of access tokens: one signs, the next is published before, the last for a day after."""

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk
from pymongo.errors import PyMongoError

from core import cancellation, clock
from core.security.crypto import Keyring, Unreadable, make_signing_key
from core.services import NotReady
from core.storage.mongo import Database
from stores import auth as store
from stores.auth import SigningKey

logger = structlog.get_logger(__name__)

ROTATION = timedelta(days=30)
AHEAD = timedelta(hours=2)
"""Time a key is published before it signs: others may cache our key set for an hour."""
AFTERWARDS = timedelta(hours=24)
"""Time a key stays published after it signed."""
RELOAD_SECONDS = 60.0
SHORTEST_GAP = 5.0
"""Least seconds between two reads, however many tokens name unknown keys."""
LOCKED_OUT = (
    "The key that signs access tokens cannot be opened: it was sealed with another field key. Put that one "
    "back at the end of LANDFALL_FIELD_KEYS, or set the LANDFALL_SECRET it comes from. If it is lost, "
    "`landfall keys rotate --distrust` begins anew, and every phone refreshes once."
)


class LockedOut(NotReady):
    """Raised if the configured field keys cannot decrypt the deployment's signing keys.

    Adding a key of its own would retire the one that all other processes sign with.
    """


class Key:
    """One key, ready to use."""

    def __init__(self, kid: str, public: str, private: str | None, signs_from: datetime) -> None:
        self.kid = kid
        self.public = jwk.construct(public, "ES256")
        self.private = jwk.construct(private, "ES256") if private else None
        self.signs_from = signs_from.timestamp()
        self.good_until = float("inf")

    @property
    def published(self) -> dict[str, Any]:
        fields = self.public.to_dict()
        texts = {name: v.decode() if isinstance(v, bytes) else v for name, v in fields.items()}
        return {**texts, "kid": self.kid, "use": "sig", "alg": "ES256"}


class SigningKeys:
    """Key set: the deployment's signing keys, as this process knows them."""

    def __init__(self, db: Database, crypto: Keyring) -> None:
        self._db = db
        self._crypto = crypto
        self._keys: dict[str, Key] = {}
        self._opened_once: dict[str, str] = {}
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, first_pem: bytes | None) -> None:
        """Load the keys; `first_pem` is the deployment's first key, else one is generated."""
        known = await self.reload()
        if not any(row["private"] for row in known):
            await add_key(self._db, self._crypto, known, clock.now(), pem=first_pem)
            # Another process may have been first.
            known = await self.reload()
        signing = _signing(known, clock.now())
        if signing is None or self._keys[signing["_id"]].private is None:
            raise LockedOut(LOCKED_OUT)
        self._task = asyncio.create_task(self._follow(), name="signing-keys")

    async def stop(self) -> None:
        await cancellation.end([self._task])

    async def reload(self) -> list[SigningKey]:
        rows = await store.all_signing_keys(self._db)
        secret = {row["_id"] for row in rows if row["private"]}
        self._opened_once = {kid: private for kid, private in self._opened_once.items() if kid in secret}
        keys = [Key(row["_id"], row["public"], self._opened(row), row["signs_from"]) for row in rows]
        for key, successor in pairwise(keys):
            key.good_until = successor.signs_from + AFTERWARDS.total_seconds()
        self._keys = {key.kid: key for key in keys}
        return rows

    def signer(self) -> Key:
        """The key that signs now."""
        key = self._current()
        if key is None:
            raise RuntimeError("There is no signing key.")
        return key

    def known(self, kid: Any) -> Key | None:
        """Key that a token names, while it is valid; an unknown one may be new and triggers a read."""
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            self._asked.set()
            return None
        return key if clock.timestamp() < key.good_until else None

    def published(self) -> list[dict[str, Any]]:
        now = clock.timestamp()
        return [key.published for key in self._keys.values() if now < key.good_until]

    def _current(self) -> Key | None:
        now = clock.timestamp()
        ready = [key for key in self._keys.values() if key.private and key.signs_from <= now]
        return max(ready, key=lambda key: key.signs_from, default=None)

    def _opened(self, row: SigningKey) -> str | None:
        if row["private"] is None:
            return None
        if row["_id"] in self._opened_once:
            # Re-encrypted under a field key that this process does not have yet, it is still the same key.
            return self._opened_once[row["_id"]]
        try:
            private = self._crypto.open(row["private"], place=_place(row["_id"]))
        except Unreadable:
            logger.error("signing key unreadable", kid=row["_id"])
            return None
        self._opened_once[row["_id"]] = private
        return private

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RELOAD_SECONDS):
                    await self._asked.wait()
            self._asked.clear()
            try:
                await self.reload()
            except PyMongoError as error:
                logger.warning("signing keys not read", error=type(error).__name__)
            await asyncio.sleep(SHORTEST_GAP)


async def rotate(
    db: Database, crypto: Keyring, *, at_once: bool = False, distrust: bool = False
) -> str | None:
    """Take the rotation steps that are due; return the `kid` of a key that was added.

    `at_once` adds a key that signs now; `distrust` takes away all others, with every token they signed.
    """
    now, keys = clock.now(), await store.all_signing_keys(db)
    if not distrust:
        _need_opened(crypto, keys, now)
    added = None
    if at_once or not keys or keys[-1]["signs_from"] + ROTATION - AHEAD <= now:
        added = await add_key(db, crypto, keys, now if at_once or not keys else now + AHEAD)
    for key in keys if at_once and distrust else _outdated(keys, now):
        await store.remove_signing_key(db, key["_id"])
    for key, successor in pairwise(keys):
        if key["private"] is not None and successor["signs_from"] + AHEAD <= now:
            await store.change_signing_key(db, key["_id"], {"private": None})
    return added


def _need_opened(crypto: Keyring, keys: Sequence[SigningKey], now: datetime) -> None:
    signing = _signing(keys, now)
    try:
        if signing is not None:
            crypto.open(signing["private"] or "", place=_place(signing["_id"]))
    except Unreadable:
        raise LockedOut(LOCKED_OUT) from None


def _signing(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The current signing key, the same in all processes."""
    ready = [key for key in keys if key["private"] and key["signs_from"] <= now]
    return max(ready, key=lambda key: key["signs_from"], default=None)


def _outdated(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    return [key for key, successor in pairwise(keys) if successor["signs_from"] + AFTERWARDS <= now]


async def add_key(
    db: Database,
    crypto: Keyring,
    known: Sequence[SigningKey],
    signs_from: datetime,
    *,
    pem: bytes | None = None,
) -> str | None:
    """Add a key of the next generation; None if another process was first."""
    private = pem or make_signing_key()
    public = public_pem(private)
    kid = hashlib.sha256(public).hexdigest()[:16]
    if kid in {key["_id"] for key in known}:
        private = make_signing_key()
        public = public_pem(private)
        kid = hashlib.sha256(public).hexdigest()[:16]
    added = await store.add_signing_key(
        db,
        {
            "_id": kid,
            "generation": known[-1]["generation"] + 1 if known else 1,
            "public": public.decode(),
            "private": crypto.seal(private.decode(), place=_place(kid)),
            "signs_from": signs_from,
            "created_at": clock.now(),
        },
    )
    return kid if added else None


def public_pem(private: bytes) -> bytes:
    """Public half of a private PEM; ValueError unless it is a P-256 key."""
    key = serialization.load_pem_private_key(private, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("The signing key must be an EC key on P-256.")
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _place(kid: str) -> str:
    return f"signing_keys/{kid}/private"
