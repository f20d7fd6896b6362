"""Sequencer: gapless chains, whoever appends."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from core import ids, jobs
from core.audit import Act, Mode, record, record_apart
from core.context import Context, Services
from core.errors import UserError
from core.ledger import chain
from core.ledger.chain import GENESIS_HASH, Entry, Head
from core.ledger.signed_note import decode_base64
from core.settings import Settings
from core.storage.mongo import Database
from jobs.audit.sealing import sequence as sequence_task
from resolvers.audit import log_keys, sequencing, waking
from resolvers.audit.waking import Wakes
from server import lifespan
from stores import audit as store
from stores.audit import AuditEntry, AuditEntryStatus, AuditLink
from tests.audit import logs
from tests.audit.tampering import Log


def whole(entries: list[AuditEntry], links: list[AuditLink]) -> bool:
    """True if the chain of these links is as it should be, from its beginning."""
    by_id = {each["_id"]: each for each in entries}
    records = [
        Entry(
            {
                **store.hashed_content(by_id[link["entry_id"]]),
                "seq": link["seq"],
                "previousHash": link["previous_hash"],
            },
            link["current_hash"],
        )
        for link in links
    ]
    head = Head(links[-1]["seq"], links[-1]["current_hash"])
    return chain.verify(links[0]["chain_id"], records, store.HASHED, head=head) is None


async def test_accepted_entries_are_chained_in_the_order_they_came(services: Services) -> None:
    org_id = logs.new_org()
    made = await logs.append(services, org_id, 3)
    made += await logs.append(services, org_id, 2)
    links = await logs.links_of(services, f"org:{org_id}:0")
    assert [link["entry_id"] for link in links] == [each["_id"] for each in made]
    assert [link["seq"] for link in links] == [0, 1, 2, 3, 4]
    assert links[0]["previous_hash"] == GENESIS_HASH
    assert whole(made, links)
    assert await logs.statuses(services, made) == {AuditEntryStatus.CHAINED}
    head = await store.chains.by_id(services.db, f"org:{org_id}:0")
    assert head is not None
    assert (head["seq"], head["current_hash"]) == (4, links[-1]["current_hash"])


async def test_a8_two_servers_append_a_thousand_entries_each_to_one_chain(
    services: Services, settings: Settings
) -> None:
    org_id = logs.new_org()
    async with lifespan.services(settings) as other:

        async def append(server: Services) -> list[AuditEntry]:
            made = []
            for _ in range(20):
                made += await logs.append(server, org_id, 50)
            return made

        first, second = await asyncio.gather(append(services), append(other))
        await sequencing.sequence(services, [f"org:{org_id}:0"])
    links = await logs.links_of(services, f"org:{org_id}:0")
    assert [link["seq"] for link in links] == list(range(2_000))
    assert all(after["previous_hash"] == before["current_hash"] for before, after in pairwise(links))
    assert len({link["entry_id"] for link in links}) == 2_000
    assert whole([*first, *second], links)


async def test_a_batch_whose_places_are_taken_goes_on_from_the_new_head(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    org_id = logs.new_org()
    first = await logs.append(services, org_id, 1)
    made = [logs.entry(org_id), logs.entry(org_id)]
    await logs.accept(services, made[:1])
    tries, append = 0, sequencing._append

    async def raced(ctx: Context, entries: Any, heads: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sequencing, "_append", append)
                await logs.accept(services, made[1:])
                await sequencing.sequence(services, [f"org:{org_id}:0"])
        await append(ctx, entries, heads)

    monkeypatch.setattr(sequencing, "_append", raced)
    await sequencing.sequence(services, [f"org:{org_id}:0"])
    links = await logs.links_of(services, f"org:{org_id}:0")
    assert [link["entry_id"] for link in links] == [each["_id"] for each in [*first, *made]]
    assert whole([*first, *made], links)


async def test_a_batch_that_is_outrun_ten_times_is_left_for_the_next_run(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    org_id = logs.new_org()
    [forged], _ = sequencing.linked(org_id, f"org:{org_id}:0", chain.EMPTY, [logs.entry(org_id)])
    await services.db.write({"insert": store.links.name, "documents": [forged]})
    made = [logs.entry(org_id)]
    await logs.accept(services, made)
    tries = 0
    append = sequencing._append

    async def counted(ctx: Context, entries: Any, heads: Any) -> None:
        nonlocal tries
        tries += 1
        await append(ctx, entries, heads)

    monkeypatch.setattr(sequencing, "_append", counted)
    with pytest.raises(sequencing.Outrun):
        await sequencing.sequence(services, [f"org:{org_id}:0"])
    assert tries == sequencing.ATTEMPTS
    assert await logs.statuses(services, made) == {AuditEntryStatus.ACCEPTED}
    await Log(services, org_id, made).delete(store.links.name, chain_id=forged["chain_id"])
    await sequencing.sequence(services, [f"org:{org_id}:0"])
    assert await logs.statuses(services, made) == {AuditEntryStatus.CHAINED}


async def test_a_chain_whose_next_place_is_taken_stops_no_other(services: Services) -> None:
    org_id = logs.new_org()
    [forged], _ = sequencing.linked(org_id, f"org:{org_id}:0", chain.EMPTY, [logs.entry(org_id)])
    await services.db.write({"insert": store.links.name, "documents": [forged]})
    stuck, fine = [logs.entry(org_id)], [logs.entry(org_id, incident_id=ids.new_id("incident"))]
    await logs.accept(services, [*stuck, *fine])
    await sequence_task(services)
    assert await logs.statuses(services, fine) == {AuditEntryStatus.CHAINED}
    assert await logs.statuses(services, stuck) == {AuditEntryStatus.ACCEPTED}
    await Log(services, org_id, stuck).delete(store.links.name, chain_id=forged["chain_id"])
    await sequence_task(services)
    assert await logs.statuses(services, stuck) == {AuditEntryStatus.CHAINED}


async def test_decisions_are_signed_singly(services: Services) -> None:
    org_id = logs.new_org()
    [plain] = await logs.append(services, org_id, 1)
    [decision] = await logs.append(services, org_id, 1, event_type="DECISION_MADE")
    assert (await logs.link_of(services, plain))["signature"] is None
    link = await logs.link_of(services, decision)
    [key] = [
        key
        for key in await log_keys.verifiers(services, org_id)
        if key.key_id.hex() == link["signature_key_id"]
    ]
    key.public_key.verify(decode_base64(link["signature"] or ""), link["current_hash"].encode())


async def test_recording_wakes_one_job_for_all_that_was_appended(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    told = asyncio.Event()
    monkeypatch.setattr(services, "wake", told.set)
    gathering = Wakes(services)
    gathering.start()
    monkeypatch.setattr(Wakes, "note", lambda self: _noted(gathering))
    acts = [Act("test.done", entry_key=f"{logs.new_org()}:{n}") for n in range(3)]
    await record_apart(Context(services), *acts)
    async with asyncio.timeout(5):
        await told.wait()
    await gathering.stop()
    waiting = await services.db.find("jobs", {"task": waking.TASK})
    assert len(waiting) == 1
    await jobs.run_due(services)
    keys = await store.entry_keys.by_ids(services.db, [f"test:{act.entry_key}" for act in acts])
    made = await store.entries.by_ids(services.db, [key["entry_id"] for key in keys])
    assert len(made) == 3
    assert await logs.statuses(services, made) == {AuditEntryStatus.CHAINED}


async def _noted(wakes: Wakes) -> None:
    wakes._appended.set()


async def test_what_nobody_told_of_is_found_by_the_periodic_run(services: Services) -> None:
    made = [logs.entry(logs.new_org())]
    await logs.accept(services, made)
    await sequence_task(services)
    assert await logs.statuses(services, made) == {AuditEntryStatus.CHAINED}


async def test_a_caller_that_waits_is_answered_when_its_entry_is_chained(services: Services) -> None:
    made = [logs.entry(logs.new_org())]
    await logs.accept(services, made)
    await sequencing.chained_before(services, made[0]["chain_id"], 2.0)
    assert await logs.statuses(services, made) == {AuditEntryStatus.CHAINED}


async def test_a_synchronous_act_is_chained_before_its_unit_of_work_answers(services: Services) -> None:
    key = logs.new_org()
    ctx = Context(services)
    await ctx.unit(lambda: record(ctx, Act("test.done", entry_key=key), Mode.SYNC))
    [known] = await store.entry_keys.by_ids(services.db, [f"test:{key}"])
    made = await store.entries.by_ids(services.db, [known["entry_id"]])
    assert await logs.statuses(services, made) == {AuditEntryStatus.CHAINED}


async def test_a_caller_that_would_wait_too_long_is_unavailable(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(ctx: Context, entries: Any, heads: Any) -> None:
        await asyncio.sleep(5)

    monkeypatch.setattr(sequencing, "_append", slow)
    made = [logs.entry(logs.new_org())]
    await logs.accept(services, made)
    with pytest.raises(UserError) as refused:
        await sequencing.chained_before(services, made[0]["chain_id"], 0.05)
    assert refused.value.code == "UNAVAILABLE"


async def test_the_log_is_chained_with_few_commands_for_many_chains(services: Services) -> None:
    org_id = logs.new_org()
    made = [logs.entry(org_id, actor_id=f"user_{n}") for n in range(40)]
    await logs.append(services, org_id, 1)
    await logs.accept(services, made)
    sent: list[str] = []
    command = Database.command

    async def counted(self: Database, given: dict[str, Any]) -> dict[str, Any]:
        sent.append(next(iter(given)))
        return await command(self, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "command", counted)
        assert await sequencing.sequence(services, {each["chain_id"] for each in made}) == 40
    assert len(sent) <= 7
