"""Data exports of a person."""

from datetime import datetime
from enum import StrEnum
from typing import NotRequired, TypedDict

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import collection, index


class DataExportStatus(StrEnum):
    """Status of a data export."""

    BUILDING = "BUILDING"
    """The file is being put together."""
    READY = "READY"
    """The link to the file was mailed."""
    FAILED = "FAILED"
    """The file could not be put together: request another export."""


class DataExport(TypedDict):
    _id: str
    user_id: str
    system: NotRequired[str]
    """System whose part alone is exported; all are when it is left out."""
    status: DataExportStatus
    origin: str
    """Origin at which the phone reached us: the link's target in development."""
    link_hash: str | None
    """SHA-256 of the secret in the mailed link."""
    size_bytes: int | None
    created_at: datetime
    expires_at: datetime
    updated_at: datetime


data_exports = collection(
    "data_exports",
    DataExport,
    prefix="export",
    indexes=[index("status", "created_at"), index("user_id", "-created_at"), index("expires_at")],
    moves=Moves(
        {
            DataExportStatus.BUILDING: {DataExportStatus.READY, DataExportStatus.FAILED},
            DataExportStatus.READY: (),
            DataExportStatus.FAILED: (),
        }
    ),
)


async def latest_export(db: Database, user_id: str, system: str | None = None) -> DataExport | None:
    """The latest export of a person's data: of one system's part, or of all."""
    return await data_exports.first(db, {"user_id": user_id, "system": system}, sort=[("created_at", -1)])


async def exports_of(db: Database, user_id: str) -> list[DataExport]:
    return await data_exports.find(db, {"user_id": user_id}, limit=100)


async def remove_export(db: Database, id: str) -> None:
    await data_exports.delete_one(db, {"_id": id})
