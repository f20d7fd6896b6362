"""Streams of the audit log: an incident's entries as they come, and long queries in batches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from core.grants import GrantRole
from core.sync.log_offset import LogOffset
from resolvers.audit.incidents import incident_exists
from stores.audit.roles import AUDIT_ADMIN, AUDIT_READER, COMPLIANCE_OFFICER
from tests.audit.evidence_steps import collect, custodian, sent
from tests.audit.logs import accept, entry
from tests.audit.steps import on_record
from tests.audit.test_client_entries import entry as note
from tests.audit.test_client_entries import send
from tests.conftest import NewPhone
from tests.engine.streams import TRANSPORTS, opened
from tests.phone import Failed, Phone, Stream, granted

INCIDENT = """subscription($incidentId: ID!, $after: String) {
  incidentAuditEvents(incidentId: $incidentId, after: $after) { __typename
    ... on AuditEntryCreated { eventId auditEntryEdge { cursor node { id resourceId } } }
    ... on DecisionLogged { eventId auditEntryEdge { node { id resourceId } } }
    ... on EvidenceAdded { eventId evidenceEdge { node { id } } }
    ... on CustodyRecorded { eventId evidence { id custodianId } } } }"""
LOG = """subscription($filter: AuditEntryFilterInput, $after: String) {
  auditLogStream(filter: $filter, after: $after) { __typename
    ... on AuditEntryBatchSent { eventId sentCount progressPercent auditEntries { id } }
    ... on StreamComplete { eventId sentCount } } }"""
LIST = """query($filter: AuditEntryFilterInput) { auditEntries(filter: $filter) {
  edges { cursor node { id } } } }"""


async def put(services: Services, org: str, **fields: Any) -> str:
    """Thing that a new entry of an organization is about."""
    viewer, thing = Viewer(ids.new_id("user"), "session_x", "device_x", org=org), ids.new_id("thing")
    await record_apart(Context(services, viewer=viewer), Act("tested.done", resource_id=thing, **fields))
    return thing


async def member(services: Services, new_phone: NewPhone, org: str, *roles: GrantRole) -> Phone:
    phone = await new_phone("Ada", org=org)
    await granted(services, phone, *roles, scope_id=org)
    return phone


async def told(stream: Stream) -> tuple[str, str]:
    """Type of the next event, and what its entry is about."""
    event = (await stream.next())["incidentAuditEvents"]
    return event["__typename"], event["auditEntryEdge"]["node"]["resourceId"]


async def code_at_end(stream: Stream) -> str:
    """Code of the error that ends a stream."""
    with pytest.raises(Failed) as failed:
        await stream.next()
    code: str = failed.value.errors[0]["extensions"]["code"]
    return code


@asynccontextmanager
async def audited(services: Services, new_phone: NewPhone, **fields: Any) -> AsyncIterator[tuple[Any, ...]]:
    """Incident with an external auditor who watches it: organization, incident, boss, grant and stream."""
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await member(services, new_phone, org, AUDIT_ADMIN), await new_phone("Alan")
    await put(services, org, incident_id=incident)
    ends = (clock.now() + timedelta(minutes=5)).isoformat()
    given = {"userId": auditor.user_id, "incidentIds": [incident], "expiresAt": ends, **fields}
    grant = (await boss.do("grantAuditAccess", "auditAccessGrant { id }", **given))["auditAccessGrant"]
    async with auditor.watch(INCIDENT, incidentId=incident) as stream:
        yield org, incident, boss, grant["id"], stream


async def test_entries_of_an_incident_come_as_they_are_recorded_and_decisions_by_themselves(
    services: Services, new_phone: NewPhone
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    ada = await member(services, new_phone, org, AUDIT_READER)
    async with ada.watch(INCIDENT, incidentId=incident) as stream:
        first = await put(services, org, incident_id=incident)
        event = (await stream.next())["incidentAuditEvents"]
        assert (event["__typename"], event["auditEntryEdge"]["node"]["resourceId"]) == (
            "AuditEntryCreated",
            first,
        )
        # Of other incidents, and of other organizations, nothing comes.
        await put(services, org, incident_id=ids.new_id("incident"))
        await put(services, ids.new_id("org"), incident_id=incident)
        await put(services, org)
        decided = await put(services, org, incident_id=incident, event_type="DECISION_MADE")
        assert await told(stream) == ("DecisionLogged", decided)
    # Its edge is the one of the list, and the stream resumes after the event.
    listed = (await ada.run(LIST, filter={"incidentIds": [incident]}))["auditEntries"]["edges"]
    assert event["auditEntryEdge"]["cursor"] == listed[1]["cursor"]
    missed = await put(services, org, incident_id=incident)
    async with ada.watch(INCIDENT, incidentId=incident, after=event["eventId"]) as stream:
        assert await told(stream) == ("DecisionLogged", decided)
        assert await told(stream) == ("AuditEntryCreated", missed)


async def test_evidence_and_custody_come_to_who_may_see_evidence_and_their_entries_to_others(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def exists(ctx: Context, incident_id: str) -> bool:
        return True

    monkeypatch.setattr(incident_exists, "listeners", [exists])
    org, incident = ids.new_id("org"), ids.new_id("incident")
    olga = await member(services, new_phone, org, COMPLIANCE_OFFICER)
    ada = await member(services, new_phone, org, AUDIT_READER)
    holder = await custodian(new_phone, services, org)
    upload = await sent(holder, services)
    async with (
        olga.watch(INCIDENT, incidentId=incident) as seen,
        ada.watch(INCIDENT, incidentId=incident) as told,
    ):
        done = await collect(holder, upload, incidentId=incident)
        assert done["errors"] == []
        id = done["evidence"]["id"]
        event = (await seen.next())["incidentAuditEvents"]
        assert (event["__typename"], event["evidenceEdge"]["node"]["id"]) == ("EvidenceAdded", id)
        event = (await told.next())["incidentAuditEvents"]
        assert (event["__typename"], event["auditEntryEdge"]["node"]["resourceId"]) == (
            "AuditEntryCreated",
            id,
        )
        await holder.do("recordCustody", "evidence { id }", evidenceId=id, action="ANALYZED")
        for stream, expected in ((seen, "CustodyRecorded"), (told, "AuditEntryCreated")):
            event = (await stream.next())["incidentAuditEvents"]
            while event["__typename"] == "AuditEntryCreated" and expected == "CustodyRecorded":
                # What became of the file may come in between.
                event = (await stream.next())["incidentAuditEvents"]
            assert event["__typename"] == expected
        # What an app writes under such a name is an entry like any other.
        await send(holder, note(action="audit.custody_recorded", incidentId=incident, resourceId=id))
        event = (await seen.next())["incidentAuditEvents"]
        assert event["__typename"] == "AuditEntryCreated"


async def test_who_does_not_read_an_incident_does_not_watch_it_and_the_denial_is_on_record(
    services: Services, new_phone: NewPhone
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    await put(services, org, incident_id=incident)
    grace = await new_phone("Grace", org=org)
    for watched in (incident, "incident_unknown"):
        async with grace.watch(INCIDENT, incidentId=watched) as stream:
            assert await code_at_end(stream) == "FORBIDDEN"
    denied = await on_record(services, actor_id=grace.user_id, action="audit.incident_watched")
    assert [(each["outcome"], each["event_type"]) for each in denied] == [("DENIED", "ACCESS_DENIED")] * 2


async def test_grant_expires_while_subscribed_stream_closed_forbidden(
    services: Services, new_phone: NewPhone
) -> None:
    """Row: Grant expires while subscribed; here nothing happens meanwhile."""
    ends = (clock.now() + timedelta(seconds=3)).isoformat()
    async with audited(services, new_phone, expiresAt=ends) as (*_, stream):
        assert await code_at_end(stream) == "FORBIDDEN"


async def test_what_comes_after_a_grant_has_expired_is_not_shown(
    services: Services, new_phone: NewPhone
) -> None:
    async with audited(services, new_phone) as (org, incident, _, _, stream):
        thing = await put(services, org, incident_id=incident)
        assert await told(stream) == ("AuditEntryCreated", thing)
        clock.shift(timedelta(minutes=6))
        await put(services, org, incident_id=incident)
        assert await code_at_end(stream) == "FORBIDDEN"


async def test_access_that_is_revoked_ends_the_stream_at_once(
    services: Services, new_phone: NewPhone
) -> None:
    async with audited(services, new_phone) as (org, incident, boss, grant, stream):
        await boss.do("revokeAuditAccess", "auditAccessGrant { id }", auditAccessGrantId=grant)
        await put(services, org, incident_id=incident)
        assert await code_at_end(stream) == "FORBIDDEN"


async def test_a_role_that_is_revoked_ends_the_stream(services: Services, new_phone: NewPhone) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss = await member(services, new_phone, org, AUDIT_ADMIN)
    ada = await member(services, new_phone, org, AUDIT_READER)
    async with ada.watch(INCIDENT, incidentId=incident) as stream:
        await boss.do("revokeRole", "deletedGrantId", userId=ada.user_id, role="AUDIT_READER")
        assert await code_at_end(stream) == "FORBIDDEN"


async def filled(services: Services, org: str, count: int) -> list[str]:
    """Ids of entries of an organization, newest first."""
    made = [entry(org, actor_id=f"user_{at % 3}") for at in range(count)]
    await accept(services, made)
    return [each["_id"] for each in sorted(made, key=lambda each: (each["timestamp"], each["_id"]))][::-1]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_long_query_comes_in_batches_with_progress_and_its_end(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """Over sockets, server-sent events and multipart answers alike; resumed after any batch."""
    monkeypatch.setattr("subscriptions.audit.log.BATCH", 2)
    org = ids.new_id("org")
    ada, made = await member(services, new_phone, org, AUDIT_READER), await filled(services, org, 5)
    only = {"actions": ["post.removed"]}
    async with opened(ada, transport, LOG, filter=only) as stream:
        batches = [(await stream.next())["auditLogStream"] for _ in range(3)]
        end = (await stream.next())["auditLogStream"]
    assert [each["id"] for batch in batches for each in batch["auditEntries"]] == made
    assert [batch["sentCount"] for batch in batches] == [2, 4, 5]
    shares = [batch["progressPercent"] for batch in batches]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert (end["__typename"], end["sentCount"]) == ("StreamComplete", 5)
    async with opened(ada, transport, LOG, filter=only, after=batches[0]["eventId"]) as stream:
        again = [(await stream.next())["auditLogStream"] for _ in range(3)]
    assert [each["id"] for batch in again[:2] for each in batch["auditEntries"]] == made[2:]
    assert [each["sentCount"] for each in again] == [4, 5, 5]
    async with opened(ada, transport, LOG, filter=only, after=end["eventId"]) as stream:
        assert (await stream.next())["auditLogStream"]["__typename"] == "StreamComplete"
    # Each batch is a read on record.
    read = await on_record(services, actor_id=ada.user_id, action="audit.log_streamed")
    assert [each["details"]["count"] for each in read] == [2, 2, 1, 2, 1]


async def test_a_query_that_finds_nothing_is_complete_at_once(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada", org=ids.new_id("org"))
    async with ada.watch(LOG, filter={"actions": ["no.such"]}) as stream:
        assert (await stream.next())["auditLogStream"]["sentCount"] == 0


async def test_a_role_that_is_revoked_between_batches_ends_the_query(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.audit.log.BATCH", 1)
    monkeypatch.setattr("resolvers.audit.roles.reads_log", _first(2))
    org = ids.new_id("org")
    ada = await member(services, new_phone, org, AUDIT_READER)
    await filled(services, org, 3)
    async with ada.watch(LOG, filter={"actions": ["post.removed"]}) as stream:
        assert (await stream.next())["auditLogStream"]["sentCount"] == 1
        assert await code_at_end(stream) == "FORBIDDEN"


def _first(times: int) -> Any:
    """Role that is held when it is asked for the first times."""
    asked = 0

    async def held(ctx: Context) -> bool:
        nonlocal asked
        asked += 1
        return asked <= times

    return held


async def test_an_event_of_another_stream_is_refused(services: Services, new_phone: NewPhone) -> None:
    ada = await member(services, new_phone, ids.new_id("org"), AUDIT_READER)
    other = services.signer.event_id(LogOffset(clock.now(), ids.new_id("post")))
    for after in ("nonsense", other):
        async with ada.watch(LOG, after=after) as stream:
            assert await code_at_end(stream) == "BAD_USER_INPUT"
    async with ada.watch(INCIDENT, incidentId="i" * 129) as stream:
        assert await code_at_end(stream) == "BAD_USER_INPUT"
