"""Checks of the audit log's integrity, as clients see them."""

from datetime import datetime

from core import nodes
from core.audit import Audited
from core.graphql import Edge, Page, mutation, node, query, type_
from core.graphql.common import Node
from core.ids import Id
from resolvers.audit import checking
from resolvers.audit.roles import CHECKERS
from stores.audit import IntegrityCheckKind, IntegrityCheckStatus, IntegrityProblem


@type_
class IntegrityDamage:
    """Damage to the audit log that a check found."""

    problem: IntegrityProblem
    """Problem that was found."""
    chain_id: str | None
    """Name of the damaged chain; null for damage to the log as a whole."""
    seq: int | None
    """Number in the chain at which the damage is; null for an entry without a place, and for the log."""
    entry_id: Id | None
    """Id of the damaged entry; null when it is not known."""


@node("integrity_check")
class IntegrityCheck(Node):
    """Check of the audit log's integrity, an automatic one or one that somebody asked for."""

    kind: IntegrityCheckKind
    """Kind of the check: what was checked, and why."""
    status: IntegrityCheckStatus
    """Status of the check."""
    performed_at: datetime
    """Time at which the check began."""
    finished_at: datetime | None
    """Time at which the check was over; null while it runs."""
    performed_by_id: Id | None
    """Id of the person who asked for the check; null for an automatic one."""
    start_entry_id: Id | None
    """Id of the first entry that was to be checked; null for automatic checks."""
    end_entry_id: Id | None
    """Id of the last entry that was to be checked; null for automatic checks."""
    checked_entry_count: int
    """Number of entries that were checked; 0 while the check runs, and when it failed."""
    integrity_valid: bool | None
    """True if all was as it had been recorded; null while the check runs, and when it failed."""
    failed_entry_ids: list[Id]
    """Ids of the entries that failed, at most 1,000."""
    hash_chain_broken: bool
    """True if a chain or the log was damaged beyond single entries: something is missing, or was put in."""
    damages: list[IntegrityDamage]
    """Damages that were found, at most 1,000; of the same place the first one alone."""


@type_
class CheckQueries:
    """Reading of checks."""

    integrity_check: IntegrityCheck | None = query(nodes.reader("integrity_check"))
    """Check of the log of your organization by its id; null when there is none, or it is not for you."""
    integrity_checks: Page[IntegrityCheck] = query(
        checking.integrity_checks,
        roles=CHECKERS,
        audit=Audited("audit.checks_read", resource_type="AUDIT_LOG"),
    )
    """Checks of the log of your organization, the latest first: automatic ones, of every hour and every week,
    and those that somebody asked for."""


@type_
class CheckMutations:
    """Checks that people ask for."""

    verify_audit_integrity = mutation(
        checking.verify_audit_integrity,
        audit=Audited("audit.verified", "COMPLIANCE_CHECK", "AUDIT_LOG"),
        prepare=checking.check_range,
        roles=CHECKERS,
        refuses="CHAIN_MISMATCH OUT_OF_RANGE",
        returns={
            "integrity_check": (IntegrityCheck, "Check with what it found; null when refused."),
            "integrity_check_edge": (
                Edge[IntegrityCheck],
                "Edge of the check at the top of the list of checks; null when refused.",
            ),
        },
        start_entry_id="Id of the first audit entry to check.",
        end_entry_id="Id of the last audit entry to check, of the same chain: CHAIN_MISMATCH otherwise.",
    )
    """Verify the entries of a chain from one to another: that none was changed, removed, added or moved.
    Damage is alerted. More than 10,000 are checked by a job: read the check again until it is FINISHED or
    FAILED."""
