"""Keys of the audit logs (Ed25519), shared by all processes: the newest signs, all verify.

Both halves are encrypted with the deployment's field keys, so that who can only write to the database cannot
bring a key of their own. Old keys stay: checkpoints of theirs are verified for good.

Who knows a log's key follows to the next one by the first checkpoint that this signs: its text names the new
key, and the old one signs it as well. A signature beside another vouches for nothing: anybody can add one.
"""

import hashlib
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core import clock
from core.context import Services
from core.ledger import signed_note
from core.ledger.signed_note import Signer, Verifier, decode_base64, encode_base64
from core.services import NotReady
from ports.audit import AuditSettings
from stores import audit as store
from stores.audit import AuditCheckpoint, LogKey

LOCKED_OUT = (
    "The key that signs audit logs cannot be opened: it was encrypted with another field key. Put that one "
    "back at the end of LANDFALL_FIELD_KEYS."
)
SUCCESSOR = "successor-key"
"""Extension line of a checkpoint, before the verifier key by which this and all later ones are signed."""


class LockedOut(NotReady):
    """Raised if the configured field keys cannot decrypt the key that signs the logs."""


class Signing(NamedTuple):
    """Keys that sign a checkpoint; where the first is new to its log, the text says so."""

    signers: tuple[Signer, ...]
    introduces: str | None
    """Id of the new key."""

    @property
    def extensions(self) -> tuple[str, ...]:
        return () if self.introduces is None else (f"{SUCCESSOR} {self.signers[0].verifier.vkey}",)


def origin(services: Services, org_id: str) -> str:
    """Name of an organization's log."""
    return f"{services.get(AuditSettings).audit_origin}/audit/{org_id}"


async def signer(services: Services, org_id: str) -> Signer:
    """The key that signs an organization's log now; the first one is made."""
    return _signer(services, org_id, (await _keys(services))[-1])


async def signing(services: Services, org_id: str, before: AuditCheckpoint | None) -> Signing:
    """Keys for the checkpoint after this one: the newest, and where it is new the one that vouches for it."""
    *former, newest = await _keys(services)
    first = _signer(services, org_id, newest)
    if before is None or _signed(before, first.verifier):
        return Signing((first,), None)
    trusted = [_signer(services, org_id, key) for key in former if "distrusted_at" not in key]
    vouching = [each for each in trusted if _signed(before, each.verifier)]
    return Signing((first, *vouching[-1:]), newest["_id"])


async def verifiers(services: Services, org_id: str) -> list[Verifier]:
    """All keys that ever signed an organization's log, whose public halves are ours."""
    return [verifier for _, verifier in await _verifiers(services, org_id)]


async def verifiers_at(services: Services, org_id: str, size: int) -> list[Verifier]:
    """Keys that sign checkpoints of a size: one that was replaced signs none that is larger."""
    introducing = await store.last_introducing(services.db, org_id, size)
    found = await _verifiers(services, org_id)
    if introducing is None:
        return [verifier for _, verifier in found]
    ids = [key["_id"] for key, _ in found]
    since = ids.index(introducing["introduces"]) if introducing["introduces"] in ids else len(ids)
    return [verifier for _, verifier in found[since:]]


async def shown(services: Services, org_id: str) -> list[dict[str, Any]]:
    """Keys as clients see them, the oldest first: from which size on each signs, and what introduces it."""
    rows = await store.introducing(services.db, org_id)
    found = []
    for key, verifier in await _verifiers(services, org_id):
        first = next((row for row in rows if _signed(row, verifier)), None)
        introduces = first is not None and first.get("introduces") == key["_id"]
        found.append(
            {
                "verifier_key": verifier.vkey,
                "created_at": key["created_at"],
                "from_entry_count": first["size"] if first else None,
                "introduction_note": first["note"] if first and introduces else None,
                "distrusted_at": key.get("distrusted_at"),
            }
        )
    return found


async def add(services: Services) -> bool:
    """Add a key that signs from now on; False if another process was first."""
    keys = await store.all_log_keys(services.db)
    return await store.add_log_key(services.db, made(services, keys))


def made(services: Services, keys: list[LogKey]) -> LogKey:
    """The key after these."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    kid = hashlib.sha256(public).hexdigest()[:16]
    sealed = {
        half: services.crypto.seal(encode_base64(value), place=_place(kid, half))
        for half, value in (("public", public), ("private", private.private_bytes_raw()))
    }
    return LogKey(
        _id=kid,
        generation=keys[-1]["generation"] + 1 if keys else 1,
        public=sealed["public"],
        private=sealed["private"],
        created_at=clock.now(),
    )


async def _keys(services: Services) -> list[LogKey]:
    """All keys, the oldest first; there is one at least."""
    keys = await store.all_log_keys(services.db)
    if not keys:
        await add(services)
        keys = await store.all_log_keys(services.db)
    return keys


async def _verifiers(services: Services, org_id: str) -> list[tuple[LogKey, Verifier]]:
    name, found = origin(services, org_id), []
    for key in await store.all_log_keys(services.db):
        try:
            public = _opened(services, key, "public")
        except ValueError:
            continue
        found.append((key, Verifier(name, Ed25519PublicKey.from_public_bytes(public))))
    return found


def _signer(services: Services, org_id: str, key: LogKey) -> Signer:
    try:
        private = _opened(services, key, "private")
    except ValueError:
        raise LockedOut(LOCKED_OUT) from None
    return Signer(origin(services, org_id), Ed25519PrivateKey.from_private_bytes(private))


def _signed(row: AuditCheckpoint, verifier: Verifier) -> bool:
    """True if a checkpoint has a signature of the key, which is not verified here."""
    try:
        _, lines = signed_note.parse(row["note"])
    except ValueError:
        return False
    return (verifier.name, verifier.key_id) in {(line.name, line.key_id) for line in lines}


def _opened(services: Services, key: LogKey, half: str) -> bytes:
    """Half of a key; ValueError for one that was not encrypted by our field keys, for this place."""
    sealed: str = key[half]  # type: ignore[literal-required]
    return decode_base64(services.crypto.open(sealed, place=_place(key["_id"], half)))


def _place(kid: str, half: str) -> str:
    return f"{store.log_keys.name}/{kid}/{half}"
