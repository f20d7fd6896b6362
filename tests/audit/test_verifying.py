"""Verification: what is whole is said to be, and every kind of tampering is found (golden case A7)."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from core import jobs
from core.context import Context, Services
from core.hooks import on
from jobs.audit import sealing as tasks
from resolvers.audit import sealing, verifying
from resolvers.audit.concluding import IntegrityAlert, alerted
from resolvers.audit.findings import intact
from stores import audit as store
from stores.audit import AuditIntegrity, IntegrityCheckKind
from tests.audit import logs
from tests.audit.tampering import MATRIX, Log, flipped, middle_deleted, moved, rewritten_with_its_tree

ALERTS: list[IntegrityAlert] = []


@on(alerted)
async def note(ctx: Context, alert: IntegrityAlert) -> None:
    ALERTS.append(alert)


@pytest.fixture
async def log(services: Services) -> Log:
    ALERTS.clear()
    return Log(services, *await logs.sealed_log(services))


async def test_a_whole_log_is_valid(log: Log) -> None:
    await logs.append(log.services, log.org_id, 2)
    check = await log.verify()
    assert (check["integrity_valid"], check["hash_chain_broken"], check["damages"]) == (True, False, [])
    assert check["checked_entry_count"] == 14
    assert ALERTS == []
    states = await logs.states(log.services, log.entries)
    assert {state["integrity"] for state in states} == {AuditIntegrity.VERIFIED}


@pytest.mark.parametrize(("tamper", "first"), MATRIX.items(), ids=[each.__name__ for each in MATRIX])
async def test_a7_tampering_is_found_at_its_first_place(
    log: Log, tamper: Callable[[Log], Awaitable[None]], first: int
) -> None:
    newest = (await log.links())[-1]
    await tamper(log)
    check = await log.verify()
    assert not check["integrity_valid"]
    assert check["damages"][0]["chain_id"] == log.chain_id
    assert check["damages"][0]["seq"] == first
    [alert, *_] = ALERTS
    assert (alert.check["_id"], alert.chain_id, alert.first_bad_seq) == (check["_id"], log.chain_id, first)
    links = {link["seq"]: link["entry_id"] for link in await log.links()}
    if first in links and newest["seq"] >= first and tamper is not middle_deleted:
        assert check["failed_entry_ids"][0] == links[first]
    if tamper not in (flipped, moved):
        assert check["hash_chain_broken"] or check["failed_entry_ids"]


async def test_a_log_rewritten_with_its_leaves_and_tiles_differs_from_the_signed_root(log: Log) -> None:
    await rewritten_with_its_tree(log)
    check = await log.verify()
    assert [each["problem"] for each in check["damages"]] == ["ROOT_DIFFERS"]
    assert check["hash_chain_broken"]
    assert [alert.chain_id for alert in ALERTS] == [None]


async def test_a_checkpoint_that_we_did_not_sign_is_found(log: Log) -> None:
    row = await store.latest_checkpoint(log.services.db, log.org_id)
    assert row is not None
    await log.change(store.checkpoints.name, row["_id"], note=row["note"].replace("\n12\n", "\n13\n"))
    check = await log.verify()
    assert [each["problem"] for each in check["damages"]] == ["CHECKPOINT_UNSIGNED"]


async def test_a_log_cut_off_together_with_its_checkpoint_differs_from_the_locked_copy(log: Log) -> None:
    await jobs.run_due(log.services)
    await log.delete(store.checkpoints.name, org_id=log.org_id, size=12)
    await log.delete(store.leaves.name, org_id=log.org_id, index={"$gte": 6})
    for chain_id in {entry["chain_id"] for entry in log.entries}:
        for link in (await logs.links_of(log.services, chain_id))[2:]:
            await log.delete(store.entries.name, _id=link["entry_id"])
            await log.delete(store.links.name, _id=link["_id"])
        newest = (await logs.links_of(log.services, chain_id))[-1]
        await log.change(store.chains.name, chain_id, seq=1, current_hash=newest["current_hash"])
    check = await log.verify()
    assert "COPY_DIFFERS" in [each["problem"] for each in check["damages"]]


async def test_what_is_new_is_verified_every_hour_and_all_of_it_every_week(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await log.verify(IntegrityCheckKind.NEW)
    assert (first["checked_entry_count"], first["log_size"]) == (12, 12)
    await logs.append(log.services, log.org_id, 3)
    await sealing.seal(log.services, log.org_id)
    second = await log.verify(IntegrityCheckKind.NEW)
    assert (second["integrity_valid"], second["checked_entry_count"], second["log_size"]) == (True, 3, 15)
    assert log.org_id in await store.organizations(log.services.db)
    monkeypatch.setattr(store, "organizations", log.own_alone)
    for task, count in ((tasks.verify_new, 0), (tasks.verify_whole, 15)):
        await task(log.services)
        await jobs.run_due(log.services)
        [newest] = await store.checks.find(
            log.services.db, {"org_id": log.org_id}, sort=[("performed_at", -1)], limit=1
        )
        assert (newest["integrity_valid"], newest["checked_entry_count"]) == (True, count)


async def test_a_new_entry_that_was_changed_is_found_within_the_hour_and_marked(log: Log) -> None:
    await log.verify(IntegrityCheckKind.NEW)
    [fresh] = await logs.append(log.services, log.org_id, 1, actor_id="user_a")
    await sealing.seal(log.services, log.org_id)
    await log.change(store.entries.name, fresh["_id"], actor_id="user_c")
    check = await log.verify(IntegrityCheckKind.NEW)
    assert check["failed_entry_ids"] == [fresh["_id"]]
    [state] = await logs.states(log.services, [fresh])
    assert state["integrity"] == AuditIntegrity.BROKEN


async def test_a_range_of_one_chain_is_verified(log: Log) -> None:
    links = await log.links()
    found = await verifying.verify_range(log.services, links[1], links[3])
    assert (found.checked, found.damages) == (3, [])
    await log.change(store.entries.name, links[2]["entry_id"], action="forged")
    found = await verifying.verify_range(log.services, links[1], links[3])
    assert found.failed_entry_ids == [links[2]["entry_id"]]
    assert (await verifying.verify_range(log.services, links[0], links[1])).damages == []


async def test_an_entry_is_compared_with_its_link_before_it_is_shown(log: Log) -> None:
    entry, links = await log.entry(1), await log.links()
    assert intact(entry, links[1])
    assert not intact(entry, links[2])
    assert not intact({**entry, "action": "forged"}, links[1])


KINDS = ("byte", "details", "type", "emptied", "dropped", "swapped", "dated", "leaf", "hash")


def _with_other_byte(data: strategies.DataObject, text: str) -> str:
    """The text with one character that differs in a bit."""
    at = data.draw(strategies.integers(0, max(len(text) - 1, 0)))
    return f"{text[:at]}{chr(ord(text[at]) ^ 1) if text else 'x'}{text[at + 1 :]}"


@pytest.fixture(scope="module")
async def shared(services: Services) -> Log:
    return Log(services, *await logs.sealed_log(services))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=strategies.data())
async def test_any_change_is_found(shared: Log, data: strategies.DataObject) -> None:
    """A byte changed, an entry dropped, swapped or back-dated; then it is put back."""
    seq = data.draw(strategies.integers(0, 3))
    kind = data.draw(strategies.sampled_from(KINDS))
    links = await shared.links()
    entry, link = await shared.entry(seq), links[seq]
    leaf = await store.leaf_at(shared.services.db, shared.org_id, shared.chain_id, seq)
    assert leaf is not None
    if kind == "byte":
        texts = {name: value for name, value in entry.items() if isinstance(value, str) and name != "_id"}
        field = data.draw(strategies.sampled_from(sorted(texts)))
        await shared.change(store.entries.name, entry["_id"], **{field: _with_other_byte(data, texts[field])})
    elif kind == "details":
        details = {**entry["details"], "text": _with_other_byte(data, entry["details"]["text"])}
        await shared.change(store.entries.name, entry["_id"], details=details)
    elif kind == "type":
        # The text of a number in the number's place.
        await shared.change(store.entries.name, entry["_id"], details={**entry["details"], "n": "1"})
    elif kind == "emptied":
        given = sorted(name for name, value in entry.items() if value is not None and name != "_id")
        await shared.change(
            store.entries.name, entry["_id"], **{data.draw(strategies.sampled_from(given)): None}
        )
    elif kind == "dropped":
        await shared.delete(store.entries.name, _id=entry["_id"])
    elif kind == "swapped":
        other = links[(seq + 1) % 4]
        await shared.change(store.links.name, link["_id"], entry_id=other["entry_id"])
    elif kind == "dated":
        earlier = entry["timestamp"].replace(year=entry["timestamp"].year - 1)
        await shared.change(store.entries.name, entry["_id"], timestamp=earlier)
    elif kind == "leaf":
        await shared.change(store.leaves.name, leaf["_id"], current_hash="0" * 64)
    else:
        await shared.change(store.links.name, link["_id"], previous_hash="f" * 64)
    check = await shared.verify()
    await shared.delete(store.entries.name, _id=entry["_id"])
    await shared.insert(store.entries.name, entry)
    await shared.delete(store.links.name, _id=link["_id"])
    await shared.insert(store.links.name, link)
    await shared.change(store.leaves.name, leaf["_id"], current_hash=leaf["current_hash"])
    assert not check["integrity_valid"]
    assert check["damages"][0]["seq"] == seq
    assert (await shared.verify())["integrity_valid"]
