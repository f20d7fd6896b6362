"""Delta document: the query and subscription that sync every entity whole, made of the schema for clients."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_union_type,
    parse,
    print_ast,
)

from core.graphql.bindings import Resolver
from core.graphql.types import NODE_TYPES
from core.nodes import SYNCED

ALIASED = ("kind", "status")
"""Fields that have another type on each entity: one selection of several entities aliases them."""

HEADER = (
    "# Every synced field of every entity, by `make schema`: documents that take it never miss a change.\n\n"
)

CHANGES = """
query DeltaQuery($since: SyncToken, $types: [SyncType!], $limit: Int = 100) {
  viewer { %(viewer)s changes(since: $since, types: $types, limit: $limit) {
    nodes { __typename id %(spreads)s } deleted { id typename } token hasMore reset
  } }
}
subscription DeltaSubscription($since: SyncToken, $types: [SyncType!]) {
  changeEvents(since: $since, types: $types) {
    __typename
    ... on NodeChanged { eventId token node { __typename id %(spreads)s } }
    ... on NodeDeleted { eventId token deleted { id typename } }
    ... on ResyncRequired { eventId token }
  }
}
"""


def delta_document(schema: GraphQLSchema) -> str:
    """The document: a fragment for each synced type, the query and the subscription."""
    types = synced_types(schema)
    spreads = " ".join(f"...{fragment_name(each)}" for each in types)
    viewer = "id" if "id" in _object(schema, "Viewer").fields else ""
    fragments = [_fragment(each) for each in types]
    document = "\n".join([CHANGES % {"viewer": viewer, "spreads": spreads}, *fragments])
    return f"{HEADER}{print_ast(parse(document))}\n"


def synced_types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    """The object types of `SyncType`, by name."""
    return sorted(
        (_object(schema, NODE_TYPES[prefix]) for prefix in SYNCED.values()), key=lambda each: each.name
    )


def fragment_name(type_: GraphQLObjectType) -> str:
    """Name of a type's fragment: Relay wants it to begin with that of the document."""
    return f"Delta_{_lower(type_.name)}"


def _object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    type_ = schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return type_


def _fragment(type_: GraphQLObjectType) -> str:
    return f"fragment {fragment_name(type_)} on {type_.name} {{ {' '.join(_entity_fields(type_))} }}"


def _entity_fields(type_: GraphQLObjectType) -> Iterator[str]:
    for name, field in type_.fields.items():
        if _synced(field):
            alias = f"{_lower(type_.name)}{name.title()}: " if name in ALIASED else ""
            yield f"{alias}{name} {_selection(field)}"


def _selection(field: GraphQLField) -> str:
    """Values whole; of an entity that is synced by itself the id, of another node what it shows by itself."""
    shown = get_named_type(field.type)
    if is_leaf_type(shown):
        return ""
    if isinstance(shown, GraphQLInterfaceType):
        return "{ __typename id }"
    if is_union_type(shown):
        return "{ __typename ... on Node { id } }"
    assert isinstance(shown, GraphQLObjectType)
    if "id" in shown.fields:
        synced = shown.name in map(NODE_TYPES.get, SYNCED.values())
        return "{ id }" if synced else f"{{ {' '.join(_leaves(shown))} }}"
    inner = (f"{name} {_selection(each)}" for name, each in shown.fields.items() if _synced(each))
    return f"{{ {' '.join(inner)} }}"


def _leaves(type_: GraphQLObjectType) -> Iterator[str]:
    for name, field in type_.fields.items():
        if is_leaf_type(get_named_type(field.type)) and _synced(field) and not _kept(field).get("personal"):
            yield name


def _synced(field: GraphQLField) -> bool:
    """False for lists that are read by page, for what its description excludes, and for what is for staff."""
    kept = _kept(field)
    binding = kept.get("binding")
    listed = isinstance(binding, Resolver) and binding.page is not None
    left_out = kept.get("unsynced") or kept.get("roles") or field.deprecation_reason
    return not (listed or left_out or any(map(is_required_argument, field.args.values())))


def _kept(field: GraphQLField) -> Any:
    """Metadata of the field: all that its declaration says beside its type."""
    return field.extensions["strawberry-definition"].metadata


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
