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
    """Rendition of a picture: one size and format of it."""

    width: int
    """Width of the rendition in pixels."""
    height: int
    """Height of the rendition in pixels."""
    format: ImageFormat
    """Format in which the rendition is encoded."""
    url: URL = local(media_urls.variant_url, "folder", "purpose", "name")
    """URL to fetch the rendition from; ends at `urlExpiresAt` of the medium."""
    size_bytes: int
    """Size of the rendition in bytes."""


@node("media")
class Media(Node):
    """Medium: a picture, film or file that is ready to show, without the metadata it was uploaded with."""

    kind: MediaKind
    """Kind of the medium: picture, film or other file."""
    mime_type: str = key("mime")
    """MIME type of the file at `url`: `image/webp`."""
    size_bytes: int
    """Size of the file at `url` in bytes."""
    width: int | None
    """Width of the picture or film in pixels; null for files."""
    height: int | None
    """Height of the picture or film in pixels; null for files."""
    duration_ms: int | None
    """Duration of a film in milliseconds; null for pictures and files."""
    alt_text: str | None
    """Alternative text that says what it shows, for those who cannot see it; null when there is none."""
    original_file_name: str | None = key("file_name")
    """Name of the file that the medium was made from; null when the file had no name."""
    url: URL = local(
        media_urls.url,
        "kind",
        "folder",
        "purpose",
        "main",
        given={"width": ["variants"], "format": ["variants"]},
        width="Width of the view in layout pixels, 1 to 100,000; the widest variant when left out.",
        dpr="Device pixels per layout pixel, more than 0 and at most 10.",
        format="Format to prefer for a picture; WebP when the picture is not kept in it, or when left out.",
    )
    """URL to fetch the medium from: of pictures the nearest rendition not narrower than `width` times `dpr`,
    else the widest. The URL of a public medium stays; others end at `urlExpiresAt`."""
    thumbnail_url: URL | None = local(media_urls.thumbnail_url, "folder", "purpose", "thumb")
    """URL of a small version for lists, 320 pixels wide, of profile pictures 96; null for files."""
    poster_url: URL | None = local(media_urls.poster_url, "kind", "folder", "purpose", "variants")
    """URL of the picture to show until a film plays; null for pictures and files."""
    hls_url: URL | None = local(media_urls.hls_url, "folder", "purpose", "hls")
    """URL of the HLS playlist of a film, in up to three sizes; null for pictures and files."""
    placeholder: str | None
    """BlurHash to draw until the picture is there; null for files."""
    dominant_color: str | None
    """Dominant color of the picture as `#rrggbb`, to paint until the picture is there; null for files."""
    renditions: list[MediaRendition] = derived(media_urls.variants, "folder", "purpose", "variants")
    """Renditions of a picture or poster, one of each size and format, narrowest first; empty for files."""
    animation: Animation = derived(media_urls.animation, "animation")
    """Animation of a picture: whether it moves, and still does after processing."""
    url_expires_at: datetime | None = local(media_urls.url_expires_at, "folder", "purpose")
    """Time at which the URLs of this answer end, to be read again before; null for public media, whose URLs
    stay."""
    created_at: datetime
    """Time when the medium was made from its upload."""


@extend(User)
class Avatar:
    avatar: Media | None = one(MediaById, key="avatar_id")
    """Profile picture of the person; null when there is none."""
    avatar_thumbnail_url: URL | None = told(
        batched(media_urls.avatar_thumbnail_urls, reads=["avatar_id"]), "media"
    )
    """URL of the profile picture, 96 pixels wide, for lists; null when there is none."""
    avatar_full_url: URL | None = told(batched(media_urls.avatar_full_urls, reads=["avatar_id"]), "media")
    """URL of the profile picture, up to 1,024 pixels wide; null when there is none."""


@type_
class HttpHeader:
    """HTTP header to send with a request."""

    name: str
    """Name of the HTTP header."""
    value: str
    """Value of the HTTP header."""


