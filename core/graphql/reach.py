"""Reachability over a schema: which types only fields for staff lead to."""

from collections.abc import Callable, Iterable

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

SYNCED = "SyncType"
"""Enum of the types that phones are sent without asking for them by a field."""

IsForStaff = Callable[[GraphQLField], bool]


def staff_types(schema: GraphQLSchema, is_for_staff: IsForStaff) -> set[str]:
    """Names of the types that are reached by fields for staff, and by no other way.

    An interface does not lead to its types: `node` would lead to all. What implements one and is reached by
    nothing else is for everybody who may have its id.
    """
    roots = [each for each in (schema.query_type, schema.mutation_type, schema.subscription_type) if each]
    open_types = _reached([*roots, *_synced(schema)], lambda field: not is_for_staff(field))
    fields = [field for each in schema.type_map.values() for field in _fields(each) if is_for_staff(field)]
    closed = {
        name
        for name in _reached([each for field in fields for each in _leads_to(field)], lambda field: True)
        if name not in open_types
    }
    lone = [
        each
        for each in schema.type_map.values()
        if getattr(each, "interfaces", ()) and each.name not in open_types | closed
    ]
    return closed - _reached(lone, lambda field: not is_for_staff(field))


def _synced(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    listed = schema.type_map.get(SYNCED)
    values = listed.values if isinstance(listed, GraphQLEnumType) else ()
    names = {value.title().replace("_", "") for value in values}
    return [each for each in schema.type_map.values() if each.name in names]


def _reached(start: Iterable[GraphQLNamedType], follows: IsForStaff) -> set[str]:
    """Names of the types that these lead to by the fields that are followed."""
    waiting, found = list(start), set[str]()
    while waiting:
        each = waiting.pop()
        if each.name in found:
            continue
        found.add(each.name)
        for field in _fields(each):
            if follows(field):
                waiting += _leads_to(field)
        if isinstance(each, GraphQLInputObjectType):
            waiting += [get_named_type(field.type) for field in each.fields.values()]
        if isinstance(each, GraphQLUnionType):
            waiting += each.types
        waiting += getattr(each, "interfaces", ())
    return found


def _fields(declared: GraphQLNamedType) -> list[GraphQLField]:
    if isinstance(declared, (GraphQLObjectType, GraphQLInterfaceType)):
        return list(declared.fields.values())
    return []


def _leads_to(field: GraphQLField) -> list[GraphQLNamedType]:
    return [get_named_type(field.type), *(get_named_type(each.type) for each in field.args.values())]
