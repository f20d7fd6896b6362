"""Uploads and attachments, as clients see them."""

import enum as enums
from datetime import datetime

from core import discovery
from core.binding import dated, field, input_, node, one, told, type_
from core.binding.common import URL, Connection, Edge, Entity, MutationInput, Payload
from core.binding.enums import described
from core.ids import Id
from core.text import FileName, Line
from core.uploads import PURPOSES
from loaders.media import AttachmentStatusByUpload, MediaById, MediaByUpload, OwnUploadById
from resolvers import media
from schema.media.types import Media
from stores.media import AttachmentStatus, MediaKind, UploadFailure, UploadMethod, UploadStatus

# Every system names its own purposes where it resolves: read them all first.
discovery.rooms("resolvers")
UploadPurpose = described(
    enums.StrEnum("UploadPurpose", {name: name for name in sorted(PURPOSES)}),
    "What an upload is for; it decides what is taken, and how large.",
    {each.name: each.description for each in PURPOSES.values()},
)


@type_
class Header:
    """A header to send."""

    name: str
    """Its name."""
    value: str
    """Its value."""


@type_
class UploadPart:
    """A piece of a file on its way."""

    number: int
    """Its place in the file, from 1."""
    url: URL | None
    """Where to PUT its bytes; null when it need not be sent yet: `signUploadParts` gives it."""
    headers: list[Header]
    """What to send with it."""
    url_expires_at: datetime | None
    """When the URL dies, 15 minutes from now; null without URL."""
    received: bool
    """Whether it has arrived whole."""
    etag: str | None
    """What the store calls it, to name in `completeUpload`; null until it has arrived."""


@node("upload")
class Upload(Entity):
    """A file on its way, or what became of it. Its owner alone sees it."""

    purpose: UploadPurpose  # type: ignore[valid-type]
    """What it is for."""
    file_name: str
    """What its owner calls it."""
    mime: str
    """Its declared type: `image/jpeg`."""
    size_bytes: int
    """Its declared size in bytes."""
    sha256: str | None
    """Its declared SHA-256 in hexadecimal; null when not told."""
    status: UploadStatus
    """Where it is in its life."""
    method: UploadMethod
    """Whether it is sent in one piece or several."""
    part_size_bytes: int
    """Size of every part but the last, which may be smaller."""
    part_count: int
    """How many parts there are; 0 when an equal file was there already and nothing is to be sent."""
    parts: list[UploadPart] = dated(
        field(
            media.parts, pending="True: those that have not arrived. False: those that have. Left out: all."
        ),
        "Parts arrive without a word, and addresses end: read it again before you send.",
    )
    """Its parts while it is being sent. The first 20 that have not arrived have URLs."""
    bytes_received: int = dated(field(media.bytes_received), "Parts arrive without a word.")
    """Bytes of the parts that have arrived whole."""
    progress: float = dated(field(media.progress), "Parts arrive without a word.")
    """The same as a fraction, 0 to 1."""
    media: Media | None = one(MediaById, key="media_id")
    """What became of it; null until it is READY."""
    failure: UploadFailure | None
    """Why it was rejected; null otherwise."""
    expires_at: datetime | None
    """When it is forgotten unless it is completed, or used; null when it is in use."""


@type_
class Attachment:
    """A picture, film or file of a record: a message, a note."""

    id: Id
    """Its id."""
    kind: MediaKind
    """What it is."""
    media: Media | None = told(one(MediaByUpload, key="upload_id"), "uploads", "media")
    """The medium; null until it is READY."""
    upload: Upload | None = told(one(OwnUploadById, key="upload_id"), "uploads")
    """The upload it waits for; null unless it is yours."""
    status: AttachmentStatus = dated(
        one(AttachmentStatusByUpload, key="upload_id"),
        "READY, REJECTED and EXPIRED are told; PENDING and PROCESSING are as when it was read.",
    )
    """Where it is: it follows its upload."""
    file_name: str
    """What its sender called it."""
    alt_text: str | None
    """What it shows, for those who cannot see it; null when not told."""


@input_
class AttachmentInput:
    """A file to attach; its upload may be unfinished."""

    id: Id | None
    """The attachment's id, if you mint one."""
    upload_id: Id
    """Your upload, for this purpose and not used before."""
    alt_text: Line | None
    """What it shows, for those who cannot see it; cut to 1,000 characters."""


@type_
class UploadEdge(Edge):
    """An upload and its place in the list."""

    node: Upload
    """The upload."""


@type_
class UploadConnection(Connection):
    """A page of uploads."""

    edges: list[UploadEdge]
    """The uploads of this page."""


@input_
class CreateUploadInput(MutationInput):
    """A file you will send."""

    id: Id | None
    """The upload's id, if you mint one so that queued actions can name it."""
    purpose: UploadPurpose  # type: ignore[valid-type]
    """What it is for."""
    file_name: FileName
    """Its name, with an extension that fits its type."""
    mime: str
    """Its type: `image/jpeg`. Its bytes must be of it. Other names of it, such as `image/jpg`, and parameters
    are taken for it."""
    size_bytes: int
    """Its exact size in bytes."""
    sha256: str | None
    """Its SHA-256 in hexadecimal: it proves an undamaged arrival, and spares sending what you sent before."""
    width: int | None
    """A picture's width in pixels, if you know it: one that is too large to be shown is refused before it is
    sent."""
    height: int | None
    """Its height likewise."""


@type_
class CreateUploadPayload(Payload):
    """Where to send the file."""

    upload: Upload | None
    """The upload with its parts; null when refused."""


@input_
class SignUploadPartsInput(MutationInput):
    """Parts to send whose URLs have died, or were not given yet."""

    upload_id: Id
    """The upload."""
    numbers: list[int]
    """Their numbers, at most 100."""


@type_
class SignUploadPartsPayload(Payload):
    """Fresh URLs."""

    upload: Upload | None
    """The upload; these parts have URLs. What has arrived stays."""


@input_
class UploadedPartInput:
    """A part as you sent it."""

    number: int
    """Its number."""
    etag: str
    """The `ETag` that answered your PUT: tells whether what arrived last is what you sent last."""


@input_
class CompleteUploadInput(MutationInput):
    """All parts have been sent."""

    upload_id: Id
    """The upload."""
    parts: list[UploadedPartInput] = []
    """The parts with their ETags; those left out are taken as they arrived."""
    sha256: str | None
    """Its SHA-256 in hexadecimal, if `createUpload` did not have it."""


@type_
class CompleteUploadPayload(Payload):
    """The upload is being looked at."""

    upload: Upload | None
    """The upload, UPLOADED; with UPLOAD_INCOMPLETE as it is."""
    missing_parts: list[int] | None
    """Parts that have not arrived; null unless UPLOAD_INCOMPLETE."""


@input_
class AbortUploadInput(MutationInput):
    """An upload to give up."""

    upload_id: Id
    """The upload."""


@type_
class AbortUploadPayload(Payload):
    """The upload is given up."""

    deleted_upload_id: Id | None
    """Take it out of your lists."""
