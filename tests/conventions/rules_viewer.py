"""Rules of what is the viewer's: `Viewer` and its areas, the `viewer` prefix, and counters in payloads."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
)
from strawberry.types.field import StrawberryField

MOST_FIELDS = 3
"""Fields of one system on `Viewer`; one with more has an area."""
OF_THE_VIEWER = frozenset({"core", "auth"})
"""Layers and systems that may have more there: who the viewer is, is theirs to say."""
RELATED = frozenset({"alternatives", "formerPaymentMethod", "parent", "sharedPost", "unpinnedPost"})
"""Entities of payloads that stand in a relation to the changed one, by the relation's name."""
OUTCOMES = frozenset({"acceptedCount", "deletedCount", "droppedCount", "endedSessionCount", "recordedCount"})
"""Numbers that say what a mutation did; they count nothing that stays."""


def crowded(schema: GraphQLSchema) -> list[str]:
    """Systems with too many fields on `Viewer`."""
    systems = defaultdict(list)
    for name, field in _type(schema, "Viewer").fields.items():
        systems[_system(_declared(field))].append(name)
    return [
        f"{system} has {', '.join(names)} on Viewer: at most {MOST_FIELDS}, the rest in one area"
        for system, names in systems.items()
        if len(names) > MOST_FIELDS and system not in OF_THE_VIEWER
    ]


def not_personal(schema: GraphQLSchema) -> list[str]:
    """Fields of the viewer and their areas that are for staff, or read one thing by its id."""
    found = []
    for owner in _of_viewer(schema):
        for name, field in owner.fields.items():
            if _declared(field).metadata.get("restricted"):
                found.append(f"{owner.name}.{name} is for staff: it belongs at the root")
            if any(get_nullable_type(argument.type) is GraphQLID for argument in field.args.values()):
                found.append(f"{owner.name}.{name} reads by an id: it belongs at the root")
    return found


def misnamed(schema: GraphQLSchema) -> list[str]:
    """Fields whose names do not say that they depend on who asks, or say so of what does not."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    return [
        f"{owner.name}.{name} is {'' if personal else 'not '}personal"
        for owner in _objects(schema)
        if owner not in roots
        for name, field in owner.fields.items()
        if get_named_type(field.type).name != "Viewer"
        if (personal := bool(_declared(field).metadata.get("personal"))) != name.startswith("viewer")
    ]


def anonymous(schema: GraphQLSchema) -> list[str]:
    """`Query.viewer`, if it is never null or has no id."""
    shown = _type(schema, "Query").fields["viewer"].type
    found = [] if shown == get_nullable_type(shown) else ["Query.viewer is null for anonymous requests"]
    return found if "id" in _type(schema, "Viewer").fields else [*found, "Viewer has an id, for caches"]


def loose_counters(schema: GraphQLSchema) -> list[str]:
    """Numbers of payloads: a counter travels on its entity, or on `viewer`."""
    return [
        f"{path} counts beside its entity: show the entity, or `viewer`"
        for path, name, type_ in _payload_fields(schema)
        if get_nullable_type(type_) is GraphQLInt and name not in OUTCOMES
    ]


def loose_ids(schema: GraphQLSchema) -> list[str]:
    """Ids in payloads that say neither that something is gone nor that it left a list."""
    return [
        f"{path} is an id: show the entity, or say deletedXId or removedXId"
        for path, name, type_ in _payload_fields(schema)
        if get_named_type(type_) is GraphQLID and not name.startswith(("deleted", "removed"))
    ]


def renamed(schema: GraphQLSchema) -> list[str]:
    """Entities and edges of payloads that are not called as their types are."""
    return [
        f"{path} is of type {type_.name}: call it {_name_of(type_)}"
        for path, name, wrapped in _payload_fields(schema)
        if isinstance(type_ := get_named_type(wrapped), GraphQLObjectType)
        if (type_.name.endswith("Edge") and not name.endswith("Edge"))
        or (_is_node(type_) and name not in {_name_of(type_), f"{_name_of(type_)}s"} | RELATED)
    ]


def _is_node(type_: GraphQLObjectType) -> bool:
    return any(each.name == "Node" for each in type_.interfaces)


def _name_of(type_: GraphQLObjectType) -> str:
    return type_.name[0].lower() + type_.name[1:]


def _payload_fields(schema: GraphQLSchema) -> Iterator[tuple[str, str, Any]]:
    """Path, name and type of what payloads have beside the fields of all of them."""
    for owner in _objects(schema):
        for shared in (each for each in owner.interfaces if each.name == "Payload"):
            for name, field in owner.fields.items():
                if name not in shared.fields:
                    yield f"{owner.name}.{name}", name, field.type


def _of_viewer(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    yield _type(schema, "Viewer")
    yield from (each for each in _objects(schema) if each.name.endswith("Area"))


def _objects(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and not each.name.startswith("__"):
            yield each


def _type(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def _declared(field: GraphQLField) -> StrawberryField:
    declared: StrawberryField = field.extensions["strawberry-definition"]
    return declared


def _system(field: StrawberryField) -> str:
    layer, *rest = str(getattr(field.origin, "__module__", "")).split(".")
    return rest[0] if layer == "schema" else layer
