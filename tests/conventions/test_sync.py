"""Sync and live streams of the schema, and one that breaks each rule; the delta document for clients."""

from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)

from core.graphql.delta_document import delta_document, fragment_name, synced_types
from core.graphql.types import NODE_TYPES
from core.nodes import GUARDS
from tests.conventions import rules_sync as rules
from tests.conventions.schemas import Rule, current, declared, example

DELTA = Path(__file__).parents[2] / "schema" / "delta.graphql"
EVENT = '"Something that happened." interface Event { "Id of this event." eventId: ID! }'
STREAM = (
    f'{EVENT} "Changes of whales." union WhaleEvent = WhaleUpdated'
    ' "Types that are synced." enum SyncType { "Changes of type Whale." WHALE }'
    ' "A whale is another." type WhaleUpdated implements Event { "Id of this event." eventId: ID! }'
    ' "Whale seen at sea." type Whale { name: String }'
    ' "Root of all streams." type Subscription { "All whales." whaleEvents: WhaleEvent }'
)
BROKEN: dict[Rule, tuple[str, str]] = {
    rules.clashing_fields: (
        '"Whale seen at sea." type Whale implements Node { "Id of it." id: ID! "Its name." name: String }'
        ' "Seal seen at sea." type Seal implements Node { "Id of it." id: ID! "Its name." name: String! }',
        "Seal.name is String!, Whale.name is String: give both one type, or one of them another name.",
    ),
    rules.misnamed_events: (
        f'{EVENT} "A whale is to be seen." type NewWhale implements Event {{ "Id of it." eventId: ID! }}',
        'NewWhale is an event: name it by its type and a past participle, such as "CommentCreated".',
    ),
    rules.loose_ids: (
        f'{EVENT} "A whale left." type WhaleLeft implements Event {{ "Id of it." eventId: ID! whaleId: ID! }}'
        ' "Whale seen at sea." type Whale { name: String }',
        "WhaleLeft.whaleId is a loose id: bring the entity, or call it `deleted...Id`.",
    ),
    rules.events_without_edge: (
        f'{EVENT} "A new whale." type WhaleCreated implements Event {{ eventId: ID! whale: Whale }}'
        ' "Whale seen at sea." type Whale { name: String }',
        "WhaleCreated has no `whaleEdge`: clients would have to make the edge up.",
    ),
    rules.entities_in_own_streams: (
        STREAM,
        "Subscription.whaleEvents tells of Whale, as changeEvents does: drop WhaleUpdated from it.",
    ),
    rules.tombstones_without_type: (
        '"What changed at sea." type SeaChanges { "Ids of what is gone." deletedIds: [ID!]! }',
        "SeaChanges.deletedIds does not say of which type: give DeletedNode, or call it `deletedPostId`.",
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(current()) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_schema_that_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, finding = BROKEN[rule]
    assert rule(example(sdl)) == [finding]


def test_an_object_that_ends_in_event_is_found() -> None:
    found = rules.misnamed_events(example('"Something at sea." type WhaleEvent { name: String }'))
    assert found == ["WhaleEvent ends in Event: leave that to unions."]


def test_every_node_is_read_by_its_id() -> None:
    served = declared()._schema.type_map
    assert {prefix for prefix, name in NODE_TYPES.items() if name in served} - GUARDS.keys() == set()


def test_the_delta_document_is_current() -> None:
    wanted = delta_document(declared()._schema)
    assert DELTA.read_text() == wanted, "The schema has changed: run `make schema`."


def test_the_delta_document_is_valid_with_every_leaf_of_every_synced_type() -> None:
    schema, document = declared()._schema, parse(DELTA.read_text())
    assert validate(schema, document) == []
    fragments = {
        each.name.value: {
            field.name.value for field in each.selection_set.selections if isinstance(field, FieldNode)
        }
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    for type_ in synced_types(schema):
        assert _leaves(type_) - fragments.pop(fragment_name(type_)) == set(), type_.name
    assert fragments == {}


def _leaves(type_: GraphQLObjectType) -> set[str]:
    """Fields of plain values, but for those that are for staff."""
    return {
        name
        for name, field in type_.fields.items()
        if is_leaf_type(get_named_type(field.type))
        and not field.extensions["strawberry-definition"].metadata.get("roles")
    }
