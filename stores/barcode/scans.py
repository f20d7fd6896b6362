"""Scans of people, their choices among products of one code, and the numbers that their devices keep.

What was scanned tells of a person's health: it is encrypted, and numbers are found by blind indexes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from core.paging import Sort
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, Sealed, collection, entity, index
from stores.barcode.kinds import ScanOrigin, ScanStatus

REPEAT = timedelta(seconds=10)
"""Time from a scan on in which the same code on the same device is the same scan."""
OLDEST_SCAN = timedelta(days=90)
WINDOWS_KEPT = OLDEST_SCAN + timedelta(days=1)
"""No scan that is taken belongs to a window that is gone."""
HISTORY_KEPT = timedelta(days=730)
MOST_SCANS = 5_000
"""Scans of a person that are kept."""
LATEST: Sort = (("scanned_at", -1), ("_id", -1))


class ScanRecord(Row):
    """Scan of a person; `sealed` has the code, its number and elements, and the product."""

    user_id: str
    device_id: str
    gtin_index: str
    status: ScanStatus
    matched_from: ScanOrigin
    scanned_at: datetime
    received_at: datetime
    matched_at: datetime | None
    time_zone: str
    sealed: Any


class ScanWindow(TypedDict):
    """Latest scan of one code on one device of a person; the document that two at once both write."""

    _id: str
    user_id: str
    claims: int
    scan_id: str | None
    scanned_at: datetime | None
    expires_at: datetime


class BarcodeChoice(TypedDict):
    """Variant that a person chose for a number; `_id` is made of both, `sealed` is the variant's id."""

    _id: str
    user_id: str
    sealed: Any
    created_at: datetime


class WarmupSet(TypedDict):
    """Numbers whose mappings a person's devices keep, by their blind indexes; `_id` is the person's id."""

    _id: str
    user_id: str
    gtin_indexes: list[str]
    """All of them: of stacks, wishlist and purchases, and of scans of the last 90 days."""
    warm: list[str]
    """Those of stacks, wishlist and purchases."""
    rebuilt_at: datetime


scans = entity(
    "scans",
    ScanRecord,
    prefix="scan_record",
    owner="user_id",
    indexes=[
        index("user_id", "-scanned_at", "-_id"),
        index("user_id", "device_id", "gtin_index", "-scanned_at"),
        index("gtin_index", "status", "_id"),
        index("user_id", "_id"),
        index("scanned_at"),
    ],
    shard_key="user_id",
    sealed=[Sealed("sealed", "scans/{_id}")],
    moves=Moves(
        {
            ScanStatus.UNMATCHED: {ScanStatus.MATCHED},
            ScanStatus.AMBIGUOUS: {ScanStatus.MATCHED, ScanStatus.UNMATCHED},
            ScanStatus.MATCHED: {ScanStatus.UNMATCHED},
            ScanStatus.RESTRICTED: set(),
        }
    ),
)
windows = collection(
    "scan_windows",
    ScanWindow,
    indexes=[index("expires_at", expireAfterSeconds=0), index("user_id")],
)
choices = collection(
    "barcode_choices",
    BarcodeChoice,
    indexes=[index("user_id", "_id")],
    sealed=[Sealed("sealed", "barcode_choices/{_id}")],
    owner="user_id",
)
warmup_sets = collection("barcode_warmup_sets", WarmupSet, indexes=[index("user_id")])


def window_id(user_id: str, device_id: str, gtin_index: str) -> str:
    return f"{user_id}|{device_id}|{gtin_index}"


def choice_id(user_id: str, gtin_index: str) -> str:
    return f"{user_id}|{gtin_index}"


async def covering(
    db: Database, user_id: str, device_id: str, gtin_index: str, at: datetime
) -> ScanRecord | None:
    """The scan in whose window of ten seconds the moment is."""
    named = {"user_id": user_id, "device_id": device_id, "gtin_index": gtin_index}
    window = {"$gt": at - REPEAT, "$lte": at}
    return await scans.first(db, {**named, "scanned_at": window}, sort=[("scanned_at", -1)])


async def all_covering(
    db: Database, user_id: str, moments: Sequence[tuple[str, str, datetime]]
) -> Sequence[ScanRecord]:
    """The same for many moments, each of a device and a code, in one read: all scans in the ten seconds."""
    windows = [
        {"device_id": device, "gtin_index": index, "scanned_at": {"$gt": at - REPEAT, "$lte": at}}
        for device, index, at in moments
    ]
    return await scans.find(db, {"user_id": user_id, "$or": windows}) if windows else []


async def latest_scans(db: Database, user_id: str, limit: int) -> Sequence[Mapping[str, Any]]:
    """Numbers and moments of a person's scans, latest first."""
    return await scans.find(
        db,
        {"user_id": user_id},
        sort=LATEST,
        limit=limit,
        fields=("gtin_index", "scanned_at"),
    )
