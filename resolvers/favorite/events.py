"""Words of what happened to favorites, in the language of whoever reads them."""

from collections.abc import Mapping
from typing import Any

from core import messages
from core.context import Context
from core.messages import gettext_noop
from resolvers.favorite.kinds import KINDS
from resolvers.favorite.telling import TITLES
from stores.favorite import Favorite, FavoriteRemovalReason, FavoriteTargetEventKind

REASONS = {
    FavoriteRemovalReason.USER: gettext_noop("You have removed this from your favorites."),
    FavoriteRemovalReason.SYNC: gettext_noop("Another device of yours has removed this from your favorites."),
    FavoriteRemovalReason.TARGET_REMOVED: gettext_noop(
        "This is no longer offered, so it has left your favorites."
    ),
    FavoriteRemovalReason.ACCOUNT: gettext_noop("The account was deleted."),
}


def removal_message(ctx: Context, event: Mapping[str, Any]) -> str:
    """Why a favorite went, to be shown to its owner."""
    return messages.text(REASONS[FavoriteRemovalReason(event["reason"])], language=ctx.language)


async def news_of(ctx: Context, favorite: Favorite, event: FavoriteTargetEventKind) -> dict[str, Any] | None:
    """News of a favorite's target as its owner was told of them last; None when it was withdrawn."""
    kind, notice = KINDS[favorite["kind"]], favorite["last_notices"].get(event)
    [target] = await kind.read(ctx, [favorite["target_id"]])
    if notice is None or target is None or kind.withdrawn(target):
        return None
    return {
        "favorite": favorite,
        "kind": event,
        "title": messages.text(TITLES[event], {"name": kind.title(target)}, ctx.language),
        "link_url": notice["link_url"],
    }
