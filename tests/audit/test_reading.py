"""Reading the audit log: who sees which entries, what is personal, and the record of each read."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from resolvers.audit.access import reads_incident
from stores import audit as store
from stores.audit.roles import EXTERNAL_AUDITOR
from stores.auth import Role
from tests.audit.steps import on_record
from tests.conftest import Commands, NewPhone
from tests.phone import Phone, granted

AUDITOR = [Role.MEMBER, Role.AUDITOR]
LIST = """query($filter: AuditEntryFilterInput, $first: Int, $after: String, $last: Int, $before: String) {
  auditEntries(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { node { id action resourceId } } pageInfo { hasNextPage endCursor startCursor } } }"""
ONE = "query($id: ID!) { auditEntry(id: $id) { id action } }"
PERSONAL = """query($id: ID!) { auditEntry(id: $id) {
  actorId subjectId userAgent sensitiveDetails details organizationId } }"""


async def listed(phone: Phone, **variables: Any) -> list[str]:
    """Resources of the entries that a phone is shown, in their order."""
    found = (await phone.run(LIST, **variables))["auditEntries"]["edges"]
    return [edge["node"]["resourceId"] for edge in found]


async def put(services: Services, org: str, actor_id: str | None = None, **fields: Any) -> str:
    """Id of a new entry of an organization, about a thing of its own."""
    viewer = Viewer(actor_id or ids.new_id("user"), "session_x", "device_x", org=org)
    thing = fields.pop("resource_id", None) or ids.new_id("thing")
    ctx = Context(services, viewer=viewer, address="192.0.2.7", user_agent="Test/1")
    await record_apart(ctx, Act(fields.pop("action", "tested.done"), resource_id=thing, **fields))
    [entry] = await on_record(services, resource_id=thing)
    return entry["_id"]


async def things(services: Services, *entry_ids: str) -> list[str]:
    found = {each["_id"]: each for each in await store.entries.by_ids(services.db, entry_ids)}
    return [str(found[id]["resource_id"]) for id in entry_ids]


async def test_an_auditor_reads_the_log_of_their_organization_newest_first_and_no_other(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    first = await put(services, org)
    await put(services, ids.new_id("org"))
    second = await put(services, org)
    about = [*await things(services, second, first)]
    assert [each for each in await listed(auditor) if each in about] == about
    only = {"actions": ["tested.done"]}
    assert await listed(auditor, filter=only) == about
    member = await new_phone("Grace", org=org)
    assert await listed(member, filter=only) == []


async def test_people_read_entries_whose_subject_or_actor_they_are_in_one_order(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    entries = [
        await put(services, "personal", actor_id=ada.user_id),
        await put(services, "acme", subject_id=ada.user_id),
        await put(services, "personal", actor_id=ada.user_id, subject_id=ada.user_id),
        await put(services, "personal"),
        await put(services, "personal", subject_id=ada.user_id),
    ]
    own = [entries[4], entries[2], entries[1], entries[0]]
    only = {"actions": ["tested.done"]}
    assert await listed(ada, filter=only) == await things(services, *own)
    # Page by page, in both directions, none is repeated or skipped.
    page = (await ada.run(LIST, filter=only, first=3))["auditEntries"]
    rest = (await ada.run(LIST, filter=only, first=3, after=page["pageInfo"]["endCursor"]))["auditEntries"]
    shown = [edge["node"]["id"] for edge in (*page["edges"], *rest["edges"])]
    assert (shown, page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (own, True, False)
    before = rest["pageInfo"]["startCursor"]
    back = (await ada.run(LIST, filter=only, last=2, before=before))["auditEntries"]["edges"]
    assert [edge["node"]["id"] for edge in back] == own[1:3]


async def test_personal_values_are_null_but_for_whom_they_are_about(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    actor, subject = await new_phone("Alan", org=org), await new_phone("Grace", org=org)
    told = {"subject_id": subject.user_id, "sensitive": {"phone": "+43 1 234"}, "details": {"n": 1}}
    id = await put(services, org, actor_id=actor.user_id, **told)
    shown = {
        "actorId": actor.user_id,
        "subjectId": subject.user_id,
        "details": {"n": 1},
        "organizationId": org,
    }
    nothing = {**shown, "userAgent": None, "sensitiveDetails": None}
    assert (await auditor.run(PERSONAL, id=id))["auditEntry"] == nothing
    assert (await actor.run(PERSONAL, id=id))["auditEntry"] == {**nothing, "userAgent": "Test/1"}
    sensitive = {"sensitiveDetails": {"phone": "+43 1 234"}}
    assert (await subject.run(PERSONAL, id=id))["auditEntry"] == {**nothing, **sensitive}
    await store.subject_keys.destroy(services.db, subject.user_id)
    assert (await subject.run(PERSONAL, id=id))["auditEntry"] == nothing


async def test_each_read_is_one_entry_of_the_meta_chain_with_filter_and_count(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    ids_ = [await put(services, org) for _ in range(3)]
    await auditor.run(LIST, filter={"actions": ["tested.done"]}, first=2)
    await auditor.run(ONE, id=ids_[0])
    meta = await on_record(services, chain_id=f"meta:{org}")
    assert [(each["action"], each["details"], each["resource_id"]) for each in meta] == [
        ("audit.entries_read", {"count": 2, "filter": {"actions": ["tested.done"]}}, None),
        ("audit.entry_read", {"count": 1}, ids_[0]),
    ]
    assert {(each["actor_id"], each["event_type"], each["resource_type"]) for each in meta} == {
        (auditor.user_id, "ACCESS_GRANTED", "AUDIT_LOG")
    }
    # Reading these is one more, and no further.
    await auditor.run(LIST, filter={"resourceKinds": ["AUDIT_LOG"]})
    assert len(await on_record(services, chain_id=f"meta:{org}")) == 3


async def test_a_read_that_is_denied_is_on_record_and_tells_nothing(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    grace = await new_phone("Grace", org=org)
    hidden, missing = await put(services, org), ids.new_id("audit_entry")
    for id in (hidden, missing):
        assert await grace.run(ONE, id=id) == {"auditEntry": None}
        assert await grace.run("query($id: ID!) { node(id: $id) { id } }", id=id) == {"node": None}
    denied = await on_record(services, chain_id=f"meta:{org}")
    assert [(each["event_type"], each["outcome"], each["resource_id"]) for each in denied] == [
        ("ACCESS_DENIED", "DENIED", hidden),
        ("ACCESS_DENIED", "DENIED", hidden),
        ("ACCESS_DENIED", "DENIED", missing),
        ("ACCESS_DENIED", "DENIED", missing),
    ]


async def test_nobody_reads_without_signing_in(anonymous: Phone, services: Services) -> None:
    id = await put(services, "personal")
    assert (await anonymous.ask(LIST)).code == "UNAUTHENTICATED"
    assert (await anonymous.ask(ONE, id=id)).code == "UNAUTHENTICATED"


async def test_members_of_a_war_room_read_the_log_of_its_incident(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook that the war room fills."""
    org, incident = ids.new_id("org"), ids.new_id("incident")
    ada = await new_phone("Ada", org=org)
    id = await put(services, org, incident_id=incident)

    async def reads(ctx: Context, incident_id: str) -> bool:
        return ctx.viewer_id == ada.user_id and incident_id == incident

    assert await ada.run(ONE, id=id) == {"auditEntry": None}
    monkeypatch.setattr(reads_incident, "listeners", [reads])
    assert (await ada.run(ONE, id=id))["auditEntry"]["id"] == id
    # What another organization has on record of it is that one's.
    theirs = await put(services, ids.new_id("org"), incident_id=incident)
    assert await ada.run(ONE, id=theirs) == {"auditEntry": None}


