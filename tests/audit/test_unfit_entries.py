"""Entries that MongoDB would not give back as they were: apps send none, and one that is there stops none."""

from typing import Any

import pytest

from core.context import Services
from resolvers.audit import sequencing
from stores import audit as store
from stores.audit import AuditEntryStatus
from tests.audit import logs
from tests.audit.test_client_entries import codes, entry, send
from tests.conftest import NewPhone


@pytest.mark.parametrize(
    "details",
    [
        {"$ref": "x", "$id": "y"},
        {"a": [{"$ref": "x", "$id": "y"}]},
        {"a\0b": 1},
        {"deep": [{"a\0b": 1}]},
    ],
)
@pytest.mark.parametrize("field", ["details", "sensitiveDetails"])
async def test_names_that_the_database_changes_are_refused_and_stop_no_other_entry(
    new_phone: NewPhone, services: Services, field: str, details: dict[str, Any]
) -> None:
    ada = await new_phone("Ada")
    results = await send(ada, entry(**{field: details}), entry(details={"$set": 1, "a.b": 2, "": "\0"}))
    assert codes(results) == [["INVALID_INPUT"], []]
    assert results[1]["auditEntry"]["details"] == {"$set": 1, "a.b": 2, "": "\0"}
    await sequencing.sequence_all(services)
    page = await ada.run("{ auditEntries(first: 1) { edges { node { integrity hashInput } } } }")
    [edge] = page["auditEntries"]["edges"]
    assert edge["node"]["integrity"] == "VERIFIED"


@pytest.mark.parametrize("levels", [65, 300, 900])
async def test_details_that_are_nested_too_deep_are_refused_by_themselves(
    new_phone: NewPhone, levels: int
) -> None:
    ada = await new_phone("Ada")
    deep: Any = 1
    for _ in range(levels):
        deep = {"a": deep}
    assert codes(await send(ada, entry(details=deep), entry())) == [["INVALID_INPUT"], []]


async def test_an_integer_of_more_than_64_bits_is_a_string_or_refused(new_phone: NewPhone) -> None:
    """Row: Number 2^53, NaN or half a surrogate pair in details."""
    ada = await new_phone("Ada")
    literal = (
        f'{{id: "{entry()["id"]}", eventKind: USER_ACTION, action: "note.pinned", details: {{n: {2**70}}}}}'
    )
    answer = await ada.ask(
        f"""mutation {{ recordAuditEntries(input: {{idempotencyKey: "k", entries: [{literal}]}}) {{
          results {{ errors {{ code }} }} }} }}"""
    )
    assert codes(answer.data["recordAuditEntries"]["results"]) == [["INVALID_INPUT"]]


@pytest.mark.parametrize("details", [{"half": 0.5}, {"at": {"$ref": "x", "$id": "y"}}])
async def test_an_accepted_entry_that_was_changed_to_what_has_no_hash_is_alerted_and_stops_no_other(
    new_phone: NewPhone, services: Services, details: dict[str, Any]
) -> None:
    """Row: One byte of an old entry changed. Writing goes on, in its chain and in all others."""
    ada = await new_phone("Ada")
    [bad, *others] = await send(ada, entry(), entry(), entry())
    changed = {"q": {"_id": bad["auditEntry"]["id"]}, "u": {"$set": {"details": details}}}
    await services.db._database.command({"update": store.entries.name, "updates": [changed]})
    elsewhere = [logs.entry(logs.new_org())]
    await logs.accept(services, elsewhere)
    await sequencing.sequence_all(services)
    assert await logs.statuses(services, elsewhere) == {AuditEntryStatus.CHAINED}
    page = await ada.run(
        '{ auditEntries(filter: {actions: ["note.pinned"]}) { edges { node { id seq integrity } } } }'
    )
    shown = {edge["node"]["id"]: edge["node"] for edge in page["auditEntries"]["edges"]}
    assert shown[bad["auditEntry"]["id"]] == {
        "id": bad["auditEntry"]["id"],
        "seq": None,
        "integrity": "BROKEN",
    }
    assert {shown[each["auditEntry"]["id"]]["integrity"] for each in others} == {"VERIFIED"}
    [check] = await store.checks.find(services.db, {"org_id": "personal", "failed_entry_ids": bad["itemId"]})
    assert check["integrity_valid"] is False


@pytest.mark.parametrize("field", ["details", "sensitiveDetails"])
async def test_details_of_thousands_of_values_that_cost_much_to_hash_are_refused_by_themselves(
    new_phone: NewPhone, field: str
) -> None:
    ada = await new_phone("Ada")
    many = [
        entry(**{field: {"a": each}}) for each in ([1] * 1_000, [[]] * 500 + [{"b": 1}] * 250, "x" * 9_000)
    ]
    assert codes(await send(ada, *many, entry(**{field: {"a": [1] * 999}}))) == [
        ["TOO_LARGE"],
        ["TOO_LARGE"],
        [],
        [],
    ]
