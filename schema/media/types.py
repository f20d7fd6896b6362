"""Uploads, media and attachments, as clients see them."""

from datetime import datetime

from core import discovery
from core.graphql import batched, dated, derived, extend, field, input_, key, local, node, one, told, type_
from core.graphql.common import URL, Entity, Node
from core.graphql.enums import declared_enum
from core.ids import Id
from core.uploads import PURPOSES
from core.values.text import Line
from loaders.media import AttachmentStatusByUpload, MediaById, MediaByUpload, OwnUploadById
from ports.media import Animation
from resolvers.media import media_urls, receiving
from schema.auth import User
from stores.media import AttachmentStatus, ImageFormat, MediaKind, UploadFailure, UploadMethod, UploadStatus

# Every system names its own purposes where it resolves: read them all first.
discovery.systems("resolvers")
UploadPurpose = declared_enum(
    "UploadPurpose",
    "Purpose of an upload, which decides the types and sizes that are taken.",
    {each.name: each.description for each in PURPOSES.values()},
)


@type_
class MediaRendition:
    """A rendition of a picture: one size and format of it."""

    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    format: ImageFormat
    """How it is encoded."""
    url: URL = local(media_urls.variant_url, "folder", "name")
    """Where to fetch it."""
    size_bytes: int
    """Size of the file in bytes."""


@node("media")
class Media(Node):
    """A picture, film or file that is ready to show, without the metadata it was uploaded with."""

    kind: MediaKind
    """What it is."""
    mime: str
    """Type of the file at `url`: `image/webp`."""
    size_bytes: int
    """Size of that file in bytes."""
    width: int | None
    """Width in pixels; null for files."""
    height: int | None
    """Height in pixels; null for files."""
    duration_ms: int | None
    """Length of a film in milliseconds; null for pictures and files."""
    alt_text: str | None
    """What it shows, for those who cannot see it; null when not told."""
    original_file_name: str | None = key("file_name")
    """Name of the file that the medium was made from; null when the file had no name."""
    url: URL = local(
        media_urls.url,
        "kind",
        "folder",
        "main",
        given={"width": ["variants"], "format": ["variants"]},
        width="Width in pixels it will be shown at; left out: the widest.",
        dpr="Pixels of the screen per pixel of layout.",
        format="How it is to be encoded; WebP where it is not kept so, or left out.",
    )
    """Where to fetch it: of pictures the nearest variant not narrower than `width` times `dpr`, else the
    widest. Public media have an address that stays; the others one that ends at `urlExpiresAt`."""
    thumbnail_url: URL | None = local(media_urls.thumbnail_url, "folder", "thumb")
    """A small version for lists, 320 pixels wide, profile pictures 96; null for files."""
    poster_url: URL | None = local(media_urls.poster_url, "kind", "folder", "variants")
    """A film's picture to show until it plays; null for pictures and files."""
    hls_url: URL | None = local(media_urls.hls_url, "folder", "hls")
    """A film's HLS playlist, in up to three sizes; null for pictures and files."""
    placeholder: str | None
    """BlurHash: what to draw until the picture is there; null for files."""
    dominant_color: str | None
    """Its main colour as `#rrggbb`: paint it until the picture is there; null for files."""
    renditions: list[MediaRendition] = derived(media_urls.variants, "folder", "variants")
    """Renditions of a picture or poster in all sizes and formats, narrowest first; empty for files."""
    animation: Animation = derived(media_urls.animation, "animation")
    """Whether a picture moves, and whether it still does."""
    url_expires_at: datetime | None = local(media_urls.url_expires_at, "folder")
    """When the addresses in this answer end: read them again by then. Null when they stay."""
    created_at: datetime
    """When it was made."""


@extend(User)
class Avatar:
    avatar: Media | None = one(MediaById, key="avatar_id")
    """Profile picture; null when none."""
    avatar_thumb_url: URL | None = told(batched(media_urls.avatar_thumb_urls, reads=["avatar_id"]), "media")
    """Where to fetch it 96 pixels wide, for lists; null when none."""
    avatar_full_url: URL | None = told(batched(media_urls.avatar_full_urls, reads=["avatar_id"]), "media")
    """Where to fetch it up to 1,024 pixels wide; null when none."""


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
    """Where to PUT its bytes; null when it need not be sent yet: `requestUploadPartUrls` gives it."""
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
        field(receiving.parts),
        "Parts arrive without a word, and addresses end: read it again before you send.",
    )
    """Parts of the file while it is being sent, by number. The first 20 that have not arrived have URLs."""
    bytes_received: int = dated(field(receiving.bytes_received), "Parts arrive without a word.")
    """Bytes of the parts that have arrived whole."""
    progress: float = dated(field(receiving.progress), "Parts arrive without a word.")
    """The same as a fraction, 0 to 1."""
    processed_media: Media | None = one(MediaById, key="media_id")
    """Medium that the file became; null until the upload is READY."""
    failure: UploadFailure | None
    """Why it was rejected; null otherwise."""
    kept_until: datetime | None = key("expires_at")
    """Time at which the upload is forgotten unless it is completed or used; null when it is in use."""


@type_
class Attachment:
    """A picture, film or file of a record: a message, a note."""

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

    upload_id: Id
    """Your upload, for this purpose and not used before."""
    alt_text: Line | None
    """What it shows, for those who cannot see it; cut to 1,000 characters."""


@input_
class UploadedPartInput:
    """A part as you sent it."""

    number: int
    """Its number."""
    etag: str
    """The `ETag` that answered your PUT: tells whether what arrived last is what you sent last."""