async def test_a_grant_opens_incidents_with_or_without_personal_values_until_it_ends(
    new_phone: NewPhone, services: Services
) -> None:
    org, incidents = ids.new_id("org"), [ids.new_id("incident") for _ in range(3)]
    auditor = await new_phone("Ada")
    await granted(services, auditor, EXTERNAL_AUDITOR)
    entries = [await put(services, org, incident_id=each, sensitive={"name": "Bo"}) for each in incidents]
    # An incident of another organization under the same id is not what was granted.
    await put(services, ids.new_id("org"), incident_id=incidents[0])
    now = clock.now()
    for incident, pii in zip(incidents[:2], (True, False), strict=True):
        grant = {
            "_id": ids.new_id("audit_access_grant"),
            "version": 1,
            "org_id": org,
            "grantee_id": auditor.user_id,
            "incident_ids": [incident],
            "pii": pii,
            "granted_by": ids.new_id("user"),
            "created_at": now,
            "expires_at": now + timedelta(minutes=1),
            "revoked_at": None,
        }
        await services.db.write({"insert": store.access_grants.name, "documents": [grant]})
    only = {"actions": ["tested.done"]}
    assert await listed(auditor, filter=only) == await things(services, entries[1], entries[0])
    shown = [(await auditor.run(PERSONAL, id=id))["auditEntry"] for id in entries]
    assert [each and each["sensitiveDetails"] for each in shown] == [{"name": "Bo"}, None, None]
    clock.shift(timedelta(minutes=1, seconds=1))
    assert await listed(auditor, filter=only) == []


