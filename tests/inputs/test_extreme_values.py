"""Moments, numbers and amounts at the ends of what they can be: answered, or refused as what was asked."""

from typing import Any

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, get_named_type

from core.context import Services
from tests.conftest import NewPhone
from tests.inputs.test_typed_texts import phone_for
from tests.inputs.world import MUTATIONS, SCHEMA, Path, World, inputs_of, judged, leaves, outcome, unlimited
from tests.phone import Phone

EXTREMES: dict[str, list[Any]] = {
    "DateTime": [
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z"),
        *("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999-14:00", "9999-12-31"),
        *("1969-12-31T23:59:59Z", "-0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "", "0", "\0"),
    ],
    "Date": ["0001-01-01", "9999-12-31", ""],
    "Int": [0, -1, 2**31 - 1, -(2**31), 2**53, -(2**63), 2**64, 1e308],
    "Float": [0.0, -0.0, 1e308, -1e308, 5e-324],
    "Decimal": [
        *("0", "-0", "-1", "NaN", "sNaN", "Infinity", "-Infinity", "1E+999999", "1E-999999", "1E+6144"),
        *("0." + "0" * 60 + "1", "9" * 60, "", "\0", "\u0661\u0662"),
    ],
    "JSON": [None, [], "", 2**70, {"\0": 1}, {"$set": 1}, {"a.b": {"$gt": ""}}, {"": ""}, {"a": 2**64}],
}
GIVEN = [
    pytest.param(mutation, path, kind, id=f"{mutation}.{'.'.join(path)}")
    for mutation in MUTATIONS
    for kind in EXTREMES
    for path in leaves(inputs_of(mutation), kind)
]


@pytest.mark.parametrize(("mutation", "path", "kind"), GIVEN)
async def test_extremes_of_every_input(
    world: World,
    new_phone: NewPhone,
    anonymous: Phone,
    services: Services,
    mutation: str,
    path: Path,
    kind: str,
) -> None:
    phone = await phone_for(mutation, world, new_phone, anonymous)
    for value in EXTREMES[kind]:
        await unlimited(services)
        await outcome(phone, mutation, world.input(phone, mutation, path, value))


PLACES = {
    "Chat": "query({declared}) {{ chat(id: $id) {{ {field} }} }}",
    "Post": "query({declared}) {{ post(id: $id) {{ {field} }} }}",
    "Query": "query({declared}) {{ {field} }}",
    "Viewer": "query({declared}) {{ viewer {{ {field} }} }}",
}
ASKED = [
    pytest.param(owner, name, argument, id=f"{owner}.{name}.{argument}")
    for owner in PLACES
    for name, field in getattr(SCHEMA.type_map[owner], "fields", {}).items()
    for argument, each in field.args.items()
    if get_named_type(each.type).name in (*EXTREMES, "String") and argument not in ("after", "before")
]


@pytest.mark.parametrize(("owner", "name", "argument"), ASKED)
async def test_extremes_of_every_argument(
    world: World, new_phone: NewPhone, services: Services, owner: str, name: str, argument: str
) -> None:
    ada = await new_phone(user_id=world.ada.user_id)
    holder = SCHEMA.type_map[owner]
    assert isinstance(holder, GraphQLObjectType)
    field = holder.fields[name]
    given = {each: type.type for each, type in field.args.items() if each == argument or needed(type.type)}
    inside = " { __typename }" if hasattr(get_named_type(field.type), "fields") else ""
    named = f"{name}({', '.join(f'{each}: ${each}' for each in given)}){inside}"
    declared = {"id": "ID!", **given} if owner in ("Chat", "Post") else given
    heading = ", ".join(f"${each}: {type}" for each, type in declared.items())
    id = world.named["chatId" if owner == "Chat" else "postId"]
    kind = get_named_type(given[argument]).name
    for value in EXTREMES.get(kind, ["", "\0", "\u202e", "(", "x" * 10_000, "\u0301" * 3]):
        await unlimited(services)
        values = {"id": id, **dict.fromkeys(given, "x"), argument: value}
        await judged(ada, PLACES[owner].format(declared=heading, field=named), name, values)


def needed(type: Any) -> bool:
    return isinstance(type, GraphQLNonNull)


SINCE = """query($id: ID!, $since: DateTime!) {
  chat(id: $id) { messages(filter: {updatedFrom: $since}) { edges { cursor node { id } } } } }"""


async def test_messages_since_the_first_day_of_all_are_all_messages(
    world: World, new_phone: NewPhone
) -> None:
    ada, chat = await new_phone(user_id=world.ada.user_id), world.named["chatId"]

    async def since(moment: str) -> list[str]:
        found = await ada.run(SINCE, id=chat, since=moment)
        return [edge["node"]["id"] for edge in found["chat"]["messages"]["edges"]]

    ever = await since("1970-01-01T00:00:00Z")
    assert len(ever) >= 2
    assert await since("0001-01-01T00:00:00Z") == ever
    assert await since("9999-12-31T23:59:59.999Z") == []
