"""Media, as clients see them."""

from datetime import datetime

from core.binding import enum, extend, local, node, one
from core.binding.common import URL, Node
from loaders.media import MediaById
from resolvers import media
from schema.auth import User
from stores.media import MediaKind

enum(MediaKind)


@node("media")
class Media(Node):
    """A picture, film or file that is ready to show."""

    kind: MediaKind
    """What it is."""
    mime: str
    """Its type: `image/webp`."""
    size_bytes: int
    """Size of the file in bytes."""
    width: int | None
    """Width in pixels; null for files."""
    height: int | None
    """Height in pixels; null for files."""
    alt_text: str | None
    """What it shows, for those who cannot see it; null when not told."""
    url: URL = local(media.url, "file_name")
    """Where to fetch it."""
    thumbnail_url: URL | None = local(media.thumbnail_url, "thumbnail_file_name")
    """A small version; null when there is none."""
    dominant_color: str | None
    """Its main colour as `#rrggbb`: paint it until the picture is there."""
    created_at: datetime
    """When it was made."""


@extend(User)
class Avatar:
    avatar: Media | None = one(MediaById, key="avatar_id")
    """Profile picture; null when none."""
