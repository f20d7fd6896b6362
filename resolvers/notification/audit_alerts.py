"""Alerts of the audit log, as CRITICAL notifications to those who administer it."""

from collections.abc import Sequence

from core.context import PERSONAL, Context
from core.hooks import on
from core.messages import gettext_noop
from resolvers.audit import AuditAnomaly, IntegrityAlert, alerted, anomaly_raised, compromised
from resolvers.notification.notifying import MOST_PEOPLE, notify
from resolvers.notification.wording import code_template
from stores import auth as accounts
from stores.audit import AUDIT_ADMIN, Evidence
from stores.notification import AUDIT, PriorityLevel

DAMAGED = code_template(
    "audit.damaged",
    title=gettext_noop("The audit log is damaged"),
    message=gettext_noop(
        "A check found entries of your organization's audit log that were changed, removed or put in."
    ),
)
DAMAGED_PERSONAL = code_template(
    "audit.damaged_personal",
    title=gettext_noop("The audit log is damaged"),
    message=gettext_noop(
        "A check found entries of the audit log of people without an organization that were changed, removed "
        "or put in."
    ),
)
UNUSUAL = code_template(
    "audit.unusual",
    title=gettext_noop("The audit log is used in an unusual way"),
    message=gettext_noop("Look at the alerts of your organization's audit log."),
)


COMPROMISED = code_template(
    "audit.evidence_compromised",
    title=gettext_noop("Evidence was compromised"),
    message=gettext_noop(
        "The file of a piece of evidence is not what was sealed: do not use it in a report."
    ),
)


@on(alerted)
async def tell_of_damage(ctx: Context, alert: IntegrityAlert) -> None:
    """One notification for a check, however much it found.

    The log of people who belong to no organization is the service's own: its administrators are told.
    """
    org_id, about = alert.check["org_id"], alert.check["_id"]
    if org_id == PERSONAL:
        people = await accounts.administrators(ctx.db, limit=MOST_PEOPLE)
        await _tell(ctx, org_id, DAMAGED_PERSONAL, about, PriorityLevel.CRITICAL, people)
    else:
        await _tell(ctx, org_id, DAMAGED, about, PriorityLevel.CRITICAL)


@on(anomaly_raised)
async def tell_of_anomaly(ctx: Context, anomaly: AuditAnomaly) -> None:
    about = f"{anomaly.kind}:{anomaly.actor_id}:{anomaly.since.isoformat()}"
    await _tell(ctx, anomaly.org_id, UNUSUAL, about, PriorityLevel.HIGH)


@on(compromised)
async def tell_of_evidence(ctx: Context, evidence: Evidence) -> None:
    """To those who administer the log, or to its collector where nobody does."""
    own = [evidence["collector_id"]] if evidence["org_id"] == PERSONAL else None
    await _tell(ctx, evidence["org_id"], COMPROMISED, evidence["_id"], PriorityLevel.CRITICAL, own)


async def _tell(
    ctx: Context,
    org_id: str,
    template: str,
    about: str,
    priority: PriorityLevel,
    people: Sequence[str] | None = None,
) -> None:
    """Tell these people, or who administers the log."""
    if people is None:
        people = await accounts.holders(ctx.db, AUDIT_ADMIN, org_id, ctx.tx.now, MOST_PEOPLE)
    await notify(
        ctx,
        source=AUDIT,
        dedupe_key=f"{template}:{about}",
        user_ids=people,
        template_key=template,
        priority=priority,
    )
