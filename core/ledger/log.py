"""Log of an organization: the entries of all its chains as leaves of one Merkle tree."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from core.ledger import merkle


class Leaf(NamedTuple):
    """Entry of a chain as a leaf of the log."""

    chain_id: str
    seq: int
    current_hash: str
    """Hash of the entry, in lower-case hex."""

    @property
    def data(self) -> bytes:
        """Text that is hashed: chain, decimal seq and hex hash, with a line feed between two of them."""
        if "\n" in self.chain_id:
            raise ValueError("A chain's id has no line feed.")
        return f"{self.chain_id}\n{self.seq}\n{self.current_hash}".encode()

    @property
    def hash(self) -> bytes:
        return merkle.leaf_hash(self.data)


def missing(leaves: Iterable[Leaf], hashes: Mapping[tuple[str, int], str]) -> Leaf | None:
    """First leaf without its entry, given the hashes of entries by chain and seq; None when all are there.

    It finds what a chain cannot tell by itself: that it is gone, cut off at its end, or rewritten.
    """
    return next((leaf for leaf in leaves if hashes.get((leaf.chain_id, leaf.seq)) != leaf.current_hash), None)


def verify(leaves: Iterable[Leaf], size: int, root: bytes) -> bool:
    """True if the first leaves of a log, in its order, are those of the tree head."""
    hashed = [leaf.hash for leaf in islice(leaves, size)]
    return len(hashed) == size and merkle.root(hashed) == root
