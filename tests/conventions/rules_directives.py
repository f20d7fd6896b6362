"""Rules of access, areas and audiences: the SDL says of each field whose it is and who may use it."""

import re
from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

from core.grants import GRANT_ROLES, no_log_scopes
from tests.conventions.schemas import directive, types

ROOTS = ("Query", "Mutation", "Subscription")
STAFF = {"name": "staff"}
IDLE = re.compile(r"\bno (?:further )?permissions\b")


def without_area(schema: GraphQLSchema) -> list[str]:
    """Types, and fields of the root types, belong to an area."""
    found = []
    for each in types(schema):
        if each.name not in ROOTS:
            found += [] if directive(each, "area") else [f"{each.name} has no @area: declare it in a system."]
            continue
        assert isinstance(each, GraphQLObjectType)
        found += [
            f"{each.name}.{name} has no @area: declare it in a system."
            for name, field in each.fields.items()
            if not directive(field, "area")
        ]
    return found


def roles_without_tag(schema: GraphQLSchema) -> list[str]:
    """Fields that need a role are for staff."""
    return [
        f'{owner}.{name} needs a role and is for staff: @tag(name: "staff").'
        for owner, name, field in _fields(schema)
        if any(set(given) - {"stepUp"} for given in directive(field, "access"))
        and STAFF not in directive(field, "tag")
    ]


def leading_to_staff(schema: GraphQLSchema) -> list[str]:
    """Fields for everybody lead to nothing that is for staff alone."""
    return [
        f'{owner}.{name} is for everybody, and {other.name} is tagged "staff": tag both or neither.'
        for owner, name, field in _fields(schema)
        if STAFF not in directive(field, "tag")
        for other in map(get_named_type, (field.type, *(each.type for each in field.args.values())))
        if STAFF in directive(other, "tag")
    ]


def roles_of_nothing(schema: GraphQLSchema) -> list[str]:
    """Roles that open no field or scope of the log, show no more and give no role say so, no others do."""
    opening = {
        role
        for each in types(schema)
        for field in getattr(each, "fields", {}).values()
        for given in directive(field, "access")
        for name, roles in given.items()
        if name != "stepUp"
        for role in roles
    }
    opening |= {giver for role in GRANT_ROLES.values() for giver in role.given_by}
    opening |= {role for role in GRANT_ROLES.values() if role.opens is not no_log_scopes or role.shows_more}
    found = []
    for kind, name, value in _roles(schema):
        if bool(IDLE.search(value.description or "")) == (name in opening):
            what = "a field" if name in opening else "no field"
            found.append(f'{kind}.{name} opens {what}, and reads "{value.description}"')
    return found


RULES = (without_area, roles_without_tag, leading_to_staff, roles_of_nothing)


def _fields(schema: GraphQLSchema) -> list[tuple[str, str, GraphQLField]]:
    """Fields of the types that are not tagged as staff's."""
    return [
        (each.name, name, field)
        for each in types(schema)
        if isinstance(each, GraphQLObjectType) and STAFF not in directive(each, "tag")
        for name, field in each.fields.items()
    ]


def _roles(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLEnumValue]]:
    """Every role that a field may need, with the name of its kind."""
    access = schema.get_directive("access")
    for argument in access.args.values() if access else ():
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLEnumType):
            for name, value in kind.values.items():
                yield kind.name, name, value
