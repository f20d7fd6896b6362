"""Null for each field of an update: cleared, or refused as what cannot be empty."""

import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, get_nullable_type, is_list_type

from core.context import Services
from core.graphql.changes import CLEARS, STAYS
from tests.conftest import NewPhone
from tests.inputs.world import MUTATIONS, Path, World, inputs_of, outcome, unlimited


def changes(type: GraphQLInputObjectType, rule: str) -> list[Path]:
    """Paths of the fields that are described by the rule, however deep."""
    found: list[Path] = []
    for name, each in type.fields.items():
        inner = get_nullable_type(each.type)
        if isinstance(inner, GraphQLInputObjectType):
            found += [(name, *rest) for rest in changes(inner, rule)]
        # A world puts a value into a list: null for the whole of one is tried on declarations.
        if (each.description or "").endswith(rule) and not is_list_type(inner):
            assert not isinstance(each.type, GraphQLNonNull)
            found.append((name,))
    return found


def given(rule: str) -> list[object]:
    return [
        pytest.param(mutation, path, id=f"{mutation}.{'.'.join(path)}")
        for mutation in MUTATIONS
        for path in changes(inputs_of(mutation), rule)
    ]


@pytest.mark.parametrize(("mutation", "path"), given(STAYS))
async def test_what_cannot_be_empty_is_required(
    world: World, new_phone: NewPhone, services: Services, mutation: str, path: Path
) -> None:
    phone = await new_phone(user_id=world.ada.user_id)
    await unlimited(services)
    assert await outcome(phone, mutation, world.input(phone, mutation, path, None)) == [
        ("REQUIRED", list(path))
    ]


@pytest.mark.parametrize(("mutation", "path"), given(CLEARS))
async def test_what_may_be_empty_is_cleared(
    world: World, new_phone: NewPhone, services: Services, mutation: str, path: Path
) -> None:
    phone = await new_phone(user_id=world.ada.user_id)
    await unlimited(services)
    refused = await outcome(phone, mutation, world.input(phone, mutation, path, None))
    # Ada's post has neither media nor a link: it says so itself.
    assert refused == ([("REQUIRED", ["text"])] if path == ("text",) else [])
