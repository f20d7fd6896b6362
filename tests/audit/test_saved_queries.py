"""Saved queries of the audit log: one's own, on all devices, with versions."""

from typing import Any

import pytest

from core import ids
from core.context import Services
from stores import audit as store
from tests.conftest import NewPhone
from tests.phone import Phone, refusal

SHOWN = "savedAuditQuery { id name filter version }"
OWN = "{ viewer { savedAuditQueries { edges { node { id name } } } } }"
DELTA = """query($since: SyncToken) { viewer { changes(since: $since, types: [SAVED_AUDIT_QUERY]) {
  nodes { id ... on SavedAuditQuery { name version } } deleted { id typename } token } } }"""
FILTER = {
    "incidentIds": ["incident_1"],
    "eventKinds": ["DECISION_MADE", "ACCESS_DENIED"],
    "from": "2026-01-01T00:00:00.000Z",
}


async def save(phone: Phone, **fields: Any) -> Any:
    return await phone.do("saveAuditQuery", SHOWN, **{"name": "Decisions", "filter": FILTER, **fields})


async def own(phone: Phone) -> list[str]:
    return [edge["node"]["name"] for edge in (await phone.run(OWN))["viewer"]["savedAuditQueries"]["edges"]]


async def test_a_query_is_saved_changed_listed_and_deleted_for_its_owner_alone(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada", org="acme"), await new_phone("Grace", org="acme")
    id = ids.new_id("saved_audit_query")
    done = await save(ada, id=id, name=" Decisions ")
    assert (done["errors"], done["savedAuditQuery"]) == (
        [],
        {"id": id, "name": "Decisions", "filter": FILTER, "version": 1},
    )
    done = await save(ada, savedAuditQueryId=id, name="Denials", filter={}, expectedVersion=1)
    assert done["savedAuditQuery"] == {"id": id, "name": "Denials", "filter": {}, "version": 2}
    late = await save(ada, savedAuditQueryId=id, name="Late", expectedVersion=1)
    assert [each["code"] for each in late["errors"]] == ["CONFLICT"]
    assert late["savedAuditQuery"]["name"] == "Denials"
    assert (await own(ada), await own(grace)) == (["Denials"], [])
    for done in (
        await save(grace, savedAuditQueryId=id),
        await grace.do("deleteAuditQuery", "deletedSavedAuditQueryId", savedAuditQueryId=id),
    ):
        assert [each["code"] for each in done["errors"]] == ["NOT_FOUND"]
    gone = await ada.do("deleteAuditQuery", "deletedSavedAuditQueryId", savedAuditQueryId=id)
    assert (gone["deletedSavedAuditQueryId"], await own(ada)) == (id, [])


async def test_other_devices_learn_of_it_by_delta(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada", org="acme")
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    made = (await save(ada))["savedAuditQuery"]
    delta = (await ada.run(DELTA, since=token))["viewer"]["changes"]
    assert delta["nodes"] == [{"id": made["id"], "name": "Decisions", "version": 1}]
    await ada.do("deleteAuditQuery", "deletedSavedAuditQueryId", savedAuditQueryId=made["id"])
    delta = (await ada.run(DELTA, since=delta["token"]))["viewer"]["changes"]
    assert delta["deleted"] == [{"id": made["id"], "typename": "SavedAuditQuery"}]


@pytest.mark.parametrize(
    ("fields", "code", "field", "limit"),
    [
        ({"name": " "}, "REQUIRED", "name", None),
        ({"name": "n" * 101}, "TOO_LONG", "name", 100),
        ({"filter": {"actions": ["a.b"] * 101}}, "TOO_MANY", "actions", 100),
        ({"filter": {"actions": ["a" * 201]}}, "TOO_LONG", "actions", 200),
    ],
)
async def test_a_query_of_bad_input_is_refused(
    new_phone: NewPhone, fields: dict[str, Any], code: str, field: str, limit: int | None
) -> None:
    ada = await new_phone("Ada", org="acme")
    refused = await save(ada, **fields)
    assert [(each["code"], each["field"], each["limit"]) for each in refused["errors"]] == [
        (code, [field], limit)
    ]
    assert await own(ada) == []


async def test_a_person_saves_at_most_so_many(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.audit.saved_queries.MOST_SAVED", 2)
    ada = await new_phone("Ada", org="acme")
    codes = [[each["code"] for each in (await save(ada))["errors"]] for _ in range(3)]
    assert codes == [[], [], ["LIMIT_REACHED"]]
    assert len(await store.saved_queries.find(services.db, {"owner_id": ada.user_id})) == 2


async def test_people_of_no_organization_save_no_queries(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    refused = await save(ada)
    none = refusal("NO_ORGANIZATION", "This is for members of an organization.")
    assert refused["errors"] == [none]
    id = ids.new_id("saved_audit_query")
    refused = await ada.do("deleteAuditQuery", "deletedSavedAuditQueryId", savedAuditQueryId=id)
    assert refused["errors"] == [none]