@type_
class UploadPart:
    """Part of a file that is being uploaded."""

    number: int
    """Number of the part in the file, from 1."""
    url: URL | None
    """Presigned URL to PUT the bytes to; null when the part has arrived or its turn has not come:
    `requestUploadPartUrls` gives one."""
    headers: list[HttpHeader]
    """HTTP headers to send with the PUT, one of each name."""
    url_expires_at: datetime | None
    """Time at which the URL ends, 15 minutes from now; null without a URL."""
    received: bool
    """True if the part has arrived whole."""
    etag: str | None
    """ETag of the part, to name in `completeUpload`; null until the part has arrived."""


@node("upload")
class Upload(Entity):
    """Upload: a file on its way, or what became of it; for its owner alone."""

    purpose: UploadPurpose  # type: ignore[valid-type]
    """Purpose that the file was uploaded for."""
    file_name: str
    """Name of the file, as the owner's device told it."""
    mime_type: str = key("mime")
    """MIME type that was declared: `image/jpeg`."""
    size_bytes: int
    """Size of the file in bytes, as declared."""
    sha256: str | None
    """SHA-256 of the file in hexadecimal, as declared; null when not told."""
    status: UploadStatus
    """Status of the upload in its life."""
    method: UploadMethod
    """Method by which the file is sent: in one PUT, or in parts."""
    part_size_bytes: int
    """Size of every part but the last, which may be smaller."""
    part_count: int
    """Number of parts of the file; 0 when an equal file was there already and nothing is to be sent."""
    parts: list[UploadPart] = dated(
        field(receiving.parts),
        "Parts arrive without an event, and URLs end: read this again before you send.",
    )
    """Parts of the file while it is being sent, by number. The first 20 that have not arrived have URLs."""
    received_bytes: int = dated(field(receiving.received_bytes), "Parts arrive without an event.")
    """Number of bytes in the parts that have arrived whole."""
    progress_percent: int = dated(field(receiving.progress_percent), "Parts arrive without an event.")
    """Share of the bytes that have arrived, 0 to 100; 100 only when all have."""
    processed_media: Media | None = one(MediaById, key="media_id")
    """Medium that the file became; null until the upload is READY."""
    failure: UploadFailure | None
    """Reason for the rejection; null unless the upload is REJECTED."""
    kept_until: datetime | None = key("expires_at")
    """Time at which the upload is forgotten unless it is completed or used; null when it is in use."""


@type_
class Attachment:
    """Attachment: a picture, film or file of a record, such as a message."""

    kind: MediaKind
    """Kind of the medium that the attachment shows."""
    media: Media | None = told(one(MediaByUpload, key="upload_id"), "uploads", "media")
    """Medium that the attachment shows; null unless the attachment is READY."""
    upload: Upload | None = told(one(OwnUploadById, key="upload_id"), "uploads")
    """Upload that the attachment waits for; null unless it is yours."""
    status: AttachmentStatus = dated(
        one(AttachmentStatusByUpload, key="upload_id"),
        "READY, REJECTED and EXPIRED come as events; PENDING and PROCESSING are as when this was read.",
    )
    """Status of the attachment, which follows its upload."""
    file_name: str
    """Name of the file, as the sender's device told it."""
    alt_text: str | None
    """Alternative text that says what it shows, for those who cannot see it; null when there is none."""


@input_
class AttachmentInput:
    """File to attach, whose upload may be unfinished."""

    upload_id: Id
    """Id of an upload of yours, made for this purpose and not used before."""
    alt_text: Line | None
    """Alternative text that says what it shows, for those who cannot see it; cut to 1,000
    characters."""


@input_
class UploadedPartInput:
    """Part of a file, as it was sent."""

    number: int
    """Number of the part, from 1."""
    etag: str
    """ETag header that answered the PUT: proves that what arrived last is what was sent last."""
