"""Carts: one open one per owner, with their lines, tombstones and aliases in the same document."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, entity, index
from core.sync.changes import user_scope
from stores.cart.kinds import CartSkipReason, CartStatus, CartTokenOutcome

ANONYMOUS = timedelta(days=30)
"""Lifetime of a device's cart since its last change, and once more until an expired one is deleted."""
KNOWN = timedelta(days=90)
"""Time for which ids of lines that were removed, joined or ordered are known."""
MOST_KNOWN = 1_000
"""Tombstones that a cart keeps: of more the oldest are forgotten."""
MOST_ALIASES = 100
"""Aliases that a line keeps."""


class Option(TypedDict):
    name: str
    value: str


class Alias(TypedDict):
    """Another id of a line: its addition joined this one."""

    id: str
    at: datetime


class Line(Row):
    """Line of a cart. Its version grows with its own changes alone."""

    variant_id: str
    product_id: str
    sku: str
    title: str
    image_id: str | None
    options: list[Option]
    quantity: int
    unit_price: int
    """Price that the customer accepted last, in minor units of the cart's currency."""
    capped: bool
    """True if a merge cut its quantity, until it is changed."""
    aliases: list[Alias]
    since: int
    """Version of the cart from which on it has the line."""


class Gone(TypedDict):
    """Tombstone of a line: removed, or ordered."""

    id: str
    at: datetime
    ordered: bool


class HeldLine(TypedDict):
    variant_id: str
    quantity: int


class Hold(TypedDict):
    """Hold of stock for the cart, with what it holds."""

    expires_at: datetime
    lines: list[HeldLine]


class Checkout(TypedDict):
    """The order that is being paid."""

    order_id: str
    begun_at: datetime


class SkippedLine(TypedDict):
    line_id: str
    variant_id: str
    reason: CartSkipReason


class MergeReport(TypedDict):
    """Report of what a merge did with the lines that came."""

    added: int
    summed: int
    capped: int
    skipped: list[SkippedLine]
    token: CartTokenOutcome | None


class Cart(Row):
    owner_key: str
    """The owner's id, or the hash of a device's token."""
    owner_id: str | None
    """None for the cart of a device."""
    status: CartStatus
    currency: str
    lines: list[Line]
    gone: list[Gone]
    codes: list[str]
    """Codes of promotions, as they were applied."""
    note: str | None
    gift_message: str | None
    hold: Hold | None
    checkout: Checkout | None
    device_id: str | None
    """Device of the last change."""
    merged_into: str | None
    """Account into whose cart this one went."""
    expires_at: datetime | None
    """When it expires, or is deleted."""
    line_ids: NotRequired[list[str]]
    """Ids of the lines that were ordered, of a CONVERTED cart."""


OPEN = (CartStatus.ACTIVE, CartStatus.CHECKING_OUT)
"""Statuses of which an owner has at most one cart."""


def device_scope(owner_key: str) -> str:
    """Scope of the log for those who have a device's token."""
    return f"cart:{owner_key}"


def scopes_of(cart: Mapping[str, Any]) -> Iterable[str]:
    owner_id = cart["owner_id"]
    return (user_scope(owner_id) if owner_id else device_scope(cart["owner_key"]),)


carts = entity(
    "carts",
    Cart,
    prefix="cart",
    owner="owner_id",
    scopes=scopes_of,
    audience_never_shrinks=True,
    aspects=("merged", "converted", "hold"),
    indexes=[
        # One open cart each; of two that are made at once one finds the other.
        index("owner_key", unique=True, partialFilterExpression={"status": {"$in": list(OPEN)}}),
        index("owner_key", "status", "line_ids"),
        index("owner_id", "_id"),
        index("status", "expires_at"),
    ],
    shard_key="owner_key",
    moves=Moves(
        {
            CartStatus.ACTIVE: {CartStatus.CHECKING_OUT, CartStatus.MERGED, CartStatus.EXPIRED},
            CartStatus.CHECKING_OUT: {CartStatus.ACTIVE, CartStatus.CONVERTED},
            CartStatus.MERGED: (),
            CartStatus.CONVERTED: (),
            CartStatus.EXPIRED: (),
        }
    ),
)


async def open_carts(db: Database, owner_keys: Sequence[str]) -> list[Cart]:
    """The open carts of some owners."""
    query = {"owner_key": {"$in": list(owner_keys)}, "status": {"$in": list(OPEN)}}
    return await carts.find(db, query, limit=max(1, len(owner_keys)), batch=True)


async def closed_cart(db: Database, owner_key: str) -> Cart | None:
    """The cart of a device that has ended: it merged, or expired."""
    query = {"owner_key": owner_key, "status": {"$in": [CartStatus.MERGED, CartStatus.EXPIRED]}}
    return await carts.first(db, query)


async def ordered_ids(db: Database, owner_key: str, line_ids: Sequence[str], since: datetime) -> set[str]:
    """Those of the ids that are of lines in carts which became orders."""
    query = {
        "owner_key": owner_key,
        "status": CartStatus.CONVERTED,
        "line_ids": {"$in": list(line_ids)},
    }
    rows = await carts.find(db, query, limit=len(line_ids), fields=("line_ids", "updated_at"))
    found = {id for row in rows if row["updated_at"] >= since for id in row["line_ids"]}
    return found.intersection(line_ids)


def ids_of(line: Line) -> list[str]:
    """All ids that a line is known by: its own, then its aliases."""
    return [line["_id"], *(alias["id"] for alias in line["aliases"])]


def find_line(lines: Iterable[Line], line_id: str) -> Line | None:
    """The line that is known by this id."""
    return next((line for line in lines if line_id in ids_of(line)), None)
