"""Audit records: who did what, put on record in the transaction that did it, or in one of their own.

    await record(ctx, Act("post.removed", resource_type="CONTENT", resource_id=post["_id"]))

Actor, role, organization, masked address, device, user agent and request id come from the context. Whoever
keeps the records fills `recorded`.
"""

from core.audit.acts import Act as Act
from core.audit.acts import AuditOutcome as AuditOutcome
from core.audit.acts import Mode as Mode
from core.audit.declared import Audited as Audited
from core.audit.recording import record as record
from core.audit.recording import record_apart as record_apart
from core.audit.recording import recorded as recorded
