"""Findings of a check: what is damaged, and how entries are compared with their links and leaves."""

from dataclasses import dataclass, field
from typing import NamedTuple

from core.ledger import chain
from core.ledger.chain import BrokenLink, Entry, Head, Problem
from stores import audit as store
from stores.audit import AuditEntry, AuditLeaf, AuditLink, IntegrityProblem

MOST_KEPT = 1_000
"""Damages that a check tells of one by one."""
OF_AN_ENTRY = frozenset({IntegrityProblem.CHANGED, IntegrityProblem.UNRECORDED, IntegrityProblem.UNSIGNED})
"""Problems that leave the chain whole."""


class Damage(NamedTuple):
    """Damage to the log: at a place of a chain, or to the log as a whole."""

    problem: str
    chain_id: str | None = None
    seq: int | None = None
    entry_id: str | None = None


@dataclass
class Findings:
    """Findings of a check so far."""

    checked: int = 0
    damages: list[Damage] = field(default_factory=list)
    count: int = 0
    """Number of damages, with those that are not told of one by one."""
    broken: bool = False
    """True if a chain or the log is broken: more than an entry's own bytes."""

    def add(self, damage: Damage) -> None:
        self.count += 1
        self.broken = self.broken or damage.problem not in OF_AN_ENTRY or damage.entry_id is None
        if len(self.damages) < MOST_KEPT:
            self.damages.append(damage)

    @property
    def failed_entry_ids(self) -> list[str]:
        return list(dict.fromkeys(each.entry_id for each in self.damages if each.entry_id is not None))

    def first_by_chain(self) -> dict[str | None, int | None]:
        """First bad seq of each damaged chain, whose places are looked at in order; None is the log."""
        found: dict[str | None, int | None] = {}
        for each in self.damages:
            found.setdefault(each.chain_id, each.seq)
        return found


def intact(entry: AuditEntry, link: AuditLink) -> bool:
    """True if an entry has the hash of its link, in the place that the link gives it."""
    after = Head(link["seq"] - 1, link["previous_hash"])
    return link["entry_id"] == entry["_id"] and _verify(link, entry, after) is None


def damage_to(
    link: AuditLink | None,
    entry: AuditEntry | None,
    after: Head,
    place: tuple[str, int],
    leaf: AuditLeaf | None,
) -> Damage | None:
    """Damage to the entry that belongs at this place of its chain, after this one, with its sealed leaf."""
    chain_id, seq = place
    entry_id = link["entry_id"] if link else None
    if after.seq + 1 != seq:
        return Damage(Problem.FOREIGN, chain_id, seq, entry_id)
    if link is None or entry is None:
        return Damage(Problem.MISSING, chain_id, seq, entry_id)
    if broken := _verify(link, entry, after, chain_id):
        return Damage(broken.problem, chain_id, seq, entry_id)
    if leaf is not None and leaf["current_hash"] != link["current_hash"]:
        return Damage(Problem.CHANGED, chain_id, seq, entry_id)
    return None


def _verify(
    link: AuditLink, entry: AuditEntry, after: Head, chain_id: str | None = None
) -> BrokenLink | None:
    place = {"seq": link["seq"], "previousHash": link["previous_hash"]}
    record = Entry({**store.hashed_content(entry), **place}, link["current_hash"])
    return chain.verify(chain_id or link["chain_id"], [record], store.HASHED, after=after)
