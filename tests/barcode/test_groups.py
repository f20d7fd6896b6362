"""Scans of a batch that are one unit of work: nobody can tell the difference."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.errors import UserError
from core.mutations import acts, groups, idempotency
from core.mutations.acts import Act
from core.mutations.groups import Groups
from core.mutations.idempotency import Mutation
from tests.barcode.steps import batch, batch_item, history, new_code, scanned, with_code
from tests.conftest import Commands, NewPhone
from tests.phone import Phone

NOWHERE = {"timeZone": "Nowhere/Land"}
REFUSAL = [{"code": "INVALID_FORMAT", "field": ["timeZone"]}]
BEGIN = timedelta(hours=1)
BATCH = 100


def items_of(count: int) -> list[dict[str, Any]]:
    """Scans of so many codes, one in each second."""
    begin = clock.now() - BEGIN
    return [batch_item(new_code(), begin + timedelta(seconds=place)) for place in range(count)]


async def test_100_scans_are_two_units_of_work(new_phone: NewPhone, commands: Commands) -> None:
    ada, items = await new_phone("Ada"), items_of(BATCH)
    commands.reset()
    results = await batch(ada, *items)
    # Each unit claims and reads windows, and writes scans, windows, receipts and log; the third plans the
    # warm-up set. Before it, receipts and what the codes are of are read once.
    assert commands.counts == {"find": 6, "update": 9, "insert": 2, "commitTransaction": 3}
    assert [each["status"] for each in results] == ["CREATED"] * BATCH
    assert len({each["scanRecord"]["id"] for each in results}) == BATCH
    assert [each["replayed"] for each in await batch(ada, *items)] == [True] * BATCH


async def test_one_that_is_refused_in_the_middle_goes_by_itself_and_the_others_together(
    new_phone: NewPhone, commands: Commands
) -> None:
    ada, items = await new_phone("Ada"), items_of(20)
    items[7] |= NOWHERE
    commands.reset()
    results = await batch(ada, *items)
    # Those before it, those after it, and the plan; the group that was given up, and its own unit.
    assert commands.counts["commitTransaction"] == 3
    assert commands.counts["abortTransaction"] == 2
    assert [place for place, each in enumerate(results) if each["status"] != "CREATED"] == [7]
    assert (results[7]["status"], results[7]["errors"]) == ("REJECTED", REFUSAL)
    assert len(await history(ada, first=100)) == 19
    again = await batch(ada, *items)
    assert [{**each, "replayed": False} for each in again] == results
    assert [each["replayed"] for each in again] == [True] * 20


async def test_where_much_is_refused_groups_are_tried_no_more(
    new_phone: NewPhone, commands: Commands
) -> None:
    ada, items = await new_phone("Ada"), items_of(10)
    commands.reset()
    results = await batch(ada, *({**each, **NOWHERE} for each in items))
    assert [each["errors"] for each in results] == [REFUSAL] * 10
    assert commands.counts["abortTransaction"] == 10 + groups.MOST_FAILURES
    assert await history(ada) == []


async def test_a_batch_has_the_results_that_its_scans_have_one_by_one(
    services: Services, admin: Phone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeats, an earlier scan, a corrected one, refusals of all kinds, a key twice, an id that is taken."""
    known, other = new_code(), new_code()
    await with_code(services, admin, known)
    bob = await new_phone("Bob")
    taken = (await scanned(bob, other))["scanRecord"]["id"]
    begin = clock.now() - BEGIN
    told = []
    for most in (groups.MOST_FAILURES, 0):
        monkeypatch.setattr(groups, "MOST_FAILURES", most)
        ada = await new_phone("Ada")
        await scanned(ada, known, begin + timedelta(seconds=4))
        items = _mixed(known, other, taken, begin)
        results = await batch(ada, *items)
        shown = await history(ada, first=100)
        place = {each["id"]: number for number, each in enumerate(reversed(shown))}
        told.append([_shape(each, place) for each in results])
        again = await batch(ada, *items)
        assert [_shape(each, place)[:3] for each in again] == [each[:3] for each in told[-1]]
        assert await history(ada, first=100) == shown
    together, one_by_one = told
    assert together == one_by_one
    assert {status for status, *_ in together} == {"CREATED", "DUPLICATE", "CORRECTED", "REJECTED"}


