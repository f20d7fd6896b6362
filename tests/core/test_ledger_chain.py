"""Hash chain: the golden case, and every way to tamper with a chain, with what finds it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import chain
from core.ledger.chain import BrokenLink, Entry, Head, Problem

CHAIN = "incident:X"
FIELDS = ("action", "actorId", "chainId", "details", "occurredAt", "previousHash", "seq", "timestamp")
GOLDEN = [
    (
        {"action": "incident.opened", "actorId": "user_A", "timestamp": "2026-03-08T07:30:00.000Z"},
        "049a5778f51aa436d0e1c44dbdaf7ec755ecec9376ef6692ce0d4146e7a27bc0",
    ),
    (
        {"action": "room.created", "actorId": "user_A", "timestamp": "2026-03-08T07:30:00.001Z"},
        "86b02ed7b0de519464515707eff2eff6c03cd1dcb1530f4535f6b0d73486427f",
    ),
    (
        {"action": "decision.proposed", "actorId": "user_B", "timestamp": "2026-03-08T07:30:00.002Z"},
        "b27680cbb7240acc3d4634f6aecec24d8a7d5b3b3f3a62b35558ec4bb26e34cb",
    ),
]

Entries = list[Entry]


def made(*contents: dict[str, Any], chain_id: str = CHAIN) -> Entries:
    entries, head = [], chain.EMPTY
    for content in contents:
        entry, head = chain.append(head, chain_id, content, FIELDS)
        entries.append(entry)
    return entries


def long(length: int, chain_id: str = CHAIN) -> Entries:
    return made(*({"action": f"act.{n}", "details": {"n": n}} for n in range(length)), chain_id=chain_id)


def head(entries: Entries) -> Head:
    return Head(entries[-1].seq, entries[-1].current_hash)


def verified(entries: Entries, head: Head | None = None) -> BrokenLink | None:
    """Verification of what the storage holds, which it gives in the order of `seq`."""
    return chain.verify(
        CHAIN, sorted(entries, key=lambda entry: float(str(entry.record["seq"]))), FIELDS, head=head
    )


def changed(entry: Entry, **fields: object) -> Entry:
    return entry._replace(record={**entry.record, **fields})


def rehashed(entry: Entry, after: Head) -> Entry:
    content = {key: value for key, value in entry.record.items() if key not in ("seq", "previousHash")}
    return chain.append(after, CHAIN, content, FIELDS)[0]


def test_a5_the_chain() -> None:
    contents = [{**content, "details": {"n": n, "name": "é€😀"}} for n, (content, _) in enumerate(GOLDEN)]
    entries = made(*contents)
    assert [entry.current_hash for entry in entries] == [expected for _, expected in GOLDEN]
    assert [entry.record["previousHash"] for entry in entries] == [
        "0" * 64,
        *(expected for _, expected in GOLDEN[:-1]),
    ]
    assert verified(entries, head(entries)) is None


def test_an_empty_chain_is_whole_unless_it_had_a_head() -> None:
    assert verified([]) is None
    assert verified([], Head(0, "a")) == (0, Problem.MISSING)


def test_a_range_is_verified_from_the_entry_before_it() -> None:
    entries = long(6)
    assert chain.verify(CHAIN, entries[3:], FIELDS, after=head(entries[:3])) is None
    assert chain.verify(CHAIN, entries[3:], FIELDS, after=Head(2, "0" * 64)) == (3, Problem.UNLINKED)


def swapped(entries: Entries) -> None:
    entries[2], entries[5] = changed(entries[2], seq=5), changed(entries[5], seq=2)


def inserted(entries: Entries) -> None:
    """One with a right hash; whatever follows moves up."""
    forged, _ = chain.append(head(entries[:4]), CHAIN, {"action": "forged"}, FIELDS)
    entries[4:] = [forged, *(changed(entry, seq=entry.seq + 1) for entry in entries[4:])]


def inserted_beside(entries: Entries) -> None:
    """One with a right hash, and the `seq` of another."""
    entries.insert(4, chain.append(head(entries[:4]), CHAIN, {"action": "forged"}, FIELDS)[0])


def hashed_anew(entries: Entries) -> None:
    """One changed, with the hash that it has now."""
    entries[3] = rehashed(changed(entries[3], details={"n": "three"}), head(entries[:3]))


def moved_to_another_chain(entries: Entries) -> None:
    entries[3] = long(8, "incident:Y")[3]


def relabeled(entries: Entries) -> None:
    entries[3] = changed(entries[3], chainId="incident:Y")


def back_dated(entries: Entries) -> None:
    entries[3] = changed(entries[3], timestamp="2020-01-01T00:00:00.000Z")


TAMPERING = [
    (swapped, (2, Problem.CHANGED)),
    (inserted, (5, Problem.CHANGED)),
    (inserted_beside, (5, Problem.FOREIGN)),
    (hashed_anew, (4, Problem.UNLINKED)),
    (moved_to_another_chain, (3, Problem.FOREIGN)),
    (relabeled, (3, Problem.FOREIGN)),
    (back_dated, (3, Problem.CHANGED)),
    (lambda entries: entries.pop(3), (3, Problem.MISSING)),
    (lambda entries: entries.pop(0), (0, Problem.MISSING)),
    (lambda entries: entries.append(Entry({**entries[0].record, "seq": 8.0}, "")), (8, Problem.FOREIGN)),
    (lambda entries: entries.append(changed(entries[0], undeclared=1, seq=8)), (8, Problem.CHANGED)),
]


@pytest.mark.parametrize(("tamper", "found"), TAMPERING)
def test_a7_tampering_is_found_at_the_first_bad_seq(
    tamper: Callable[[Entries], object], found: tuple[int, Problem]
) -> None:
    entries = copy.deepcopy(long(8))
    tamper(entries)
    assert verified(entries) == found


def test_a7_the_newest_entries_are_missed_by_who_knows_the_head() -> None:
    entries = long(8)
    assert verified(entries[:6]) is None
    assert verified(entries[:6], head(entries)) == (6, Problem.MISSING)


def test_a7_a_chain_rewritten_consistently_is_found_by_who_knows_the_head() -> None:
    rewritten = made(*({"action": f"act.{n}", "details": {"n": n or "forged"}} for n in range(8)))
    assert verified(rewritten) is None
    assert verified(rewritten, head(long(8))) == (7, Problem.CHANGED)


def test_a_number_in_the_place_of_its_text_is_found() -> None:
    [entry] = made({"details": {"weight": "1.5", "id": "9007199254740992"}})
    for details in ({"weight": 1.5, "id": "9007199254740992"}, {"weight": "1.5", "id": 2**53}):
        assert verified([changed(entry, details=details)]) == (0, Problem.CHANGED)


@given(st.integers(0, 7), st.sampled_from([*FIELDS, "current_hash"]), st.integers(0, 63), st.integers(1, 255))
def test_any_character_that_is_changed_is_found(seq: int, field: str, place: int, flip: int) -> None:
    entries = long(8)
    record = {"actorId": "user_A", "occurredAt": "2026", "timestamp": "2027", **entries[seq].record}
    entries = made(*({**entry.record, **(record if entry.seq == seq else {})} for entry in entries))
    entry = entries[seq]
    text = entry.current_hash if field == "current_hash" else str(entry.record[field])
    place %= len(text)
    forged = text[:place] + chr(ord(text[place]) ^ flip) + text[place + 1 :]
    entries[seq] = (
        entry._replace(current_hash=forged)
        if field == "current_hash"
        else entry._replace(record={**entry.record, field: forged})
    )
    broken = chain.verify(CHAIN, entries, FIELDS)
    assert broken is not None
    assert broken.seq == seq


@given(st.data())
def test_any_entries_dropped_swapped_or_repeated_are_found(data: st.DataObject) -> None:
    entries = long(8)
    kept = data.draw(st.lists(st.sampled_from(range(8)), max_size=10))
    found = chain.verify(CHAIN, [entries[n] for n in kept], FIELDS, head=head(entries))
    first_bad = next((at for at, n in enumerate(kept) if at != n), len(kept))
    assert (found.seq if found else 8) == first_bad
    assert (found is None) == (kept == list(range(8)))
