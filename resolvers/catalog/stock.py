"""Stock: reserved, sold and released for carts and orders, and corrected by staff. It never goes negative.

`reserve`, `renew`, `commit`, `release`, `transfer` and `restock` are for other systems and run in their
caller's transaction.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict, Unpack

from core import ids
from core.audit import Act, record
from core.context import Context
from core.errors import BadUserInput, ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.nodes import for_update
from core.paging import PageArgs
from stores.catalog import stock as store
from stores.catalog.kinds import HolderType, ReservationState, StockReason
from stores.catalog.stock import Holder, InventoryLevel, Line, StockReservation

error_codes(ErrorKind.WRONG_STATUS, STOCK_INSUFFICIENT="There is not so much in stock: nothing was changed.")

HOLD = timedelta(minutes=15)
MOST_LINES = 100
MOST_IN_STOCK = 10_000_000
LEVEL_SORT = [("_id", 1)]
BY_AVAILABLE = [("available", 1), ("_id", 1)]
MOST_SKUS = 100


class InventoryLevelFilter(TypedDict, total=False):
    """Filter of the list of stock levels."""

    skus: list[str] | None
    """SKUs that the variants have one of, at most 100; case does not matter."""
    below_safety_stock: bool | None
    """True to list only variants of which nothing can be sold beyond the safety stock, scarcest first."""


class Shortfall(NamedTuple):
    """Line that cannot be fulfilled, with the quantity available."""

    variant_id: str
    wanted: int
    available: int


class Held(NamedTuple):
    """Result of a reservation: a hold, or the shortfalls that prevent one."""

    reservation: StockReservation | None
    shortfalls: tuple[Shortfall, ...] = ()


def holder(type: HolderType, id: str) -> Holder:
    return {"type": type, "id": id}


async def reserve(ctx: Context, holder: Holder, lines: Sequence[Line], ttl: timedelta = HOLD) -> Held:
    """Reserve all lines for the holder, or nothing. An active hold of the holder stays as it is."""
    current = await store.latest(ctx.db, holder)
    if current is not None and current["state"] in store.LIVE:
        return Held(current)
    wanted = merged(lines)
    levels = {each["variant_id"]: each for each in await store.levels(ctx.db, list(wanted))}
    short = [
        Shortfall(variant_id, quantity, max(0, available))
        for variant_id, quantity in wanted.items()
        if (available := levels[variant_id]["available"] if variant_id in levels else 0) < quantity
    ]
    if short:
        return Held(None, tuple(short))
    for variant_id, quantity in wanted.items():
        await _move(ctx, levels[variant_id], {"reserved": quantity, "available": -quantity})
    reservation = await ctx.tx.insert(
        store.reservations,
        {
            "_id": ids.new_id("reservation"),
            "holder": holder,
            "lines": [
                {"variant_id": variant_id, "quantity": quantity} for variant_id, quantity in wanted.items()
            ],
            "state": ReservationState.HELD,
            "expires_at": ctx.tx.now + ttl,
            "created_at": ctx.tx.now,
            "updated_at": ctx.tx.now,
        },
    )
    return Held(reservation)


async def renew(ctx: Context, holder: Holder, ttl: timedelta = HOLD) -> Held:
    """Let a hold last `ttl` from now. One that has ended is as for `commit`."""
    held = await _still_held(ctx, holder, ttl)
    if held.reservation is None or held.reservation["state"] != ReservationState.HELD:
        return held
    later = {"expires_at": ctx.tx.now + ttl}
    where = {"state": ReservationState.HELD}
    return Held(await ctx.tx.update(store.reservations, held.reservation, set=later, where=where))


async def commit(ctx: Context, holder: Holder) -> Held:
    """Sell what is held, after payment. An expired hold is taken again if the stock is still there.

    A hold that was released falls short: what it was for has ended, so its payment may not stand.
    """
    held = await _still_held(ctx, holder, HOLD)
    if held.reservation is None or held.reservation["state"] != ReservationState.HELD:
        return held
    for line, level in await _levels_of(ctx, held.reservation):
        quantity = line["quantity"]
        await _move(ctx, level, {"on_hand": -quantity, "reserved": -quantity, "sold": quantity})
    return Held(await _end(ctx, held.reservation, ReservationState.COMMITTED))


async def _still_held(ctx: Context, holder: Holder, ttl: timedelta) -> Held:
    """The holder's hold or sale, taken again if it has expired; the shortfalls of one that is gone."""
    current = await store.latest(ctx.db, holder)
    if current is not None and current["state"] == ReservationState.EXPIRED:
        return await reserve(ctx, holder, current["lines"], ttl)
    if current is not None and current["state"] == ReservationState.RELEASED:
        levels = await _levels_of(ctx, current)
        return Held(
            None,
            tuple(
                Shortfall(line["variant_id"], line["quantity"], max(0, level["available"]))
                for line, level in levels
            ),
        )
    return Held(current)


