"""Content of posts and comments: text, mentions, and the actions allowed on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import ids
from core.context import Context
from core.errors import UserError
from core.values.bounds import check_length
from resolvers import auth
from stores.auth import User
from stores.feed import Visibility
from stores.feed.kinds import SHOWN

PREVIEW = 280
MOST_MENTIONS = 20

Document = Mapping[str, Any]


def checked_text(text: str | None, longest: int) -> str | None:
    """The text, None when there is none."""
    body = text or ""
    check_length(body, most=longest, field="text")
    return body or None


async def checked_mentions(ctx: Context, mentions: Sequence[str]) -> list[str]:
    """Mentioned people whom the writer may see; those who hide from the writer are silently left out."""
    wanted = list(dict.fromkeys(ids.checked(id, "user") for id in mentions))
    if len(wanted) > MOST_MENTIONS:
        raise UserError("TOO_MANY", "At most {limit} people.", field=["mentions"], limit=MOST_MENTIONS)
    return [person["_id"] for person in await auth.visible_people(ctx, wanted) if person] if wanted else []


async def mentioned(ctx: Context, documents: Sequence[Document]) -> list[list[User]]:
    """The mentioned people whom the viewer may see."""
    wanted = list(dict.fromkeys(id for each in documents for id in each.get("mention_ids") or ()))
    found = await auth.visible_people(ctx, wanted) if wanted else ()
    seen = {person["_id"]: person for person in found if person}
    return [[seen[id] for id in each.get("mention_ids") or () if id in seen] for each in documents]


def text_preview(post: Document) -> str:
    """The first 280 characters, cut at a word."""
    text = post.get("text") or ""
    if len(text) <= PREVIEW:
        return text
    cut = text[:PREVIEW].rsplit(None, 1)[0]
    return f"{cut}…"


def comment_text(comment: Document) -> str | None:
    """Text of a comment; None once the comment is deleted or removed."""
    return comment["text"] or None


def truncated(post: Document) -> bool:
    return len(post.get("text") or "") > PREVIEW


def viewer_can(ctx: Context, post: Document) -> dict[str, bool]:
    own = ctx.viewer_id_or_none == post["author_id"]
    signed_in = ctx.viewer is not None
    open_post = post["state"] in SHOWN
    return {
        "edit": own,
        "delete": own,
        "comment": signed_in and open_post,
        "share": signed_in and open_post and shareable(post),
        "pin": own,
    }


def shareable(post: Document) -> bool:
    """True if a post may be shared: private posts and those of groups may not."""
    return post["visibility"] in (Visibility.PUBLIC, Visibility.FRIENDS)
