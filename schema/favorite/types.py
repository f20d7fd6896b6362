"""Favorites, their lists, and what is suggested, as clients see them."""

from datetime import datetime

from core import discovery
from core.graphql import (
    batched,
    connection,
    dated,
    extend,
    key,
    local,
    many,
    money,
    node,
    personal,
    type_,
    visible,
)
from core.graphql.common import Connection, Edge, Entity, Money, Node, UserError
from core.graphql.enums import declared_enum
from core.ids import Id
from loaders.favorite import OwnListById
from resolvers.favorite import access
from resolvers.favorite.kinds import KINDS
from schema.catalog import Product
from stores.favorite import (
    FavoriteDifferenceKind,
    FavoriteKindName,
    FavoriteSuggestionReason,
    FavoriteSyncAction,
)

# Every system declares its own kinds where it resolves: read them all first.
discovery.systems("resolvers")
FavoriteKind = declared_enum(
    "FavoriteKind",
    "Kind of favorites: what sort of thing is saved.",
    {each.name: each.description for each in KINDS.values()},
    of=FavoriteKindName,
)

TARGETS = "Targets are not synced: one that changes shows when this is next told or read."
PLACES = "The version of the default list tells that places have moved: read the list again."


@type_
class FavoriteNotices:
    """Choices of what is told of a favorite."""

    availability: bool
    """True if you are told when an appointment becomes free."""
    cancellations: bool
    """True if you are told when somebody else cancels an appointment."""
    promotions: bool
    """True if you are told when a promotion begins."""
    price_drop: bool
    """True if you are told when the price falls."""
    back_in_stock: bool
    """True if you are told when the target can be bought again."""


@node("favorite_list")
class FavoriteList(Entity):
    """List of a person's favorites of one kind, in the order that its owner chose.

    The default list of a kind has all of them, named lists have some."""

    kind: FavoriteKind  # type: ignore[valid-type]
    """Kind of the favorites in the list."""
    list_name: str | None = key("name")
    """Name of the list, 1 to 60 characters; null for the default list."""
    favorite_count: int
    """Number of favorites in the list, at most 500."""
    last_synced_at: datetime | None
    """Time of the last completed sync of a device; null until there is one, and for named lists."""
    favorites: "FavoriteConnection" = connection(access.favorites_of)
    """Favorites in the list, in their order."""


@node("favorite")
class Favorite(Entity):
    """Favorite: something that a person saved. Only its owner sees it."""

    kind: FavoriteKind  # type: ignore[valid-type]
    """Kind of the favorite."""
    target_id: Id
    """Id of the target that was saved."""
    target: Node | None = dated(batched(access.targets, reads=["target_id"]), TARGETS)
    """Target that was saved; null while it is hidden or cannot be read."""
    position: int = dated(batched(access.positions, reads=["_id", "kind"]), PLACES)
    """Position in the default list of the kind, counted from 0."""
    named_lists: list[FavoriteList] = many(OwnListById, key="list_ids")
    """Named lists that hold the favorite, at most 50."""
    note: str | None = local(access.note_of, "_id", "note")
    """Note of the owner, at most 500 characters; null when there is none."""
    price_when_saved: Money | None = money("price_when_saved")
    """Price of the target when it was saved, of a product that of its default variant; null for what has
    none."""
    notices: FavoriteNotices
    """Choices of what is told of the favorite."""


@type_
class FavoriteEdge(Edge):
    """A favorite and its place in the list."""

    node: Favorite
    """Favorite at this place in the list."""
    position: int
    """Position of the favorite in this list, counted from 0."""


@type_
class FavoriteConnection(Connection):
    """A page of favorites."""

    edges: list[FavoriteEdge]
    """The favorites of this page."""


@type_
class FavoriteSuggestion:
    """Suggestion of something to save."""

    target: Node | None = visible("target_id")
    """Target that could be saved; null when it was hidden meanwhile."""
    reason: FavoriteSuggestionReason
    """Reason for the suggestion."""
    score: float
    """Score of the suggestion, 0 to 1; the highest comes first."""


@type_
class FavoriteDifference:
    """Difference between a device's list and the server's."""

    target_id: Id
    """Id of the target that differs."""
    target: Node | None = visible("target_id")
    """Target of which the lists differ; null when it is hidden from you."""
    kind: FavoriteDifferenceKind
    """Kind of the difference."""
    local_at: datetime | None
    """Time of the device's act; null when it has none."""
    server_at: datetime | None
    """Time at which the target was last saved or removed on the server; null when it never was."""
    proposal: FavoriteSyncAction
    """Action that the strategy takes, or would take."""


@type_
class FavoriteRejection:
    """Target that was passed over, and why."""

    target_id: Id
    """Id of the target, as it was sent."""
    errors: list[UserError]
    """Refusals of the target, at most 1: NOT_FOUND, TARGET_UNAVAILABLE, LIMIT_REACHED, ID_TAKEN or
    INVALID_INPUT."""


@type_
class FavoriteSyncCounts:
    """Numbers of favorites that a sync changed."""

    added_count: int
    """Number of favorites that were saved."""
    removed_count: int
    """Number of favorites that were removed."""
    unchanged_count: int
    """Number of favorites that stayed as they were."""


@extend(Product)
class OfProduct:
    viewer_favorited: bool | None = personal(batched(access.saved_by_viewer, reads=["_id"]))
    """True if you saved the product as a favorite; null when anonymous."""
