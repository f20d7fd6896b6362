"""Personal values of entries: stored encrypted, shown by role in one's organization, to nobody else."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from core.grants import GrantRole
from jobs.audit.personal import export
from ports.auth import GeoIp, GeoLocation
from stores import audit as store
from stores.audit import AuditEntry
from stores.audit.roles import (
    AUDIT_ADMIN,
    AUDIT_PII_READER,
    AUDIT_READER,
    COMPLIANCE_OFFICER,
    EVIDENCE_CUSTODIAN,
)
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.phone import Phone, granted, make_user

ENTRY = """query($id: ID!) { auditEntry(id: $id) {
  actorName userAgent sensitiveDetails location { lat lng city country } } }"""
LIST = "{ auditEntries(first: 100) { edges { node { id } } } }"
VIENNA = {"lat": 48.2, "lng": 16.37, "city": "Vienna", "country": "Austria"}
SHOWN = {
    "actorName": "Alan Turing",
    "userAgent": "Test/1",
    "sensitiveDetails": {"phone": "+43 1 234"},
    "location": VIENNA,
}
NOTHING = dict.fromkeys(SHOWN)


class Vienna:
    def place(self, address: str) -> str | None:
        return "Vienna, Austria"

    def location(self, address: str) -> GeoLocation | None:
        return GeoLocation(48.2, 16.37, "Vienna", "Austria")


@pytest.fixture(autouse=True)
def placed(services: Services) -> Iterator[None]:
    before, services.extra[GeoIp] = services.extra[GeoIp], Vienna()
    yield
    services.extra[GeoIp] = before


async def put(services: Services, org: str, actor_id: str, **fields: Any) -> AuditEntry:
    """New entry of an act in an organization, about a person who is nobody's phone."""
    viewer = Viewer(actor_id, "session_x", "device_x", org=org)
    ctx, thing = (
        Context(services, viewer=viewer, address="192.0.2.7", user_agent="Test/1"),
        ids.new_id("thing"),
    )
    act = Act("tested.done", resource_id=thing, sensitive={"phone": "+43 1 234"}, **fields)
    await record_apart(ctx, act)
    [entry] = await on_record(services, resource_id=thing)
    return entry


async def turing(services: Services, org: str) -> str:
    return await make_user(services, "Alan", last_name="Turing", org=org)


async def member(services: Services, new_phone: NewPhone, org: str, *roles: GrantRole) -> Phone:
    phone = await new_phone("Ada", org=org)
    await granted(services, phone, *roles, scope_id=org)
    return phone


async def test_what_is_personal_is_stored_encrypted(services: Services) -> None:
    entry = await put(services, ids.new_id("org"), await turing(services, "acme"))
    for text in ("Turing", "Test/1", "Vienna", "48.2", "+43"):
        assert text not in repr(entry)
    assert all(entry[field] for field in store.SEALED)  # type: ignore[literal-required]


async def test_a_reader_of_personal_values_sees_those_of_others_in_what_they_may_read(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    entry = await put(services, org, await turing(services, org))
    reader = await member(services, new_phone, org, AUDIT_READER, AUDIT_PII_READER)
    assert await reader.run(ENTRY, id=entry["_id"]) == {"auditEntry": SHOWN}
    await store.subject_keys.destroy(services.db, str(entry["actor_id"]))
    assert await reader.run(ENTRY, id=entry["_id"]) == {"auditEntry": NOTHING}


@pytest.mark.parametrize("role", [AUDIT_READER, COMPLIANCE_OFFICER])
async def test_roles_that_read_the_log_read_it_without_personal_values(
    services: Services, new_phone: NewPhone, role: GrantRole
) -> None:
    org = ids.new_id("org")
    entry = await put(services, org, await turing(services, org))
    reader = await member(services, new_phone, org, role)
    listed = (await reader.run(LIST))["auditEntries"]["edges"]
    assert entry["_id"] in [edge["node"]["id"] for edge in listed]
    assert await reader.run(ENTRY, id=entry["_id"]) == {"auditEntry": NOTHING}


@pytest.mark.parametrize("role", [AUDIT_PII_READER, EVIDENCE_CUSTODIAN, AUDIT_ADMIN])
async def test_other_roles_do_not_read_the_log(
    services: Services, new_phone: NewPhone, role: GrantRole
) -> None:
    org = ids.new_id("org")
    entry = await put(services, org, await turing(services, org))
    other = await member(services, new_phone, org, role)
    assert await other.run(ENTRY, id=entry["_id"]) == {"auditEntry": None}


async def test_roles_count_in_ones_own_organization_alone(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    reader = await member(services, new_phone, org, AUDIT_READER, AUDIT_PII_READER)
    entry = await put(services, "rival", await turing(services, "rival"))
    assert await reader.run(ENTRY, id=entry["_id"]) == {"auditEntry": None}
    # Of another organization's entry about oneself, what is somebody else's stays hidden.
    about = await put(services, "rival", await turing(services, "rival"), subject_id=reader.user_id)
    own = {**NOTHING, "sensitiveDetails": SHOWN["sensitiveDetails"]}
    assert await reader.run(ENTRY, id=about["_id"]) == {"auditEntry": own}


async def test_a_persons_export_has_their_name_and_location(services: Services) -> None:
    person = await turing(services, "personal")
    entry = await put(services, "personal", person)
    rows = [row async for _, rows in export(services, person) for row in rows]
    [shown] = [row for row in rows if row["id"] == entry["_id"]]
    assert (shown["actor_name"], shown["location"]) == ("Alan Turing", VIENNA)
