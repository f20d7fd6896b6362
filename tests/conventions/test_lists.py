"""Lists of the schema, and one that breaks each rule."""

import pytest

from tests.conventions import rules_lists as rules
from tests.conventions.schemas import Rule, current, example

WHALES = 'type Whale { name: String } type WhaleConnection { "Whales of a page." edges: [Whale!]! }'
ALL_FOUR = "first: Int, after: String, last: Int, before: String"
BROKEN: dict[Rule, tuple[str, list[str]]] = {
    rules.connections: (
        "extend type Query { whales(first: Int, after: String): WhaleConnection! }"
        " type Whale { name: String } type WhaleConnection { nodes: [Whale!]! }",
        [
            "Query.whales is a connection: take first, after, last, before, each of which may be left out.",
            "WhaleConnection has nodes beside its edges: leave them out.",
        ],
    ),
    rules.bounded: (
        f"{WHALES} extend type Query {{ whales(first: Int): [Whale!]! seals(limit: Int): [Whale!]! }}",
        [
            "Query.whales is no connection: take `limit: Int! = 20` in place of a page's arguments.",
            "Query.seals(limit:) has no default: write `limit: Int! = 20`.",
        ],
    ),
    rules.unbounded: (
        f"{WHALES} extend type Query {{ "
        '"Whales of a sea." whales: [Whale!]! "Whales of a pod, at most 40." pod: [Whale!]! '
        '"Largest whales." largest(limit: Int! = 5): [Whale!]! "Names of whales." names: [String!]! }',
        ['Query.whales is a plain list: say its bound, such as "at most 10", or make it a connection.'],
    ),
    rules.narrowed_apart: (
        f"{WHALES} extend type Query {{ whales({ALL_FOUR}, sea: String): WhaleConnection! }}",
        ["Query.whales(sea:) narrows a list: put it into `filter`."],
    ),
    rules.filters: (
        f"{WHALES} input SealFilterInput {{ sea: ID! }} extend type Query {{"
        f" whales({ALL_FOUR}, filter: String): WhaleConnection!"
        f" seals({ALL_FOUR}, filter: SealFilterInput): WhaleConnection! }}",
        [
            "Query.whales(filter:) is String: write `filter: WhaleFilterInput`.",
            "SealFilterInput.sea is required: filters may be left out.",
        ],
    ),
    rules.filter_words: (
        "enum SeaKind { COLD } input WhaleFilterInput"
        " { text: String seaIds: [ID!] sea: [ID!] podId: ID kind: SeaKind view: SeaKind }",
        [
            "WhaleFilterInput.text has a name of its own: call it query.",
            "WhaleFilterInput.sea is a list: name it in the plural.",
            "WhaleFilterInput.podId takes one of several: take a list, named in the plural.",
            "WhaleFilterInput.kind takes one of several: take a list, named in the plural.",
        ],
    ),
    rules.sorts: (
        f"{WHALES} enum WhaleSort {{ NEWEST SIZE_ASC LARGEST }} extend type Query {{"
        f" whales({ALL_FOUR}, sort: WhaleSort): WhaleConnection!"
        f" seals({ALL_FOUR}, sort: WhaleSort! = NEWEST): WhaleConnection! }}",
        [
            "Query.whales(sort:) is WhaleSort: write `sort: WhaleSort! = NEWEST`.",
            "WhaleSort.LARGEST is one end of an order: name the order, with _DESC at its end.",
        ],
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(current()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_list_that_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, findings = BROKEN[rule]
    assert rule(example(sdl)) == findings
