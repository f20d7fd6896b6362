"""Favorites, as clients see them."""

from typing import Any

from core import nodes
from core.graphql import Edge, Page, connection, field, mutation, query, subscription
from core.graphql.common import Node
from core.ids import Id
from core.sync.log_offset import SyncToken
from resolvers.favorite import (
    access,
    changing,
    list_members,
    named_lists,
    ordering,
    saving,
    suggesting,
    syncing,
)
from schema.favorite.events import FavoriteEvent
from schema.favorite.types import (
    Favorite,
    FavoriteDifference,
    FavoriteEdge,
    FavoriteKind,
    FavoriteList,
    FavoriteRejection,
    FavoriteSuggestion,
    FavoriteSyncCounts,
)
from subscriptions import favorite as live

__all__ = ["Favorite", "FavoriteEvent", "FavoriteKind", "FavoriteList", "Mutation", "Query", "Viewer"]


class Query:
    favorite: Favorite | None = query(access.favorite, by="Key of the favorite, one of several.")
    """Favorite of yours by its id or target; null when there is none."""
    favorite_list: FavoriteList | None = query(nodes.reader("favorite_list"))
    """List of yours by its id; null when there is none."""


class Viewer:
    favorite_list: FavoriteList = field(access.viewer_list, kind="Kind of the favorites.")
    """Default list of your favorites of a kind; empty until you save something."""
    favorite_lists: Page[FavoriteList] = connection(access.viewer_lists)
    """Named lists of yours, oldest first."""
    favorite_suggestions: list[FavoriteSuggestion] = field(
        suggesting.favorite_suggestions,
        limit="Largest number of suggestions, 1 to 20.",
    )
    """Suggestions of what to save, best first, computed daily; without what you saved or dismissed."""


LISTS: Any = {
    "favorite_lists": (
        list[FavoriteList],
        "Lists whose members may have changed, the default one first; null when refused.",
    )
}
POSITION = "Position to put it at, counted from 0; the top when left out, the end when there are fewer."


