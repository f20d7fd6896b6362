"""Keys of the audit logs (Ed25519), shared by all processes: the newest signs, all verify.

Both halves are encrypted with the deployment's field keys, so that who can only write to the database cannot
bring a key of their own. Old keys stay: checkpoints of theirs are verified for good.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core import clock
from core.context import Services
from core.ledger.signed_note import Signer, Verifier, decode_base64, encode_base64
from core.services import NotReady
from ports.audit import AuditSettings
from stores import audit as store
from stores.audit import LogKey

LOCKED_OUT = (
    "The key that signs audit logs cannot be opened: it was encrypted with another field key. Put that one "
    "back at the end of LANDFALL_FIELD_KEYS."
)


class LockedOut(NotReady):
    """Raised if the configured field keys cannot decrypt the key that signs the logs."""


def origin(services: Services, org_id: str) -> str:
    """Name of an organization's log."""
    return f"{services.get(AuditSettings).audit_origin}/audit/{org_id}"


async def signer(services: Services, org_id: str) -> Signer:
    """The key that signs an organization's log now; the first one is made."""
    keys = await store.all_log_keys(services.db)
    if not keys:
        await add(services)
        keys = await store.all_log_keys(services.db)
    try:
        private = _opened(services, keys[-1], "private")
    except ValueError:
        raise LockedOut(LOCKED_OUT) from None
    return Signer(origin(services, org_id), Ed25519PrivateKey.from_private_bytes(private))


async def verifiers(services: Services, org_id: str) -> list[Verifier]:
    """All keys that ever signed an organization's log, whose public halves are ours."""
    name, found = origin(services, org_id), []
    for key in await store.all_log_keys(services.db):
        try:
            public = _opened(services, key, "public")
        except ValueError:
            continue
        found.append(Verifier(name, Ed25519PublicKey.from_public_bytes(public)))
    return found


async def add(services: Services) -> bool:
    """Add a key that signs from now on; False if another process was first."""
    keys = await store.all_log_keys(services.db)
    made = Ed25519PrivateKey.generate()
    public = made.public_key().public_bytes_raw()
    kid = hashlib.sha256(public).hexdigest()[:16]
    sealed = {
        half: services.crypto.seal(encode_base64(value), place=_place(kid, half))
        for half, value in (("public", public), ("private", made.private_bytes_raw()))
    }
    key = LogKey(
        _id=kid,
        generation=keys[-1]["generation"] + 1 if keys else 1,
        public=sealed["public"],
        private=sealed["private"],
        created_at=clock.now(),
    )
    return await store.add_log_key(services.db, key)


def _opened(services: Services, key: LogKey, half: str) -> bytes:
    """Half of a key; ValueError for one that was not encrypted by our field keys, for this place."""
    sealed: str = key[half]  # type: ignore[literal-required]
    return decode_base64(services.crypto.open(sealed, place=_place(key["_id"], half)))


def _place(kid: str, half: str) -> str:
    return f"{store.log_keys.name}/{kid}/{half}"
