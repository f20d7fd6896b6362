"""The page of conventions, read as a reader does: what it shows of the schema is in the schema."""

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, TypeDefinitionNode, parse, print_ast

from tests.conventions.schemas import current, elements
from tests.conventions.vocabulary import SPELLINGS
from tests.snippets import ROOT, SNIPPETS, Snippet

PAGE = ROOT / "docs" / "conventions.md"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "clients").glob("*.md"),
]
SHOWN = [each for each in SNIPPETS if each.page == PAGE and each.language == "graphqls"]
FENCE = re.compile(r"```.*?```", re.DOTALL)
QUOTED = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[A-Za-z]\w*")
MADE_UP = frozenset(
    {"PastParticiple", "XFilterInput", "XResult", "XSort", "dueOn", "hasLink", "isPinned", "itemId", "oneOf"}
    | {"uploadStatus", "xId"}
)
"""Names that stand for any, that clients make up, or that are not to be written."""


@pytest.mark.parametrize("snippet", SHOWN, ids=str)
def test_what_an_example_defines_is_served_so(snippet: Snippet) -> None:
    assert differences(current(), snippet.code) == []


def test_every_name_in_a_sentence_is_one_of_the_schema() -> None:
    prose = FENCE.sub("", PAGE.read_text())
    assert len(SHOWN) > 4
    assert unknown(current(), prose) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_have_american_spelling(page: Path) -> None:
    text = page.read_text()
    assert [found[0] for pattern, _ in SPELLINGS for found in pattern.finditer(text)] == []


def test_an_example_that_is_not_served_is_found() -> None:
    pins = "input PinInput { id: ID } type Post implements Pin { id: ID! } enum CommentSort { NEWEST LATEST }"
    assert differences(current(), pins) == [
        "PinInput is not served, or as another kind of type",
        "Post is not served, or as another kind of type",
        "CommentSort.LATEST is not served",
    ]
    fields = (
        "type Post { pins: Int! shareCount: Int } type Query { post(id: ID): Post } type Mutation { signUp("
    )
    assert differences(current(), f"{fields}input: SignUpInput!): SignUpPayload @refuses(codes: [NO])}}") == [
        "Post.pins is not served",
        "Post.shareCount is served as Int!",
        "Query.post is served as (id: ID!): Post",
        "Mutation.signUp is served with other directives",
    ]


def test_a_name_that_is_gone_is_found() -> None:
    gone = (
        "Not `PinSort`, nor `pinnedCount`, nor `Post.pin: Int`, but `Post`, `commentCount`, `set` or `xId`."
    )
    assert unknown(current(), gone) == ["PinSort", "pinnedCount"]


def differences(schema: GraphQLSchema, example: str) -> list[str]:
    """Definitions of an example that the schema has otherwise; it may leave out fields, values and codes."""
    found = []
    for shown in parse(example).definitions:
        assert isinstance(shown, TypeDefinitionNode)
        name = shown.name.value
        served = getattr(schema.type_map.get(name), "ast_node", None)
        if served is None or served.kind != shown.kind or not _interfaces(shown) <= _interfaces(served):
            found.append(f"{name} is not served, or as another kind of type")
            continue
        members = _members(served)
        for member, each in _members(shown).items():
            if member not in members:
                found.append(f"{name}.{member} is not served")
            elif _signature(each) != _signature(members[member]):
                found.append(f"{name}.{member} is served as {_signature(members[member])}")
            elif not _directives(each) <= _directives(members[member]):
                found.append(f"{name}.{member} is served with other directives")
    return found


def _members(node: Any) -> dict[str, Any]:
    members = getattr(node, "fields", None) or getattr(node, "values", None) or ()
    return {each.name.value: each for each in members}


def _interfaces(node: Any) -> set[str]:
    return {each.name.value for each in getattr(node, "interfaces", None) or ()}


def _signature(node: Any) -> str:
    """Arguments and type of a field as SDL has them; of an enum value nothing."""
    given = getattr(node, "arguments", None) or ()
    arguments = (
        f"({', '.join(f'{each.name.value}: {_signature(each)}' for each in given)}): " if given else ""
    )
    default = getattr(node, "default_value", None)
    return (
        arguments
        + (print_ast(node.type) if hasattr(node, "type") else "")
        + (f" = {print_ast(default)}" if default else "")
    )


def _directives(node: Any) -> set[tuple[str, str, str]]:
    """Each value of each argument of the directives."""
    return {
        (each.name.value, argument.name.value, print_ast(value))
        for each in node.directives or ()
        for argument in each.arguments or ()
        for value in getattr(argument.value, "values", None) or (argument.value,)
    }


def unknown(schema: GraphQLSchema, prose: str) -> list[str]:
    """Names in backticks that look like one of the schema's and are none."""
    known = {each for path in elements(schema) for each in NAME.findall(path.path)}
    return [
        name
        for quoted in QUOTED.findall(prose)
        for name in NAME.findall(quoted)
        if re.search(r"[a-z][A-Z]", name) and name not in known | MADE_UP
    ]
