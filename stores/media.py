"""Uploads, the media made from them, and links to the records that show them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, collection, entity, index
from core.sync.changes import user_scope
from ports.media import Animation


class MediaKind(StrEnum):
    """Kind of a medium."""

    IMAGE = "IMAGE"
    """Picture, still or animated."""
    VIDEO = "VIDEO"
    """Film with poster and HLS."""
    FILE = "FILE"
    """File of any other type."""


class ImageFormat(StrEnum):
    """Format in which a picture is encoded."""

    WEBP = "WEBP"
    """WebP, the smallest format; every picture has it."""
    JPEG = "JPEG"
    """JPEG, for old viewers; pictures without transparency have it."""
    PNG = "PNG"
    """PNG, for old viewers; pictures with transparency have it."""


class UploadStatus(StrEnum):
    """Status of an upload."""

    PENDING = "PENDING"
    """No part has arrived yet."""
    UPLOADING = "UPLOADING"
    """Some parts have arrived."""
    UPLOADED = "UPLOADED"
    """All parts have arrived and wait to be checked."""
    SCANNING = "SCANNING"
    """Type and checksum are checked, and malware is looked for."""
    PROCESSING = "PROCESSING"
    """Renditions are being made of the file."""
    READY = "READY"
    """The medium can be shown. Final, unless malware is found in it later."""
    REJECTED = "REJECTED"
    """The file cannot be taken: see `failure`. Final."""
    CANCELED = "CANCELED"
    """The owner gave the upload up. Final."""
    EXPIRED = "EXPIRED"
    """The upload was not completed within 24 hours. Final."""


class UploadFailure(StrEnum):
    """Reason for the rejection of an upload."""

    TYPE_MISMATCH = "TYPE_MISMATCH"
    """The bytes are not of the declared type, or of several types at once."""
    TOO_LARGE = "TOO_LARGE"
    """The file is larger than declared, or than can be scanned."""
    CHECKSUM_MISMATCH = "CHECKSUM_MISMATCH"
    """The SHA-256 is not the declared one: the file was damaged on its way."""
    MALWARE = "MALWARE"
    """The scanner found malware in the file."""
    UNREADABLE = "UNREADABLE"
    """The file is empty, truncated, damaged or beyond what can be decoded."""


class UploadMethod(StrEnum):
    """Method by which a file is uploaded."""

    SINGLE = "SINGLE"
    """One PUT of the whole file."""
    MULTIPART = "MULTIPART"
    """Several PUTs of parts, in any order, side by side."""


class AttachmentStatus(StrEnum):
    """Status of an attachment, which follows its upload."""

    PENDING = "PENDING"
    """The file is being uploaded."""
    PROCESSING = "PROCESSING"
    """The file has arrived and is being checked and processed."""
    READY = "READY"
    """The medium can be shown."""
    REJECTED = "REJECTED"
    """The file could not be taken."""
    EXPIRED = "EXPIRED"
    """The upload was given up or never completed."""


class Variant(TypedDict):
    name: str
    width: int
    height: int
    format: ImageFormat
    size_bytes: int


class Media(TypedDict):
    """`folder` begins with `public/` or `private/`: who may fetch is decided by where it lies.

    `main` is the file `url` gives when asked for nothing else, `thumb` the one for lists; `mime` and
    `size_bytes` are the main file's, `source_bytes` and `sha256` those of what was uploaded.
    """

    _id: str
    owner_id: str
    purpose: str
    kind: MediaKind
    mime: str
    size_bytes: int
    source_bytes: int
    sha256: str
    width: int | None
    height: int | None
    duration_ms: int | None
    alt_text: str | None
    file_name: str
    folder: str
    public_wanted: NotRequired[bool]
    """True if it is to have a public URL, as last requested; a job moves it."""
    former_folders: NotRequired[list[str]]
    """Former folders: their old URLs go on for an hour."""
    main: str
    thumb: str | None
    variants: list[Variant]
    hls: str | None
    animation: NotRequired[Animation]
    """Missing in media stored before animations were supported."""
    placeholder: str | None
    dominant_color: str | None
    ref_count: int
    touched_at: datetime
    created_at: datetime


class Upload(Row):
    """Upload; `record_id` is the record that uses it, `media_id` the medium made from it."""

    owner_id: str
    purpose: str
    file_name: str
    mime: str
    size_bytes: int
    sha256: str | None
    status: UploadStatus
    method: UploadMethod
    part_size_bytes: int
    part_count: int
    media_id: str | None
    record_id: str | None
    alt_text: str | None
    failure: UploadFailure | None
    folder: str | None
    tries: int
    expires_at: datetime | None


class Attachment(TypedDict):
    """Attachment, embedded in the record that shows it; its status is read from the upload."""

    upload_id: str
    kind: MediaKind
    file_name: str
    alt_text: str | None


class Link(TypedDict):
    """Link: a record that shows a medium; `_id` is `medium|record`."""

    _id: str
    media_id: str
    record_id: str
    public: NotRequired[bool]
    """True if everybody may see the record; links of earlier versions do not say."""
    created_at: datetime


SENDING = (UploadStatus.PENDING, UploadStatus.UPLOADING)
WORKING = (UploadStatus.UPLOADED, UploadStatus.SCANNING, UploadStatus.PROCESSING)
FINAL = (UploadStatus.READY, UploadStatus.REJECTED, UploadStatus.CANCELED, UploadStatus.EXPIRED)
MOST_LINKS = 100
"""Records asked whether they show a medium to somebody."""

media = collection(
    "media",
    Media,
    prefix="media",
    indexes=[
        index("owner_id", "-created_at"),
        index("owner_id", "sha256", "purpose"),
        index("ref_count", "touched_at"),
    ],
)


def upload_scopes(upload: Upload) -> list[str]:
    """Scope of an upload: its owner's devices; none once it is given up."""
    return [] if upload["status"] == UploadStatus.CANCELED else [user_scope(upload["owner_id"])]