@pytest.mark.parametrize(
    "name", ["actorIds", "eventKinds", "resourceKinds", "resourceIds", "actions", "incidentIds", "from", "to"]
)
async def test_each_filter_narrows_and_its_values_join_by_or(
    new_phone: NewPhone, services: Services, name: str
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    actors = [ids.new_id("user") for _ in range(3)]
    told = [
        {"event_type": "DATA_MODIFIED", "resource_type": "CART", "action": "a.one", "incident_id": "i_1"},
        {"event_type": "DECISION_MADE", "resource_type": "NOTE", "action": "a.two", "incident_id": "i_2"},
        {"event_type": "USER_ACTION", "resource_type": "SCAN", "action": "a.three", "incident_id": "i_3"},
    ]
    entries, moments = [], []
    for actor, each in zip(actors, told, strict=True):
        clock.shift(timedelta(minutes=1))
        moments.append(clock.now().isoformat())
        entries.append(await put(services, org, actor_id=actor, **each))
    about = await things(services, *entries)
    given: dict[str, Any] = {
        "actorIds": actors[:2],
        "eventKinds": ["DATA_MODIFIED", "DECISION_MADE"],
        "resourceKinds": ["CART", "NOTE"],
        "resourceIds": about[:2],
        "actions": ["a.one", "a.two"],
        "incidentIds": ["i_1", "i_2"],
        "from": moments[1],
        "to": moments[2],
    }
    expected = {"from": [about[2], about[1]]}.get(name, [about[1], about[0]])
    assert [each for each in await listed(auditor, filter={name: given[name]}) if each in about] == expected


async def test_a_filter_of_too_many_values_is_refused(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    assert (await ada.ask(LIST, filter={"actions": ["a.b"] * 101})).code == "BAD_USER_INPUT"
    assert (await ada.ask(LIST, first=101)).code == "BAD_USER_INPUT"


async def test_a_page_costs_a_read_of_each_sort_and_its_record(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    for _ in range(3):
        await put(services, org)
    await auditor.run(LIST, first=2)
    commands.reset()
    await auditor.run(LIST, first=2)
    # The page and the viewer's grants, states and places of the entries; then the record: the actor's name,
    # entry, key, state and the commit.
    assert commands.counts == {"find": 4, "insert": 3, "commitTransaction": 1}
