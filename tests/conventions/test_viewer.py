"""Fields of the viewer: few on `Viewer`, personal ones by their prefix, and no loose counters."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema
from strawberry.types.field import StrawberryField

from tests.conventions import rules_viewer as rules
from tests.conventions.schemas import Rule, declared, example

BROKEN: dict[Rule, tuple[str, dict[str, Any], list[str]]] = {
    rules.crowded: (
        "type Viewer { id: ID! mooring: Int harbor: Int tide: Int crew: Int }",
        {},
        ["boat has id, mooring, harbor, tide, crew on Viewer: at most 3, the rest in one area"],
    ),
    rules.not_personal: (
        "type Viewer { id: ID! boat(id: ID!): Int } type BoatArea { reports: Int }",
        {"BoatArea.reports": {"restricted": True}},
        [
            "Viewer.boat reads by an id: it belongs at the root",
            "BoatArea.reports is for staff: it belongs at the root",
        ],
    ),
    rules.misnamed: (
        "type Boat { liked: Int viewerRole: Int viewerCan: Int }",
        {"Boat.liked": {"personal": True}, "Boat.viewerCan": {"personal": True}},
        ["Boat.liked is personal", "Boat.viewerRole is not personal"],
    ),
    rules.anonymous: (
        "type Viewer { boat: Int } extend type Query { viewer: Viewer! }",
        {},
        ["Query.viewer is null for anonymous requests", "Viewer has an id, for caches"],
    ),
    rules.loose_counters: (
        "interface Payload { replayed: Boolean! }"
        " type SailPayload implements Payload { replayed: Boolean! total: Int partNumbers: [Int!] }",
        {},
        ["SailPayload.total counts beside its entity: show the entity, or `viewer`"],
    ),
    rules.loose_ids: (
        "interface Payload { idempotencyKey: ID! } type SailPayload implements Payload"
        " { idempotencyKey: ID! boatId: ID deletedBoatId: ID removedBoatIds: [ID!] }",
        {},
        ["SailPayload.boatId is an id: show the entity, or say deletedXId or removedXId"],
    ),
    rules.renamed: (
        "interface Payload { replayed: Boolean! } type Boat implements Node { id: ID! }"
        " type BoatEdge { node: Boat! } type SailPayload implements Payload"
        " { replayed: Boolean! boat: Boat boats: [Boat!] vessel: Boat boatEdge: BoatEdge place: BoatEdge }",
        {},
        [
            "SailPayload.vessel is of type Boat: call it boat",
            "SailPayload.place is of type BoatEdge: call it boatEdge",
        ],
    ),
}


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_the_rule(rule: Rule) -> None:
    assert rule(declared()._schema) == []


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: rule.__name__)
def test_what_breaks_the_rule_is_found(rule: Rule) -> None:
    sdl, marks, findings = BROKEN[rule]
    assert rule(marked(example(sdl), marks)) == findings


def marked(schema: GraphQLSchema, marks: dict[str, Any]) -> GraphQLSchema:
    """The schema as if a system named boat had declared it, with these marks on its fields."""
    boat = type("Boat", (), {"__module__": "schema.boat"})
    for owner in schema.type_map.values():
        for name, field in owner.fields.items() if isinstance(owner, GraphQLObjectType) else ():
            metadata = marks.get(f"{owner.name}.{name}", {})
            made = StrawberryField(python_name=name, origin=boat, metadata=metadata)
            field.extensions = {"strawberry-definition": made}
    return schema
