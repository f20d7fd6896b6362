"""Mappings of numbers of articles to variants, codes that became none, and names from elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from core import ids
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, collection, entity, index
from stores.barcode.kinds import BarcodeMappingStatus, BarcodeRejectReason, BarcodeSource

MOST_VARIANTS = 10
"""Variants of one number at most."""
EXTERNAL_KEPT = timedelta(days=30)


class BarcodeMapping(Row):
    """Mapping of a number to a variant; `gtin_index` is the blind index of `gtin`, by which scans name it."""

    gtin: str
    gtin_index: str
    variant_id: str
    product_id: str
    mapping_source: BarcodeSource
    status: BarcodeMappingStatus
    confidence: float
    set_by_staff: bool
    """True if the staff decided on it last: what the catalog lists changes nothing then."""


class BarcodeReject(TypedDict):
    """Code of a variant in the catalog that became no mapping."""

    _id: str
    variant_id: str
    code: str
    reject_reason: BarcodeRejectReason
    rejected_at: datetime


class GtinClaim(TypedDict):
    """Claim of a number: two who map it at once both write it; `_id` is the number."""

    _id: str
    claims: int


class ExternalName(TypedDict):
    """Name of an article by a source outside of the shop, empty where it knows none; `_id` is the number."""

    _id: str
    name: str
    brand: str
    attribution: str
    expires_at: datetime


def gtin_scope(gtin_index: str) -> str:
    """Scope of those who keep the mappings of a number."""
    return f"barcode:{gtin_index}"


def _scopes(mapping: BarcodeMapping) -> list[str]:
    return [gtin_scope(mapping["gtin_index"])] if mapping["status"] == BarcodeMappingStatus.ACTIVE else []


mappings = entity(
    "barcode_mappings",
    BarcodeMapping,
    prefix="barcode_mapping",
    scopes=_scopes,
    indexes=[
        index("gtin_index", "status"),
        index("variant_id"),
        index("product_id"),
    ],
    shard_key="gtin_index",
    moves=Moves(
        {
            BarcodeMappingStatus.ACTIVE: {BarcodeMappingStatus.WITHDRAWN},
            BarcodeMappingStatus.WITHDRAWN: {BarcodeMappingStatus.ACTIVE},
        }
    ),
)
claims = collection("barcode_claims", GtinClaim)
rejects = collection(
    "barcode_rejects",
    BarcodeReject,
    prefix="barcode_reject",
    indexes=[index("variant_id", "code", unique=True), index("-rejected_at", "-_id")],
    shard_key="variant_id",
)
external_names = collection(
    "barcode_external", ExternalName, indexes=[index("expires_at", expireAfterSeconds=0)]
)


def mapping_id(variant_id: str, gtin: str) -> str:
    """A number and a variant have one mapping, which is withdrawn and set again."""
    return ids.derived("barcode_mapping", variant_id, gtin)


def reject_id(variant_id: str, code: str) -> str:
    return ids.derived("barcode_reject", variant_id, code)


async def active(db: Database, gtin_indexes: Sequence[str]) -> dict[str, list[BarcodeMapping]]:
    """Active mappings by the numbers' indexes, in the order of their ids."""
    query = {"gtin_index": {"$in": list(gtin_indexes)}, "status": BarcodeMappingStatus.ACTIVE}
    rows = await mappings.find(db, query, limit=MOST_VARIANTS * len(gtin_indexes) or 1, batch=True)
    found: dict[str, list[BarcodeMapping]] = {each: [] for each in gtin_indexes}
    for row in sorted(rows, key=lambda row: row["_id"]):
        found[row["gtin_index"]].append(row)
    return found


async def of_products(
    db: Database, product_ids: Iterable[str], *, limit: int = 1_000
) -> list[BarcodeMapping]:
    """Mappings of all variants of the products, active or not."""
    return await mappings.find(db, {"product_id": {"$in": list(product_ids)}}, limit=limit)


def external_name(gtin: str, found: Any, at: datetime) -> ExternalName:
    return {
        "_id": gtin,
        "name": found.name if found else "",
        "brand": found.brand if found else "",
        "attribution": found.attribution if found else "",
        "expires_at": at + EXTERNAL_KEPT,
    }