async def restock(ctx: Context, holder: Holder, lines: Sequence[Line], key: str) -> list[Line]:
    """Take back what was sold to the holder: once for each key, and never more. The lines that were taken."""
    current = await store.latest(ctx.db, holder)
    if current is None or current["state"] != ReservationState.COMMITTED:
        return []
    before = current.get("restocked", {})
    if key in before:
        return before[key]
    left = merged(current["lines"])
    for line in itertools.chain.from_iterable(before.values()):
        left[line["variant_id"]] -= line["quantity"]
    taken: list[Line] = [
        {"variant_id": variant_id, "quantity": quantity}
        for variant_id, wanted in merged(lines).items()
        if (quantity := min(wanted, left.get(variant_id, 0)))
    ]
    for line, level in await _levels_of(ctx, {**current, "lines": taken}):
        quantity = line["quantity"]
        await _move(ctx, level, {"on_hand": quantity, "available": quantity, "sold": -quantity})
    # Of two keys at once one conflicts here, and sees what the other took.
    await ctx.tx.update(store.reservations, current, set={"restocked": {**before, key: taken}})
    return taken


async def release(
    ctx: Context, holder: Holder, *, state: ReservationState = ReservationState.RELEASED
) -> StockReservation | None:
    """Release a hold; idempotent, and without effect on what is sold."""
    current = await store.latest(ctx.db, holder)
    if current is None or current["state"] != ReservationState.HELD:
        return current
    return await give_back(ctx, current, state)


async def give_back(
    ctx: Context, current: StockReservation, state: ReservationState
) -> StockReservation | None:
    """End a hold unless another worker ended it first."""
    ended = await _end(ctx, current, state)
    if ended is not None:
        for line, level in await _levels_of(ctx, current):
            quantity = line["quantity"]
            await _move(ctx, level, {"reserved": -quantity, "available": quantity})
    return ended


async def transfer(
    ctx: Context, cart: Holder, order: Holder, ttl: timedelta = HOLD
) -> StockReservation | None:
    """Turn a cart's hold into its order's; None if the cart holds nothing."""
    done = await store.latest(ctx.db, order)
    if done is not None and done["state"] in store.LIVE:
        return done
    current = await store.latest(ctx.db, cart)
    if current is None or current["state"] != ReservationState.HELD:
        return None
    change = {"holder": order, "expires_at": ctx.tx.now + ttl}
    held = {"state": ReservationState.HELD}
    return await ctx.tx.update(store.reservations, current, set=change, where=held)


