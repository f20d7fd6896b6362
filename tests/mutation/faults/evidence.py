"""Evidence: who sees it, its hash, its chain of custody, its files; and exports of the log."""

from tests.mutation.fault import Fault

COLLECTED = ("tests/audit/test_evidence.py",)
CUSTODY = ("tests/audit/test_custody.py",)
FILES = ("tests/audit/test_evidence_files.py",)
EXPORTS = ("tests/audit/test_exports.py",)
FHIR = ("tests/audit/test_fhir.py",)
KEYS = ("tests/audit/test_subject_keys.py",)
TIERS = ("tests/audit/test_tiers.py",)

FAULTS = [
    Fault(
        "evidence of another organization is shown",
        "resolvers/audit/collecting.py",
        'return handles and evidence["org_id"] == ctx.org',
        "return handles",
        COLLECTED,
    ),
    Fault(
        "somebody else's evidence is shown to people without an organization",
        "resolvers/audit/collecting.py",
        'return evidence["collector_id"] == ctx.viewer_id',
        "return True",
        COLLECTED,
    ),
    Fault(
        "a file that is not what was declared is sealed",
        "resolvers/audit/evidence_files.py",
        'same = upload["failure"] is None and digest == evidence["cryptographic_hash"]',
        'same = upload["failure"] is None',
        COLLECTED,
    ),
    Fault(
        "a file that was damaged on its way is not kept for inquiry",
        "resolvers/media/processing.py",
        "if args.keeps_rejected:",
        "if False:",
        COLLECTED,
    ),
    Fault(
        "evidence takes from the daily quota",
        "resolvers/media/uploading.py",
        "if again is None and args.counted:",
        "if again is None:",
        COLLECTED,
    ),
    Fault(
        "anybody who sees evidence records custody",
        "resolvers/audit/custody.py",
        'if evidence["custodian_id"] != ctx.viewer_id and not await grants.holds(ctx, AUDIT_ADMIN):',
        "if False:",
        CUSTODY,
    ),
    Fault(
        "an attempt on somebody else's evidence is on no record",
        "core/mutations/auditing.py",
        "return AuditOutcome.DENIED if error.code in declared.denials else None",
        'return AuditOutcome.DENIED if error.code == "FORBIDDEN" else None',
        CUSTODY,
    ),
    Fault(
        "evidence is handed to somebody of another organization",
        "resolvers/audit/custody.py",
        "each.role in roles and each.scope_id == ctx.org and",
        "each.role in roles and",
        CUSTODY,
    ),
    Fault(
        "custody goes on after the archive",
        "resolvers/audit/custody.py",
        'if evidence["archived_at"] is not None:',
        "if False:",
        CUSTODY,
    ),
    Fault(
        "evidence that was compromised is sealed again",
        "resolvers/audit/evidence_files.py",
        'same = whole and evidence["status"] == EvidenceStatus.SEALED',
        "same = whole",
        FILES,
    ),
    Fault(
        "a file's URL is good for other files",
        "resolvers/audit/files.py",
        'ctx.services.signer.linked(signature, "audit", key, ends)',
        "signature",
        FILES,
    ),
    Fault(
        "a file's URL is good for ever",
        "resolvers/audit/files.py",
        "or int(ends) <= clock.timestamp()",
        "or int(ends) <= 0",
        FILES,
    ),
    Fault(
        "a file with malware is given out",
        "resolvers/audit/evidence_files.py",
        'or evidence["rejection"] == EvidenceRejection.MALWARE',
        "or False",
        COLLECTED,
    ),
    Fault(
        "others see an export",
        "resolvers/audit/exporting.py",
        'own = [each if each and each["requested_by"] == ctx.viewer_id_or_none else None for each in found]',
        "own = list(found)",
        EXPORTS,
    ),
    Fault(
        "a cell of a table is a formula",
        "resolvers/audit/exported.py",
        'return f"\'{text}" if text.startswith(FORMULA) else text',
        "return text",
        EXPORTS,
    ),
    Fault(
        "a file has what is encrypted",
        "resolvers/audit/exported.py",
        'ENCRYPTED = frozenset({"actorName", "userAgent", "location", "sensitiveDetails"})',
        'ENCRYPTED = frozenset({"actorName"})',
        EXPORTS,
    ),
    Fault(
        "a long export has entries twice",
        "resolvers/audit/export_file.py",
        'position = (batch[-1]["timestamp"], batch[-1]["_id"])',
        'position = (batch[-2]["timestamp"], batch[-2]["_id"])',
        EXPORTS,
    ),
    Fault(
        "an export is written for who has left the organization",
        "resolvers/audit/export_job.py",
        'accounts.org_of(user) != export["org_id"]',
        "False",
        EXPORTS,
    ),
    Fault(
        "a file has more entries than it may",
        "resolvers/audit/export_file.py",
        "if file.count > store.MOST_EXPORTED:",
        "if False:",
        EXPORTS,
    ),
    Fault(
        "a file outlives its day",
        "resolvers/audit/export_job.py",
        'await services.objects.delete([export["file_key"]])',
        "pass",
        EXPORTS,
    ),
    Fault(
        "an object of a PDF is not where its table says",
        "resolvers/audit/exported_pdf.py",
        "self._written += len(written)",
        "self._written += len(written) + 1",
        EXPORTS,
    ),
    Fault(
        "a legal hold does not keep entries out of the cold",
        "resolvers/audit/tiering.py",
        'await store.move(services.db, [each for each in states if each["_id"] not in held], was, to)',
        "await store.move(services.db, states, was, to)",
        TIERS,
    ),
    Fault(
        "a page goes on into the cold",
        "resolvers/audit/tiering.py",
        "return list(entries[:cold]), True",
        "return list(entries), False",
        TIERS,
    ),
    Fault(
        "each try to read the cold is another export",
        "resolvers/audit/exporting.py",
        'if same and each["reach"] in (None, reach) and _is_good(each):',
        "if False:",
        TIERS,
    ),
    Fault(
        "an incident is archived anew every night",
        "resolvers/audit/archiving.py",
        "if last is None or await locked.stat(key) is not None:",
        "if last is None:",
        TIERS,
    ),
    Fault(
        "wraps of subject keys are never renewed",
        "core/security/subject_keys.py",
        'old: dict[str, Any] = {"key": {"$type": "string"}, "wrapped_at": {"$lt": before}}',
        'old: dict[str, Any] = {"key": {"$type": "string"}, "wrapped_at": None}',
        KEYS,
    ),
    Fault(
        "rotation of the field keys takes wraps of a service outside for its own",
        "core/security/key_rotation.py",
        '"$nin": ["", current, outside]',
        '"$nin": ["", current]',
        KEYS,
    ),
    Fault(
        "a denial is a success in FHIR",
        "resolvers/audit/exported_fhir.py",
        'AuditOutcome.DENIED: "4"',
        'AuditOutcome.DENIED: "0"',
        FHIR,
    ),
]
