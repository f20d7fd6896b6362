"""A phone's secure hardware in software: WebAuthn passkeys as the platform makes them, and device keys."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ORIGIN = "https://localhost"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
SHA256 = ec.ECDSA(hashes.SHA256())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Passkey:
    """One credential; every field may be set wrong."""

    rp_id: str = "localhost"
    origin: str = ORIGIN
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    step: int = 1
    """Added to the signature counter by each use; 0 for platforms that do not count."""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def id(self) -> str:
        return b64(self.credential_id)

    def make(self, challenge: dict[str, Any], /, **client: Any) -> dict[str, str]:
        """Answer of `navigator.credentials.create`."""
        data = self._data(self.flags | ATTESTED) + self._credential()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return {
            "clientDataJson": b64(self._client("webauthn.create", challenge, client)),
            "attestationObject": b64(attestation),
        }

    def sign(self, challenge: dict[str, Any], /, **client: Any) -> dict[str, str]:
        """Answer of `navigator.credentials.get`."""
        self.counter += self.step
        data = self._data(self.flags)
        client_data = self._client("webauthn.get", challenge, client)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), SHA256)
        return {
            "clientDataJson": b64(client_data),
            "authenticatorData": b64(data),
            "signature": b64(signature),
        }

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)

    def _credential(self) -> bytes:
        point = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})
        return bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + cose

    def _client(self, type: str, challenge: dict[str, Any], changes: dict[str, Any]) -> bytes:
        data = {"type": type, "challenge": challenge["challenge"], "origin": self.origin, **changes}
        return json.dumps(data).encode()


@dataclass
class DeviceKey:
    """A P-256 key in one device."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def public(self, *, as_point: bool = False) -> str:
        form = (
            (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
            if as_point
            else (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return b64(self.key.public_key().public_bytes(*form))

    def sign(self, challenge: dict[str, Any]) -> dict[str, str]:
        raw = base64.urlsafe_b64decode(challenge["challenge"] + "=")
        return {"signature": b64(self.key.sign(raw, SHA256))}
