"""Where media can be fetched."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Context
from core.nodes import door
from loaders.media import MediaById
from stores.media import Media

Document = Mapping[str, Any]


@door("media")
async def ready_media(ctx: Context, wanted: Sequence[str]) -> Sequence[Media | None]:
    """Media are found by unguessable names; what shows them guards them."""
    return await ctx.load_many(MediaById, wanted)


def url(ctx: Context, media: Document) -> str:
    return ctx.services.media.url(media["file_name"], origin=ctx.origin)


def thumbnail_url(ctx: Context, media: Document) -> str | None:
    name = media.get("thumbnail_file_name")
    return ctx.services.media.url(name, origin=ctx.origin) if name else None
