"""Batches of scans made without a connection: each its own act, replayed safely."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect

from core import clock, ids
from core.context import Services
from core.mutations import idempotency
from tests.barcode.steps import batch, batch_item, codes_of, history, new_code, with_code
from tests.conftest import Commands, NewPhone
from tests.phone import Phone


async def test_batch_sent_twice_has_the_same_results_and_no_new_rows(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    """A lost reply."""
    ada, code = await new_phone("Ada"), new_code()
    await with_code(services, admin, code)
    at = clock.now() - timedelta(hours=2)
    items = [batch_item(code, at), batch_item(new_code(), at), batch_item("4006381333932", at)]
    first = await batch(ada, *items)
    again = await batch(ada, *items)
    assert [each["status"] for each in first] == ["CREATED", "CREATED", "REJECTED"]
    assert [each["replayed"] for each in again] == [True, True, True]
    assert [{**each, "replayed": False} for each in again] == first
    assert len(await history(ada)) == 2


async def test_a_batch_that_comes_again_is_one_read_of_receipts_which_do_not_keep_what_was_scanned(
    services: Services, admin: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await with_code(services, admin, code)
    at = clock.now() - timedelta(hours=2)
    items = [batch_item(code, at + timedelta(minutes=place)) for place in range(10)]
    first = await batch(ada, *items)
    commands.reset()
    again = await batch(ada, *items)
    # However many scans: what the codes are of, receipts with their scans, and the plan of the warm-up set.
    assert commands.counts == {"find": 6, "update": 1, "commitTransaction": 1}
    assert [each["lookup"]["status"] for each in again] == ["MATCHED"] * 10
    assert [{**each, "replayed": False} for each in again] == first
    wanted = [f"{ada.user_id}:{each['id']}" for each in items]
    kept = await idempotency.receipts.by_ids(services.db, wanted)
    assert [name for each in kept for name in each["payload"] if "lookup" in name] == []
    assert len(kept) == 10


async def test_batch_with_2_bad_codes_of_50_stores_48(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    at = clock.now() - timedelta(days=3)
    items = [batch_item(new_code(), at + timedelta(seconds=place)) for place in range(50)]
    items[7]["code"], items[31]["code"] = "4006381333932", "nothing"
    results = await batch(ada, *items)
    assert [place for place, each in enumerate(results) if each["status"] == "REJECTED"] == [7, 31]
    assert results[7]["errors"] == [{"code": "INVALID_FORMAT", "field": ["code"]}]
    assert [each["itemId"] for each in results] == [each["id"] for each in items]
    assert len(await history(ada, first=100)) == 48


async def test_scans_are_sorted_by_their_time_before_the_repeat_rule(new_phone: NewPhone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    at = clock.now() - timedelta(hours=1)
    late, early = batch_item(code, at + timedelta(seconds=5)), batch_item(code, at)
    [last, first] = await batch(ada, late, early)
    assert (first["status"], last["status"]) == ("CREATED", "DUPLICATE")
    assert last["scanRecord"]["id"] == early["id"]


async def test_corrected_wins_over_created_and_never_over_duplicate(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await with_code(services, admin, code)
    at, other = clock.now() - timedelta(hours=1), ids.new_id("product")
    items = [batch_item(code, at + timedelta(seconds=place), productId=other) for place in (0, 1)]
    assert [each["status"] for each in await batch(ada, *items)] == ["CORRECTED", "DUPLICATE"]


async def test_after_a_transient_one_the_rest_is_deferred(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    at = clock.now() - timedelta(hours=1)
    items = [batch_item(new_code(), at + timedelta(seconds=place)) for place in range(3)]
    run = idempotency.run

    async def down(ctx: Any, mutation: Any, key: str, arguments: Any) -> Any:
        if key == items[1]["id"]:
            raise AutoReconnect
        return await run(ctx, mutation, key, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "run", down)
        results = await batch(ada, *items)
    assert [each["status"] for each in results] == ["CREATED", "DEFERRED", "DEFERRED"]
    assert [each["errors"] and each["errors"][0]["code"] for each in results] == [
        [],
        "UNAVAILABLE",
        "DEFERRED",
    ]
    assert [each["status"] for each in await batch(ada, *items)] == ["CREATED"] * 3


async def test_a_batch_has_1_to_100_scans_with_ids(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    nameless = {name: value for name, value in batch_item(new_code()).items() if name != "id"}
    for scans, refusal in (
        ([], ("REQUIRED", ["scans"])),
        ([batch_item(new_code()) for _ in range(101)], ("TOO_MANY", ["scans"])),
        ([nameless], ("REQUIRED", ["scans", "id"])),
    ):
        refused = await ada.do("recordScans", "results { itemId }", scans=scans)
        assert codes_of(refused) == [refusal]
    assert await history(ada) == []


async def test_codes_of_a_batch_are_looked_up_together(new_phone: NewPhone, commands: Commands) -> None:
    ada = await new_phone("Ada")
    at = clock.now() - timedelta(hours=1)
    items = [batch_item(new_code(), at + timedelta(seconds=place)) for place in range(20)]
    commands.reset()
    await batch(ada, *items)
    assert commands.sent <= 20 * 7 + 8, commands.counts


async def test_batches_replayed_under_lost_answers_store_nothing_twice(
    new_phone: NewPhone, services: Services
) -> None:
    """Whatever part of a queue is sent again, in whatever order, the same scans are stored."""
    codes = [new_code() for _ in range(3)]
    scan = st.tuples(st.sampled_from(codes), st.integers(0, 40))
    histories: list[tuple[list[tuple[str, int]], list[list[int]]]] = []

    @settings(max_examples=6, deadline=None)
    @given(st.lists(scan, min_size=1, max_size=6), st.data())
    def drawn(scans: list[tuple[str, int]], data: st.DataObject) -> None:
        parts = st.lists(st.integers(0, len(scans) - 1), min_size=1, max_size=6, unique=True)
        histories.append((scans, data.draw(st.lists(parts, min_size=1, max_size=3))))

    drawn()
    for scans, parts in histories:
        ada = await new_phone("Ada")
        begin = clock.now() - timedelta(hours=1)
        items = [batch_item(code, begin + timedelta(seconds=seconds)) for code, seconds in scans]
        await batch(ada, *items)
        kept = await history(ada, first=100)
        assert len(kept) == expected(scans)
        for part in parts:
            results = await batch(ada, *(items[place] for place in part))
            assert all(each["replayed"] for each in results)
        assert await history(ada, first=100) == kept


def expected(scans: list[tuple[str, int]]) -> int:
    """Records of scans that come in the order of their times."""
    count = 0
    for code in {code for code, _ in scans}:
        first = None
        for seconds in sorted(each for other, each in scans if other == code):
            if first is None or seconds >= first + 10:
                first, count = seconds, count + 1
    return count