def merged(lines: Sequence[Line]) -> dict[str, int]:
    """Quantities by variant, in one lock order for all, so that two buyers never deadlock."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise BadUserInput(f"A hold has 1 to {MOST_LINES} lines.")
    found: Counter[str] = Counter()
    for line in lines:
        if not 1 <= line["quantity"] <= MOST_IN_STOCK:
            raise BadUserInput("A quantity is 1 or more.")
        found[line["variant_id"]] += line["quantity"]
    return dict(sorted(found.items()))


async def _levels_of(ctx: Context, reservation: StockReservation) -> list[tuple[Line, InventoryLevel]]:
    rows = await store.levels(ctx.db, [line["variant_id"] for line in reservation["lines"]])
    found = {row["variant_id"]: row for row in rows}
    return [(line, found[line["variant_id"]]) for line in reservation["lines"]]


async def _move(ctx: Context, level: InventoryLevel, inc: dict[str, int]) -> InventoryLevel:
    moved = await store.change_level(ctx.tx, level, inc)
    if moved is None:
        # The transaction saw that it is there; whoever took it meanwhile makes this one conflict, not this.
        raise RuntimeError(f"The stock of {level['variant_id']} would go negative.")
    return moved


async def _end(ctx: Context, current: StockReservation, state: ReservationState) -> StockReservation | None:
    held = {"state": ReservationState.HELD}
    return await ctx.tx.update(store.reservations, current, set={"state": state}, where=held)


# What staff do.


async def inventory_levels(
    ctx: Context, *, filter: InventoryLevelFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Exact stock levels, for those who manage stock."""
    given = filter or InventoryLevelFilter()
    skus = given.get("skus")
    below = bool(given.get("below_safety_stock"))
    if skus is not None and len(skus) > MOST_SKUS:
        raise BadUserInput(f"At most {MOST_SKUS} skus.")
    sort = BY_AVAILABLE if below else LEVEL_SORT
    query: dict[str, Any] = {}
    if skus is not None:
        query["sku"] = {"$in": [sku.upper() for sku in skus]}
    if below:
        query["available"] = {"$lte": 0}
    return await store.inventory.page(ctx.db, query, sort, args)


class LevelChanges(TypedDict, total=False):
    safety_stock: int
    restock_at: datetime | None


class Adjusted(TypedDict):
    inventory_level: InventoryLevel | None


async def adjust_inventory(
    ctx: Context,
    *,
    inventory_level_id: Id,
    delta: int,
    reason: StockReason,
    expected_version: int | None = None,
    **changes: Unpack[LevelChanges],
) -> Adjusted:
    """Adjust a level: goods received, damaged or counted again."""
    level = await for_update(ctx, store.inventory, inventory_level_id, field="inventoryLevelId")
    check_version(expected_version, level["version"], inventory_level=level)
    variant_id = level["variant_id"]
    if abs(delta) > MOST_IN_STOCK or level["on_hand"] + delta > MOST_IN_STOCK:
        raise UserError("OUT_OF_RANGE", "At most {limit} can be kept.", field=["delta"], limit=MOST_IN_STOCK)
    safety = changes.get("safety_stock", level["safety_stock"])
    if not 0 <= safety <= MOST_IN_STOCK:
        raise UserError(
            "OUT_OF_RANGE", "0 to {limit} can be kept.", field=["safetyStock"], limit=MOST_IN_STOCK
        )
    freed = delta - (safety - level["safety_stock"])
    if level["available"] + freed < 0 and delta < 0:
        raise UserError(
            "STOCK_INSUFFICIENT", "Free in stock: {limit}.", field=["delta"], limit=max(0, level["available"])
        )
    inc = {"on_hand": delta, "available": freed}
    where = {"version": level["version"]}
    updated = await ctx.tx.update(
        store.inventory, level["_id"], set={**changes, "dirty": True}, inc=inc, where=where
    )
    details = {"before": _figures(level), "after": _figures(updated), "reason": reason}
    await record(ctx, Act("catalog.stock_adjusted", "DATA_MODIFIED", "CATALOG", variant_id, details=details))
    return {"inventory_level": updated}


def _figures(level: InventoryLevel | None) -> dict[str, int]:
    assert level is not None
    return {"on_hand": level["on_hand"], "safety_stock": level["safety_stock"]}
