"""Planted faults of the audit log."""

from tests.mutation.fault import Fault

PLACES = ("tests/audit/test_places.py",)

PROOFS = ("tests/audit/test_proofs.py",)

CHECKING = ("tests/audit/test_checking.py",)
ALERTS = ("tests/audit/test_alerts.py",)

ROLE = ("tests/server/test_database_role.py",)
SEQUENCING = ("tests/audit/test_sequencing.py",)
ROTATION = ("tests/audit/test_key_rotation.py",)
AUDITOR = ("tests/clients/test_auditor.py",)

ENTRIES = ("tests/audit/test_entries.py", "tests/audit/test_client_entries.py")

GIVEN_UP = ("tests/audit/test_checks_given_up.py",)
EXPORTS = ("tests/audit/test_exports.py",)

FAULTS = [
    Fault(
        "nobody is told that the log of people without an organization is damaged",
        "resolvers/notification/audit_alerts.py",
        "people = await accounts.administrators(ctx.db, limit=MOST_PEOPLE)",
        "people: list[str] = []",
        ALERTS,
    ),
    Fault(
        "an export whose workers all died runs for good",
        "jobs/audit/exports.py",
        ", given_up=export_job.give_up",
        "",
        EXPORTS,
    ),
    Fault(
        "a check whose workers all died runs for good",
        "jobs/audit/sealing.py",
        ", given_up=checking.give_up",
        "",
        GIVEN_UP,
    ),
    Fault(
        "a check that was made is said to have failed",
        "resolvers/audit/concluding.py",
        'where = {"status": IntegrityCheckStatus.RUNNING}',
        "where: dict[str, str] = {}",
        GIVEN_UP,
    ),
    Fault(
        "names within details are spelled in two ways",
        "resolvers/audit/recording.py",
        "return store.named_as_in_api(act.details), store.named_as_in_api(act.sensitive)",
        "return act.details, act.sensitive",
        ("tests/audit/test_mutations.py",),
    ),
    Fault(
        "what an app tells is reworded",
        "resolvers/audit/recording.py",
        "if source == CLIENT:",
        "if False:",
        ENTRIES,
    ),
    Fault(
        "the old key does not vouch for the new one, and auditors are lost",
        "resolvers/audit/log_keys.py",
        "return Signing((first, *vouching[-1:]), newest",
        "return Signing((first,), newest",
        ROTATION,
    ),
    Fault(
        "a key that was stolen vouches for the next",
        "resolvers/audit/log_keys.py",
        'for key in former if "distrusted_at" not in key]',
        "for key in former]",
        ROTATION,
    ),
    Fault(
        "a checkpoint does not say which key signs from now on",
        "resolvers/audit/sealing.py",
        "new._replace(extensions=signing.extensions)",
        "new",
        ROTATION,
    ),
    Fault(
        "a key that was replaced goes on signing for the service",
        "resolvers/audit/log_keys.py",
        "return [verifier for _, verifier in found[since:]]",
        "return [verifier for _, verifier in found]",
        ROTATION,
    ),
    Fault(
        "auditors believe a key that signed beside a known one",
        "clients/auditor/keys.js",
        "const isNamed = extensions.includes(`${SUCCESSOR} ${vkey}`) && signers.includes(key);",
        "const isNamed = signers.includes(key);",
        AUDITOR,
    ),
    Fault(
        "auditors believe a key that no known key vouches for",
        "clients/auditor/keys.js",
        "(isKnown || signers.some((signer) => signer !== key))",
        "(isKnown || signers.length > 0)",
        AUDITOR,
    ),
    Fault(
        "auditors believe a key that was replaced",
        "clients/auditor/keys.js",
        "older.until = Math.min(older.until, key.since);",
        "older.until = Infinity;",
        AUDITOR,
    ),
    Fault(
        "a check is put into the log of another organization",
        "resolvers/audit/checking.py",
        'if entry["org_id"] != ctx.org:',
        "if False:",
        CHECKING,
    ),
    Fault(
        "an entry behind the end of its chain passes a check",
        "resolvers/audit/verifying.py",
        'if head is None or head["seq"] < last["seq"]:',
        "if False:",
        CHECKING,
    ),
    Fault(
        "our own code may change what is on record",
        "core/storage/mongo.py",
        'if name in INSERT_ONLY and verb != "insert":',
        "if False:",
        ROLE,
    ),
    Fault(
        "the database lets our account change what is on record",
        "core/storage/privileges.py",
        "ADDED if declared.insert_only else CHANGED",
        "CHANGED",
        ROLE,
    ),
    Fault(
        "a chain whose next place is taken stops all others",
        "resolvers/audit/sequencing.py",
        "return await _sequence_each(services, waiting)",
        "raise",
        SEQUENCING,
    ),
    Fault(
        "an entry that was put in past the service is not looked for",
        "resolvers/audit/unrecorded.py",
        "if place not in links",
        "if place in links",
        CHECKING,
    ),
    Fault(
        "an entry that waits for its place is called forged",
        "resolvers/audit/unrecorded.py",
        " and not _waits(states.get(place))",
        "",
        CHECKING,
    ),
    Fault(
        "people read checks of another organization",
        "resolvers/audit/checking.py",
        'return [each if each and each["org_id"] == ctx.org else None for each in found]',
        "return list(found)",
        CHECKING,
    ),
    Fault(
        "a check goes from one chain to another",
        "resolvers/audit/checking.py",
        'if start["chain_id"] != end["chain_id"]:',
        "if False:",
        CHECKING,
    ),
    Fault(
        "a long check blocks its request",
        "resolvers/audit/checking.py",
        'if last["seq"] - first["seq"] >= MOST_AT_ONCE:',
        "if False:",
        CHECKING,
    ),
    Fault(
        "administrators are not told of damage",
        "resolvers/notification/audit_alerts.py",
        "await _tell(ctx, org_id, DAMAGED, about, PriorityLevel.CRITICAL)",
        "return",
        CHECKING,
    ),
    Fault(
        "alerts go on when the role was taken",
        "subscriptions/audit/alerts.py",
        "    if grant is None:\n",
        "    if False:\n",
        ALERTS,
    ),
    Fault(
        "alerts go on when the role is over",
        "subscriptions/audit/alerts.py",
        'return None if until == float("inf") else max(until - clock.timestamp(), 0.0)',
        "return None",
        ALERTS,
    ),
    Fault(
        "what a check found is not kept beside the entry",
        "resolvers/audit/concluding.py",
        "await store.mark_integrity(ctx.db, failed, AuditIntegrity.BROKEN)",
        "",
        PLACES,
    ),
    Fault(
        "everybody reads the checkpoints of their organization",
        "schema/audit/__init__.py",
        "proving.audit_checkpoints,\n        roles=READERS,",
        "proving.audit_checkpoints,",
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
