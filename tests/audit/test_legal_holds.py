"""Legal holds: placed and released by role, and what they keep from being erased."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from core.grants import GrantRole
from jobs.audit.personal import Held, erase
from jobs.auth.deletion import delete_accounts
from resolvers.audit import holding
from resolvers.auth.leaving import GRACE, POSTPONED
from stores import audit as store
from stores import auth as accounts
from stores.audit import AuditEntry
from stores.audit.roles import AUDIT_ADMIN, AUDIT_READER, COMPLIANCE_OFFICER
from tests.audit.steps import on_record, sensitive
from tests.conftest import NewPhone
from tests.engine.steps import Hold
from tests.phone import Phone, granted, make_user, refusal

SHOWN = "legalHold { id incidentId subjectId holdReason placedBy { id } placedAt releasedAt }"
ALL = """query($filter: LegalHoldFilterInput) { legalHolds(filter: $filter) {
  edges { node { id holdReason releasedAt } } } }"""
HELD = refusal("LEGAL_HOLD", "Your data must be kept for now: they are under a legal hold.")


async def officer(
    services: Services, new_phone: NewPhone, org: str, role: GrantRole = COMPLIANCE_OFFICER
) -> Phone:
    phone = await new_phone("Olga", org=org)
    await granted(services, phone, role, scope_id=org)
    return phone


async def put(services: Services, org: str, **fields: Any) -> AuditEntry:
    """New entry of an organization's log."""
    viewer = Viewer(fields.pop("actor_id", ids.new_id("user")), "session_x", "device_x", org=org)
    thing = ids.new_id("thing")
    await record_apart(Context(services, viewer=viewer), Act("tested.done", resource_id=thing, **fields))
    [entry] = await on_record(services, resource_id=thing)
    return entry


async def place(phone: Phone, target: dict[str, str], **fields: Any) -> Any:
    return await phone.do("placeLegalHold", SHOWN, **{"target": target, "reason": "Case 7", **fields})


async def release(phone: Phone, hold: str) -> Any:
    return await phone.do("releaseLegalHold", SHOWN, legalHoldId=hold)


@pytest.mark.parametrize("role", [COMPLIANCE_OFFICER, AUDIT_ADMIN])
async def test_a_hold_is_placed_listed_and_released_and_each_is_on_record(
    services: Services, new_phone: NewPhone, role: GrantRole
) -> None:
    org = ids.new_id("org")
    olga, ada = await officer(services, new_phone, org, role), await new_phone("Ada", org=org)
    done = await place(olga, {"subjectId": ada.user_id}, reason="  Case 7 ")
    hold = done["legalHold"]
    assert done["errors"] == []
    assert hold == {
        "id": hold["id"],
        "incidentId": None,
        "subjectId": ada.user_id,
        "holdReason": "Case 7",
        "placedBy": {"id": olga.user_id},
        "placedAt": hold["placedAt"],
        "releasedAt": None,
    }
    stored = await store.holds.by_id(services.db, {"_id": hold["id"], "org_id": org})
    assert stored is not None
    assert "Case" not in stored["reason"]
    listed = {"node": {"id": hold["id"], "holdReason": "Case 7", "releasedAt": None}}
    assert (await olga.run(ALL, filter={"active": True}))["legalHolds"]["edges"] == [listed]
    for _ in range(2):
        done = await release(olga, hold["id"])
        assert (done["errors"], done["legalHold"]["releasedAt"] is None) == ([], False)
    assert (await olga.run(ALL, filter={"active": True}))["legalHolds"]["edges"] == []
    assert len((await olga.run(ALL))["legalHolds"]["edges"]) == 1
    placed, released = await on_record(services, resource_id=hold["id"])
    assert (placed["action"], released["action"]) == ("audit.legal_hold_placed", "audit.legal_hold_released")
    assert placed["details"] == {"subjectId": ada.user_id}
    assert await sensitive(services, placed) == {"reason": "Case 7"}


