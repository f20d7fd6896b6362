"""Entries that apps write: in batches, each by itself under its id; who and when is the server's."""

import json
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Context, Services
from core.security.limits import Limits
from resolvers.audit import client_entries
from resolvers.audit.incidents import incident_exists
from tests.audit.steps import on_record, sensitive
from tests.conftest import NewPhone
from tests.phone import Phone, key

SHOWN = """results { itemId replayed errors { code field limit retryable }
  auditEntry { id action details actorId occurredAt clockSkewed status } auditEntryEdge { cursor } }"""


def entry(**fields: Any) -> dict[str, Any]:
    return {"id": ids.new_id("audit_entry"), "eventKind": "USER_ACTION", "action": "note.pinned", **fields}


async def send(phone: Phone, *entries: dict[str, Any], **input: Any) -> list[dict[str, Any]]:
    done = await phone.do("recordAuditEntries", SHOWN, entries=list(entries), **input)
    assert done["errors"] == []
    results: list[dict[str, Any]] = done["results"]
    return results


def codes(results: list[dict[str, Any]]) -> list[list[str]]:
    return [[each["code"] for each in result["errors"]] for result in results]


async def test_entries_are_recorded_in_their_order_with_who_and_where_from(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    # Names are the app's own, and stay so.
    given = [entry(details={"n_th": n}, sensitiveDetails={"name": "Bo"}) for n in range(3)]
    results = await send(ada, *given)
    assert [each["itemId"] for each in results] == [each["id"] for each in given]
    assert [each["auditEntry"]["details"] for each in results] == [{"n_th": n} for n in range(3)]
    assert {each["auditEntry"]["actorId"] for each in results} == {ada.user_id}
    kept = await on_record(services, actor_id=ada.user_id, action="note.pinned")
    assert [each["_id"] for each in kept] == [each["id"] for each in given]
    assert {(each["device_id"], each["ip_masked"], each["metadata"]["source"]) for each in kept} == {
        (ada.device_id, "127.0.0.0", "client")
    }
    assert await sensitive(services, kept[0]) == {"name": "Bo"}
    # The edge is that of the list.
    page = await ada.run("{ auditEntries(first: 1) { edges { cursor node { id } } } }")
    assert page["auditEntries"]["edges"] == [
        {"cursor": results[2]["auditEntryEdge"]["cursor"], "node": {"id": given[2]["id"]}}
    ]


async def test_same_batch_sent_twice_first_result_no_new_entries(
    new_phone: NewPhone, services: Services
) -> None:
    """Row: Same batch sent twice."""
    ada = await new_phone("Ada")
    given, again = [entry(), entry(action="note.moved")], key()
    first = await send(ada, *given, idempotencyKey=again)
    second = await send(ada, *given, idempotencyKey=again)
    # An app that lost the answer may send them in another batch.
    third = await send(ada, *given, idempotencyKey=key())
    assert [each["auditEntry"] for each in first] == [each["auditEntry"] for each in second]
    assert [each["replayed"] for each in (*first, *second, *third)] == [False] * 2 + [True] * 4
    kept = await on_record(services, actor_id=ada.user_id, metadata={"source": "client"})
    assert [each["_id"] for each in kept] == [each["id"] for each in given]
    other = await send(ada, {**given[0], "action": "note.other"})
    assert codes(other) == [["ID_TAKEN"]]
    grace = await new_phone("Grace")
    assert codes(await send(grace, given[0])) == [["ID_TAKEN"]]


@pytest.mark.parametrize(
    "field", ["actorId", "actorRole", "timestamp", "createdAt", "currentHash", "ipMasked"]
)
async def test_client_sends_actor_id_timestamp_or_hash_bad_user_input(
    new_phone: NewPhone, services: Services, field: str
) -> None:
    """Row: Client sends actorId, timestamp or hash."""
    ada = await new_phone("Ada")
    answer = await ada.ask(
        "mutation($input: RecordAuditEntriesInput!) { recordAuditEntries(input: $input) { replayed } }",
        input={"idempotencyKey": key(), "entries": [entry(**{field: "x"})]},
    )
    assert answer.code == "BAD_USER_INPUT"
    assert await on_record(services, actor_id=ada.user_id, action="note.pinned") == []


async def test_number_2_53_nan_or_half_a_surrogate_pair_in_details(new_phone: NewPhone) -> None:
    """Row: Number 2^53, NaN or half a surrogate pair in details."""
    ada = await new_phone("Ada")
    [kept] = await send(ada, entry(details={"big": 2**53, "half": 0.5, "whole": 1.0}))
    assert kept["auditEntry"]["details"] == {"big": "9007199254740992", "half": "0.5", "whole": 1}
    query = """mutation($e: [AuditEntryRecordInput!]!) {
      recordAuditEntries(input: {idempotencyKey: "k", entries: $e}) { results { errors { code } } } }"""
    for bad in ('"\\ud800"', "NaN"):
        given = json.dumps({"query": query, "variables": {"e": [entry(details={"x": "?"})]}})
        answer = await ada.post(given.replace('"?"', bad))
        refused = answer.errors or answer.body["data"]["recordAuditEntries"]["results"][0]["errors"]
        assert refused, bad


async def test_offline_entry_older_than_existing_ones_is_appended_at_the_end(new_phone: NewPhone) -> None:
    """Row: Offline entry older than existing ones."""
    ada = await new_phone("Ada")
    newer = entry(occurredAt=clock.now().isoformat())
    older = entry(occurredAt=(clock.now() - timedelta(days=2)).isoformat())
    await send(ada, newer)
    [kept] = await send(ada, older)
    assert kept["auditEntry"]["occurredAt"][:19] == older["occurredAt"][:19]
    assert kept["auditEntry"]["clockSkewed"] is False
    page = await ada.run("{ viewer { recentAuditEntries(first: 2) { edges { node { id } } } } }")
    shown = [edge["node"]["id"] for edge in page["viewer"]["recentAuditEntries"]["edges"]]
    assert shown == [older["id"], newer["id"]]


async def test_occurred_at_over_5_min_ahead_stored_clock_skewed(new_phone: NewPhone) -> None:
    """Row: occurredAt over 5 min ahead."""
    ada = await new_phone("Ada")
    for minutes, skewed in ((4, False), (6, True)):
        at = (clock.now() + timedelta(minutes=minutes)).isoformat()
        [kept] = await send(ada, entry(occurredAt=at))
        assert kept["auditEntry"]["clockSkewed"] is skewed


async def test_one_entry_that_is_refused_stops_no_other(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    refused = [
        entry(eventKind="DATA_MODIFIED"),
        entry(action="pinned"),
        entry(action=f"note.{'x' * 100}"),
        entry(resourceId="x" * 129),
        entry(details=["a list"]),
        entry(details={"text": "x" * 64 * 1024}),
        entry(id="audit_entry_nonsense"),
    ]
    results = await send(ada, *refused, entry())
    found = [(each["errors"][0]["code"], each["errors"][0]["field"]) for each in results[:-1]]
    assert found == [
        ("INVALID_INPUT", ["eventKind"]),
        ("INVALID_FORMAT", ["action"]),
        ("TOO_LONG", ["action"]),
        ("TOO_LONG", ["resourceId"]),
        ("INVALID_INPUT", ["details"]),
        ("TOO_LARGE", ["details"]),
        ("INVALID_INPUT", None),
    ]
    assert results[-1]["errors"] == []
    assert len(await on_record(services, actor_id=ada.user_id, action="note.pinned")) == 1


async def test_a_batch_has_1_to_100_entries_and_1_megabyte(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client_entries.MOST_BATCH_BYTES == 1_000_000
    # The body of a request has no more either.
    monkeypatch.setattr(client_entries, "MOST_BATCH_BYTES", 100_000)
    ada = await new_phone("Ada")
    big = {"text": "x" * 60 * 1024}
    for entries, expected in (
        ([], ("REQUIRED", None)),
        ([entry() for _ in range(101)], ("TOO_MANY", 100)),
        ([entry(details=big) for _ in range(2)], ("TOO_LARGE", 100_000)),
        ([{"eventKind": "USER_ACTION", "action": "a.b"}], ("REQUIRED", None)),
    ):
        refused = await ada.do("recordAuditEntries", "results { itemId }", entries=entries)
        assert refused["results"] is None
        assert [(each["code"], each["limit"]) for each in refused["errors"]] == [expected]
    assert await on_record(services, actor_id=ada.user_id, action="note.pinned") == []


async def test_an_unknown_incident_is_repeatable_and_stops_nothing(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    incident = ids.new_id("incident")
    given = [entry(incidentId=incident), entry()]
    results = await send(ada, *given)
    assert codes(results) == [["INCIDENT_NOT_FOUND"], []]
    assert results[0]["errors"][0]["retryable"] is True

    async def exists(ctx: Context, incident_id: str) -> bool:
        return incident_id == incident

    monkeypatch.setattr(incident_exists, "listeners", [exists])
    results = await send(ada, *given)
    assert (codes(results), [each["replayed"] for each in results]) == ([[], []], [False, True])
    [kept] = await on_record(services, incident_id=incident)
    assert kept["chain_id"] == f"incident:{incident}"


async def test_600_entries_a_minute_then_the_rest_is_deferred_and_comes_again(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    assert (client_entries.WRITE_RATE.count, client_entries.WRITE_RATE.seconds) == (600, 60)
    monkeypatch.setattr(services, "limits", Limits(services.redis, scale=2 / 600))
    ada = await new_phone("Ada")
    given = [entry() for _ in range(4)]
    results = await send(ada, *given)
    assert codes(results) == [[], [], ["RATE_LIMITED"], ["DEFERRED"]]
    monkeypatch.undo()
    await services.redis.delete(f"rate:audit-entries:{ada.user_id}")
    results = await send(ada, *given)
    assert (codes(results), [each["replayed"] for each in results]) == ([[]] * 4, [True, True, False, False])


async def test_what_stands_behind_a_deferred_batch_in_its_flush_waits(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    monkeypatch.setattr(services, "limits", Limits(services.redis, scale=1 / 600))
    ada = await new_phone("Ada")
    answer = await ada.run(
        """mutation($a: RecordAuditEntriesInput!, $b: RecordAuditEntriesInput!) {
          a: recordAuditEntries(input: $a) { errors { code } results { errors { code } } }
          b: recordAuditEntries(input: $b) { errors { code } results { errors { code } } } }""",
        a={"idempotencyKey": key(), "entries": [entry(), entry()]},
        b={"idempotencyKey": key(), "entries": [entry()]},
    )
    assert codes(answer["a"]["results"]) == [[], ["RATE_LIMITED"]]
    assert [each["code"] for each in answer["b"]["errors"]] == ["DEFERRED"]
