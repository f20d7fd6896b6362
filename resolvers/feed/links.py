"""Link previews: fetched in the background, and never from internal addresses (SSRF protection)."""

from typing import Any
from urllib.parse import urlsplit

import structlog

from core import jobs
from core.context import Context, Services
from core.errors import UserError
from core.uploads import MIB, Purpose
from ports.feed import Previewer, Unfetchable
from ports.media import Unreadable
from resolvers import media
from resolvers.feed import retelling
from resolvers.feed.access import open_to_all
from stores import feed as store

logger = structlog.get_logger(__name__)


LONGEST_URL = 2_000
PICTURE = Purpose("LINK_PREVIEW", "The picture of a link's preview.", image=MIB, widths=(320, 640, 1080))
"""Purpose of preview pictures. Nobody uploads them: it is not among the declared purposes."""


class Previews:
    """Preview fetcher of this process; None where links are not followed."""

    def __init__(self, previewer: Previewer | None) -> None:
        self.previewer = previewer


def checked_url(url: str | None) -> str | None:
    """The URL, if it is one that could be followed."""
    if url is None or not url.strip():
        return None
    text = url.strip()
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= LONGEST_URL
        fine = fine and not parts.username and not parts.password and (parts.port or 80) > 0
    except ValueError:
        fine = False
    if not fine or any(character.isspace() or ord(character) < 32 for character in text):
        raise UserError(
            "INVALID_FORMAT",
            "Give an http or https address of at most {limit} characters.",
            field=["linkUrl"],
            limit=LONGEST_URL,
        )
    return text


async def fetch(services: Services, *, post_id: str) -> None:
    """Fetch a post's link and store its preview; a post does as well without one."""
    post = await store.posts.by_id(services.db, post_id)
    previewer = services.get(Previews).previewer
    if post is None or previewer is None or not post.get("link_url"):
        return
    try:
        preview = await previewer.preview(post["link_url"])
    except Unfetchable as problem:
        logger.info("link not previewed", reason=str(problem))
        return
    ctx = Context(services)

    async def keep() -> None:
        link: dict[str, Any] = {"url": post["link_url"], **preview._asdict(), "image_id": None}
        kept = await _kept(ctx, post_id, {"link": link}, {"link_url": post["link_url"], "link": None})
        if kept and preview.image_url is not None:
            await jobs.enqueue(ctx.tx, "feed.fetch_link_picture", post_id=post_id)

    await ctx.unit(keep)


async def _kept(ctx: Context, post_id: str, change: dict[str, Any], where: dict[str, Any]) -> bool:
    changed = await ctx.tx.update(store.posts, post_id, set=change, where=where)
    if changed is not None:
        await retelling.post_changed(ctx, changed, changed)
    return changed is not None


async def fetch_picture(services: Services, *, post_id: str) -> None:
    """Fetch the preview's picture, and make it a medium of the post."""
    post = await store.posts.by_id(services.db, post_id)
    previewer = services.get(Previews).previewer
    link = post and post.get("link")
    if post is None or previewer is None or not link or link.get("image_id") or not link.get("image_url"):
        return
    ctx = Context(services)

    async def keep(media_id: str) -> bool:
        audience = {"visibility": post["visibility"], "state": post["state"]}
        where = {"link.image_url": link["image_url"], "link.image_id": None, **audience}
        return await _kept(ctx, post_id, {"link.image_id": media_id}, where)

    try:
        found = await previewer.picture(link["image_url"])
        await media.adopt(
            ctx,
            found.body,
            mime=found.mime,
            args=PICTURE,
            owner_id=post["author_id"],
            record_id=post_id,
            public=open_to_all(post),
            keep=keep,
        )
    except (Unfetchable, Unreadable) as problem:
        logger.info("link's picture not shown", reason=str(problem))
