"""Rules of mutations: verbs, ids, versions, and one of several."""

import re
from collections.abc import Iterator

from graphql import (
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from core.graphql.changes import CLEARS, STAYS
from tests.conventions.schemas import directive, types
from tests.conventions.vocabulary import DOMAIN_UPDATES, DOMAIN_VERBS, MUTATION_VERBS

ALTERNATIVES = ({"email", "phone"}, {"passkey", "deviceKey"}, {"password", "code"}, {"id", "slug"})
"""Fields of which an input takes one."""
WHOLE_NAMES = frozenset({"signIn", "signOut", "signUp", "stepUp"})
"""Ceremonies of one word in two, which are about the session that asks."""
INHERITED = frozenset({"NoticeChannelsInput.notifyDays"})
"""Lists of which null is that what applies to all applies, and empty that there is none."""
NO_CHANGES = frozenset({"idempotencyKey", "expectedVersion"})
OF_SOMETHING = frozenset({"DosageInput", "MoneyInput"})
"""Inputs whose amounts are of money with its currency, or of something else than money."""
AMOUNTS = re.compile(r"(?:amount|cost|fee|price)(?:Max|Min)?$", re.IGNORECASE)


def verbs(schema: GraphQLSchema) -> list[str]:
    """A mutation is named by a verb of the conventions, or of its domain."""
    return [
        f'Mutation.{name} begins with "{verb}": take a verb of the conventions, such as "update".'
        for name, _ in _mutations(schema)
        if name not in WHOLE_NAMES
        and (verb := _words(name)[0]) not in {each.lower() for each in MUTATION_VERBS} | DOMAIN_VERBS
    ]


def objects(schema: GraphQLSchema) -> list[str]:
    """After the verb comes the noun, always."""
    return [
        f"Mutation.{name} has no noun: say what it is done to."
        for name, _ in _mutations(schema)
        if len(_words(name)) == 1
    ]


def opposites(schema: GraphQLSchema) -> list[str]:
    """Pairs are `x` and `unx` for people alone; a value has one `set` or `update`."""
    return [
        f"Mutation.{name} undoes another: take one `set` with the value, pairs are for people."
        for name, _ in _mutations(schema)
        if (verb := _words(name)[0]).startswith("un") and _words(name)[-1] != "User" and verb != "undo"
    ]


def minted_ids(schema: GraphQLSchema) -> list[str]:
    """An input's `id` is the one that the client mints, and may be left out."""
    return [
        f"{each.name}.id is required: call what exists by its type, as `postId`; what is new may be left out."
        for each in _inputs(schema)
        if "id" in each.fields and isinstance(each.fields["id"].type, GraphQLNonNull)
    ]


def creates_without_id(schema: GraphQLSchema) -> list[str]:
    """Whatever creates a node takes the id that the client mints for it."""
    return [
        f"{given.name} has no `id: ID`: clients mint the id of what they create."
        for name, field in _mutations(schema)
        if name.startswith("create") and _shows_node(field)
        if "id" not in (given := _input_of(field)).fields
    ]


def updates_without_version(schema: GraphQLSchema) -> list[str]:
    """Updates take the version that was edited, and what they show has one."""
    found = []
    for name, field in _mutations(schema):
        given, payload = _input_of(field), get_named_type(field.type)
        version = given.fields.get("expectedVersion")
        if version is None:
            if name.startswith("update") or (name.startswith("set") and _shows_staffs_table(field)):
                found.append(
                    f"{given.name} has no `expectedVersion: Int`: of two editors, one overwrites the other."
                )
        elif str(version.type) != "Int":
            found.append(f"{given.name}.expectedVersion is {version.type}: write `expectedVersion: Int`.")
        elif not any("version" in _fields_of(each.type) for each in payload.fields.values()):
            found.append(f"{payload.name} shows nothing with a version: CONFLICT must show what is there.")
    return found


def changes_without_null(schema: GraphQLSchema) -> list[str]:
    """Each field of an update that may be left out says what that does, and null; lists are never null.

    A list that is inherited is an exception: its null is another thing than none.
    """
    return [
        f"{path} is silent on null: make it a key of the resolver's `**changes`."
        for name, field in _mutations(schema)
        if name.startswith("update") or _words(name)[0] in DOMAIN_UPDATES
        for path, each in _optional(_input_of(field))
        if not (each.description or "").endswith(
            STAYS if is_list_type(each.type) and path not in INHERITED else (STAYS, CLEARS)
        )
    ]


def loose_alternatives(schema: GraphQLSchema) -> list[str]:
    """One of several is a `@oneOf` input, never several optional fields."""
    return [
        f"{each.name} takes one of {', '.join(sorted(pair))}: make it a `@oneOf` input."
        for each in _inputs(schema)
        if not each.is_one_of
        for pair in ALTERNATIVES
        if pair <= each.fields.keys()
        and not any(isinstance(each.fields[name].type, GraphQLNonNull) for name in pair)
    ]


def bare_amounts(schema: GraphQLSchema) -> list[str]:
    """Money in is `MoneyInput`: a price without a currency is no input."""
    return [
        f"{each.name}.{name} is {field.type}: take `MoneyInput`, which has the currency."
        for each in _inputs(schema)
        if each.name not in OF_SOMETHING
        for name, field in each.fields.items()
        if AMOUNTS.search(name) and get_named_type(field.type).name in ("Decimal", "Float", "Int")
    ]


RULES = (
    verbs,
    objects,
    opposites,
    minted_ids,
    creates_without_id,
    updates_without_version,
    changes_without_null,
    loose_alternatives,
    bare_amounts,
)


def _mutations(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    yield from schema.mutation_type.fields.items() if schema.mutation_type else ()


def _inputs(schema: GraphQLSchema) -> list[GraphQLInputObjectType]:
    return [each for each in types(schema) if isinstance(each, GraphQLInputObjectType)]


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]?[a-z0-9]+", name)


def _input_of(field: GraphQLField) -> GraphQLInputObjectType:
    given = get_named_type(field.args["input"].type)
    assert isinstance(given, GraphQLInputObjectType)
    return given


def _optional(given: GraphQLInputObjectType) -> Iterator[tuple[str, GraphQLInputField]]:
    """Fields that may be left out of an input, and of the input objects within."""
    for name, field in given.fields.items():
        inner = get_nullable_type(field.type)
        if isinstance(inner, GraphQLInputObjectType):
            yield from _optional(inner)
        if not isinstance(field.type, GraphQLNonNull) and name not in NO_CHANGES:
            yield f"{given.name}.{name}", field


def _fields_of(given: object) -> set[str]:
    return set(getattr(get_named_type(given), "fields", ()))


def _shows_node(field: GraphQLField) -> bool:
    payload = get_named_type(field.type)
    assert isinstance(payload, GraphQLObjectType)
    return any(name.endswith("Edge") for name in payload.fields)


def _shows_staffs_table(field: GraphQLField) -> bool:
    """True for what several of the staff edit: a thing with a version."""
    staff = {"name": "staff"} in directive(field, "tag")
    payload = get_named_type(field.type)
    assert isinstance(payload, GraphQLObjectType)
    return staff and any("version" in _fields_of(each.type) for each in payload.fields.values())