async def test_erasure_is_refused_under_legal_hold_and_the_person_is_told(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    olga, ada = await officer(services, new_phone, org), await new_phone("Ada", org=org)
    hold = (await place(olga, {"subjectId": ada.user_id}))["legalHold"]["id"]
    refused = await ada.do("requestAccountDeletion", "account { status }")
    assert refused["errors"] == [HELD]
    with pytest.raises(Held):
        await erase(services, ada.user_id)
    assert (await store.subject_keys.opening(services, [ada.user_id])) != {}
    await release(olga, hold)
    assert (await ada.do("requestAccountDeletion", "account { status }"))["errors"] == []


async def test_a_hold_that_comes_in_the_days_of_grace_puts_the_deletion_off(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    ada = await new_phone("Ada", org=org)
    assert (await ada.do("requestAccountDeletion", "account { status }"))["errors"] == []
    olga = await officer(services, new_phone, org)
    hold = (await place(olga, {"subjectId": ada.user_id}))["legalHold"]["id"]
    clock.shift(GRACE + timedelta(minutes=1))
    await delete_accounts(services)
    user = await accounts.users.by_id(services.db, ada.user_id)
    assert user is not None
    assert (user["status"], user["first_name"]) == ("DELETION_SCHEDULED", "Ada")
    assert user["deletion_due_at"] > clock.now() + POSTPONED - timedelta(minutes=1)
    [kept] = await on_record(services, action="auth.deletion_held", subject_id=ada.user_id)
    assert kept["outcome"] == "DENIED"
    held = await store.holds.by_id(services.db, {"_id": hold, "org_id": org})
    assert held is not None
    ctx = Context(services)
    await ctx.unit(lambda: ctx.tx.edit(store.holds, held, {"released_at": clock.now()}))
    clock.shift(POSTPONED)
    await delete_accounts(services)
    user = await accounts.users.by_id(services.db, ada.user_id)
    assert user is not None
    assert user["status"] == "DELETED"


@pytest.mark.parametrize("field", ["actor_id", "subject_id"])
async def test_a_hold_on_an_incident_keeps_the_people_in_it(
    services: Services, new_phone: NewPhone, field: str
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    olga, person = await officer(services, new_phone, org), await make_user(services)
    elsewhere = await make_user(services)
    await put(services, org, incident_id=incident, **{field: person})
    # An incident of another organization under the same id is not what the hold is on.
    await put(services, ids.new_id("org"), incident_id=incident, **{field: elsewhere})
    assert not await store.holds_person(services.db, person)
    done = await place(olga, {"incidentId": incident})
    assert done["errors"] == []
    assert [await store.holds_person(services.db, each) for each in (person, elsewhere)] == [True, False]
    await release(olga, done["legalHold"]["id"])
    assert not await store.holds_person(services.db, person)


async def test_a_hold_on_an_incident_and_an_erasure_at_once_are_one_after_the_other(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    olga, person = await officer(services, new_phone, org), await make_user(services)
    await put(services, org, incident_id=incident, actor_id=person)
    hold, met = Hold(), asyncio.Event()
    record, claim = holding._record, store.claim_holds

    async def placing(*given: Any) -> None:
        await record(*given)
        await hold.wait()

    async def claiming(*given: Any) -> None:
        if hold.reached.is_set():
            met.set()
        await claim(*given)

    monkeypatch.setattr(holding, "_record", placing)
    monkeypatch.setattr(store, "claim_holds", claiming)
    async with asyncio.timeout(20):
        placed = asyncio.create_task(place(olga, {"incidentId": incident}))
        await hold.reached.wait()
        # The hold is written and not committed: whoever erases now does not see it.
        erased = asyncio.create_task(erase(services, person))
        waits = asyncio.create_task(met.wait())
        await asyncio.wait({erased, waits}, return_when=asyncio.FIRST_COMPLETED)
        hold.set()
        assert (await placed)["errors"] == []
        with pytest.raises(Held):
            await erased
        await waits
    assert await store.subject_keys.opening(services, [person]) != {}


async def test_entries_under_hold_are_told_from_others(services: Services, new_phone: NewPhone) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    olga, ada = await officer(services, new_phone, org), await new_phone("Ada", org=org)
    rows = [
        await put(services, org, incident_id=incident),
        await put(services, org, actor_id=ada.user_id),
        await put(services, org, subject_id=ada.user_id),
        await put(services, org),
        await put(services, "rival", subject_id=ada.user_id),
    ]
    assert await store.held_entries(services.db, rows) == set()
    await place(olga, {"incidentId": incident})
    await place(olga, {"subjectId": ada.user_id})
    assert await store.held_entries(services.db, rows) == {row["_id"] for row in rows[:3]}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"reason": " "}, "REQUIRED", ["reason"]),
        ({"reason": "r" * 1001}, "TOO_LONG", ["reason"]),
        ({"target": {"incidentId": "incident_unknown"}}, "INCIDENT_NOT_FOUND", ["target", "incidentId"]),
        ({"target": {"subjectId": "user_01h455vb4pex5vsknk084sn02q"}}, "NOT_FOUND", ["target", "subjectId"]),
    ],
)
async def test_a_hold_of_bad_input_is_refused(
    services: Services, new_phone: NewPhone, fields: dict[str, Any], code: str, field: list[str]
) -> None:
    org = ids.new_id("org")
    olga = await officer(services, new_phone, org)
    given = {"target": {"subjectId": olga.user_id}, "reason": "Case 7", **fields}
    refused = await olga.do("placeLegalHold", SHOWN, **given)
    assert [(each["code"], each["field"]) for each in refused["errors"]] == [(code, field)]
    assert (await olga.run(ALL))["legalHolds"]["edges"] == []


