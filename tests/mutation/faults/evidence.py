"""Evidence: who sees it, its hash, its chain of custody, its files."""

from tests.mutation.fault import Fault

COLLECTED = ("tests/audit/test_evidence.py",)
CUSTODY = ("tests/audit/test_custody.py",)
FILES = ("tests/audit/test_evidence_files.py",)

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
        'digest == evidence["cryptographic_hash"] and evidence["status"] == EvidenceStatus.SEALED',
        'digest == evidence["cryptographic_hash"]',
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
]
