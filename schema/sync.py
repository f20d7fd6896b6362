"""Catching up, as clients see it."""

from typing import Annotated

from core.graphql import derived, field, query, subscription, type_, union
from core.graphql.common import Event, Node, ResyncRequired
from core.graphql.types import node_type
from core.ids import Id
from core.sync.log_offset import SyncToken
from resolvers import sync
from subscriptions import sync as live


@type_
class RemovedNode:
    """A thing that is gone or hidden from you, by what a normalising cache keeps it under."""

    id: Id
    """Its id."""
    typename: str = derived(node_type, "_id")
    """The name of its type, as `__typename` said it."""


@type_
class ChangeSet:
    """One page of what changed."""

    nodes: list[Node]
    """Things that are new or changed, as they are now; keep the higher `version` if one comes twice."""
    deleted_ids: list[Id]
    """Things that are gone or hidden from you: forget them."""
    removed: list[RemovedNode]
    """The same as `deletedIds`, each with its type: what a cache that keeps things by type and id forgets."""
    token: SyncToken
    """Send it as `since` next time."""
    has_more: bool
    """Whether to ask again at once."""
    reset: bool
    """True when the token was too old or not yours: this starts over, so forget what you had first."""


@type_
class NodeChanged(Event):
    """Something is new or changed."""

    node: Node
    """The thing as it is now."""
    token: SyncToken
    """Where this leaves you: send it as `since` to go on from here."""


@type_
class NodeRemoved(Event):
    """Something is gone or hidden from you."""

    removed_id: Id
    """Forget it."""
    removed: RemovedNode
    """The same, with its type."""
    token: SyncToken
    """Where this leaves you: send it as `since` to go on from here."""


ChangeEvent = Annotated[
    NodeChanged | NodeRemoved | ResyncRequired,
    union("ChangeEvent", "A change to something you may see."),
]


class Query:
    node: Node | None = query(sync.node)
    """A thing by its id; null when it does not exist or you may not see it."""
    nodes: list[Node | None] = query(sync.many_nodes)
    """Things by their ids, in that order; null for those that do not exist or are hidden from you."""


class Viewer:
    changes: ChangeSet = field(
        sync.changes,
        since="The token of the last page you have; left out for a first sync.",
        types="Only these types; all when left out. A token is good for the types it was given for.",
        limit="Largest number of changes, 1 to 1,000.",
    )
    """What changed for you: run it when the app opens or comes back online."""


class Subscription:
    change_events: ChangeEvent = subscription(
        live.change_events,
        since="The last token you have; left out: from now on.",
        types="Only these types; all when left out.",
    )
    """The same as `viewer.changes`, live."""