async def test_a_stranger_of_whom_the_log_says_nothing_cannot_be_held(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    olga, stranger = await officer(services, new_phone, org), await new_phone("Stranger")
    refused = await place(olga, {"subjectId": stranger.user_id})
    assert [each["code"] for each in refused["errors"]] == ["NOT_FOUND"]
    await put(services, org, subject_id=stranger.user_id)
    assert (await place(olga, {"subjectId": stranger.user_id}))["errors"] == []


async def test_access_makes_nobody_a_person_whom_an_organization_may_hold(
    services: Services, new_phone: NewPhone
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    olga, stranger = await officer(services, new_phone, org, AUDIT_ADMIN), await new_phone("Stranger")
    await put(services, org, incident_id=incident)
    until = (clock.now() + timedelta(days=1)).isoformat()
    given = {"userId": stranger.user_id, "incidentIds": [incident], "pii": False, "expiresAt": until}
    assert (await olga.do("grantAuditAccess", "auditAccessGrant { id }", **given))["errors"] == []
    assert len(await on_record(services, org_id=org, subject_id=stranger.user_id)) > 0
    refused = await place(olga, {"subjectId": stranger.user_id})
    assert [each["code"] for each in refused["errors"]] == ["NOT_FOUND"]
    assert (await olga.run(ALL))["legalHolds"]["edges"] == []
    # Who acted for the organization may be held, though they are of none by now.
    await put(services, org, actor_id=stranger.user_id)
    assert (await place(olga, {"subjectId": stranger.user_id}))["errors"] == []


async def test_holds_are_for_compliance_officers_of_the_organization(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    olga = await officer(services, new_phone, org)
    reader = await officer(services, new_phone, org, AUDIT_READER)
    rival = await officer(services, new_phone, ids.new_id("org"))
    hold = (await place(olga, {"subjectId": reader.user_id}))["legalHold"]["id"]
    for phone, code in ((reader, "FORBIDDEN"), (rival, "NOT_FOUND")):
        assert [each["code"] for each in (await release(phone, hold))["errors"]] == [code]
        assert await phone.run("query($id: ID!) { legalHold(id: $id) { id } }", id=hold) == {
            "legalHold": None
        }
    assert (await reader.ask(ALL)).code == "FORBIDDEN"
    assert (await rival.run(ALL))["legalHolds"]["edges"] == []
    refused = await place(reader, {"subjectId": reader.user_id})
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    personal = await new_phone("Ada")
    for done in (await place(personal, {"subjectId": personal.user_id}), await release(personal, hold)):
        assert [each["code"] for each in done["errors"]] == ["NO_ORGANIZATION"]
    [error] = (await personal.ask(ALL)).errors
    assert error["extensions"]["reason"] == "NO_ORGANIZATION"
