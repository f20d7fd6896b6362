"""Rules of sync and streams: one selection fits all nodes, events bring entities, tombstones their type."""

import re
from collections.abc import Iterator
from itertools import combinations

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

from tests.conventions.schemas import types

ALIASED = frozenset({"kind", "status"})
"""Fields that may have another type on each node: one selection of several nodes aliases them."""

PARTICIPLE = re.compile(r"(?:ed|begun|left|made|read|reset|sent|taken|written)$", re.IGNORECASE)

OF_STREAMS = frozenset({"ResyncRequired", "StreamComplete"})
"""Events about the stream itself, which are of no type."""
OF_DOMAINS = frozenset({"Custody", "Decision"})
"""Words of a domain that events are named by beside types."""

ENTITY_EVENT = re.compile(r"(\w+)(?:Created|Updated|Deleted)$")


def clashing_fields(schema: GraphQLSchema) -> list[str]:
    """One field name has one type and nullability over all nodes, but for `kind` and `status`."""
    nodes = [each for each in _objects(schema) if "Node" in _interfaces(each)]
    return [
        f"{one.name}.{name} is {one.fields[name].type}, {other.name}.{name} is {other.fields[name].type}: "
        "give both one type, or one of them another name."
        for one, other in combinations(nodes, 2)
        for name in sorted(one.fields.keys() & other.fields.keys() - ALIASED)
        if str(one.fields[name].type) != str(other.fields[name].type)
    ]


def misnamed_events(schema: GraphQLSchema) -> list[str]:
    """An event is named by a type and a past participle; `Event` ends unions alone."""
    names = {each.name.removesuffix("Connection") for each in types(schema)}
    return [
        f'{each.name} is an event: name it by its type and a past participle, such as "CommentCreated".'
        for each in _events(schema)
        if each.name not in OF_STREAMS
        and (
            not PARTICIPLE.search(each.name)
            or not _begins_with_type(each.name, (names | OF_DOMAINS) - {each.name})
        )
    ] + [
        f"{each.name} ends in Event: leave that to unions."
        for each in types(schema)
        if each.name.endswith("Event") and each.name != "Event" and not _may_be_event(each)
    ]


def loose_ids(schema: GraphQLSchema) -> list[str]:
    """Events bring entities and edges; ids are of what is gone."""
    return [
        f"{event.name}.{name} is a loose id: bring the entity, or call it `deleted...Id`."
        for event in _events(schema)
        for name, field in event.fields.items()
        if get_named_type(field.type).name == "ID"
        and name != "eventId"
        and not re.fullmatch(r"(?:deleted|removed)[A-Z]\w*Id", name)
    ]


def events_without_edge(schema: GraphQLSchema) -> list[str]:
    """Whatever is created comes with its edge, for the lists that show it."""
    return [
        f"{event.name} has no `{field}`: clients would have to make the edge up."
        for event in _events(schema)
        if event.name.endswith("Created")
        and (field := f"{_lower(event.name.removesuffix('Created'))}Edge") not in event.fields
    ]


def entities_in_own_streams(schema: GraphQLSchema) -> list[str]:
    """Entities are told by `changeEvents`; another stream that tells of them is of an open screen."""
    synced = _synced(schema)
    return [
        f"Subscription.{name} tells of {found}, as changeEvents does: drop {event.name} from it."
        for name, field in _streams(schema)
        if name != "changeEvents"
        and not any(get_named_type(each.type).name == "ID" for each in field.args.values())
        for event in getattr(get_named_type(field.type), "types", ())
        if (found := _told(event.name)) in synced
    ]


def tombstones_without_type(schema: GraphQLSchema) -> list[str]:
    """Tombstones say of which type: by a DeletedNode, or a field that names the type."""
    return [
        f"{owner.name}.{name} does not say of which type: give DeletedNode, or call it `deletedPostId`."
        for owner in _objects(schema)
        for name in owner.fields
        if re.fullmatch(r"(?:deleted|removed)Ids?", name)
    ]


RULES = (
    clashing_fields,
    misnamed_events,
    loose_ids,
    events_without_edge,
    entities_in_own_streams,
    tombstones_without_type,
)


def _objects(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [each for each in types(schema) if isinstance(each, GraphQLObjectType)]


def _events(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [each for each in _objects(schema) if "Event" in _interfaces(each)]


def _interfaces(declared: GraphQLObjectType) -> set[str]:
    return {each.name for each in declared.interfaces}


def _may_be_event(declared: GraphQLNamedType) -> bool:
    """True for a union, and for a node: `SecurityEvent` is something that happened, and is kept."""
    if isinstance(declared, (GraphQLUnionType, GraphQLInterfaceType)):
        return isinstance(declared, GraphQLUnionType)
    return isinstance(declared, GraphQLObjectType) and "Node" in _interfaces(declared)


def _begins_with_type(event: str, names: set[str]) -> bool:
    return any(event.startswith(each) and event[len(each) : len(each) + 1].isupper() for each in names)


def _streams(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    yield from schema.subscription_type.fields.items() if schema.subscription_type else ()


def _synced(schema: GraphQLSchema) -> set[str]:
    declared = schema.type_map.get("SyncType")
    values = declared.values if isinstance(declared, GraphQLEnumType) else {}
    return {value.title().replace("_", "") for value in values}


def _told(event: str) -> str | None:
    found = ENTITY_EVENT.match(event)
    return found[1] if found else None


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
