"""Ids and nodes of the schema, and one that breaks each rule."""

import pytest

from tests.conventions import rules_nodes as rules
from tests.conventions.schemas import Rule, current, example

BROKEN = {
    rules.ids_without_node: (
        '"Whale seen at sea." type Whale { "Id of the whale." id: ID! }',
        "Whale.id is an id without a node: implement Node, or leave the id out.",
    ),
    rules.synced_without_entity: (
        '"Types that are synced." enum SyncType { "Changes of type Whale." WHALE }'
        ' "Whale seen at sea." type Whale implements Node { "Id of the whale." id: ID! }',
        "SyncType.WHALE is synced: Whale implements Entity.",
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(current()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_type_that_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, finding = BROKEN[rule]
    assert rule(example(sdl)) == [finding]
