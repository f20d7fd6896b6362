"""Declares GraphQL types over documents: what `schema/` is written in.

References are declared (`one`, `many`, `visible`, `connection`, `derived`), not coded, so that an executor
knows what a field needs without calling it. Strings under classes and attributes are the descriptions clients
read.
"""

from core.graphql.events import Created, Deleted, Updated
from core.graphql.fields import (
    batched,
    connection,
    dated,
    deprecated,
    derived,
    field,
    key,
    local,
    many,
    money,
    one,
    personal,
    query,
    restricted,
    subscription,
    told,
    unsynced,
    visible,
)
from core.graphql.inputs import input_, input_type
from core.graphql.mutations import mutation
from core.graphql.pages import Edge, Page, called
from core.graphql.types import extend, interface, node, type_, union

__all__ = [
    "Created",
    "Deleted",
    "Edge",
    "Page",
    "Updated",
    "batched",
    "called",
    "connection",
    "dated",
    "deprecated",
    "derived",
    "extend",
    "field",
    "input_",
    "input_type",
    "interface",
    "key",
    "local",
    "many",
    "money",
    "mutation",
    "node",
    "one",
    "personal",
    "query",
    "restricted",
    "subscription",
    "told",
    "type_",
    "union",
    "unsynced",
    "visible",
]
