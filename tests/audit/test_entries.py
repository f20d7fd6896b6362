"""Hashing of entries, and values as the JSON that every reader sees alike."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import BadUserInput
from core.ledger import chain
from stores import audit as store
from stores.audit import AuditEntry

NOW = datetime(2026, 3, 8, 7, 30, 0, 123_456, UTC)


def entry(**fields: Any) -> AuditEntry:
    given = {"org_id": "acme", "actor_id": "user_1", "incident_id": None, "details": {}, **fields}
    return store.entry_document(timestamp=NOW, **given)


def test_every_stored_field_is_hashed_absent_ones_as_null() -> None:
    made = entry(details={"n": 1})
    assert made["timestamp"].microsecond == 123_000
    content = store.hashed_content(made)
    assert {*content, "seq", "previousHash"} == {*store.HASHED}
    assert (content["timestamp"], content["occurredAt"]) == ("2026-03-08T07:30:00.123Z", None)
    assert content["hashVersion"] == 1


def test_the_text_that_was_hashed_is_that_of_the_chain() -> None:
    made = entry(details={"name": "é€😀"})
    linked, head = chain.append(chain.EMPTY, made["chain_id"], store.hashed_content(made), store.HASHED)
    text = store.hash_input(made, {"seq": 0, "previous_hash": chain.GENESIS_HASH})
    assert hashlib.sha256(text.encode()).hexdigest() == head.current_hash == linked.current_hash
    assert '"details":{"name":"é€😀"}' in text


@pytest.mark.parametrize("field", [*AuditEntry.__annotations__])
def test_one_byte_of_an_old_entry_changed(field: str) -> None:
    """Row: One byte of an old entry changed (here: of each field, its hash is another)."""
    made = entry(details={"n": 1})
    link = {"seq": 0, "previous_hash": chain.GENESIS_HASH}
    value: Any = made[field]  # type: ignore[literal-required]
    other = value + timedelta(seconds=1) if isinstance(value, datetime) else f"{value}."
    changed: Any = {**made, field: other}
    assert store.hash_input(changed, link) != store.hash_input(made, link)


def test_number_2_53_nan_or_half_a_surrogate_pair_in_details() -> None:
    """Row: Number 2^53, NaN or half a surrogate pair in details."""
    made = entry(details={"n": 2**53, "below": 2**53 - 1, "half": 0.5})
    assert made["details"] == {"n": "9007199254740992", "below": 9007199254740991, "half": "0.5"}
    for bad in (float("nan"), float("inf"), "\ud800"):
        with pytest.raises(BadUserInput):
            entry(details={"bad": bad})


def test_moments_and_enums_become_texts() -> None:
    made = entry(details={"at": NOW, "on": NOW.date(), "kind": store.AuditTier.HOT, "roles": {"B", "A"}})
    assert made["details"] == {
        "at": "2026-03-08T07:30:00.123Z",
        "on": "2026-03-08",
        "kind": "HOT",
        "roles": ["A", "B"],
    }


def test_names_within_details_are_those_of_the_api_and_ids_stay() -> None:
    told = {
        "on_hand": 1,
        "before": {"alt_text": None, "tags": [{"sort_key": "sort_key"}]},
        "_id": "x",
        "reports": {"post_01h455vb4pex5vsknk084sn02q": 2, "NOT_FOUND": 1, "de_": 0, "sizeBytes": 3},
    }
    assert store.named_as_in_api(told) == {
        "onHand": 1,
        "before": {"altText": None, "tags": [{"sortKey": "sort_key"}]},
        "id": "x",
        "reports": {"post_01h455vb4pex5vsknk084sn02q": 2, "NOT_FOUND": 1, "de_": 0, "sizeBytes": 3},
    }
