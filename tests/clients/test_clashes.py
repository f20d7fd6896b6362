"""Fields that two types of one selection have in different shapes (FieldsInSetCanMerge): the page lists them all."""

import re
from itertools import combinations
from typing import Any

from graphql import GraphQLObjectType, is_leaf_type, is_list_type, is_non_null_type

from core.settings import Settings
from server import lifespan
from tests.snippets import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text()


def test_field_names_that_clash_between_nodes_are_listed() -> None:
    schema = lifespan.make_schema(Settings())._schema
    nodes = [*schema.get_possible_types(schema.type_map["Node"])]  # type: ignore[arg-type]
    found: dict[str, set[str]] = {}
    for one, other in combinations(nodes, 2):
        for name in one.fields.keys() & other.fields.keys():
            if _clash(one.fields[name].type, other.fields[name].type):
                found.setdefault(name, set()).update(_told(each, name) for each in (one, other))
    rows = re.findall(r"^\| `(\w+)` \| (\w+ `.*`) \|$", PAGE, re.MULTILINE)
    assert {name: set(types.split(", ")) for name, types in rows} == found


def _told(type_: GraphQLObjectType, field: str) -> str:
    return f"{type_.name} `{type_.fields[field].type}`"


def _clash(one: Any, other: Any) -> bool:
    """The specification's SameResponseShape, without what is selected inside."""
    for wraps in (is_non_null_type, is_list_type):
        if wraps(one) != wraps(other):
            return True
        if wraps(one):
            return _clash(one.of_type, other.of_type)
    return (is_leaf_type(one) or is_leaf_type(other)) and one is not other
