"""Access of external auditors: for incidents, a time, with or without personal values."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from resolvers.audit.incidents import incident_exists
from stores import audit as store
from stores.audit.roles import AUDIT_ADMIN, AUDIT_READER, COMPLIANCE_OFFICER, EXTERNAL_AUDITOR
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.phone import Phone, granted, key, refusal

SHOWN = "auditAccessGrant { id organizationId incidentIds pii expiresAt revokedAt grantee { id } }"
ENTRY = "query($id: ID!) { auditEntry(id: $id) { id sensitiveDetails } }"
OWN = "{ viewer { auditGrants { edges { node { id pii } } } } }"
ALL = "{ auditAccessGrants { edges { node { id revokedAt } } } }"
ROLES = "{ viewer { grants { edges { node { role heldUntil } } } } }"


async def admin(services: Services, new_phone: NewPhone, org: str) -> Phone:
    phone = await new_phone("Boss", org=org)
    await granted(services, phone, AUDIT_ADMIN, scope_id=org)
    return phone


async def put(services: Services, org: str, incident: str) -> str:
    """Id of a new entry of an incident."""
    viewer, thing = Viewer(ids.new_id("user"), "session_x", "device_x", org=org), ids.new_id("thing")
    act = Act("tested.done", resource_id=thing, incident_id=incident, sensitive={"name": "Bo"})
    await record_apart(Context(services, viewer=viewer), act)
    [entry] = await on_record(services, resource_id=thing)
    return entry["_id"]


def later(**how: int) -> str:
    return (clock.now() + timedelta(**how)).isoformat()


async def give(boss: Phone, auditor: Phone, incident: str, **fields: Any) -> Any:
    given = {"userId": auditor.user_id, "incidentIds": [incident], "expiresAt": later(days=30), **fields}
    return await boss.do("grantAuditAccess", SHOWN, **given)


async def test_an_external_auditor_reads_granted_incidents_until_it_expires(
    services: Services, new_phone: NewPhone
) -> None:
    org, incident, other = ids.new_id("org"), ids.new_id("incident"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    id, hidden = await put(services, org, incident), await put(services, org, other)
    assert await auditor.run(ENTRY, id=id) == {"auditEntry": None}
    ends = later(minutes=10)
    done = await give(boss, auditor, incident, expiresAt=ends, pii=False)
    grant = done["auditAccessGrant"]
    assert done["errors"] == []
    assert (grant["organizationId"], grant["incidentIds"], grant["pii"], grant["revokedAt"]) == (
        org,
        [incident],
        False,
        None,
    )
    assert grant["grantee"] == {"id": auditor.user_id}
    assert await auditor.run(ENTRY, id=id) == {"auditEntry": {"id": id, "sensitiveDetails": None}}
    assert await auditor.run(ENTRY, id=hidden) == {"auditEntry": None}
    assert (await auditor.run(OWN))["viewer"]["auditGrants"]["edges"] == [
        {"node": {"id": grant["id"], "pii": False}}
    ]
    [role] = (await auditor.run(ROLES))["viewer"]["grants"]["edges"]
    assert role["node"]["role"] == "EXTERNAL_AUDITOR"
    clock.shift(timedelta(minutes=9, seconds=30))
    assert (await auditor.run(ENTRY, id=id))["auditEntry"] is not None
    clock.shift(timedelta(minutes=1))
    assert await auditor.run(ENTRY, id=id) == {"auditEntry": None}
    assert (await auditor.run(OWN))["viewer"]["auditGrants"]["edges"] == []


async def test_personal_values_come_with_a_grant_that_says_so(
    services: Services, new_phone: NewPhone
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    id = await put(services, org, incident)
    await give(boss, auditor, incident, pii=True)
    assert (await auditor.run(ENTRY, id=id))["auditEntry"]["sensitiveDetails"] == {"name": "Bo"}


async def test_revoked_access_ends_at_once_and_stays_in_the_list(
    services: Services, new_phone: NewPhone
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    id = await put(services, org, incident)
    grant = (await give(boss, auditor, incident))["auditAccessGrant"]["id"]
    assert (await auditor.run(ENTRY, id=id))["auditEntry"] is not None
    for _ in range(2):
        done = await boss.do("revokeAuditAccess", SHOWN, auditAccessGrantId=grant)
        assert (done["errors"], done["auditAccessGrant"]["revokedAt"] is None) == ([], False)
    assert await auditor.run(ENTRY, id=id) == {"auditEntry": None}
    [edge] = (await boss.run(ALL))["auditAccessGrants"]["edges"]
    assert edge["node"]["id"] == grant
    actions = [each["action"] for each in await on_record(services, subject_id=auditor.user_id, org_id=org)]
    assert actions == ["auth.role_granted", "audit.access_granted", "audit.access_revoked"]


async def test_without_the_role_a_grant_opens_nothing(services: Services, new_phone: NewPhone) -> None:
    """An administrator of the operator ends all access of an external auditor at once."""
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    root = await new_phone("Root", roles=["MEMBER", "ADMIN"])
    id = await put(services, org, incident)
    await give(boss, auditor, incident)
    done = await root.do("revokeRole", "deletedGrantId", userId=auditor.user_id, role="EXTERNAL_AUDITOR")
    assert done["deletedGrantId"]
    assert await auditor.run(ENTRY, id=id) == {"auditEntry": None}


async def test_the_role_lasts_as_long_as_the_longest_access(services: Services, new_phone: NewPhone) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    await put(services, org, incident)
    refused = await give(boss, auditor, incident, expiresAt=later(days=90, minutes=5))
    assert [(each["code"], each["limit"]) for each in refused["errors"]] == [("OUT_OF_RANGE", 90)]
    ends = [later(days=20), later(days=10)]
    for each in ends:
        assert (await give(boss, auditor, incident, expiresAt=each))["errors"] == []
    [role] = (await auditor.run(ROLES))["viewer"]["grants"]["edges"]
    assert role["node"]["heldUntil"][:19] == ends[0][:19]


@pytest.mark.parametrize(
    ("fields", "code", "field", "limit"),
    [
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "OUT_OF_RANGE", "expiresAt", None),
        ({"expiresAt": "2100-01-01T00:00:00Z"}, "OUT_OF_RANGE", "expiresAt", 90),
        ({"incidentIds": []}, "REQUIRED", "incidentIds", None),
        ({"incidentIds": [f"incident_{each}" for each in range(101)]}, "TOO_MANY", "incidentIds", 100),
        ({"incidentIds": ["i" * 129]}, "TOO_LONG", "incidentIds", 128),
        ({"incidentIds": ["incident_unknown"]}, "INCIDENT_NOT_FOUND", "incidentIds", None),
        ({"userId": "user_01h455vb4pex5vsknk084sn02q"}, "NOT_FOUND", "userId", None),
    ],
)
async def test_a_grant_of_bad_input_is_refused(
    services: Services, new_phone: NewPhone, fields: dict[str, Any], code: str, field: str, limit: int | None
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    await put(services, org, incident)
    refused = await give(boss, auditor, incident, **fields)
    assert [(each["code"], each["field"], each["limit"]) for each in refused["errors"]] == [
        (code, [field], limit)
    ]
    assert refused["auditAccessGrant"] is None
    assert (await boss.run(ALL))["auditAccessGrants"]["edges"] == []


async def test_an_incident_of_another_organization_is_not_granted(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    await put(services, ids.new_id("org"), incident)
    again = {"idempotencyKey": key()}
    refused = await give(boss, auditor, incident, **again)
    assert [(each["code"], each["retryable"]) for each in refused["errors"]] == [("INCIDENT_NOT_FOUND", True)]

    async def exists(ctx: Context, incident_id: str) -> bool:
        return incident_id == incident

    # Whoever keeps the incidents knows it meanwhile: the same request succeeds.
    monkeypatch.setattr(incident_exists, "listeners", [exists])
    assert (await give(boss, auditor, incident, **again))["errors"] == []


async def test_audit_admin_gives_the_other_roles_and_admin_gives_audit_admin(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    boss, ada = await admin(services, new_phone, org), await new_phone("Ada", org=org)
    for role in ("AUDIT_READER", "AUDIT_PII_READER", "COMPLIANCE_OFFICER", "EVIDENCE_CUSTODIAN"):
        done = await boss.do("grantRole", "grant { role }", userId=ada.user_id, role=role)
        assert (done["errors"], done["grant"]) == ([], {"role": role})
    refused = await boss.do("grantRole", "grant { role }", userId=ada.user_id, role="AUDIT_ADMIN")
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    root = await new_phone("Root", roles=["MEMBER", "ADMIN"])
    done = await root.do("grantRole", "grant { role }", userId=ada.user_id, role="AUDIT_ADMIN")
    assert done["errors"] == []


@pytest.mark.parametrize("role", [AUDIT_READER, COMPLIANCE_OFFICER])
async def test_others_than_audit_admins_grant_no_access(
    services: Services, new_phone: NewPhone, role: Any
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    reader, auditor = await new_phone("Ada", org=org), await new_phone("Alan")
    await granted(services, reader, role, scope_id=org)
    await put(services, org, incident)
    assert [each["code"] for each in (await give(reader, auditor, incident))["errors"]] == ["FORBIDDEN"]
    assert (await reader.ask(ALL)).code == "FORBIDDEN"
    # The denial is on record.
    [denied] = await on_record(services, actor_id=reader.user_id, action="audit.access_granted")
    assert (denied["event_type"], denied["outcome"]) == ("ACCESS_DENIED", "DENIED")


async def test_access_of_another_organization_is_not_found_and_ones_own_is_not_ones_to_revoke(
    services: Services, new_phone: NewPhone
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, rival = await admin(services, new_phone, org), await admin(services, new_phone, ids.new_id("org"))
    await put(services, org, incident)
    auditor = await admin(services, new_phone, ids.new_id("org"))
    grant = (await give(boss, auditor, incident))["auditAccessGrant"]["id"]
    for phone, code in ((rival, "NOT_FOUND"), (auditor, "FORBIDDEN")):
        refused = await phone.do("revokeAuditAccess", SHOWN, auditAccessGrantId=grant)
        assert [each["code"] for each in refused["errors"]] == [code]
    assert await rival.run("query($id: ID!) { auditAccessGrant(id: $id) { id } }", id=grant) == {
        "auditAccessGrant": None
    }
    kept = await store.access_grants.by_id(services.db, {"_id": grant, "grantee_id": auditor.user_id})
    assert kept is not None
    assert kept["revoked_at"] is None


async def test_people_of_no_organization_grant_no_access(new_phone: NewPhone) -> None:
    ada, alan = await new_phone("Ada"), await new_phone("Alan")
    refused = await give(ada, alan, ids.new_id("incident"))
    assert refused["errors"] == [refusal("NO_ORGANIZATION", "This is for members of an organization.")]
    refused = await ada.do("revokeAuditAccess", SHOWN, auditAccessGrantId=ids.new_id("audit_access_grant"))
    assert [each["code"] for each in refused["errors"]] == ["NO_ORGANIZATION"]
    [error] = (await ada.ask(ALL)).errors
    assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("FORBIDDEN", "NO_ORGANIZATION")


async def test_a_person_has_access_by_at_most_a_hundred_grants_of_an_organization(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.audit.granting.MOST_GRANTS", 2)
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await admin(services, new_phone, org), await new_phone("Ada")
    await put(services, org, incident)
    codes = [[each["code"] for each in (await give(boss, auditor, incident))["errors"]] for _ in range(3)]
    assert codes == [[], [], ["LIMIT_REACHED"]]
    # What others granted is no matter of an organization's, and hides none of it.
    other, theirs = ids.new_id("org"), ids.new_id("incident")
    chief = await admin(services, new_phone, other)
    shown = await put(services, other, theirs)
    assert (await give(chief, auditor, theirs))["errors"] == []
    assert (await auditor.run("query($id: ID!) { auditEntry(id: $id) { id } }", id=shown))["auditEntry"]
    assert EXTERNAL_AUDITOR.longest == timedelta(days=90)
