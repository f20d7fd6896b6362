"""Merkle tree of RFC 6962: hashes, roots, and the verification of inclusion and consistency proofs."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf (RFC 6962, 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Root (Merkle tree hash) of these leaf hashes."""
    subtrees: list[bytes] = []
    for index, leaf in enumerate(leaves):
        while index & 1:
            leaf = node_hash(subtrees.pop(), leaf)
            index >>= 1
        subtrees.append(leaf)
    return fold(subtrees)


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Root over the roots of complete subtrees, the largest first: odd nodes are carried up."""
    if not subtrees:
        return EMPTY_ROOT
    *others, folded = subtrees
    for subtree in reversed(others):
        folded = node_hash(subtree, folded)
    return folded


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """True if the proof shows that the leaf hash is at the index of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _hashes([leaf, root, *proof]):
        return False
    last, computed = size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            computed = node_hash(sibling, computed)
            index, last = _carried(index, last)
        else:
            computed = node_hash(computed, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """True if the proof shows that the new tree continues the old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= new_size or not _hashes([old_root, new_root, *proof]):
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT and (new_size > 0 or new_root == EMPTY_ROOT)
    if not proof or old_size == new_size:
        return not proof and old_size == new_size and old_root == new_root
    # An old tree that is complete is a node of the new one: its root begins the proof unsaid.
    complete = old_size & (old_size - 1) == 0
    nodes = [old_root, *proof] if complete else list(proof)
    index, last = _risen(old_size - 1, new_size - 1)
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node_hash(node, old), node_hash(node, new)
            index, last = _carried(index, last)
        else:
            new = node_hash(new, node)
        index, last = index >> 1, last >> 1
    return last == 0 and (old, new) == (old_root, new_root)


def _hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)


def _risen(index: int, last: int) -> tuple[int, int]:
    """Both positions at the first level where the index is a left child."""
    while index & 1:
        index, last = index >> 1, last >> 1
    return index, last


def _carried(index: int, last: int) -> tuple[int, int]:
    """Both positions at the level up to which an odd last node was carried."""
    while index and not index & 1:
        index, last = index >> 1, last >> 1
    return index, last
