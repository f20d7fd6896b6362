"""Events of a person's favorites, beside what `changeEvents` tells of them."""

from typing import Annotated

from core.graphql import key, local, type_, union
from core.graphql.common import URL, Event, ResyncRequired
from core.ids import Id
from resolvers.favorite import events
from schema.favorite.types import Favorite, FavoriteList
from stores.favorite import FavoriteRemovalReason, FavoriteTargetEventKind


@type_
class FavoriteRemoved(Event):
    """A favorite that went, and why."""

    deleted_favorite_id: Id
    """Id of the favorite to forget."""
    removed_target_id: Id = key("target_id")
    """Id of the target that is no favorite any more."""
    reason: FavoriteRemovalReason
    """Reason for which the favorite went."""
    message: str = local(events.removal_message, "reason")
    """Reason for people, in the language of `Accept-Language`, or in English."""
    favorite_list: FavoriteList
    """Default list of the kind as it is now."""


@type_
class FavoriteListReordered(Event):
    """A list that its owner has put in another order."""

    favorite_list: FavoriteList
    """List whose order changed."""
    favorites: list[Favorite]
    """Favorites of the list in their order, at most 500."""


@type_
class FavoriteTargetChanged(Event):
    """News of the target of a favorite: at most one of each kind in an hour, and ten on a day."""

    favorite: Favorite
    """Favorite that the news are about, with its target."""
    kind: FavoriteTargetEventKind
    """Kind of the news."""
    title: str
    """News in a sentence, in the language of `Accept-Language`, or in English."""
    link_url: URL | None
    """URL to open for more; null when there is none."""


FavoriteEvent = Annotated[
    FavoriteRemoved | FavoriteListReordered | FavoriteTargetChanged | ResyncRequired,
    union("FavoriteEvent", "Event of your favorites."),
]
