"""Rules of lists: pages are connections, bounded lists are plain, and both are narrowed by one `filter`."""

import re
from collections.abc import Iterator

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
)

from tests.conventions.schemas import types

PAGING = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
NARROWING = frozenset({"filter", "sort", "limit"})
KEYS = frozenset({"codes", "id", "ids"})
RANKED_BY = ("query", "String!")
"""Arguments that name what is read, in its order."""
OF_ONE = frozenset({"afterSequence", "query", "updatedFrom", "view"})
"""Filters that have one value: a text, a bound, a tab."""
PAGES = ("ChangeSet", "Connection", "Payload")
"""Types whose lists are as long as the page, or as the input, that was asked for."""
BOUND = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|one (?:for|of) each)\b",
    re.IGNORECASE,
)
"""A number, or what each has one of."""
EXTREMES = {
    **dict.fromkeys(("ASCENDING", "FEWEST", "LEAST", "LOWEST", "SMALLEST"), "_ASC"),
    **dict.fromkeys(("DESCENDING", "HIGHEST", "LARGEST", "MOST"), "_DESC"),
}
"""Names for one end of an order that do not say of what."""
OTHER_WORDS = {
    **dict.fromkeys(("keyword", "search", "text"), "query"),
    **{"since": "from", "status": "statuses", "tab": "view", "until": "to"},
}
"""Words for what all filters call alike."""


def connections(schema: GraphQLSchema) -> list[str]:
    """Connections take the four arguments of Relay, and have edges and a position."""
    return [
        f"{path} is a connection: take {', '.join(PAGING)}, each of which may be left out."
        for path, field in _fields(schema)
        if _is_connection(field)
        and {name: str(field.args[name].type) for name in PAGING if name in field.args} != PAGING
    ] + [
        f"{each.name} has nodes beside its edges: leave them out."
        for each in types(schema)
        if each.name.endswith("Connection") and "nodes" in getattr(each, "fields", {})
    ]


def bounded(schema: GraphQLSchema) -> list[str]:
    """Plain lists are shortened by `limit: Int! = 5`; `first` is for connections."""
    found = []
    for path, field in _fields(schema):
        if _is_connection(field):
            continue
        if _is_list(field) and PAGING.keys() & field.args.keys():
            found.append(f"{path} is no connection: take `limit: Int! = 20` in place of a page's arguments.")
        limit = field.args.get("limit")
        if limit and (str(limit.type) != "Int!" or not _has_default(limit)):
            found.append(f"{path}(limit:) has no default: write `limit: Int! = 20`.")
    return found


def narrowed_apart(schema: GraphQLSchema) -> list[str]:
    """Whatever narrows a list is in its `filter`; a text that a search must have, to rank by, is not."""
    return [
        f"{path}({name}:) narrows a list: put it into `filter`."
        for path, field in _fields(schema)
        if _is_connection(field) or _is_list(field)
        for name, argument in field.args.items()
        if name not in PAGING.keys() | NARROWING | KEYS and (name, str(argument.type)) != RANKED_BY
    ]


def filters(schema: GraphQLSchema) -> list[str]:
    """A `filter` is an input object of optional fields, and may be left out."""
    found = []
    for path, field in _fields(schema):
        argument = field.args.get("filter")
        if argument is None:
            continue
        given = argument.type
        if not isinstance(given, GraphQLInputObjectType) or not given.name.endswith("FilterInput"):
            found.append(f"{path}(filter:) is {given}: write `filter: {_title(path)}FilterInput`.")
            continue
        found += [
            f"{given.name}.{name} is required: filters may be left out."
            for name, each in given.fields.items()
            if isinstance(each.type, GraphQLNonNull)
        ]
    return found


def filter_words(schema: GraphQLSchema) -> list[str]:
    """Filters use the same words, and several values are a list with a plural name."""
    found = []
    for each in types(schema):
        if not isinstance(each, GraphQLInputObjectType) or not each.name.endswith("FilterInput"):
            continue
        for name, field in each.fields.items():
            if name in OTHER_WORDS:
                found.append(f"{each.name}.{name} has a name of its own: call it {OTHER_WORDS[name]}.")
            elif isinstance(field.type, GraphQLList) and not name.endswith("s"):
                found.append(f"{each.name}.{name} is a list: name it in the plural.")
            elif name.endswith("Id") or _is_loose_enum(name, field.type):
                found.append(f"{each.name}.{name} takes one of several: take a list, named in the plural.")
    return found


def sorts(schema: GraphQLSchema) -> list[str]:
    """`sort` is an enum with a default, whose values name the order."""
    return [
        f"{path}(sort:) is {argument.type}: write `sort: {_title(path)}Sort! = NEWEST`."
        for path, field in _fields(schema)
        if (argument := field.args.get("sort")) is not None
        if not (
            isinstance(argument.type, GraphQLNonNull)
            and get_named_type(argument.type).name.endswith("Sort")
            and _has_default(argument)
        )
    ] + [
        f"{each.name}.{value} is one end of an order: name the order, with {EXTREMES[value]} at its end."
        for each in types(schema)
        if isinstance(each, GraphQLEnumType) and each.name.endswith("Sort")
        for value in each.values
        if value in EXTREMES
    ]


def unbounded(schema: GraphQLSchema) -> list[str]:
    """The description of a plain list of objects says how many there are at most, or its `limit` does."""
    return [
        f'{path} is a plain list: say its bound, such as "at most 10", or make it a connection.'
        for path, field in _fields(schema)
        if _is_list(field)
        and isinstance(get_named_type(field.type), (GraphQLObjectType, GraphQLInterfaceType))
        and not {"ids", "limit"} & field.args.keys()
        and not BOUND.search(field.description or "")
    ]


RULES = (connections, bounded, unbounded, narrowed_apart, filters, filter_words, sorts)


def _fields(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    """Fields of objects by their path, without those of payloads and pages."""
    for each in types(schema):
        if isinstance(each, GraphQLObjectType) and not each.name.endswith(PAGES):
            yield from ((f"{each.name}.{name}", field) for name, field in each.fields.items())


def _is_connection(field: GraphQLField) -> bool:
    return get_named_type(field.type).name.endswith("Connection")


def _is_list(field: GraphQLField) -> bool:
    return isinstance(get_nullable_type(field.type), GraphQLList)


def _has_default(argument: GraphQLArgument) -> bool:
    return argument.ast_node is not None and argument.ast_node.default_value is not None


def _is_loose_enum(name: str, given: object) -> bool:
    return isinstance(given, GraphQLEnumType) and name not in OF_ONE


def _title(path: str) -> str:
    name = path.partition(".")[2].removesuffix("s")
    return name[0].upper() + name[1:]
