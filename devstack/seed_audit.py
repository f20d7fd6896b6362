"""Demo organization: who administers and audits it, what is in its audit log, and a piece of evidence.

Done by the demo's people through the resolvers: entries are chained, sealed and verified like any other.
"""

import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from core import ids, logs
from core.audit import Act, record
from core.context import PERSONAL, Context, Services, Viewer
from core.grants import GrantRole
from resolvers.audit import custody, files
from resolvers.auth import admin, granting
from resolvers.notification import templates
from stores import audit as store
from stores import auth as accounts
from stores.audit import CustodyAction, EvidenceKind, EvidenceStatus
from stores.audit.roles import AUDIT_ADMIN, AUDIT_PII_READER, COMPLIANCE_OFFICER, EVIDENCE_CUSTODIAN
from stores.auth import User
from stores.notification import PriorityLevel, TemplateScenario, TemplateVariableKind
from stores.notification.roles import NOTIFY_ADMIN

ORGANIZATION = "northwind"
ADMINISTRATOR, AUDITOR, ENGINEER = "grace", "alan", "ada"
ROLES: dict[str, tuple[GrantRole, ...]] = {
    ADMINISTRATOR: (AUDIT_ADMIN, NOTIFY_ADMIN),
    AUDITOR: (COMPLIANCE_OFFICER, AUDIT_PII_READER),
    ENGINEER: (EVIDENCE_CUSTODIAN,),
}
"""By handle, the roles that a person is granted in the organization."""
GATEWAY_LOG = b"""\
2026-03-08T07:28:11Z gateway sshd: Failed password for root from 203.0.113.7
2026-03-08T07:28:14Z gateway sshd: Failed password for root from 203.0.113.7
2026-03-08T07:30:02Z gateway sshd: Accepted password for backup from 203.0.113.7
"""


async def fill(services: Services) -> None:
    """Make the organization of the demo's sign-ins, with some acts on record."""
    with logs.warnings_alone():
        await _filled(services)


async def _filled(services: Services) -> None:
    people = {handle: await person(services, handle) for handle in ROLES}
    operator = viewed_as(services, people[ADMINISTRATOR], org=PERSONAL)
    for user in people.values():
        await unit(operator, admin.assigned, user, user["roles"], {"organization": ORGANIZATION})
    contexts = {handle: viewed_as(services, user, org=ORGANIZATION) for handle, user in people.items()}
    for handle, roles in ROLES.items():
        for role in roles:
            await unit(contexts[ADMINISTRATOR], granting.grant_role, user_id=people[handle]["_id"], role=role)
    incident_id = ids.new_id("incident")
    for handle, act in _acts(incident_id, people[ENGINEER]):
        await unit(contexts[handle], record, act)
    await _evidence(contexts[ENGINEER], incident_id, people[AUDITOR])
    await unit(contexts[ADMINISTRATOR], templates.create_notification_template, **EVACUATION)


EVACUATION: dict[str, Any] = {
    "name": "Evacuation",
    "scenario": TemplateScenario.BUILDING_EVACUATION,
    "title_template": "Leave {{ building }} now",
    "message_template": "{% if floor > 2 %}Take the stairs. {% endif %}Meet at the gate.",
    "default_priority": PriorityLevel.CRITICAL,
    "requires_ack": True,
    "variables": [
        {"name": "building", "kind": TemplateVariableKind.STRING, "required": True},
        {"name": "floor", "kind": TemplateVariableKind.NUMBER, "required": False, "default_value": "1"},
    ],
}


async def person(services: Services, handle: str) -> User:
    key = await accounts.user_keys.by_id(services.db, accounts.handle_key(handle))
    user = await accounts.users.by_id(services.db, key["user_id"]) if key else None
    if user is None:
        raise LookupError(f"The demo has nobody called {handle}.")
    return user


def viewed_as(services: Services, user: User, *, org: str, device_id: str = "") -> Context:
    """Context of what a person of the demo does, as if signed in."""
    roles = frozenset(map(str, user["roles"]))
    return Context(services, viewer=Viewer(user["_id"], "", device_id, roles=roles, org=org))


async def unit(ctx: Context, act: Callable[..., Awaitable[Any]], *given: Any, **named: Any) -> Any:
    """Do something as a mutation does it: in a unit of work of its own."""
    apart = ctx.fork()
    return await apart.unit(partial(act, apart, *given, **named))


def _acts(incident_id: str, engineer: User) -> list[tuple[str, Act]]:
    """Acts about an incident, each by whom it was done."""
    about: dict[str, Any] = {"resource_id": incident_id, "incident_id": incident_id}
    return [
        (
            ENGINEER,
            Act(
                "incident.reported",
                "COMMUNICATION_SENT",
                "INCIDENT",
                **about,
                details={"summary": "Sign-ins to the gateway at night"},
                sensitive={"callback": "+44 20 7946 0018"},
            ),
        ),
        (
            ADMINISTRATOR,
            Act("incident.classified", "DECISION_MADE", "INCIDENT", **about, details={"severity": "HIGH"}),
        ),
        (
            ADMINISTRATOR,
            Act(
                "account.password_reset",
                "DATA_MODIFIED",
                "ACCOUNT",
                resource_id=engineer["_id"],
                subject_id=engineer["_id"],
                incident_id=incident_id,
            ),
        ),
    ]


async def _evidence(ctx: Context, incident_id: str, auditor: User) -> None:
    """Evidence of the incident, sealed, and handed over to the auditor."""
    evidence_id = ids.new_id("evidence")
    key = files.evidence_key(ORGANIZATION, evidence_id)
    await files.store_of(ctx, key).put_once(key, GATEWAY_LOG, mime="application/octet-stream")
    row = {
        "_id": evidence_id,
        "org_id": ORGANIZATION,
        "collector_id": ctx.viewer_id,
        "custodian_id": ctx.viewer_id,
        "incident_id": incident_id,
        "kind": EvidenceKind.LOG_FILE,
        "description": "Log of the gateway",
        "upload_id": ids.new_id("upload"),
        "file_name": "gateway.log",
        "size_bytes": len(GATEWAY_LOG),
        "cryptographic_hash": hashlib.sha256(GATEWAY_LOG).hexdigest(),
        "status": EvidenceStatus.SEALED,
        "rejection": None,
        "file_key": key,
        "last_verified_at": None,
        "archived_at": None,
        "custody_count": 1,
    }
    await unit(ctx, _collect, row)
    await unit(
        ctx,
        custody.record_custody,
        evidence_id=evidence_id,
        action=CustodyAction.TRANSFERRED,
        received_by_id=auditor["_id"],
        location="Safe of the compliance office",
    )


async def _collect(ctx: Context, row: dict[str, Any]) -> None:
    made = await ctx.tx.insert(store.evidence, {**row, "last_verified_at": ctx.tx.now})
    named = {"kind": made["kind"], "sha256": made["cryptographic_hash"], "size_bytes": made["size_bytes"]}
    act = custody.act_on(made, "audit.evidence_collected", details=named)
    await custody.add_record(ctx, made, 0, act, CustodyAction.COLLECTED, ctx.viewer_id)
