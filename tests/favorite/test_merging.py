"""The MERGE table, as the specification has it, and that the order of the items does not matter."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.favorite import merging
from stores.favorite import FavoriteDifferenceKind, FavoriteStatus, FavoriteSyncAction, FavoriteSyncStrategy

NOW = datetime(2026, 5, 5, 12, tzinfo=UTC)
TARGET = "product_01h455vb4pex5vsknk084sn02q"
MERGE = FavoriteSyncStrategy.MERGE
DIFFERENCE, ACTION = FavoriteDifferenceKind, FavoriteSyncAction


def moment(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return NOW.replace(hour=hour, minute=minute)


def known(target: str, **at: datetime) -> Any:
    """A favorite on the server, saved or removed at a time."""
    status = FavoriteStatus.REMOVED if "removed_at" in at else FavoriteStatus.SAVED
    times = {"saved_at": moment("08:00"), "removed_at": None, **at}
    return {"_id": f"favorite of {target}", "target_id": target, "status": status, **times}


def sent(saved: dict[str, datetime], removed: dict[str, datetime]) -> merging.Device:
    local: Any = [
        {"target_id": id, "position": place, "saved_at": at} for place, (id, at) in enumerate(saved.items())
    ]
    gone: Any = [{"target_id": id, "removed_at": at} for id, at in removed.items()]
    return merging.device(local, gone, None, NOW)


GOLDEN: list[tuple[str, str, bool, Any]] = [
    # Device, server; if it is saved afterwards, and the difference that is told.
    ("saved 10:05", "removed 10:06", False, (DIFFERENCE.REMOVED_ON_SERVER, ACTION.REMOVE)),
    ("saved 10:06", "removed 10:05", True, (DIFFERENCE.REMOVED_ON_SERVER, ACTION.ADD)),
    ("saved 10:05", "removed 10:05", True, (DIFFERENCE.REMOVED_ON_SERVER, ACTION.ADD)),
    ("removed 10:05", "saved 10:06", True, (DIFFERENCE.REMOVED_LOCALLY, ACTION.KEEP)),
    ("removed 10:06", "saved 10:05", False, (DIFFERENCE.REMOVED_LOCALLY, ACTION.REMOVE)),
    ("removed 10:05", "saved 10:05", True, (DIFFERENCE.REMOVED_LOCALLY, ACTION.KEEP)),
    ("absent", "saved 09:00", True, (DIFFERENCE.ONLY_SERVER, ACTION.KEEP)),
    ("absent", "saved 10:30", True, (DIFFERENCE.ONLY_SERVER, ACTION.KEEP)),
    ("saved tomorrow", "removed a second ago", True, (DIFFERENCE.REMOVED_ON_SERVER, ACTION.ADD)),
    ("saved 10:05", "never known", True, (DIFFERENCE.ONLY_LOCAL, ACTION.ADD)),
    ("saved 10:05", "saved 09:00", True, None),
    ("removed 10:05", "removed 09:00", False, None),
    ("removed 10:05", "never known", False, None),
]


@pytest.mark.parametrize(("device", "server", "saved", "told"), GOLDEN, ids=lambda each: str(each)[:40])
def test_the_merge_table(device: str, server: str, saved: bool, told: Any) -> None:
    """Golden case F1."""
    times = {"tomorrow": NOW + timedelta(days=1), "a second ago": NOW - timedelta(seconds=1)}

    def state(words: str) -> tuple[str, datetime]:
        what, _, when = words.partition(" ")
        return what, times.get(when) or moment(when if ":" in when else "00:00")

    (here, at), (there, then) = state(device), state(server)
    local = sent({TARGET: at} if here == "saved" else {}, {TARGET: at} if here == "removed" else {})
    rows = {TARGET: known(TARGET, **{f"{there}_at": then})} if there in ("saved", "removed") else {}
    merged = merging.merge(local, rows, MERGE, {}, NOW)
    was = there == "saved"
    assert (
        (was or TARGET in merged.added) and TARGET not in merged.removed
        if saved
        else (not was or TARGET in merged.removed)
    )
    assert [(each["kind"], each["proposal"]) for each in merged.differences] == ([told] if told else [])
    if here == "saved" and TARGET in merged.added:
        assert merged.added[TARGET] == min(at, NOW)


TARGETS = [f"product_{number}" for number in range(6)]
MOMENTS = st.integers(0, 300).map(lambda minutes: moment("07:00") + timedelta(minutes=minutes))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(TARGETS), MOMENTS, st.integers(0, 9)), max_size=12),
    st.lists(st.tuples(st.sampled_from(TARGETS), MOMENTS), max_size=12),
    st.dictionaries(st.sampled_from(TARGETS), st.tuples(st.booleans(), MOMENTS)),
    st.sampled_from(FavoriteSyncStrategy),
    st.randoms(use_true_random=False),
)
def test_the_result_does_not_depend_on_the_order_of_the_items(
    saved: list[Any], removed: list[Any], there: dict[str, Any], strategy: FavoriteSyncStrategy, dice: Any
) -> None:
    rows = {
        id: known(id, **({"saved_at": at} if is_saved else {"removed_at": at}))
        for id, (is_saved, at) in there.items()
    }
    local: list[Any] = [{"target_id": id, "saved_at": at, "position": place} for id, at, place in saved]
    gone: list[Any] = [{"target_id": id, "removed_at": at} for id, at in removed]
    results = []
    for _ in range(3):
        device = merging.device(local, gone, NOW, NOW)
        merged = merging.merge(device, rows, strategy, {}, NOW)
        base = device.order if merging.device_orders(device, None, strategy) else sorted(there)
        saved_at = {id: row["saved_at"] for id, row in rows.items() if id not in merged.removed}
        results.append((merged, device.saved, device.order, merging.order_of(base, saved_at | merged.added)))
        dice.shuffle(local)
        dice.shuffle(gone)
    assert results[0] == results[1] == results[2]
    merged, listed, *_ = results[0]
    saved_now = {id for id, row in rows.items() if row["status"] == "SAVED"}
    after = (saved_now | set(merged.added)) - set(merged.removed)
    if strategy == FavoriteSyncStrategy.LOCAL_WINS:
        assert after == set(listed)
    elif strategy == FavoriteSyncStrategy.SERVER_WINS:
        assert after == saved_now
    else:
        # Absence alone never deletes.
        assert saved_now - {id for id, _ in removed} <= after


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(TARGETS), MOMENTS),
    st.dictionaries(st.sampled_from(TARGETS), MOMENTS),
    st.dictionaries(st.sampled_from(TARGETS), st.tuples(st.booleans(), MOMENTS)),
)
def test_a_second_merge_of_the_same_list_changes_nothing(
    saved: dict[str, datetime], removed: dict[str, datetime], there: dict[str, Any]
) -> None:
    rows = {
        id: known(id, **({"saved_at": at} if is_saved else {"removed_at": at}))
        for id, (is_saved, at) in there.items()
    }
    device = sent(saved, removed)
    once = merging.merge(device, rows, MERGE, {}, NOW)
    rows |= {id: known(id, saved_at=at) for id, at in once.added.items()}
    rows |= {id: known(id, removed_at=at) for id, at in once.removed.items()}
    again = merging.merge(device, rows, MERGE, {}, NOW)
    assert (again.added, again.removed) == ({}, {})


def test_newcomers_are_on_top_newest_first() -> None:
    at = {id: moment(f"10:0{place}") for place, id in enumerate(TARGETS)}
    assert merging.order_of(TARGETS[:2], at) == [*TARGETS[:1:-1], *TARGETS[:2]]
    assert merging.order_of([*TARGETS[:2], "gone"], {id: at[id] for id in TARGETS[:2]}) == TARGETS[:2]


@pytest.mark.parametrize(
    ("device_at", "server_at", "device_decides"),
    [("10:05", "10:04", True), ("10:05", "10:05", False), ("10:05", "10:06", False), ("10:05", None, True)],
)
def test_device_and_server_reordered_at_the_same_instant_servers_order(
    device_at: str, server_at: str | None, device_decides: bool
) -> None:
    device = merging.device([], [], moment(device_at), NOW)
    assert merging.device_orders(device, server_at and moment(server_at), MERGE) is device_decides  # type: ignore[arg-type]
    never = merging.device([], [], None, NOW)
    assert not merging.device_orders(never, None, MERGE)