class Mutation:
    add_favorite = mutation(
        saving.add_favorite,
        "Target to save.",
        refuses="LIMIT_REACHED OUT_OF_RANGE TARGET_UNAVAILABLE TOO_LONG",
        returns={
            "favorite": Favorite,
            "favorite_edge": (FavoriteEdge, "Edge of the favorite in the default list; null when refused."),
            **LISTS,
            "already_existed": (
                bool,
                "True if the target was saved before, and nothing has changed; null when refused.",
            ),
            "deleted_favorite_id": (
                Id,
                "Id that you minted and that nothing has, to forget: the target has the one under which it "
                "was first saved. Null otherwise.",
            ),
        },
        id="Id of the favorite, if you mint one; ignored when the target was saved before.",
        target_id="Id of the target to save, such as a product.",
        position=POSITION,
        favorite_list_id="Id of a named list to put it into too, at the position.",
        note="Note about the target, at most 500 characters; ignored when it is saved already.",
    )
    """Add a target to your favorites. What is saved stays as it is; saved again after a removal, it is the
    same favorite, on top and without its note."""
    remove_favorite = mutation(
        saving.remove_favorite,
        returns={
            "deleted_favorite_id": (
                Id,
                "Id of the favorite to forget; null when the target was none, or refused.",
            ),
            **LISTS,
            "target": (Node, "Target as you see it now; null when it is hidden, or refused."),
        },
        target_id="Id of the target to remove.",
    )
    """Remove a target from your favorites and from all lists. It succeeds when the target is none, too."""
    update_favorite = mutation(
        changing.update_favorite,
        "Note and notices to change.",
        refuses="TOO_LONG",
        returns={"favorite": Favorite},
        target_id="Id of the target whose favorite to update.",
        expected_version="Version of the favorite that was edited: CONFLICT if there is a newer one. The "
        "last writer wins when left out.",
        note="Note about the target, at most 500 characters.",
        notices="Choices of what is told of the favorite.",
    )
    """Update the note of a favorite, and what you are told of it."""
    move_favorite = mutation(
        ordering.move_favorite,
        returns={"favorite": Favorite, "favorite_list": FavoriteList},
        target_id="Id of the target to move.",
        favorite_list_id="Id of the list in which to move it; the default list when left out.",
        after_target_id="Id of the target to put it behind; the top when left out.",
    )
    """Move a favorite within a list. Everything else keeps its order."""
    reorder_favorites = mutation(
        ordering.reorder_favorites,
        refuses="TOO_MANY",
        returns={
            "favorite_list": FavoriteList,
            "rejected": (
                list[FavoriteRejection],
                "Targets that are not in the list and were passed over; null when refused.",
            ),
        },
        by="Key of the list, one of several.",
        target_ids="Ids of the targets in their new order, each once, at most 500.",
        expected_version="Version of the list that was seen: CONFLICT if there is a newer one, and all its "
        "targets must be named then. When left out, those not named follow behind in their order.",
    )
    """Reorder a list as a whole."""
    create_favorite_list = mutation(
        named_lists.create_favorite_list,
        refuses="LIMIT_REACHED NAME_TAKEN REQUIRED TOO_LONG",
        returns={"favorite_list": FavoriteList, "favorite_list_edge": Edge[FavoriteList]},
        kind="Kind of the favorites in the list.",
        name="Name of the list, 1 to 60 characters, that no other list of the kind has.",
    )
    """Create a named list, empty at first; you may have 50 of each kind."""
    update_favorite_list = mutation(
        named_lists.update_favorite_list,
        refuses="NAME_TAKEN TOO_LONG",
        returns={"favorite_list": FavoriteList},
        name="Name of the list, 1 to 60 characters, that no other list of the kind has.",
    )
    """Update the name of a list."""
    delete_favorite_list = mutation(
        named_lists.delete_favorite_list, returns={"deleted_favorite_list_id": Id}
    )
    """Delete a named list for good. The favorites in it stay saved."""
    add_to_favorite_list = mutation(
        list_members.add_to_favorite_list,
        refuses="LIMIT_REACHED OUT_OF_RANGE TARGET_UNAVAILABLE",
        returns={
            "favorite": Favorite,
            "favorite_edge": (FavoriteEdge, "Edge of the favorite in the named list; null when refused."),
            **LISTS,
        },
        target_id="Id of the target to put into the list.",
        position=POSITION,
    )
    """Add a target to a named list, and save it first if it is no favorite. What is in the list already stays
    where it is."""
    remove_from_favorite_list = mutation(
        list_members.remove_from_favorite_list,
        returns={
            "favorite": Favorite,
            "removed_favorite_id": (Id, "Id of the favorite that left the list; null when refused."),
            **LISTS,
        },
        target_id="Id of the target to take out of the list.",
    )
    """Remove a target from a named list. It stays among your favorites."""
    sync_favorites = mutation(
        syncing.sync_favorites,
        "List of a device, with what it did while it was offline.",
        refuses="CONFIRMATION_REQUIRED EXPIRED ID_TAKEN LIMIT_REACHED TARGET_UNAVAILABLE TOO_MANY",
        returns={
            "favorite_list": FavoriteList,
            "favorites": (list[Favorite], "All favorites of the kind in their order; null when refused."),
            "applied": (FavoriteSyncCounts, "Numbers of favorites that changed; null when refused."),
            "differences": (
                list[FavoriteDifference],
                "Differences that there were, and what became of them; null when refused.",
            ),
            "rejected": (
                list[FavoriteRejection],
                "Targets that could not be taken over; null when refused.",
            ),
            "token": (SyncToken, "Token to send as `baseToken` next time; null when refused."),
        },
        kind="Kind of the favorites.",
        base_token="Token of the device's last sync; EXPIRED after 90 days: send the whole list without it.",
        local="Favorites of the device, at most 500.",
        removed="Removals since the last sync, at most 500.",
        order_changed_at="Time at which the device last put the list in order, by its clock; the server's "
        "order stays when left out, or when it is not older.",
        strategy="Strategy by which the lists become one.",
        decisions="Decisions about single targets, which come before the strategy, at most 500.",
        confirmed="True to let LOCAL_WINS with an empty list remove everything.",
    )
    """Sync a device's list of favorites with the server's, in one transaction. One target that is refused
    stops no other."""
    dismiss_favorite_suggestion = mutation(
        suggesting.dismiss_favorite_suggestion,
        returns={"removed_target_id": (Id, "Id of the target that left the suggestions; null when refused.")},
        target_id="Id of the suggested target.",
    )
    """Dismiss a suggestion of something to save. The target is not suggested for 90 days."""


class Subscription:
    favorite_events: FavoriteEvent = subscription(live.favorite_events)
    """Events of your favorites that tell more than `changeEvents` does: reasons, orders and news of
    targets."""
