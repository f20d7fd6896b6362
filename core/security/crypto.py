"""Field encryption before data reach the database: AES-256-GCM, and blind indexes to find fields by.

Encrypted text is bound to its place ("users/user_01.../phone"): copied into another document or field it does
not decrypt. Small secrets are encrypted by the keyring itself; a chat, or a person with many secrets, has a
data key, stored beside it and wrapped by the keyring. Deleting that key erases them (crypto-shredding).
"""

import base64
import binascii
import hmac
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
REMEMBERED = 1_000
"""Unwrapped data keys kept in memory."""


class Unreadable(ValueError):
    """Not encrypted by these keys for this place, or changed since."""


@dataclass(frozen=True, slots=True)
class Cipher:
    """Encrypts with one key, whose id is part of the text."""

    id: str
    key: AESGCM

    def seal(self, text: str, *, place: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self.key.encrypt(nonce, text.encode(), place.encode())
        return f"{self.id}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, place: str) -> str:
        """The text; `Unreadable` when it is not one of this key for this place."""
        id, _, body = sealed.partition(".")
        if id != self.id:
            raise Unreadable(f"Sealed with key {id[:20]!r}, not {self.id!r}.")
        try:
            raw = binascii.a2b_base64(body, strict_mode=True)
            return self.key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise Unreadable("It was changed, or sealed for another place.") from None


class Keyring:
    """Keyring: the deployment's keys by id; the first encrypts, all decrypt, so that they can be rotated."""

    def __init__(self, keys: Mapping[str, bytes], index_key: bytes) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in (*keys.values(), index_key)):
            raise ValueError(f"Field keys have {KEY_BYTES} bytes each.")
        self._ciphers = {id: Cipher(id, AESGCM(key)) for id, key in keys.items()}
        self._current = next(iter(self._ciphers.values()))
        self._index_key = index_key
        self._unwrapped: OrderedDict[str, Cipher] = OrderedDict()
        self._by_place: OrderedDict[str, Cipher] = OrderedDict()

    def seal(self, text: str, *, place: str) -> str:
        return self._current.seal(text, place=place)

    def open(self, sealed: str, *, place: str) -> str:
        id = sealed.partition(".")[0]
        if id not in self._ciphers:
            raise Unreadable(f"There is no field key {id[:20]!r}.")
        return self._ciphers[id].open(sealed, place=place)

    def seal_values(self, values: Any, *, place: str) -> str:
        """Seal what JSON can say."""
        return self.seal(orjson.dumps(values).decode(), place=place)

    def open_values(self, sealed: str, *, place: str) -> Any:
        return orjson.loads(self.open(sealed, place=place))

    @property
    def current(self) -> str:
        """The id of the key that encrypts."""
        return self._current.id

    @property
    def former(self) -> list[str]:
        """The ids of the keys that only open."""
        return [id for id in self._ciphers if id != self._current.id]

    def reencrypted(self, sealed: str, *, place: str) -> str:
        """The same text, or wrapped data key, under the current key."""
        return self.seal(self.open(sealed, place=place), place=place)

    def blind(self, text: str, *, place: str) -> str:
        """The same for equal texts of one place ("users/phone"), and no way back: for indexes."""
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        message = f"{len(place)}:{place}{text}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._index_key, message, "sha256")[:18]).decode()

    def new_data_key(self, *, place: str) -> str:
        """A key of its own for one thing, wrapped: keep it in that thing's document."""
        return self.seal(base64.b64encode(os.urandom(KEY_BYTES)).decode(), place=f"key:{place}")

    def remembered(self, *, place: str) -> Cipher | None:
        """Return the cipher of a place's data key if it was used lately; None if the key must be read first.

        Wrapping a key again does not change it. The caller must have checked that its texts may be read.
        """
        return self._by_place.get(place)

    def cipher(self, wrapped: str, *, place: str) -> Cipher:
        """Return the cipher of a wrapped data key."""
        known = self.known(wrapped, place=place)
        if known is not None:
            return known
        key = base64.b64decode(self.open(wrapped, place=f"key:{place}"))
        return self.remember(wrapped, key, place=place)

    def known(self, wrapped: str, *, place: str) -> Cipher | None:
        """Return the cipher of a data key whose wrap was opened lately."""
        name = f"{place} {wrapped}"
        known = self._unwrapped.get(name)
        if known is not None:
            self._unwrapped.move_to_end(name)
        return known

    def remember(self, wrapped: str, key: bytes, *, place: str) -> Cipher:
        """Return the cipher of a data key that was unwrapped, which is remembered for a while."""
        cipher = Cipher("d", AESGCM(key))
        self._unwrapped[f"{place} {wrapped}"] = cipher
        self._by_place[place] = cipher
        for memory in (self._unwrapped, self._by_place):
            if len(memory) > REMEMBERED:
                memory.popitem(last=False)
        return cipher


def keyring(field_keys: str, secret: str) -> Keyring:
    """The keyring of `LANDFALL_FIELD_KEYS` ("2027:base64,2026:base64"), else one derived from the secret."""
    try:
        keys = {
            id.strip(): base64.b64decode(key, validate=True)
            for id, _, key in (each.strip().partition(":") for each in field_keys.split(",") if each.strip())
        }
    except binascii.Error:
        raise ValueError("Field keys are written id:base64, separated by commas.") from None
    if any(not id or "." in id for id in keys):
        raise ValueError("The id of a field key is a word without dots.")
    return Keyring(keys or {"s": _derived(secret, "fields")}, _derived(secret, "blind index"))


def _derived(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, None, f"landfall {purpose}".encode()).derive(secret.encode())


@dataclass(frozen=True, slots=True)
class Deployment:
    """Secrets of the deployment: what its operator gave, or what lies beside its data in development."""

    secret: str
    signing_key: bytes | None
    """The first key that signs, as PEM; None: it is made, and kept in MongoDB."""


def make_signing_key() -> bytes:
    """A new P-256 private key as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
