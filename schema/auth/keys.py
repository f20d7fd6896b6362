"""Passkeys and device keys, as clients see them."""

from datetime import datetime

from core.binding import input_, key, node, type_
from core.binding.common import Connection, Edge, Entity, MutationInput, Payload
from core.ids import Id
from core.text import Line, Opaque
from schema.auth.accounts import User
from schema.auth.sessions import Device, DeviceInput, Session, TokenPair
from stores.auth import AuthKeyKind


@node("auth_key")
class AuthKey(Entity):
    """A key you can sign in with; only its public half is here."""

    kind: AuthKeyKind
    """What kind of key it is."""
    name: str
    """What its owner calls it."""
    device: Device | None
    """The device it was enrolled on, as it was then; a device key works on no other."""
    last_used_at: datetime | None
    """When it was last used; null before."""
    disabled_at: datetime | None
    """When it was disabled because it was copied; null while it is good."""


@type_
class AuthKeyEdge(Edge):
    """A key and its place in the list."""

    node: AuthKey
    """The key."""


@type_
class AuthKeyConnection(Connection):
    """A page of keys."""

    edges: list[AuthKeyEdge]
    """The keys of this page."""


@type_
class KeyChallenge:
    """Bytes for a key to sign: a passkey in the platform's ceremony, a device key by ECDSA with SHA-256."""

    id: Id = key("_id")
    """Name it when you send the signature."""
    challenge: str
    """32 bytes as base64url."""
    expires_at: datetime
    """Good once, and until then: two minutes."""
    rp_id: str
    """The relying party's id, for the platform."""
    allow_credentials: list[str]
    """Credentials that will do (base64url): for an address ten, some of which may be nobody's; when enrolling
    those that exist already. Empty: any passkey."""
    user_handle: str | None
    """When enrolling, the `user.id` to give the platform (base64url); null otherwise."""


@input_
class BeginKeySignInInput(MutationInput):
    """Who wants to sign in with a key."""

    kind: AuthKeyKind
    """With what kind of key."""
    email: str | None
    """The account's address, if it is known."""
    key_id: Id | None
    """The key's id, if it is known."""
    device: DeviceInput
    """The device that asks."""


@type_
class BeginKeySignInPayload(Payload):
    """What to sign."""

    challenge: KeyChallenge | None
    """The challenge; null when refused."""


@input_
class FinishKeySignInInput(MutationInput):
    """A signed challenge."""

    challenge_id: Id
    """The challenge."""
    key_id: Id
    """The key's id here, or its credential id (base64url)."""
    signature: Opaque
    """The signature (base64url); of a device key: ASN.1 DER, over the challenge's 32 bytes."""
    client_data_json: Opaque | None
    """A passkey's `clientDataJSON` (base64url)."""
    authenticator_data: Opaque | None
    """A passkey's `authenticatorData` (base64url)."""
    device: DeviceInput
    """The device that asked."""


@type_
class FinishKeySignInPayload(Payload):
    """Signed in: a key counts as two factors."""

    tokens: TokenPair | None
    """The session's tokens; null when refused."""
    session: Session | None
    """The new session."""
    user: User | None
    """Who signed in."""


@input_
class KeyProofInput:
    """A challenge of `beginKeySignIn`, signed by a key of yours."""

    challenge_id: Id
    """The challenge; begun on this device."""
    key_id: Id
    """The key's id here, or its credential id (base64url)."""
    signature: Opaque
    """The signature (base64url); of a device key: ASN.1 DER, over the challenge's 32 bytes."""
    client_data_json: Opaque | None
    """A passkey's `clientDataJSON` (base64url)."""
    authenticator_data: Opaque | None
    """A passkey's `authenticatorData` (base64url)."""


@input_
class BeginKeyEnrolmentInput(MutationInput):
    """A new key."""

    kind: AuthKeyKind
    """What kind of key it will be."""


@type_
class BeginKeyEnrolmentPayload(Payload):
    """What to sign."""

    challenge: KeyChallenge | None
    """The challenge; null when refused."""


@input_
class PasskeyAttestationInput:
    """What the platform answers when a passkey is made."""

    client_data_json: Opaque
    """`clientDataJSON` (base64url)."""
    attestation_object: Opaque
    """`attestationObject` (base64url)."""


@input_
class FinishKeyEnrolmentInput(MutationInput):
    """A new key: `attestation` of a passkey, or `publicKey` and `signature` of a device key."""

    id: Id | None
    """The key's id, if the client minted one."""
    challenge_id: Id
    """The challenge."""
    name: Line
    """What to call it, 1 to 100 characters."""
    attestation: PasskeyAttestationInput | None
    """Of a passkey."""
    public_key: Opaque | None
    """Of a device key on P-256: SubjectPublicKeyInfo or uncompressed point (base64url)."""
    signature: Opaque | None
    """Of a device key: over the challenge's 32 bytes, ASN.1 DER (base64url)."""


@type_
class FinishKeyEnrolmentPayload(Payload):
    """The new key."""

    auth_key: AuthKey | None
    """The key; null when refused."""
    auth_key_edge: AuthKeyEdge | None
    """Its edge in `viewer.authKeys`."""


@input_
class DeleteAuthKeyInput(MutationInput):
    """A key to remove."""

    id: Id
    """The key."""


@type_
class DeleteAuthKeyPayload(Payload):
    """The key is gone."""

    deleted_auth_key_id: Id | None
    """The key; null when refused."""
