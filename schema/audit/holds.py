"""Legal holds on incidents and people, as clients see them."""

from datetime import datetime

from core import nodes
from core.audit import Audited
from core.graphql import Edge, Page, batched, key, mutation, node, one, query, type_
from core.graphql.common import Node
from core.ids import Id
from loaders.auth import UserById
from resolvers.audit import holding
from schema.auth import User


@node("legal_hold")
class LegalHold(Node):
    """Legal hold: entries of an incident, or the data of a person, are neither erased nor archived.

    The organization's COMPLIANCE_OFFICER and AUDIT_ADMIN see it."""

    incident_id: Id | None
    """Id of the incident that the hold is on; null for a hold on a person."""
    subject_id: Id | None
    """Id of the person whom the hold is on; null for a hold on an incident."""
    hold_reason: str = batched(holding.reasons, reads=["_id", "reason"])
    """Reason for the hold, 1 to 1,000 characters."""
    placed_by: User = one(UserById, key="placed_by")
    """Person who placed the hold."""
    placed_at: datetime = key("created_at")
    """Time at which the hold was placed."""
    released_at: datetime | None
    """Time at which the hold was released; null while it holds."""


@type_
class HoldQueries:
    """Reading of legal holds."""

    legal_hold: LegalHold | None = query(nodes.reader("legal_hold"))
    """Legal hold by its id; null when there is none or it is hidden from you."""
    legal_holds: Page[LegalHold] = query(
        holding.legal_holds,
        roles=holding.HOLDERS,
        audit=Audited("audit.legal_holds_read", resource_type="AUDIT_LOG"),
    )
    """Legal holds of your organization, newest first."""


@type_
class HoldMutations:
    """Placing and releasing legal holds."""

    place_legal_hold = mutation(
        holding.place_legal_hold,
        audit=Audited("audit.legal_hold_placed", "DECISION_MADE", "AUDIT_LOG"),
        refuses="INCIDENT_NOT_FOUND REQUIRED TOO_LONG",
        returns={"legal_hold": LegalHold, "legal_hold_edge": Edge[LegalHold]},
        roles=holding.HOLDERS,
        target="Incident or person that the hold is on.",
        reason="Reason for the hold, 1 to 1,000 characters.",
    )
    """Place a legal hold on an incident or a person: accounts of people whom it concerns are not erased, and
    entries not archived, until it is released."""
    release_legal_hold = mutation(
        holding.release_legal_hold,
        audit=Audited("audit.legal_hold_released", "DECISION_MADE", "AUDIT_LOG", "legal_hold_id"),
        returns={"legal_hold": LegalHold},
        roles=holding.HOLDERS,
    )
    """Release a legal hold. Accounts whose deletion it put off are erased within a day."""
