"""Signed notes (C2SP signed-note): a text with Ed25519 signatures, each under the name of its key."""

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
"""Signature type, which is part of the key id."""
KEY_ID_SIZE = 4
MAX_SIZE = 100_000
MAX_SIGNATURES = 64
"""Verifiers accept 16 at the least."""
EM_DASH = "\u2014"


class InvalidNote(ValueError):
    """A note, a checkpoint or a key is malformed, or is not signed as it should be."""


@dataclass(frozen=True)
class Verifier:
    """Public key under a name."""

    name: str
    public_key: Ed25519PublicKey

    def __post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise InvalidNote("The name of a key has no spaces and no plus, and is not empty.")

    @cached_property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, line feed, signature type, public key)."""
        return sha256(self.name.encode() + b"\n" + self._typed_key).digest()[:KEY_ID_SIZE]

    @property
    def vkey(self) -> str:
        """Verifier key, as logs publish it: name, key id in hex and key in base64, joined by plus."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self._typed_key)}"

    @classmethod
    def from_vkey(cls, vkey: str) -> "Verifier":
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = decode_base64(encoded)
        if len(key) != 33 or key[:1] != ED25519:
            raise InvalidNote("A verifier key is of Ed25519.")
        verifier = cls(name, Ed25519PublicKey.from_public_bytes(key[1:]))
        if verifier.key_id.hex() != key_id:
            raise InvalidNote("A verifier key does not have its key id.")
        return verifier

    def verifies(self, text: str, signature: bytes) -> bool:
        try:
            self.public_key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True

    @property
    def _typed_key(self) -> bytes:
        return ED25519 + self.public_key.public_bytes_raw()


@dataclass(frozen=True)
class Signer:
    """Private key under a name."""

    name: str
    private_key: Ed25519PrivateKey

    @cached_property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.private_key.public_key())

    def line(self, text: str) -> str:
        """Signature line of a text."""
        signature = self.verifier.key_id + self.private_key.sign(text.encode())
        return f"{EM_DASH} {self.name} {encode_base64(signature)}\n"


class SignatureLine(NamedTuple):
    """Signature of a note, not verified yet."""

    name: str
    key_id: bytes
    signature: bytes


def sign(text: str, *signers: Signer) -> str:
    """Note of this text, which ends with a line feed, with a signature of each signer."""
    if not _is_text(text) or not text.endswith("\n"):
        raise InvalidNote("A note's text ends with a line feed and has no other control characters.")
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def cosign(note: str, *signers: Signer) -> str:
    """The note with further signatures; those that it has are not verified."""
    text, _ = parse(note)
    return note + "".join(signer.line(text) for signer in signers)


def verify(note: str, verifiers: Collection[Verifier]) -> tuple[str, list[Verifier]]:
    """Text of a note and the known keys that signed it; signatures of unknown keys are ignored.

    Raises InvalidNote if no known key signed it, or a signature of one is wrong.
    """
    text, lines = parse(note)
    signed = [
        (verifier, line.signature)
        for line in lines
        for verifier in verifiers
        if (verifier.name, verifier.key_id) == (line.name, line.key_id)
    ]
    if not signed:
        raise InvalidNote("No known key signed the note.")
    if not all(verifier.verifies(text, signature) for verifier, signature in signed):
        raise InvalidNote("A signature of a known key is wrong.")
    return text, [verifier for verifier, _ in signed]


def parse(note: str) -> tuple[str, list[SignatureLine]]:
    """Text and signature lines of a note, which are not verified."""
    if len(note) > MAX_SIZE or not _is_text(note):
        raise InvalidNote("A note is too long, or has characters that no note has.")
    text, blank, signatures = note.rpartition("\n\n")
    *lines, end = signatures.split("\n")
    if not blank or not lines or end:
        raise InvalidNote("A note is a text, an empty line and signature lines.")
    if len(lines) > MAX_SIGNATURES:
        raise InvalidNote(f"A note has at most {MAX_SIGNATURES} signatures.")
    return text + "\n", [_signature_line(line) for line in lines]


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """Bytes of standard base64 in its one canonical form: no text stands for what another does."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidNote("A text is not base64.") from None
    if encode_base64(data) != text:
        raise InvalidNote("A text is not canonical base64.")
    return data


def _signature_line(line: str) -> SignatureLine:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = decode_base64(encoded)
    if dash != EM_DASH or not _is_key_name(name) or len(signature) <= KEY_ID_SIZE:
        raise InvalidNote("A signature line is an em dash, a name and a signature.")
    return SignatureLine(name, signature[:KEY_ID_SIZE], signature[KEY_ID_SIZE:])


def _is_text(text: str) -> bool:
    """True for well-formed Unicode without control characters other than line feeds."""
    try:
        return min(text.replace("\n", "").encode(), default=0x20) >= 0x20
    except UnicodeEncodeError:
        return False


def _is_key_name(name: str) -> bool:
    return bool(name) and _is_text(name) and not any(each.isspace() or each == "+" for each in name)
