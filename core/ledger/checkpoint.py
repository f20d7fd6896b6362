"""Checkpoints (C2SP tlog-checkpoint): signed tree heads of a log."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from core.ledger import merkle, signed_note
from core.ledger.signed_note import InvalidNote, Signer, Verifier

# No leading zeros, and no more digits than MongoDB's integers have.
SIZE = re.compile("0|[1-9][0-9]{0,17}")


class Checkpoint(NamedTuple):
    """Tree head of a log: what it is called, how many leaves it has, and its root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Further lines, which say nothing here: other logs may have them."""

    @property
    def text(self) -> str:
        """Text that is signed."""
        lines = (self.origin, str(self.size), signed_note.encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def sign(checkpoint: Checkpoint, signer: Signer, *cosigners: Signer) -> str:
    """Signed note of a checkpoint; the first key is the log's, which has the name of the origin.

    A log signs nothing that is not consistent with all that it signed before.
    """
    if signer.name != checkpoint.origin:
        raise ValueError("A log's key has the name of its origin.")
    if parse(checkpoint.text) != checkpoint:
        raise ValueError("A checkpoint is not read as it is written.")
    return signed_note.sign(checkpoint.text, signer, *cosigners)


def verify(note: str, origin: str, verifiers: Collection[Verifier]) -> Checkpoint:
    """Checkpoint of a note that is signed by a key of the log; InvalidNote for any other.

    Signatures of other known keys, as of witnesses, must be right as well, but are not enough.
    """
    text, signed = signed_note.verify(note, verifiers)
    checkpoint = parse(text)
    if checkpoint.origin != origin:
        raise InvalidNote("A checkpoint is of another log.")
    if origin not in {verifier.name for verifier in signed}:
        raise InvalidNote("No key of the log signed the checkpoint.")
    return checkpoint


def parse(text: str) -> Checkpoint:
    """Checkpoint of a note's text, which is not verified."""
    *lines, end = text.split("\n")
    if end or len(lines) < 3 or not all(lines) or not SIZE.fullmatch(lines[1]):
        raise InvalidNote("A checkpoint is an origin, a size, a root and lines that are not empty.")
    origin, size, root, *extensions = lines
    decoded = signed_note.decode_base64(root)
    if len(decoded) != merkle.HASH_SIZE:
        raise InvalidNote("A root has 32 bytes.")
    return Checkpoint(origin, int(size), decoded, tuple(extensions))


def includes(checkpoint: Checkpoint, leaf: bytes, index: int, proof: Sequence[bytes]) -> bool:
    """True if the inclusion proof shows that the checkpoint's log has this leaf hash at the index."""
    return merkle.verify_inclusion(leaf, index, checkpoint.size, proof, checkpoint.root)


def continues(new: Checkpoint, old: Checkpoint, proof: Sequence[bytes]) -> bool:
    """True if the consistency proof shows that the newer checkpoint's log begins as the older one's."""
    return new.origin == old.origin and merkle.verify_consistency(
        old.size, new.size, old.root, new.root, proof
    )
