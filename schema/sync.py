"""Catching up, as clients see it."""

from typing import Annotated

from core.graphql import common, derived, field, query, subscription, type_, union
from core.graphql.common import Entity, Event, Node, ResyncRequired
from core.graphql.types import node_type
from core.ids import Id
from core.sync.log_offset import SyncToken
from resolvers import sync
from subscriptions import sync as live


@type_
class DeletedNode:
    """A tombstone: the id and type of a node that is gone or hidden from the viewer."""

    id: Id
    """Id of the node to forget."""
    typename: str = derived(node_type, "_id")
    """GraphQL type name of the node, as `__typename` had it: `Post`."""


@type_
class ChangeSet:
    """Change set: one page of what changed since a token."""

    nodes: list[Entity]
    """Entities that are new or changed, as they are now; keep the higher `version` if one comes twice."""
    deleted: list[DeletedNode]
    """Tombstones of nodes that are gone or hidden from the viewer: forget those nodes."""
    token: SyncToken
    """Sync token to send as `since` next time."""
    has_more: bool
    """True if more changes wait: ask again at once, with `token`."""
    reset: bool
    """True if the token was too old or not yours: the sync starts over, so forget what you had first."""


@type_
class NodeChanged(Event):
    """Event of a node that is new or changed."""

    node: Entity
    """Entity that is new or changed, as it is now."""
    viewer: common.Viewer
    """Viewer as of now, whose counters and lists the change may have moved."""
    token: SyncToken
    """Sync token to send as `since` to go on from here."""


@type_
class NodeDeleted(Event):
    """Event of a node that is gone or hidden from you."""

    deleted: DeletedNode
    """Tombstone of the node to forget."""
    viewer: common.Viewer
    """Viewer as of now, whose counters and lists the change may have moved."""
    token: SyncToken
    """Sync token to send as `since` to go on from here."""


ChangeEvent = Annotated[
    NodeChanged | NodeDeleted | ResyncRequired,
    union("ChangeEvent", "Change to something that you may see."),
]


class Query:
    node: Node | None = query(sync.node)
    """Node by its id; null when it does not exist or is hidden from you."""
    nodes: list[Node | None] = query(sync.many_nodes)
    """Nodes by their ids, in that order; null for those that do not exist or are hidden from you."""


class Viewer:
    changes: ChangeSet = field(
        sync.changes,
        since="Sync token of the last page you have; left out for a first sync.",
        types="Types to be told of; all when left out. A token is good for the types it was given for.",
        limit="Largest number of changes, 1 to 1,000.",
    )
    """Delta sync of what changed for you since a token, for when the app opens or comes back online."""


class Subscription:
    change_events: ChangeEvent = subscription(
        live.change_events,
        since="Sync token that you have last; changes from now on when left out.",
        types="Types to be told of; all when left out.",
    )
    """Changes as `viewer.changes` has them, live; begins with ResyncRequired when the token is too old."""
