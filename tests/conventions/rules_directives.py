"""Rules of access, areas and audiences: the SDL says of each field whose it is and who may use it."""

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type

from tests.conventions.schemas import directive, types

ROOTS = ("Query", "Mutation", "Subscription")
STAFF = {"name": "staff"}


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


RULES = (without_area, roles_without_tag, leading_to_staff)


def _fields(schema: GraphQLSchema) -> list[tuple[str, str, GraphQLField]]:
    """Fields of the types that are not tagged as staff's."""
    return [
        (each.name, name, field)
        for each in types(schema)
        if isinstance(each, GraphQLObjectType) and STAFF not in directive(each, "tag")
        for name, field in each.fields.items()
    ]
