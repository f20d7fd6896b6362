"""Planted faults of the audit log."""

from tests.mutation.fault import Fault

PLACES = ("tests/audit/test_places.py",)

PROOFS = ("tests/audit/test_proofs.py",)

FAULTS = [
    Fault(
        "everybody reads the checkpoints of their organization",
        "schema/audit/__init__.py",
        "query(proving.audit_checkpoints, roles=READERS)",
        "query(proving.audit_checkpoints)",
        PROOFS,
    ),
    Fault(
        "a proof is made of what is left of a damaged tree",
        "resolvers/audit/proofs.py",
        'if row["index"] >= sealed["size"]:',
        "if False:",
        PROOFS,
    ),
    Fault(
        "an entry that was changed is shown as verified",
        "resolvers/audit/places.py",
        "return AuditIntegrity.VERIFIED if intact(entry, link) else AuditIntegrity.BROKEN",
        "return AuditIntegrity.VERIFIED",
        PLACES,
    ),
    Fault(
        "an entry that nobody recorded waits for a place",
        "resolvers/audit/places.py",
        'if state is None or state["integrity"] == AuditIntegrity.BROKEN:',
        'if state is not None and state["integrity"] == AuditIntegrity.BROKEN:',
        PLACES,
    ),
    Fault(
        "an entry that has lost its place is shown as pending",
        "resolvers/audit/places.py",
        "return AuditIntegrity.PENDING if waits else AuditIntegrity.BROKEN",
        "return AuditIntegrity.PENDING",
        PLACES,
    ),
    Fault(
        "each read of a forged entry alerts",
        "resolvers/audit/showing.py",
        'if entry["_id"] not in told:',
        "if True:",
        PLACES,
    ),
    Fault(
        "access in an emergency is not signed",
        "resolvers/audit/sequencing.py",
        'return entry["event_type"] in SIGNED_SINGLY or bool((entry["metadata"] or {}).get("emergency"))',
        'return entry["event_type"] in SIGNED_SINGLY',
        PLACES,
    ),
]
