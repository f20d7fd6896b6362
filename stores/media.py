"""Pictures and films that are ready to show."""

from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from core.store import collection, index


class MediaKind(StrEnum):
    """What a medium is."""

    IMAGE = "IMAGE"
    """A picture."""
    VIDEO = "VIDEO"
    """A film."""
    FILE = "FILE"
    """Anything else."""


class Media(TypedDict):
    _id: str
    owner_id: str
    kind: MediaKind
    mime: str
    size_bytes: int
    width: int | None
    height: int | None
    alt_text: str | None
    file_name: str
    thumbnail_file_name: str | None
    dominant_color: str | None
    created_at: datetime


media = collection("media", Media, prefix="media", indexes=[index("owner_id", "-created_at")])
