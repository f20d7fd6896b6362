"""Media URLs: stable ones for public media, signed ones for private media."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from core import clock
from core.context import Context
from core.errors import BadUserInput
from core.uploads import PURPOSES
from loaders.media import MediaById
from ports.media import Animation, MediaSettings
from stores.media import ImageFormat, MediaKind

Document = Mapping[str, Any]

LIFE = timedelta(hours=1)
STEP, SHORT_STEP = 300, 60
"""Seconds between changes of signed URLs, so that phones find fetched files in their cache."""
WIDEST = 100_000
PUBLIC, PRIVATE = "public/", "private/"
SEGMENT = r"[\w\-][\w.\- ]{0,119}"
QUOTED = lru_cache(1_000)(quote)
"""Cached quoting: most media have the same few names."""
PATH = re.compile(rf"(?:public|private)/[a-z0-9]{{26}}(?:/{SEGMENT}){{1,3}}")


def expiry(life: timedelta = LIFE) -> int:
    """Expiry of a URL signed now, in seconds since the epoch: its life ahead, and a step at most."""
    step = STEP if life >= LIFE else SHORT_STEP
    return (int(clock.timestamp()) // step + 1) * step + int(life.total_seconds())


def life_of(media: Document) -> timedelta:
    """Time for which signed URLs of a medium are good, by what it was uploaded for."""
    declared = PURPOSES.get(media["purpose"])
    return timedelta(seconds=declared.url_seconds) if declared else LIFE


def address(ctx: Context, media: Document, name: str) -> str:
    """URL of a file of a medium."""
    folder = media["folder"]
    if folder.startswith(PUBLIC):
        base = _public_base(ctx.services.get(MediaSettings).media_url, ctx.origin)
        return f"{base}/{folder}/{QUOTED(name)}"
    ends = expiry(life_of(media))
    if not name.startswith("hls/"):
        # Playlists name their segments beside themselves: those come with our own, signed by the folder.
        direct = ctx.services.objects.direct_url(f"{folder}/{name}", expires_at=_moment(ends))
        if direct is not None:
            return direct
    signature = ctx.services.signer.link("get", folder, ends)
    return f"{ctx.origin}/media/{ends}-{signature}/{folder}/{QUOTED(name)}"


@lru_cache(1_000)
def _public_base(media_url: str, own: str) -> str:
    return media_url.rstrip("/") or f"{own.rstrip('/')}/media"


def opened(ctx: Context, path: str) -> tuple[str, int | None] | None:
    """Object and expiry (None: never) of a URL; None if we did not issue it."""
    head, _, rest = path.partition("/")
    if head == "public":
        return (path, None) if PATH.fullmatch(path) else None
    ends, _, signature = head.partition("-")
    if not PATH.fullmatch(rest) or not rest.startswith(PRIVATE) or not ends.isdecimal() or len(ends) > 12:
        return None
    folder = "/".join(rest.split("/")[:2])
    fresh = int(ends) > clock.timestamp()
    return (rest, int(ends)) if fresh and ctx.services.signer.linked(signature, "get", folder, ends) else None


def url(
    ctx: Context,
    media: Document,
    *,
    width: int | None = None,
    dpr: float = 1,
    format: ImageFormat | None = None,
) -> str:
    """URL of the nearest variant not narrower than `width` times `dpr`, else of the widest."""
    if media["kind"] != MediaKind.IMAGE or (width is None and format is None):
        return address(ctx, media, media["main"])
    if (width is not None and not 0 < width <= WIDEST) or not 0 < dpr <= 10:
        raise BadUserInput("`width` must be between 1 and 100,000 and `dpr` between 0 and 10.")
    variant = nearest(media["variants"], None if width is None else width * dpr, format)
    return address(ctx, media, variant["name"])


def nearest(variants: Sequence[Document], width: float | None, format: ImageFormat | None) -> Document:
    """Nearest variant in the requested format if there is one, else WebP; they are kept in order of width."""
    args = [each for each in variants if each["format"] == format]
    alike = args or [each for each in variants if each["format"] == ImageFormat.WEBP]
    wide = [each for each in alike if width is not None and each["width"] >= width]
    return wide[0] if wide else alike[-1]


def thumbnail_url(ctx: Context, media: Document) -> str | None:
    name = media["thumb"]
    return address(ctx, media, name) if name else None


async def avatar_thumbnail_urls(ctx: Context, users: Sequence[Document]) -> list[str | None]:
    return [each and thumbnail_url(ctx, each) for each in await _avatars(ctx, users)]


async def avatar_full_urls(ctx: Context, users: Sequence[Document]) -> list[str | None]:
    return [each and address(ctx, each, each["main"]) for each in await _avatars(ctx, users)]


async def _avatars(ctx: Context, users: Sequence[Document]) -> list[Any]:
    wanted = list(dict.fromkeys(id for user in users if (id := user.get("avatar_id"))))
    found = dict(zip(wanted, await ctx.load_level(MediaById, wanted), strict=True)) if wanted else {}
    return [found.get(user.get("avatar_id") or "") for user in users]


def poster_url(ctx: Context, media: Document) -> str | None:
    if media["kind"] != MediaKind.VIDEO or not media.get("variants"):
        return None
    return address(ctx, media, nearest(media["variants"], None, None)["name"])


def hls_url(ctx: Context, media: Document) -> str | None:
    name = media.get("hls")
    return address(ctx, media, name) if name else None


def url_expires_at(ctx: Context, media: Document) -> datetime | None:
    return None if media["folder"].startswith(PUBLIC) else _moment(expiry(life_of(media)))


def animation(media: Document) -> Animation:
    return Animation(media.get("animation") or Animation.NONE)


def variants(media: Document) -> list[dict[str, Any]]:
    """Variants of a medium, with the folder they lie in, and what it was uploaded for."""
    place = {"folder": media["folder"], "purpose": media["purpose"]}
    return [{**each, **place} for each in media.get("variants") or ()]


def variant_url(ctx: Context, variant: Document) -> str:
    return address(ctx, variant, variant["name"])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
