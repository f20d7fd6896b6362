"""Check of a chain of custody: its records, and what was declared of the file, are as the log has them."""

from collections.abc import Mapping
from typing import Any

import orjson

from core.context import Context
from core.security.crypto import Cipher, Unreadable
from stores import audit as store
from stores.audit import AuditEntry, CustodyRecord, Evidence

TOLD = ("action", "handed_off_by_id", "received_by_id")
"""Fields of a record of custody that its audit entry has in the clear."""


async def is_as_logged(ctx: Context, evidence: Evidence) -> bool:
    """True if evidence and its records, read in one transaction, say what their audit entries say."""
    own = {"evidence_id": evidence["_id"]}
    records = await store.custody.find(ctx.db, own, sort=[("_id", 1)], limit=store.MOST_CUSTODY)
    found = await store.entries.by_ids(ctx.services.db, [each["entry_id"] for each in records])
    entries = {entry["_id"]: entry for entry in found}
    if len(records) != evidence["custody_count"] or len(entries) != len(records):
        return False
    if any(entry["resource_id"] != evidence["_id"] for entry in found):
        return False
    people = {entry["actor_id"] for entry in found if entry["actor_id"] is not None}
    ciphers = await store.subject_keys.opening(ctx.services, people)
    first, *others = [(each, entries[each["entry_id"]]) for each in records]
    return (
        _is_collection(evidence, first[1])
        and all(_is_same(*each, ciphers) for each in others)
        and records[-1]["received_by_id"] == evidence["custodian_id"]
    )


def _is_collection(evidence: Evidence, entry: AuditEntry) -> bool:
    declared = entry["details"].get("sha256"), entry["actor_id"], entry["org_id"]
    return declared == (evidence["cryptographic_hash"], evidence["collector_id"], evidence["org_id"])


def _is_same(record: CustodyRecord, entry: AuditEntry, ciphers: Mapping[str, Cipher]) -> bool:
    told: dict[str, Any] = store.named_as_in_api({name: record[name] for name in TOLD})  # type: ignore[literal-required]
    cipher = ciphers.get(entry["actor_id"] or "")
    if cipher is None:
        # Whoever recorded it was erased, and what they noted with them.
        return entry["details"] == told
    try:
        noted = orjson.loads(store.opened(entry, "sensitive_details", cipher) or b"{}")
    except Unreadable:
        return False
    return entry["details"] == told and noted == {name: record[name] for name in ("location", "notes")}
