"""OneOf input objects: the examples of the specification, and the same answers from both executors.

https://spec.graphql.org/draft/#sec-OneOf-Input-Objects
"""

from typing import Any, TypedDict

import pytest
from graphql import build_schema, parse, validate

from core import discovery
from core.context import Context, Services
from core.graphql import query
from core.graphql.build import Schema, build
from core.graphql.validation import RULES
from core.one_of import one_of
from executor import Executor


@one_of
class Example(TypedDict, total=False):
    """Input of the specification's examples: one of two."""

    a: str | None
    """Text of the example, any length."""
    b: int | None
    """Number of the example, any size."""


async def given(ctx: Context, *, example: Example) -> str:
    return repr(dict(example))


class Examples:
    """A system's schema module, as discovery gives it."""

    __name__ = __name__

    class Query:
        given: str = query(given, example="Value of the example.")
        """Fields that the resolver was given."""


@pytest.fixture(scope="module")
def schema() -> Schema:
    return build([*discovery.all_systems()["schema"], Examples])  # type: ignore[list-item]


def document(literal: str, variables: dict[str, Any]) -> str:
    """The example with each variable of the type that its name says; those of members are not null."""
    types = {"example": "ExampleInput!", "a": "String!", "b": "Int!", "maybe": "Int"}
    declared = ", ".join(f"${name}: {types[name]}" for name in types if f"${name}" in literal)
    head = f"query Q({declared})" if declared else "query Q"
    return f"{head} {{ given(example: {literal}) }}"


VALID: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ('{a: "abc"}', {}, {"a": "abc"}),
    ("{b: 123}", {}, {"b": 123}),
    ("{a: $a}", {"a": "abc"}, {"a": "abc"}),
    ("{b: $b}", {"b": 123}, {"b": 123}),
    ("$example", {"example": {"b": 123}}, {"b": 123}),
    ("$example", {"example": {"a": ""}}, {"a": ""}),
]

INVALID_DOCUMENTS = [
    '{a: "abc", b: 123}',
    "{a: null, b: 123}",
    '{a: "abc", b: null}',
    "{a: null, b: null}",
    "{a: null}",
    "{}",
    "{a: $a, b: 123}",
    '{a: "abc", b: $maybe}',
    "{b: $maybe}",
    "{a: 123}",
    '{b: "123"}',
    '{a: "abc", c: 1}',
    "{c: 1}",
    '"abc123"',
]

INVALID_VALUES: list[tuple[str, dict[str, Any]]] = [
    ("$example", {"example": {"a": "abc", "b": 123}}),
    ("$example", {"example": {"a": "abc", "b": None}}),
    ("$example", {"example": {"a": None}}),
    ("$example", {"example": {}}),
    ("$example", {"example": {"b": "abc"}}),
    ("$example", {"example": {"c": 1}}),
    ("$example", {"example": "abc123"}),
    ("$example", {"example": None}),
    ("$example", {}),
    ("{a: $a}", {"a": None}),
    ("{a: $a}", {}),
    ("{b: $b}", {"b": "abc"}),
]


@pytest.mark.parametrize(("literal", "variables", "expected"), VALID)
async def test_exactly_one_field_that_is_not_null(
    schema: Schema, services: Services, literal: str, variables: dict[str, Any], expected: dict[str, Any]
) -> None:
    text = document(literal, variables)
    compiled = await Executor(schema, eager=True).run(text, variables, "Q", Context(services))
    reference = await schema.execute(text, variables, context_value=Context(services), operation_name="Q")
    assert compiled is not None
    assert (compiled.data, compiled.errors) == ({"given": repr(expected)}, None)
    assert (reference.data, reference.errors) == (compiled.data, None)


@pytest.mark.parametrize("literal", INVALID_DOCUMENTS)
def test_a_document_with_none_several_or_null_is_invalid(schema: Schema, literal: str) -> None:
    assert validate(schema._schema, parse(document(literal, {})), RULES) != []


@pytest.mark.parametrize(("literal", "variables"), INVALID_VALUES)
async def test_variables_with_none_several_or_null_are_refused(
    schema: Schema, services: Services, literal: str, variables: dict[str, Any]
) -> None:
    text = document(literal, variables)
    assert validate(schema._schema, parse(text), RULES) == []
    # What does not fit is left to the reference, which says what is wrong with it.
    assert await Executor(schema, eager=True).run(text, variables, "Q", Context(services)) is None
    answer = await schema.execute(text, variables, context_value=Context(services), operation_name="Q")
    assert (answer.data, bool(answer.errors)) == (None, True)


def test_each_fault_is_reported_once(schema: Schema) -> None:
    [error] = validate(schema._schema, parse(document('{a: "abc", b: 123}', {})), RULES)
    assert error.message.startswith("Within OneOf Input Object type 'ExampleInput', exactly one field")
    [error] = validate(schema._schema, parse(document("{b: $maybe}", {})), RULES)
    assert error.message == (
        "Variable '$maybe' is of type 'Int' but must be non-nullable to be used for OneOf Input Object"
        " 'ExampleInput'."
    )


async def test_introspection_and_the_sdl_say_so(schema: Schema, services: Services) -> None:
    asked = 'query Q { one: __type(name: "ExampleInput") { isOneOf } '
    asked += 'many: __type(name: "CreatePostInput") { isOneOf } other: __type(name: "Post") { isOneOf } }'
    answer = await schema.execute(asked, operation_name="Q", context_value=Context(services))
    assert answer.data == {"one": {"isOneOf": True}, "many": {"isOneOf": False}, "other": {"isOneOf": None}}
    sdl = schema.as_str()
    assert "input ExampleInput @oneOf" in sdl
    assert build_schema(sdl).type_map["ExampleInput"].is_one_of  # type: ignore[attr-defined]
