"""Search of the audit log by words: what is found, in which order, with what around it, and at what cost."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import ExecutionTimeout

from core import clock, ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from core.errors import TimedOut
from core.jobs import run_due
from resolvers.audit import clear_texts, searching, sequencing
from stores import audit as store
from stores.audit.roles import AUDIT_PII_READER, AUDIT_READER
from tests.audit.steps import on_record, sensitive
from tests.conftest import Commands, NewPhone
from tests.phone import Phone, granted

SEARCH = """query($query: String!, $filter: AuditEntryFilterInput, $first: Int, $after: String) {
  searchAuditEntries(query: $query, filter: $filter, first: $first, after: $after) {
    edges { score node { id action } highlights { field fragments } }
    pageInfo { hasNextPage endCursor } } }"""
LIST = """query($filter: AuditEntryFilterInput, $first: Int, $after: String) {
  auditEntries(filter: $filter, first: $first, after: $after) {
    edges { node { id } } pageInfo { hasNextPage endCursor } } }"""


async def put(services: Services, org: str, **fields: Any) -> str:
    """Id of a new entry of an organization, with its place in the chain."""
    viewer = Viewer(fields.pop("actor_id", ids.new_id("user")), "session_x", "device_x", org=org)
    thing = ids.new_id("thing")
    act = Act(fields.pop("action", "tested.done"), resource_id=thing, **fields)
    await record_apart(Context(services, viewer=viewer), act)
    [entry] = await on_record(services, resource_id=thing)
    await sequencing.sequence(services, [entry["chain_id"]])
    return entry["_id"]


async def reader(services: Services, new_phone: NewPhone, org: str) -> Phone:
    phone = await new_phone("Ada", org=org)
    await granted(services, phone, AUDIT_READER, AUDIT_PII_READER, scope_id=org)
    return phone


async def found(phone: Phone, query: str, **variables: Any) -> list[str]:
    edges = (await phone.run(SEARCH, query=query, **variables))["searchAuditEntries"]["edges"]
    return [edge["node"]["id"] for edge in edges]


async def listed(phone: Phone, text: str, **variables: Any) -> list[str]:
    edges = (await phone.run(LIST, filter={"searchText": text}, **variables))["auditEntries"]["edges"]
    return [edge["node"]["id"] for edge in edges]


async def test_words_are_found_whatever_their_case_and_accents(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    id = await put(services, org, details={"reason": "Caf\u00e9 M\u00fcller, \u6771\u4eac"})
    await put(services, org, details={"reason": "Tea"})
    for query in ("cafe", "CAF\u00c9 muller", "\u6771\u4eac", "reason-less Mueller", "cafe tea"):
        expected = [] if query in ("reason-less Mueller", "cafe tea") else [id]
        assert await found(ada, query) == expected, query
        assert await listed(ada, query) == expected, query


async def test_encrypted_fields_are_never_found(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    id = await put(services, org, sensitive={"name": "Zebedee"}, details={"color": "mauve"})
    assert (await found(ada, "zebedee"), await found(ada, "mauve")) == ([], [id])
    [row] = await store.search_entries.by_ids(services.db, [id])
    assert "zebedee" not in repr(row).lower()


async def test_the_best_come_first_with_what_is_around_the_words(
    services: Services, new_phone: NewPhone
) -> None:
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    long = " ".join(["word"] * 40)
    weak = await put(services, org, details={"note": f"{long} <i> lantern <b> {long}"})
    strong = await put(services, org, action="lantern.lit", details={"note": "Lantern"})
    edges = (await ada.run(SEARCH, query="lantern"))["searchAuditEntries"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == [strong, weak]
    scores = [edge["score"] for edge in edges]
    assert 1 >= scores[0] > scores[1] > 0
    assert edges[0]["highlights"] == [
        {"field": "action", "fragments": ["<em>lantern</em>.lit"]},
        {"field": "details.note", "fragments": ["<em>Lantern</em>"]},
    ]
    [highlight] = edges[1]["highlights"]
    [fragment] = highlight["fragments"]
    assert "&lt;i&gt; <em>lantern</em> &lt;b&gt;" in fragment
    assert len(fragment) < 180


async def test_pages_of_a_search_neither_repeat_nor_skip(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    made = [await put(services, org, details={"word": "kiwi " * (1 + at % 2)}) for at in range(5)]
    for document, field in ((SEARCH, "searchAuditEntries"), (LIST, "auditEntries")):
        shown: list[str] = []
        after = None
        while True:
            given = {"query": "kiwi"} if field == "searchAuditEntries" else {"filter": {"searchText": "kiwi"}}
            page = (await ada.run(document, first=2, after=after, **given))[field]
            shown += [edge["node"]["id"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert sorted(shown) == sorted(made)
        assert len(shown) == 5


async def test_a_search_is_narrowed_by_the_filter(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    id = await put(services, org, event_type="DECISION_MADE", details={"word": "plum ripe"})
    clock.shift(timedelta(minutes=1))
    later = await put(services, org, details={"word": "plum"})
    assert await found(ada, "plum", filter={"eventKinds": ["DECISION_MADE"]}) == [id]
    assert await found(ada, "plum", filter={"from": clock.now().isoformat()}) == []
    assert await found(ada, "plum", filter={"searchText": "ripe"}) == [id]
    assert await listed(ada, "plum") == [later, id]


async def test_people_find_what_they_may_read_and_no_more(services: Services, new_phone: NewPhone) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    member, stranger = await new_phone("Grace", org=org), await new_phone("Stranger")
    told = {"details": {"word": "quince"}}
    by = await put(services, org, actor_id=member.user_id, **told)
    about = await put(services, org, subject_id=member.user_id, **told)
    await put(services, org, incident_id=incident, **told)
    await put(services, ids.new_id("org"), **told)
    assert await found(member, "quince") == [about, by]
    assert await listed(member, "quince") == [about, by]
    assert await found(stranger, "quince") == []


async def test_an_entry_is_found_within_five_seconds_of_its_record(
    services: Services, new_phone: NewPhone
) -> None:
    """By the job that chains it, which whoever records an entry wakes within a tenth of a second."""
    org, thing = ids.new_id("org"), ids.new_id("thing")
    ada = await reader(services, new_phone, org)
    ctx = Context(services, viewer=Viewer(ids.new_id("user"), "session_x", "device_x", org=org))
    await record_apart(ctx, Act("tested.done", resource_id=thing, details={"word": "medlar"}))
    await run_due(services)
    await sequencing.sequence_all(services)
    assert len(await found(ada, "medlar")) == 1


async def test_what_was_searched_for_is_on_record_encrypted(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    await found(ada, "Zebedee", filter={"searchText": "Zoe"})
    await listed(ada, "Zoe")
    searched, read = await on_record(services, chain_id=f"meta:{org}")
    assert (searched["action"], searched["details"]) == ("audit.entries_searched", {"count": 0})
    assert await sensitive(services, searched) == {"query": "Zebedee", "searchText": "Zoe"}
    assert (read["action"], read["details"]) == ("audit.entries_read", {"count": 0})
    assert await sensitive(services, read) == {"searchText": "Zoe"}


@pytest.mark.parametrize("query", ["", " .,- ", "a" * 201, " ".join(f"w{at}" for at in range(11))])
async def test_a_search_without_words_or_with_too_many_is_refused(new_phone: NewPhone, query: str) -> None:
    ada = await new_phone("Ada")
    assert (await ada.ask(SEARCH, query=query)).code == "BAD_USER_INPUT"
    assert (await ada.ask(LIST, filter={"searchText": query})).code == "BAD_USER_INPUT"


@pytest.mark.parametrize("end", [TimedOut(), ExecutionTimeout("operation exceeded time limit")], ids=repr)
async def test_a_search_that_takes_too_long_is_refused(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch, end: Exception
) -> None:
    ada = await reader(services, new_phone, ids.new_id("org"))

    async def slow(*_: Any) -> Any:
        raise end

    monkeypatch.setattr(store, "newest", slow)
    for answer in (await ada.ask(SEARCH, query="plum"), await ada.ask(LIST, filter={"searchText": "plum"})):
        assert answer.code == "BAD_USER_INPUT"
        assert "narrow it" in answer.errors[0]["message"]


async def test_details_of_any_depth_are_indexed_within_bounds(services: Services) -> None:
    nested: Any = "core"
    for _ in range(30):
        nested = {"x": [nested]}
    entry = store.entry_document(
        timestamp=clock.now(),
        details={"deep": nested, "many": [f"w{at}" for at in range(500)]},
        **dict.fromkeys(("action", "actor_id", "incident_id", "resource_id", "access_reason", "org_id")),
    )
    terms = clear_texts.terms_of(entry)
    assert terms[0] == "core"
    assert len(terms) == clear_texts.MOST_TERMS


async def test_a_search_costs_a_read_of_the_index_one_of_the_entries_and_its_record(
    services: Services, new_phone: NewPhone, commands: Commands
) -> None:
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    for _ in range(3):
        await put(services, org, details={"word": "damson ripe"})
    for query, counted in (("damson", 0), ("damson ripe", 2)):
        await found(ada, query)
        commands.reset()
        assert len(await found(ada, query)) == 3
        # Index, entries, their states and places, the actor's name; grants, and how frequent each word is.
        reads = {"find": 5, **({"aggregate": counted} if counted else {})}
        assert commands.counts == {**reads, "insert": 3, "commitTransaction": 1}


async def test_query_reaches_cold_entries_cold_data(services: Services, new_phone: NewPhone) -> None:
    """Row: Query reaches cold entries; those at hand are found as ever."""
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    old = await put(services, org, details={"word": "sloe"})
    [entry] = await store.entries.by_ids(services.db, [old])
    place = {"_id": old, "chain_id": entry["chain_id"]}
    await store.entry_states.update_one(services.db, place, {"$set": {"tier": "COLD"}})
    assert (await ada.ask(SEARCH, query="sloe")).code == "COLD_DATA"
    clock.shift(timedelta(minutes=1))
    new = await put(services, org, details={"word": "sloe"})
    assert await found(ada, "sloe") == [new]


async def test_a_search_of_entries_that_are_full_of_words_leaves_others_their_turn(
    services: Services, new_phone: NewPhone
) -> None:
    """Of scripts without blanks each letter makes two terms: 500 such entries took half a minute."""
    org = ids.new_id("org")
    ada = await reader(services, new_phone, org)
    for _ in range(2):
        await put(services, org, details={"reason": "blood " + "\u5b57" * 20_000 + " test"})
    found = (await ada.run(SEARCH, query="blood"))["searchAuditEntries"]["edges"]
    assert len(found) == 2
    assert (await ada.run(SEARCH, query="test"))["searchAuditEntries"]["edges"] == []
    [entry] = await store.entries.by_ids(services.db, [found[0]["node"]["id"]])
    assert sum(len(text) for _, text in clear_texts.texts_of(entry)) == clear_texts.MOST_LETTERS
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    async for _ in searching._in_turns([entry] * 100):
        pass
    task.cancel()
    assert turns >= 4