uploads = entity(
    "uploads",
    Upload,
    prefix="upload",
    owner="owner_id",
    scopes=upload_scopes,
    audience_never_shrinks=True,
    indexes=[
        index("owner_id", "status", "-created_at", "-_id"),
        index("owner_id", "-created_at", "-_id"),
        # Whole, not partial by `$type`: the planner would not see that they serve.
        index("record_id", "_id"),
        index("media_id", "_id"),
        index("expires_at", "_id"),
    ],
    moves=Moves(
        {
            UploadStatus.PENDING: {
                UploadStatus.UPLOADING,
                UploadStatus.UPLOADED,
                UploadStatus.REJECTED,
                UploadStatus.CANCELED,
                UploadStatus.EXPIRED,
            },
            UploadStatus.UPLOADING: {
                UploadStatus.UPLOADED,
                UploadStatus.REJECTED,
                UploadStatus.CANCELED,
                UploadStatus.EXPIRED,
            },
            UploadStatus.UPLOADED: {UploadStatus.SCANNING, UploadStatus.REJECTED},
            UploadStatus.SCANNING: {UploadStatus.PROCESSING, UploadStatus.REJECTED},
            UploadStatus.PROCESSING: {UploadStatus.SCANNING, UploadStatus.READY, UploadStatus.REJECTED},
            UploadStatus.READY: {UploadStatus.REJECTED},
            UploadStatus.REJECTED: (),
            UploadStatus.CANCELED: (),
            UploadStatus.EXPIRED: (),
        }
    ),
)
links = collection(
    "media_links", Link, indexes=[index("media_id", "-created_at"), index("record_id")], shard_key="media_id"
)


def link_id(media_id: str, record_id: str) -> str:
    return f"{media_id}|{record_id}"


def sent_since(owner_id: str, since: datetime, uncounted: Sequence[str]) -> dict[str, Any]:
    """Query of a person's uploads since then that were sent, not reused, for other purposes than these."""
    sent: dict[str, Any] = {"owner_id": owner_id, "created_at": {"$gt": since}, "part_count": {"$gt": 0}}
    return {**sent, "purpose": {"$nin": list(uncounted)}}


async def bytes_since(db: Database, owner_id: str, since: datetime, uncounted: Sequence[str]) -> int:
    """Bytes a person declared for uploads since then; reuse of an earlier file is free."""
    rows = await db.aggregate(
        uploads.name,
        [
            {"$match": sent_since(owner_id, since, uncounted)},
            {"$group": {"_id": None, "total": {"$sum": "$size_bytes"}}},
        ],
    )
    return int(rows[0]["total"]) if rows else 0


async def equal(
    db: Database, owner_id: str, purpose: str, kind: MediaKind, sha256: str, size: int
) -> Media | None:
    """The owner's medium made from the same file for the same purpose."""
    same = {"owner_id": owner_id, "sha256": sha256, "purpose": purpose}
    return await media.first(db, {**same, "kind": kind, "source_bytes": size})
