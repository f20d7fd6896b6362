"""Stock levels and reservations."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import collection, index
from core.storage.unit import Unit
from stores.catalog.kinds import HolderType, ReservationState


class InventoryLevel(TypedDict):
    """Stock level. `available` is `on_hand - reserved - safety_stock`, stored so it can be a condition."""

    _id: str
    variant_id: str
    product_id: str
    sku: str
    on_hand: int
    reserved: int
    sold: int
    safety_stock: int
    available: int
    restock_at: datetime | None
    dirty: bool
    version: int
    created_at: datetime
    updated_at: datetime


class Line(TypedDict):
    variant_id: str
    quantity: int


class Holder(TypedDict):
    type: HolderType
    id: str


class StockReservation(TypedDict):
    """Lines that a holder has reserved or bought."""

    _id: str
    holder: Holder
    lines: list[Line]
    state: ReservationState
    restocked: NotRequired[dict[str, list[Line]]]
    """Lines that came back after they were sold, by the key under which they were taken back."""
    expires_at: datetime
    created_at: datetime
    updated_at: datetime


LIVE = (ReservationState.HELD, ReservationState.COMMITTED)

inventory = collection(
    "inventory",
    InventoryLevel,
    prefix="inventory",
    versioned=True,
    indexes=[
        index("variant_id"),
        index("sku"),
        index("available", "_id"),
        index("product_id"),
        index("dirty", partialFilterExpression={"dirty": True}, serves={"dirty": True}),
    ],
)
reservations = collection(
    "stock_reservations",
    StockReservation,
    prefix="reservation",
    indexes=[
        # One living hold each; what is over stays as it ended.
        index(
            "holder.id",
            "holder.type",
            unique=True,
            partialFilterExpression={"state": {"$in": list(LIVE)}},
        ),
        index("holder.id", "-created_at"),
        index("state", "expires_at"),
    ],
    shard_key="holder.id",
    moves=Moves(
        {
            ReservationState.HELD: {
                ReservationState.COMMITTED,
                ReservationState.RELEASED,
                ReservationState.EXPIRED,
            },
            ReservationState.COMMITTED: (),
            ReservationState.RELEASED: (),
            ReservationState.EXPIRED: (),
        },
        field="state",
    ),
)


def level_id(variant_id: str) -> str:
    """Id of a variant's level: the same number under another prefix."""
    return f"inventory_{variant_id.rpartition('_')[2]}"


async def levels(db: Database, variant_ids: Sequence[str]) -> list[InventoryLevel]:
    return await inventory.by_ids(db, map(level_id, variant_ids))


async def levels_of(db: Database, product_ids: Sequence[str]) -> list[InventoryLevel]:
    return await inventory.find(db, {"product_id": {"$in": list(product_ids)}})


async def change_level(
    tx: Unit, level: InventoryLevel, inc: Mapping[str, int], *, set: Mapping[str, Any] | None = None
) -> InventoryLevel | None:
    """Change a level's numbers; None if that would sell more than there is."""
    need = -min(0, inc.get("available", 0))
    return await tx.update(
        inventory,
        level["_id"],
        set={**(set or {}), "dirty": True},
        inc=inc,
        where={"available": {"$gte": need}} if need else None,
    )


async def told(db: Database, levels: Iterable[InventoryLevel]) -> None:
    """Clear the marks of levels that did not change meanwhile."""
    updates = [
        {"q": {"_id": each["_id"], "version": each["version"]}, "u": {"$set": {"dirty": False}}}
        for each in levels
    ]
    if updates:
        await db.write({"update": inventory.name, "updates": updates, "ordered": False})


async def dirty_levels(db: Database, limit: int) -> list[InventoryLevel]:
    return await inventory.find(db, {"dirty": True}, limit=limit)


async def latest(db: Database, holder: Holder) -> StockReservation | None:
    """The holder's active hold, else the one that ended last."""
    query = {"holder.id": holder["id"], "holder.type": holder["type"]}
    rows = await reservations.find(db, query, sort=[("created_at", -1)], limit=100)
    return next((row for row in rows if row["state"] in LIVE), rows[0] if rows else None)


async def overdue(db: Database, now: datetime, limit: int) -> list[StockReservation]:
    query = {"state": ReservationState.HELD, "expires_at": {"$lte": now}}
    return await reservations.find(db, query, sort=[("expires_at", 1)], limit=limit)
