"""Pictures of posts: stable URLs where everybody may see the post, signed ones otherwise."""

from core import uploads
from core.context import Context
from resolvers.feed.access import open_to_all
from stores.feed import Post


def media_of(post: Post) -> list[str]:
    """Media that the post shows: its own, and the picture of its link."""
    pictured = (post.get("link") or {}).get("image_id")
    return [*post["media_ids"], *([pictured] if pictured else [])]


async def placed(ctx: Context, post: Post) -> None:
    """Give the media of a post the URLs that fit its audience as it is now."""
    if shown := media_of(post):
        await uploads.show(ctx, post["_id"], shown, public=open_to_all(post))
