"""Media, as clients see them."""

from datetime import datetime

from core.binding import derived, extend, field, local, node, one, told, type_
from core.binding.common import URL, Node
from loaders.media import MediaById
from ports.media import Animation
from resolvers import media
from schema.auth import User
from stores.media import ImageFormat, MediaKind


@type_
class MediaVariant:
    """A picture in one size and format."""

    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    format: ImageFormat
    """How it is encoded."""
    url: URL = local(media.variant_url, "folder", "name")
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
    file_name: str | None
    """What its owner called it; null when it had no name."""
    url: URL = local(
        media.url,
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
    thumbnail_url: URL | None = local(media.thumbnail_url, "folder", "thumb")
    """A small version for lists, 320 pixels wide, profile pictures 96; null for files."""
    poster_url: URL | None = local(media.poster_url, "kind", "folder", "variants")
    """A film's picture to show until it plays; null for pictures and files."""
    hls_url: URL | None = local(media.hls_url, "folder", "hls")
    """A film's HLS playlist, in up to three sizes; null for pictures and files."""
    placeholder: str | None
    """BlurHash: what to draw until the picture is there; null for files."""
    dominant_color: str | None
    """Its main colour as `#rrggbb`: paint it until the picture is there; null for files."""
    variants: list[MediaVariant] = derived(media.variants, "folder", "variants")
    """All sizes and formats of a picture or poster, narrowest first; empty for files."""
    animation: Animation = derived(media.animation, "animation")
    """Whether a picture moves, and whether it still does."""
    url_expires_at: datetime | None = local(media.url_expires_at, "folder")
    """When the addresses in this answer end: read them again by then. Null when they stay."""
    created_at: datetime
    """When it was made."""


@extend(User)
class Avatar:
    avatar: Media | None = one(MediaById, key="avatar_id")
    """Profile picture; null when none."""
    avatar_thumb_url: URL | None = told(
        field(media.avatar_thumb_url, together=media.avatar_thumb_urls, needs=["avatar_id"]), "media"
    )
    """Where to fetch it 96 pixels wide, for lists; null when none."""
    avatar_full_url: URL | None = told(
        field(media.avatar_full_url, together=media.avatar_full_urls, needs=["avatar_id"]), "media"
    )
    """Where to fetch it up to 1,024 pixels wide; null when none."""
