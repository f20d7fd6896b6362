"""Rules of identity: whatever has an id is a node, whatever is synced is an entity."""

from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from tests.conventions.schemas import types

TOMBSTONES = frozenset({"DeletedNode"})
"""Types whose `id` is that of a node which is gone."""


def ids_without_node(schema: GraphQLSchema) -> list[str]:
    """Whatever has `id: ID!` implements Node."""
    return [
        f"{each.name}.id is an id without a node: implement Node, or leave the id out."
        for each in types(schema)
        if isinstance(each, (GraphQLObjectType, GraphQLInterfaceType))
        and "id" in each.fields
        and each.name not in TOMBSTONES | {"Node"}
        and "Node" not in _interfaces(each)
    ]


def synced_without_entity(schema: GraphQLSchema) -> list[str]:
    """Whatever is in SyncType implements Entity."""
    synced = schema.type_map.get("SyncType")
    assert isinstance(synced, GraphQLEnumType)
    return [
        f"SyncType.{value} is synced: {name} implements Entity."
        for value in synced.values
        if "Entity" not in _interfaces(schema.type_map.get(name := _type_name(value)))
    ]


RULES = (ids_without_node, synced_without_entity)


def _interfaces(declared: object) -> set[str]:
    return {each.name for each in getattr(declared, "interfaces", ())}


def _type_name(value: str) -> str:
    """The type that a value of SyncType stands for: `UserSettings` of `USER_SETTINGS`."""
    return value.title().replace("_", "")
