"""Findings that the schema still has: their number per rule and area may only fall."""

import json
from collections import defaultdict
from pathlib import Path

from graphql import GraphQLSchema

from tests.conventions.schemas import directive

KNOWN = Path(__file__).with_name("known.json")


def surplus(rule: str, schema: GraphQLSchema, findings: list[str]) -> list[str]:
    """The findings of the areas that have more than are known of this rule."""
    known: dict[str, int] = json.loads(KNOWN.read_text()).get(rule, {})
    found: dict[str, list[str]] = defaultdict(list)
    for each in findings:
        found[area(schema, each.split(" ", 1)[0])].append(each)
    return [each for name, listed in found.items() if len(listed) > known.get(name, 0) for each in listed]


def area(schema: GraphQLSchema, path: str) -> str:
    """The area of a schema coordinate: of the field if it has one, else of the type."""
    name, _, member = path.partition("(")[0].partition(".")
    owner = schema.type_map[name]
    field = getattr(owner, "fields", {}).get(member)
    [found] = [*directive(field, "area"), *directive(owner, "area"), {"name": "common"}][:1]
    return str(found["name"])
