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
    """One page of what changed."""

    nodes: list[Entity]
    """Entities that are new or changed, as they are now; keep the higher `version` if one comes twice."""
    deleted: list[DeletedNode]
    """Tombstones of nodes that are gone or hidden from the viewer: forget those nodes."""
    token: SyncToken
    """Send it as `since` next time."""
    has_more: bool
    """Whether to ask again at once."""
    reset: bool
    """True when the token was too old or not yours: this starts over, so forget what you had first."""


@type_
class NodeChanged(Event):
    """Something is new or changed."""

    node: Entity
    """Entity that is new or changed, as it is now."""
    viewer: common.Viewer
    """Viewer as of now, whose counters and lists the change may have moved."""
    token: SyncToken
    """Where this leaves you: send it as `since` to go on from here."""


@type_
class NodeDeleted(Event):
    """Something is gone or hidden from you."""

    deleted: DeletedNode
    """Tombstone of the node to forget."""
    viewer: common.Viewer
    """Viewer as of now, whose counters and lists the change may have moved."""
    token: SyncToken
    """Where this leaves you: send it as `since` to go on from here."""


ChangeEvent = Annotated[
    NodeChanged | NodeDeleted | ResyncRequired,
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
