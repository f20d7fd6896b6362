"""Passkeys and device keys: enrolment, list, removal and sign-in."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from core import clock, ids, nodes
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.one_of import one_of
from core.paging import NEWEST, PageArgs
from core.values.bounds import check_length
from core.values.text import Line, Opaque
from ports.auth import AuthSettings
from resolvers.auth import challenges, devices, proofs, security, sessions
from resolvers.auth.challenges import Challenge
from resolvers.auth.lockout import SIGN_IN_RATE
from resolvers.auth.proofs import PublicKey
from resolvers.auth.sessions import signed_in
from stores import auth as store
from stores.auth import MOST_KEYS, AccountStatus, AuthFactor, AuthKey, AuthKeyKind, SecurityEventKind, emails

LONGEST_NAME = 100
CREDENTIAL_BYTES = {AuthKeyKind.PASSKEY: (16, 20, 32, 48), AuthKeyKind.DEVICE_KEY: (32,)}
"""Lengths of credential ids in bytes, as common authenticators make them."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Verified signature of a key, with its signature counter."""

    key: AuthKey
    counter: int
    asked_at: datetime
    """Time at which the challenge was issued."""


own_keys = nodes.owned(store.auth_keys)


async def of_account(ctx: Context, account: Mapping[str, Any], *, args: PageArgs) -> dict[str, Any]:
    """Keys of an account, newest first."""
    return await store.auth_keys.page(ctx.db, {"user_id": account["user_id"]}, NEWEST, args)


class PasskeyAssertion(TypedDict):
    """Assertion of a passkey (WebAuthn), as the platform answers when it signs."""

    signature: Opaque
    """Signature of the passkey (base64url)."""
    client_data_json: Opaque
    """`clientDataJSON` of the assertion (base64url)."""
    authenticator_data: Opaque
    """`authenticatorData` of the assertion (base64url)."""


@one_of
class KeySignature(TypedDict, total=False):
    """Signature of a challenge: by a key of one kind or the other."""

    passkey: PasskeyAssertion | None
    """Assertion of a passkey, as the platform made it."""
    device_key: Opaque | None
    """Signature of a device key over the challenge's 32 bytes, ASN.1 DER (base64url)."""


class KeyProof(TypedDict):
    """Challenge of `beginKeySignIn`, signed by a key of the account."""

    challenge_id: Id
    """Id of the challenge, which was begun on this device."""
    key_id: Id
    """Id of the key here, or its credential id (base64url)."""
    signature: KeySignature
    """Signature of the challenge, by a key of one kind or the other."""


@one_of
class KeyHint(TypedDict, total=False):
    """Hint which keys will do for a sign-in: one of several."""

    email: str | None
    """Email address of the account."""
    key_id: Id | None
    """Id of the key to use, or its credential id (base64url)."""


class PasskeyAttestation(TypedDict):
    """Attestation of a new passkey, as the platform gives it."""

    client_data_json: Opaque
    """`clientDataJSON` of the attestation (base64url)."""
    attestation_object: Opaque
    """`attestationObject` of the attestation (base64url)."""


class DeviceKey(TypedDict):
    """Public key of a device, and proof that the device has the private one."""

    public_key: Opaque
    """Public key on P-256 (base64url): SubjectPublicKeyInfo or uncompressed point."""
    signature: Opaque
    """Signature over the 32 bytes of the challenge, in ASN.1 DER (base64url)."""


@one_of
class NewKey(TypedDict, total=False):
    """New key: of one kind or the other."""

    passkey: PasskeyAttestation | None
    """Passkey, as the platform made it."""
    device_key: DeviceKey | None
    """Device key, as the app made it."""


async def begin_key_sign_in(
    ctx: Context, *, kind: AuthKeyKind, hint: KeyHint | None = None, device: Mapping[str, Any]
) -> dict[str, Any]:
    """Begin a sign-in by key; without a hint, the platform offers its own passkeys."""
    await ctx.limit(SIGN_IN_RATE, ctx.network)
    challenge = await challenges.open_challenge(ctx, kind, devices.id_of(device["device_id"]))
    key_id, email = (hint or {}).get("key_id"), (hint or {}).get("email")
    allowed = [key_id] if key_id else await _credentials(ctx, kind, email) if email else []
    return {"challenge": _shown(ctx, challenge, allowed)}


