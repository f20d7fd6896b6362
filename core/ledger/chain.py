"""Hash chain (SHA-256): each record names the hash of the one before it."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from core.ledger import canonical

GENESIS_HASH = "0" * 64
"""Previous hash of the first record of a chain."""


class Head(NamedTuple):
    """Newest record of a chain; the next one follows it."""

    seq: int
    current_hash: str


EMPTY = Head(-1, GENESIS_HASH)


class Entry(NamedTuple):
    """Record of a chain, with `chainId`, `seq` and `previousHash` among its hashed fields, and its hash."""

    record: Mapping[str, object]
    current_hash: str

    @property
    def seq(self) -> int:
        seq = self.record["seq"]
        assert isinstance(seq, int)
        return seq


class Problem(StrEnum):
    """Sort of damage to a chain."""

    MISSING = "MISSING"
    """The record that belongs at this place is not there."""
    FOREIGN = "FOREIGN"
    """The record is of another chain, or of another place in this one."""
    CHANGED = "CHANGED"
    """The record does not have its hash."""
    UNLINKED = "UNLINKED"
    """The record does not name the hash of the one before it."""


class BrokenLink(NamedTuple):
    """First place at which a chain is damaged."""

    seq: int
    problem: Problem


def entry_hash(hash_input: bytes) -> str:
    """SHA-256 of a record's canonical JSON, in lower-case hex."""
    return sha256(hash_input).hexdigest()


def append(
    head: Head, chain_id: str, content: Mapping[str, object], fields: Collection[str]
) -> tuple[Entry, Head]:
    """Next entry of a chain, and the head that it becomes."""
    seq = head.seq + 1
    record = {**content, "chainId": chain_id, "seq": seq, "previousHash": head.current_hash}
    entry = Entry(record, entry_hash(canonical.hash_input(record, fields)))
    return entry, Head(seq, entry.current_hash)


def verify(
    chain_id: str,
    entries: Iterable[Entry],
    fields: Collection[str],
    *,
    after: Head = EMPTY,
    head: Head | None = None,
) -> BrokenLink | None:
    """First damage to entries that are in the order of their `seq`, None when there is none.

    `after` is the entry before the first; `head` is the last one known to exist, without which nobody
    misses the newest ones. A chain that was rewritten as a whole is only found by a checkpoint.
    """
    for entry in entries:
        if broken := _broken(chain_id, entry, fields, after):
            return broken
        after = Head(entry.seq, entry.current_hash)
    if head and after.seq < head.seq:
        return BrokenLink(after.seq + 1, Problem.MISSING)
    if head and after.seq == head.seq and after != head:
        return BrokenLink(head.seq, Problem.CHANGED)
    return None


def _broken(chain_id: str, entry: Entry, fields: Collection[str], after: Head) -> BrokenLink | None:
    """Damage to one entry, which is to follow this one."""
    expected = after.seq + 1
    if entry.record.get("chainId") != chain_id or not _is_seq(entry) or entry.seq < expected:
        return BrokenLink(expected, Problem.FOREIGN)
    if entry.seq > expected:
        return BrokenLink(expected, Problem.MISSING)
    if not _has_its_hash(entry, fields):
        return BrokenLink(expected, Problem.CHANGED)
    if entry.record.get("previousHash") != after.current_hash:
        return BrokenLink(expected, Problem.UNLINKED)
    return None


def _is_seq(entry: Entry) -> bool:
    seq = entry.record.get("seq")
    return isinstance(seq, int) and not isinstance(seq, bool)


def _has_its_hash(entry: Entry, fields: Collection[str]) -> bool:
    try:
        return entry_hash(canonical.hash_input(entry.record, fields)) == entry.current_hash
    except ValueError:
        # No record that was chained: a field that is not declared, or a value that is not normalized.
        return False
