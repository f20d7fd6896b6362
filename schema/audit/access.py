"""Access of external auditors to an organization's log, as clients see it."""

from datetime import datetime

from core import nodes
from core.audit import Audited
from core.graphql import Edge, Page, connection, key, mutation, node, one, query, type_
from core.graphql.common import Node
from core.ids import Id
from loaders.auth import UserById
from resolvers.audit import granting
from schema.auth import User
from stores.audit.roles import AUDIT_ADMIN


@node("audit_access_grant")
class AuditAccessGrant(Node):
    """Access of an external auditor to the log of some incidents, until a moment.

    The auditor sees it, and those who hold AUDIT_ADMIN in the organization that granted it."""

    created_at: datetime
    """Time at which access was granted."""
    organization_id: str | None = key("org_id")
    """Organization whose incidents these are; never null here."""
    grantee: User = one(UserById, key="grantee_id")
    """Person who has access."""
    incident_ids: list[Id]
    """Ids of the incidents whose entries may be read, 1 to 100."""
    pii: bool
    """True if personal values of these entries may be read too."""
    expires_at: datetime
    """Time at which access ends, at most 90 days after it was granted."""
    revoked_at: datetime | None
    """Time at which access was revoked; null when it was not."""


@type_
class AccessQueries:
    """Reading of the access that external auditors have."""

    audit_access_grant: AuditAccessGrant | None = query(nodes.reader("audit_access_grant"))
    """Access of an external auditor by its id; null when there is none or it is hidden from you."""
    audit_access_grants: Page[AuditAccessGrant] = query(
        granting.access_grants,
        roles=(AUDIT_ADMIN,),
        audit=Audited("audit.access_grants_read", resource_type="AUDIT_LOG"),
    )
    """Access that your organization granted to external auditors, newest first, with what has ended."""


@type_
class AccessOfViewer:
    """Access to incidents of organizations that the viewer was granted."""

    audit_grants: Page[AuditAccessGrant] = connection(granting.own_grants)
    """Access to logs of incidents that you were granted and that is in force, newest first."""


@type_
class AccessMutations:
    """Granting and revoking the access of external auditors."""

    grant_audit_access = mutation(
        granting.grant_audit_access,
        audit=Audited("audit.access_granted", "ACCESS_GRANTED", "AUDIT_LOG", subject="user_id"),
        refuses="INCIDENT_NOT_FOUND LIMIT_REACHED OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY",
        returns={"audit_access_grant": AuditAccessGrant, "audit_access_grant_edge": Edge[AuditAccessGrant]},
        roles=(AUDIT_ADMIN,),
        fresh=True,
        user_id="Id of the person who gets access, of whatever organization.",
        incident_ids="Ids of the incidents whose entries may be read, 1 to 100.",
        pii="True if personal values of these entries may be read too.",
        expires_at="Time at which access ends, at most 90 days ahead.",
    )
    """Grant a person access to the log of some incidents for a time, with the role EXTERNAL_AUDITOR."""
    revoke_audit_access = mutation(
        granting.revoke_audit_access,
        audit=Audited("audit.access_revoked", "ACCESS_GRANTED", "AUDIT_LOG", "audit_access_grant_id"),
        returns={"audit_access_grant": AuditAccessGrant},
        roles=(AUDIT_ADMIN,),
        fresh=True,
    )
    """Revoke an external auditor's access at once, in open streams too; it may have been revoked before."""