async def _credentials(ctx: Context, kind: AuthKeyKind, email: str) -> list[str]:
    """Credential ids to offer, equally many for everybody: a person's own among deterministic decoys."""
    key = await store.user_keys.by_id(ctx.db, store.email_key(email))
    keys = await store.keys_of_user(ctx.db, key["user_id"] if key else "user_nobody")
    own = [key["credential_id"] for key in keys if key["kind"] == kind and key["disabled_at"] is None]
    secret = ctx.services.crypto.blind(emails.canonical(email), place=f"decoy {kind}").encode()
    decoys = [_decoy(secret, kind, number) for number in range(MOST_KEYS - len(own))]
    return sorted(own + decoys, key=lambda id: hmac.digest(secret, id.encode(), hashlib.sha256))


def _decoy(secret: bytes, kind: AuthKeyKind, number: int) -> str:
    made = hmac.digest(secret, f"credential {number}".encode(), hashlib.sha512)
    lengths = CREDENTIAL_BYTES[kind]
    return proofs.encoded(made[: lengths[made[-1] % len(lengths)]])


async def prepare_key_sign_in(
    ctx: Context, *, challenge_id: Id, key_id: str, signature: KeySignature, device: Mapping[str, Any]
) -> Proof:
    await ctx.limit(SIGN_IN_RATE, ctx.network)
    return await proven(ctx, devices.id_of(device["device_id"]), challenge_id, key_id, signature)


async def finish_key_sign_in(
    ctx: Context,
    *,
    challenge_id: Id,
    key_id: Id,
    signature: KeySignature,
    device: Mapping[str, Any],
    prepared: Proof,
) -> dict[str, Any]:
    """Start a session by a signed challenge alone: having the key and unlocking it are two factors."""
    key = prepared.key
    if refusal := await used(ctx, prepared):
        return refusal
    user = await store.users.by_id(ctx.db, key["user_id"])
    if user is None or user["status"] in (AccountStatus.DELETED, AccountStatus.PENDING_VERIFICATION):
        raise _unknown()
    if user["status"] == AccountStatus.SUSPENDED:
        raise UserError("ACCOUNT_SUSPENDED", "This account is closed for now.")
    return await sessions.start(ctx, user, device, factors=[AuthFactor(key["kind"])])


async def proven(
    ctx: Context,
    device_id: str,
    challenge_id: str,
    key_id: str,
    signature: KeySignature,
    *,
    user_id: str | None = None,
) -> Proof:
    """Verify a signed challenge before anything is written; each challenge is used once.

    Only a key of `user_id` will do, if that is given.
    """
    challenge = await challenges.take(ctx, challenge_id, device_id)
    key = await store.key_named(ctx.services.db, key_id)
    if key is None or key["disabled_at"] is not None or key["kind"] != challenge.kind:
        raise _unknown()
    if user_id is not None and key["user_id"] != user_id:
        raise _unknown()
    bound_to = key["device"]["_id"] if key["device"] else None
    if key["kind"] == AuthKeyKind.DEVICE_KEY and bound_to != device_id:
        raise _unknown()
    counter = proofs.counter_of(ctx.services, challenge, key, signature)
    return Proof(key, counter, challenge.expires_at - challenges.LIFE)


async def used(ctx: Context, proof: Proof) -> dict[str, Any] | None:
    """Record the use of a key. A counter that went back means a copy: the key is disabled, nothing is proven.

    That refusal is kept, unlike others that undo everything.
    """
    key, now = proof.key, clock.now()
    risen: dict[str, Any] = {} if proof.counter == 0 else {"counter": {"$lt": proof.counter}}
    if proof.counter == 0 and key["kind"] == AuthKeyKind.PASSKEY:
        # Platforms that synchronise passkeys count nothing, ever.
        risen = {"counter": 0}
    changed = await ctx.tx.update(
        store.auth_keys,
        key,
        set={"counter": proof.counter, "last_used_at": now},
        where={"disabled_at": None, **risen},
    )
    if changed is not None:
        return None
    if await _overtaken(ctx, proof):
        raise UserError("EXPIRED", "The key was used again meanwhile.", field=["challengeId"])
    disabled = await ctx.tx.update(
        store.auth_keys, key, set={"disabled_at": now}, where={"disabled_at": None}
    )
    if disabled is None:
        raise _unknown()
    await security.record(
        ctx, key["user_id"], SecurityEventKind.KEY_REMOVED, device=key["device"], result="COUNTER_WENT_BACK"
    )
    return {"errors": [UserError("SIGNATURE_INVALID", "This key was copied: it is disabled.").document]}