def _mixed(known: str, other: str, taken: str, begin: datetime) -> Sequence[dict[str, Any]]:
    scans: list[tuple[str, float]] = [(known, 0), (known, 3), (known, 5), (known, 14), (known, 30)]
    # MongoDB keeps milliseconds: the last is ten seconds after the first.
    scans[2:2] = [(other, 3.0004), (other, 12), (other, 13.0001)]
    items = [batch_item(code, begin + timedelta(seconds=seconds)) for code, seconds in scans]
    later = begin + timedelta(minutes=1)
    return [
        *items,
        batch_item(known, later, productId=ids.new_id("product")),
        items[7],
        batch_item(other, later, **NOWHERE),
        batch_item(other, begin - timedelta(days=91)),
        batch_item("nothing", later),
        {**batch_item(other, later), "id": taken},
        batch_item(other, later + timedelta(seconds=1), deviceId=ids.new_id("device")),
        batch_item(other, later + timedelta(seconds=2)),
    ]


def _shape(result: dict[str, Any], place: dict[str, int]) -> tuple[Any, ...]:
    """Result without what is of one person alone: its scan is named by its place in the history."""
    scan = result["scanRecord"]
    return (result["status"], scan and place[scan["id"]], result["errors"], result["replayed"])


async def test_a_receipt_that_nobody_foresaw_is_not_written_over(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeats store no scan: nothing but their receipts tells that they were done."""
    ada, code = await new_phone("Ada"), new_code()
    begin = clock.now() - BEGIN
    items = [batch_item(code, begin + timedelta(seconds=place)) for place in range(4)]
    first = await batch(ada, *items)

    async def blind(*_: Any) -> None:
        """Read nothing."""

    monkeypatch.setattr(acts, "foresee", blind)
    again = await batch(ada, *items[1:])
    assert [each["replayed"] for each in again] == [True] * 3
    assert [{**each, "replayed": False} for each in again] == first[1:]


async def test_a_batch_sent_twice_at_once_is_done_once(new_phone: NewPhone) -> None:
    """The first answer was slow, and the phone asked again."""
    ada, items = await new_phone("Ada"), items_of(30)
    one, two = await asyncio.gather(batch(ada, *items), batch(ada, *items))
    for results in (one, two):
        again = await batch(ada, *items) if any(each["status"] == "DEFERRED" for each in results) else results
        assert [each["status"] for each in again] == ["CREATED"] * 30
    assert len(await history(ada, first=100)) == 30


async def test_what_is_put_on_record_or_prepared_makes_no_groups() -> None:
    async def nothing(*_: Any, **__: Any) -> Any:
        raise UserError("NOT_FOUND", "It is gone.")

    for how in ({"receipt": False}, {"prepare": nothing}):
        mutation = Mutation("of a test", nothing, **how)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="no groups"):
            Groups(nothing, [Act(mutation, "key", {}, tuple)], ())
    assert Groups(nothing, [Act(Mutation("of a test", nothing), "key", {}, tuple)], ())


async def test_the_receipts_of_a_group_are_written_with_it(services: Services, new_phone: NewPhone) -> None:
    ada, items = await new_phone("Ada"), items_of(5)
    await batch(ada, *items)
    wanted = [f"{ada.user_id}:{each['id']}" for each in items]
    kept = await idempotency.receipts.by_ids(services.db, wanted)
    assert [(each["state"], each["mutation"]) for each in kept] == [("DONE", "recordScan of a batch")] * 5
    assert [name for each in kept for name in each["payload"] if "lookup" in name] == []
