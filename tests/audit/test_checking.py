"""Checks over GraphQL: those that people ask for, automatic ones, and the alerts, against real tampering."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Services
from jobs.audit import sealing as tasks
from resolvers.audit import checking, sealing, sequencing
from stores import audit as store
from stores.audit import IntegrityCheckKind
from stores.audit.roles import AUDIT_ADMIN
from stores.auth import Role
from tests.audit import logs
from tests.audit.steps import on_record
from tests.audit.tampering import (
    Log,
    dropped,
    flipped,
    inserted,
    moved,
    newest_deleted,
    newest_deleted_with_its_head,
    rewritten,
    rewritten_with_its_tree,
    swapped,
)
from tests.conftest import NewPhone
from tests.phone import Phone, granted

CHECK = """id kind status performedAt finishedAt performedById startEntryId endEntryId checkedEntryCount
  integrityValid failedEntryIds hashChainBroken damages { problem chainId seq entryId }"""
VERIFIED = f"integrityCheck {{ {CHECK} }} integrityCheckEdge {{ cursor }}"
CHECKS = f"query {{ integrityChecks(first: 20) {{ edges {{ cursor node {{ {CHECK} }} }} }} }}"
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on IntegrityCheck {{ {CHECK} }} }} }}"
ONE = "query($id: ID!) { auditEntry(id: $id) { integrity seq } }"
ALERTS = """subscription($after: String) { auditAlerts(after: $after) { __typename
  ... on IntegrityCheckFailed { eventId integrityCheck { id integrityValid } chainId firstBadSeq }
  ... on AuditAnomalyDetected { eventId anomaly { kind actorId actCount startsAt endsAt } } } }"""
INBOX = """{ viewer { inbox(first: 10) { edges { node { notification {
  title source priority } } } } } }"""


@pytest.fixture
async def log(services: Services) -> Log:
    return Log(services, *await logs.sealed_log(services))


@pytest.fixture
async def auditor(log: Log, new_phone: NewPhone) -> Phone:
    return await new_phone("Ada", org=log.org_id, roles=[Role.MEMBER, Role.AUDITOR])


@pytest.fixture
async def admin(log: Log, new_phone: NewPhone) -> Phone:
    phone = await new_phone("Grace", org=log.org_id)
    await granted(log.services, phone, AUDIT_ADMIN, scope_id=log.org_id)
    return phone


async def verify(phone: Phone, start: str, end: str) -> Any:
    done = await phone.do("verifyAuditIntegrity", VERIFIED, startEntryId=start, endEntryId=end)
    assert done["errors"] == []
    return done["integrityCheck"]


async def latest(phone: Phone) -> Any:
    return (await phone.run(CHECKS))["integrityChecks"]["edges"][0]["node"]


async def checked_hourly(log: Log) -> None:
    """The check of every hour, of this log alone."""
    await tasks.verify(log.services, org_id=log.org_id, reach=IntegrityCheckKind.NEW)


async def test_a_range_that_is_whole_is_valid_and_on_record(log: Log, auditor: Phone) -> None:
    links = await log.links()
    done = await auditor.do(
        "verifyAuditIntegrity", VERIFIED, startEntryId=links[1]["entry_id"], endEntryId=links[3]["entry_id"]
    )
    check = done["integrityCheck"]
    assert (check["kind"], check["status"], check["performedById"]) == ("RANGE", "FINISHED", auditor.user_id)
    assert (check["integrityValid"], check["checkedEntryCount"], check["damages"]) == (True, 3, [])
    assert (check["startEntryId"], check["endEntryId"]) == (links[1]["entry_id"], links[3]["entry_id"])
    assert (await auditor.run(NODE, id=check["id"]))["node"] == check
    [edge] = (await auditor.run(CHECKS))["integrityChecks"]["edges"]
    assert edge == {"cursor": done["integrityCheckEdge"]["cursor"], "node": check}
    [entry] = await on_record(log.services, chain_id=f"meta:{log.org_id}", action="audit.verified")
    assert (entry["event_type"], entry["details"]["check"]) == ("COMPLIANCE_CHECK", check["id"])


async def test_one_byte_of_an_old_entry_changed_check_invalid_names_it_alert_and_critical_notification(
    log: Log, auditor: Phone, admin: Phone
) -> None:
    """Row: One byte of an old entry changed."""
    links = await log.links()
    await flipped(log)
    async with admin.watch(ALERTS) as stream:
        check = await verify(auditor, links[0]["entry_id"], links[3]["entry_id"])
        bad = links[1]["entry_id"]
        assert (check["integrityValid"], check["failedEntryIds"]) == (False, [bad])
        alert = (await stream.next())["auditAlerts"]
        assert (alert["__typename"], alert["integrityCheck"]) == (
            "IntegrityCheckFailed",
            {"id": check["id"], "integrityValid": False},
        )
        assert (alert["chainId"], alert["firstBadSeq"]) == (log.chain_id, 1)
    assert (await auditor.run(ONE, id=bad))["auditEntry"]["integrity"] == "BROKEN"
    await jobs.run_due(log.services)
    [edge] = (await admin.run(INBOX))["viewer"]["inbox"]["edges"]
    assert edge["node"]["notification"] == {
        "title": "The audit log is damaged",
        "source": "AUDIT",
        "priority": "CRITICAL",
    }
    [fresh] = await logs.append(log.services, log.org_id, 1, actor_id="user_a")
    assert (await auditor.run(ONE, id=fresh["_id"]))["auditEntry"] == {"integrity": "VERIFIED", "seq": 4}


async def back_dated(log: Log) -> None:
    entry = await log.entry(2)
    await log.change(store.entries.name, entry["_id"], timestamp=entry["timestamp"] - timedelta(days=400))


ROWS = {
    "newest_entries_of_a_chain_removed_leaves_without_entries": (newest_deleted, "MISSING", 3),
    "newest_entries_removed_with_the_head": (newest_deleted_with_its_head, "MISSING", 3),
    "a_whole_chain_removed_leaves_without_entries": (dropped, "MISSING", 0),
    "chain_rewritten_consistently": (rewritten, "CHANGED", 0),
    "two_entries_swapped": (swapped, "CHANGED", 1),
    "an_entry_moved_to_another_chain": (moved, "FOREIGN", 1),
    "an_entry_back_dated": (back_dated, "CHANGED", 2),
}


@pytest.mark.parametrize(("tamper", "problem", "seq"), ROWS.values(), ids=list(ROWS))
async def test_tampering_is_found_by_the_hourly_check_and_alerted(
    log: Log,
    auditor: Phone,
    admin: Phone,
    tamper: Callable[[Log], Awaitable[None]],
    problem: str,
    seq: int,
) -> None:
    await tamper(log)
    async with admin.watch(ALERTS) as stream:
        await checked_hourly(log)
        alert = (await stream.next())["auditAlerts"]
    check = await latest(auditor)
    assert (alert["integrityCheck"]["id"], alert["chainId"], alert["firstBadSeq"]) == (
        check["id"],
        log.chain_id,
        seq,
    )
    assert (check["kind"], check["integrityValid"]) == ("NEW", False)
    first = check["damages"][0]
    assert (first["problem"], first["chainId"], first["seq"]) == (problem, log.chain_id, seq)
    if problem == "MISSING":
        assert check["hashChainBroken"]


async def test_chain_rewritten_consistently_root_differs_from_the_signed_checkpoint_alert(
    log: Log, auditor: Phone, admin: Phone
) -> None:
    """Row: Chain rewritten consistently (with leaves and tree; only the signature is not to be had)."""
    await rewritten_with_its_tree(log)
    async with admin.watch(ALERTS) as stream:
        await checked_hourly(log)
        alert = (await stream.next())["auditAlerts"]
    check = await latest(auditor)
    assert (alert["integrityCheck"]["id"], alert["chainId"], alert["firstBadSeq"]) == (
        check["id"],
        None,
        None,
    )
    assert [each["problem"] for each in check["damages"]] == ["ROOT_DIFFERS"]
    assert check["hashChainBroken"]


async def test_log_forked_or_shortened_is_alerted(log: Log, auditor: Phone, admin: Phone) -> None:
    """Row: Log forked or shortened."""
    await jobs.run_due(log.services)
    await log.delete(store.checkpoints.name, org_id=log.org_id, size=12)
    await log.delete(store.leaves.name, org_id=log.org_id, index={"$gte": 6})
    async with admin.watch(ALERTS) as stream:
        await checked_hourly(log)
        check = await latest(auditor)
        assert "COPY_DIFFERS" in [each["problem"] for each in check["damages"]]
        chains = [(await stream.next())["auditAlerts"]["chainId"] for _ in {*_chains(check)}]
        assert None in chains
    assert check["hashChainBroken"]


def _chains(check: dict[str, Any]) -> list[str | None]:
    return [each["chainId"] for each in check["damages"]]


async def test_a_forged_entry_without_a_place_is_found_by_automatic_checks(log: Log, auditor: Phone) -> None:
    forged = logs.entry(log.org_id, action="forged", actor_id="user_a")
    dated = logs.entry(log.org_id, action="forged", actor_id="user_a")
    dated["timestamp"] -= timedelta(days=100)
    await checked_hourly(log)
    assert (await latest(auditor))["integrityValid"]
    waiting = logs.entry(log.org_id, actor_id="user_a")
    await logs.accept(log.services, [waiting])
    await log.insert(store.entries.name, forged, dated)
    clock.shift(timedelta(minutes=1))
    await checked_hourly(log)
    check = await latest(auditor)
    # One that waits for its place is none; one that was back-dated is found by the check of the whole log.
    assert check["failedEntryIds"] == [forged["_id"]]
    assert check["damages"][0] == {
        "problem": "UNRECORDED",
        "chainId": log.chain_id,
        "seq": None,
        "entryId": forged["_id"],
    }
    assert not check["hashChainBroken"]
    whole = await log.verify()
    assert set(whole["failed_entry_ids"]) == {forged["_id"], dated["_id"]}


async def test_entries_of_two_chains_or_in_the_wrong_order_are_refused(log: Log, auditor: Phone) -> None:
    links = await log.links()
    other = next(entry["_id"] for entry in log.entries if entry["chain_id"] != log.chain_id)
    hidden = logs.entry(logs.new_org())
    # What the auditor did elsewhere they may read; it is of another log.
    [elsewhere] = await logs.append(log.services, "personal", 1, actor_id=auditor.user_id)
    await logs.accept(log.services, [hidden])
    for start, end, code, field in (
        (links[0]["entry_id"], other, "CHAIN_MISMATCH", ["endEntryId"]),
        (links[2]["entry_id"], links[1]["entry_id"], "OUT_OF_RANGE", ["endEntryId"]),
        (hidden["_id"], links[1]["entry_id"], "NOT_FOUND", ["startEntryId"]),
        (elsewhere["_id"], elsewhere["_id"], "NOT_FOUND", ["startEntryId"]),
        (links[1]["entry_id"], ids.new_id("audit_entry"), "NOT_FOUND", ["endEntryId"]),
    ):
        done = await auditor.do("verifyAuditIntegrity", VERIFIED, startEntryId=start, endEntryId=end)
        assert [(each["code"], each["field"]) for each in done["errors"]] == [(code, field)]
    assert (await auditor.run(CHECKS))["integrityChecks"]["edges"] == []


async def test_an_entry_that_waits_gets_its_place_before_it_is_checked(log: Log, auditor: Phone) -> None:
    waiting = logs.entry(log.org_id, actor_id="user_a")
    await logs.accept(log.services, [waiting])
    check = await verify(auditor, (await log.links())[0]["entry_id"], waiting["_id"])
    assert (check["integrityValid"], check["checkedEntryCount"]) == (True, 5)


async def test_a_chain_that_somebody_blocks_is_checked_all_the_same(log: Log, auditor: Phone) -> None:
    await inserted(log)
    await logs.accept(log.services, [logs.entry(log.org_id, actor_id="user_a")])
    links = await log.links()
    check = await verify(auditor, links[0]["entry_id"], links[3]["entry_id"])
    assert check["integrityValid"]
    check = await verify(auditor, links[0]["entry_id"], links[4]["entry_id"])
    assert (check["integrityValid"], check["checkedEntryCount"]) == (False, 5)
    # Other tests chain whatever waits.
    await log.drop(4)
    await sequencing.sequence(log.services, [log.chain_id])


async def test_an_entry_without_a_place_fails_the_check_that_begins_with_it(log: Log, auditor: Phone) -> None:
    forged = logs.entry(log.org_id, action="forged", actor_id="user_a")
    await log.insert(store.entries.name, forged)
    check = await verify(auditor, forged["_id"], (await log.links())[3]["entry_id"])
    assert (check["integrityValid"], check["failedEntryIds"]) == (False, [forged["_id"]])


async def test_very_many_entries_are_checked_by_a_job(
    log: Log, auditor: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_AT_ONCE", 3)
    links = await log.links()
    await flipped(log)
    begun = await verify(auditor, links[0]["entry_id"], links[3]["entry_id"])
    assert (begun["status"], begun["integrityValid"], begun["finishedAt"]) == ("RUNNING", None, None)
    assert (await auditor.run(NODE, id=begun["id"]))["node"] == begun
    await jobs.run_due(log.services)
    check = (await auditor.run(NODE, id=begun["id"]))["node"]
    assert (check["status"], check["integrityValid"], check["checkedEntryCount"]) == ("FINISHED", False, 4)
    assert check["failedEntryIds"] == [links[1]["entry_id"]]
    # A job that runs again, since its worker died, makes no second check.
    await checking.verify_later(log.services, log.org_id, begun["id"])
    assert (await latest(auditor)) == check


async def test_an_entry_removed_while_its_check_waits_fails_it(
    log: Log, auditor: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_AT_ONCE", 3)
    links = await log.links()
    begun = await verify(auditor, links[0]["entry_id"], links[3]["entry_id"])
    await newest_deleted(log)
    await jobs.run_due(log.services)
    check = (await auditor.run(NODE, id=begun["id"]))["node"]
    assert (check["status"], check["integrityValid"]) == ("FINISHED", False)


async def test_a_check_that_is_sent_again_is_made_once(log: Log, auditor: Phone) -> None:
    links = await log.links()
    sent = {
        "idempotencyKey": ids.new_id("key"),
        "startEntryId": links[0]["entry_id"],
        "endEntryId": links[1]["entry_id"],
    }
    first = await auditor.do("verifyAuditIntegrity", VERIFIED, **sent)
    again = await auditor.do("verifyAuditIntegrity", VERIFIED, **sent)
    assert (again["replayed"], again["integrityCheck"]) == (True, first["integrityCheck"])
    assert len((await auditor.run(CHECKS))["integrityChecks"]["edges"]) == 1


async def test_checks_are_for_who_reads_or_administers_the_log_of_the_organization(
    log: Log, auditor: Phone, admin: Phone, new_phone: NewPhone
) -> None:
    links = await log.links()
    check = await verify(auditor, links[0]["entry_id"], links[1]["entry_id"])
    member, other = await new_phone("Alan", org=log.org_id), await new_phone("Joan", org=logs.new_org())
    await granted(log.services, other, AUDIT_ADMIN, scope_id=log.org_id)
    for phone in (member, other):
        assert (await phone.ask(CHECKS)).code == "FORBIDDEN"
        assert (await phone.run(NODE, id=check["id"]))["node"] is None
        with pytest.raises(AssertionError, match="FORBIDDEN"):
            async with phone.watch(ALERTS) as stream:
                await stream.next()
        done = await phone.do("verifyAuditIntegrity", VERIFIED, startEntryId="x", endEntryId="y")
        assert [each["code"] for each in done["errors"]] == ["FORBIDDEN"]
    assert (await admin.run(NODE, id=check["id"]))["node"] == check
    stranger = await new_phone("Mary", org=logs.new_org(), roles=[Role.MEMBER, Role.AUDITOR])
    assert (await stranger.run(NODE, id=check["id"]))["node"] is None
    assert (await stranger.run(CHECKS))["integrityChecks"]["edges"] == []
    nobodys = await new_phone("Edith")
    done = await nobodys.do("verifyAuditIntegrity", VERIFIED, startEntryId="x", endEntryId="y")
    assert [each["code"] for each in done["errors"]] == ["NO_ORGANIZATION"]


async def test_two_servers_append_at_once_no_gap(services: Services, new_phone: NewPhone) -> None:
    """Row: Two servers append at once."""
    org = logs.new_org()
    made = [logs.entry(org, actor_id="user_a") for _ in range(60)]
    auditor = await new_phone("Ada", org=org, roles=[Role.MEMBER, Role.AUDITOR])
    halves = [made[:30], made[30:]]

    async def append(half: list[Any]) -> None:
        for entry in half:
            await logs.accept(services, [entry])
            await sequencing.sequence(services, [entry["chain_id"]])

    await asyncio.gather(*map(append, halves))
    links = await logs.links_of(services, made[0]["chain_id"])
    assert [link["seq"] for link in links] == list(range(60))
    assert {link["entry_id"] for link in links} == {entry["_id"] for entry in made}
    await sealing.seal(services, org)
    check = await verify(auditor, links[0]["entry_id"], links[-1]["entry_id"])
    assert (check["integrityValid"], check["checkedEntryCount"]) == (True, 60)
