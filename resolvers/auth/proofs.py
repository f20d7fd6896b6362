"""Signature verification: WebAuthn ceremonies, and plain ECDSA on P-256 for device keys."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import webauthn
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import parse_attestation_object
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from core.context import Services
from core.errors import ErrorKind, UserError, error_codes
from ports.auth import AuthSettings
from resolvers.auth.challenges import Challenge
from stores.auth import AuthKey, AuthKeyKind

error_codes(
    ErrorKind.AUTHENTICATION,
    SIGNATURE_INVALID="The signature is not that key's, or not of this challenge: nothing is proven.",
)

LONGEST = 16_384
"""Characters of anything an authenticator sends."""
POINT_BYTES = 65


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Public key whose private half was proven to exist."""

    kind: AuthKeyKind
    credential_id: str
    public_key: str
    counter: int


def enrolled(services: Services, challenge: Challenge, given: Mapping[str, Any]) -> PublicKey:
    """Public key of a new credential; SIGNATURE_INVALID otherwise."""
    if challenge.kind == AuthKeyKind.PASSKEY:
        return _new_passkey(services, challenge, given)
    try:
        key = _point(_bytes(given, "public_key"))
        key.verify(_bytes(given, "signature"), challenge.signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise _invalid() from None
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(challenge.kind, encoded(hashlib.sha256(der).digest()), encoded(der), 0)


def counter_of(services: Services, challenge: Challenge, key: AuthKey, signature: Mapping[str, Any]) -> int:
    """Verify a signature and return the authenticator's counter; SIGNATURE_INVALID otherwise.

    Whether the counter has risen is judged by who keeps it: a forged answer must not disable a key.
    """
    if key["kind"] == AuthKeyKind.PASSKEY:
        return _passkey_counter(services, challenge, key, signature.get("passkey") or {})
    try:
        public = _point(decoded(key["public_key"]))
        public.verify(_bytes(signature, "device_key"), challenge.signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise _invalid() from None
    return 0


def _new_passkey(services: Services, challenge: Challenge, given: Mapping[str, Any]) -> PublicKey:
    try:
        attestation = _bytes(given, "attestation_object")
        data = parse_attestation_object(attestation).auth_data.attested_credential_data
        raw_id = data.credential_id if data else b""
        verified = webauthn.verify_registration_response(
            credential=RegistrationCredential(
                id=encoded(raw_id),
                raw_id=raw_id,
                response=AuthenticatorAttestationResponse(_bytes(given, "client_data_json"), attestation),
            ),
            expected_challenge=challenge.signed,
            expected_rp_id=services.get(AuthSettings).rp_id,
            expected_origin=services.get(AuthSettings).key_origins(services.settings),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, IndexError):
        raise _invalid() from None
    return PublicKey(
        challenge.kind,
        encoded(verified.credential_id),
        encoded(verified.credential_public_key),
        verified.sign_count,
    )


def _passkey_counter(services: Services, challenge: Challenge, key: AuthKey, given: Mapping[str, Any]) -> int:
    raw_id = decoded(key["credential_id"])
    try:
        verified = webauthn.verify_authentication_response(
            credential=AuthenticationCredential(
                id=key["credential_id"],
                raw_id=raw_id,
                response=AuthenticatorAssertionResponse(
                    client_data_json=_bytes(given, "client_data_json"),
                    authenticator_data=_bytes(given, "authenticator_data"),
                    signature=_bytes(given, "signature"),
                ),
            ),
            expected_challenge=challenge.signed,
            expected_rp_id=services.get(AuthSettings).rp_id,
            expected_origin=services.get(AuthSettings).key_origins(services.settings),
            credential_public_key=decoded(key["public_key"]),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, IndexError):
        raise _invalid() from None
    return verified.new_sign_count


def _point(raw: bytes) -> ec.EllipticCurvePublicKey:
    """Decode a P-256 key as Android sends it (SubjectPublicKeyInfo) or iOS does (uncompressed point)."""
    if len(raw) == POINT_BYTES:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    key = serialization.load_der_public_key(raw)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise ValueError("A device key is a key on P-256.")
    return key


def _bytes(given: Mapping[str, Any], name: str) -> bytes:
    value = given.get(name)
    if not value or len(value) > LONGEST:
        raise ValueError(f"{name} is missing or too long.")
    return decoded(value)


def encoded(raw: bytes) -> str:
    """Base64url without padding, as WebAuthn writes it."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("This is not base64url.") from None


def _invalid() -> UserError:
    return UserError("SIGNATURE_INVALID", "This proves nothing: begin again.")