async def _overtaken(ctx: Context, proof: Proof) -> bool:
    """Replay protection: true if a later use of the key came first (reordered requests, or a thief).

    Either way nothing is proven; and a copy that tries again, with a challenge of its own, is found out.
    """
    key = await store.auth_keys.by_id(ctx.db, proof.key)
    if key is None or key["disabled_at"] is not None or key["last_used_at"] is None:
        return False
    return proof.asked_at <= key["last_used_at"] and 0 < proof.counter < key["counter"]


async def begin_key_enrollment(ctx: Context, *, kind: AuthKeyKind) -> dict[str, Any]:
    keys = await store.keys_of_user(ctx.db, ctx.viewer_id)
    if len(keys) >= MOST_KEYS:
        raise UserError("LIMIT_REACHED", "You have {limit} keys: remove one first.", limit=MOST_KEYS)
    device_id = ctx.signed_in.device_id
    challenge = await challenges.open_challenge(ctx, kind, device_id, user_id=ctx.viewer_id)
    return {"challenge": _shown(ctx, challenge, [key["credential_id"] for key in keys])}


async def prepare_key_enrollment(ctx: Context, *, challenge_id: Id, key: NewKey, **_: Any) -> PublicKey:
    me = ctx.signed_in
    challenge = await challenges.take(ctx, challenge_id, me.device_id, user_id=me.user_id)
    return proofs.enrolled(ctx.services, challenge, key.get("passkey") or key.get("device_key") or {})


async def finish_key_enrollment(
    ctx: Context,
    *,
    id: Id | None = None,
    challenge_id: Id,
    name: Line,
    key: NewKey,
    prepared: PublicKey,
) -> dict[str, Any]:
    """Finish enrolment of the viewer's new key; a device key belongs to this device alone."""
    check_length(name, least=1, most=LONGEST_NAME, field="name")
    session, user = await signed_in(ctx)
    # Of two enrolments at once, one sees the other's key.
    await ctx.tx.lock_document(store.users, user["_id"])
    if len(await store.keys_of_user(ctx.db, user["_id"])) >= MOST_KEYS:
        raise UserError("LIMIT_REACHED", "You have {limit} keys: remove one first.", limit=MOST_KEYS)
    made = await ctx.tx.insert(
        store.auth_keys,
        {
            "_id": ids.minted(id, "auth_key"),
            "user_id": user["_id"],
            "kind": prepared.kind,
            "name": name,
            "device": session["device"],
            "credential_id": prepared.credential_id,
            "public_key": prepared.public_key,
            "counter": prepared.counter,
            "disabled_at": None,
            "last_used_at": None,
        },
        taken=lambda _: UserError("ALREADY_DONE", "This key is enrolled already."),
    )
    await security.record(
        ctx, user["_id"], SecurityEventKind.KEY_ADDED, device=session["device"], key=made["_id"]
    )
    return {"auth_key": made, "auth_key_edge": store.auth_keys.edge({"user_id": user["_id"]}, NEWEST, made)}


async def delete_auth_key(ctx: Context, *, auth_key_id: Id) -> dict[str, Any]:
    key = await nodes.for_update(ctx, store.auth_keys, auth_key_id)
    await ctx.tx.delete(store.auth_keys, key)
    await security.record(ctx, ctx.viewer_id, SecurityEventKind.KEY_REMOVED, key=key["_id"])
    return {"deleted_auth_key_id": key["_id"]}


async def device_forgotten(ctx: Context, user_id: str, device_id: str) -> None:
    """Delete a device with its last session, and the keys that work on no other."""
    if await store.sessions.first(ctx.db, {"user_id": user_id, "device._id": device_id}) is not None:
        return
    await ctx.tx.delete(store.devices, store.device_named(user_id, device_id))
    for key in await store.keys_of_user(ctx.db, user_id):
        bound_to = key["device"]["_id"] if key["device"] else None
        if key["kind"] == AuthKeyKind.DEVICE_KEY and bound_to == device_id:
            await ctx.tx.delete(store.auth_keys, key)


def _shown(ctx: Context, challenge: Challenge, allowed: Sequence[str]) -> dict[str, Any]:
    return {
        "_id": challenge.id,
        "challenge": challenge.value,
        "expires_at": challenge.expires_at,
        "rp_id": ctx.services.get(AuthSettings).rp_id,
        "allow_credentials": list(allowed),
        "user_handle": proofs.encoded(challenge.user_id.encode()) if challenge.user_id else None,
    }


def _unknown() -> UserError:
    return UserError("NOT_FOUND", "This key is not known here.", field=["keyId"])
