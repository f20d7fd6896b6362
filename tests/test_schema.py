"""Schema snapshot: the schema clients were built with is the one that is served."""

from pathlib import Path

from graphql import GraphQLScalarType, is_specified_scalar_type

from core.settings import Settings
from server import lifespan

SNAPSHOT = Path(__file__).parents[1] / "schema" / "schema.graphql"


def test_the_snapshot_is_the_schema() -> None:
    sdl = lifespan.make_schema(Settings()).as_str() + "\n"
    assert SNAPSHOT.read_text() == sdl, "The schema has changed: run `make schema`, and read the diff."


def test_every_scalar_of_ours_says_where_it_is_specified() -> None:
    types = lifespan.make_schema(Settings())._schema.type_map.values()
    ours = [
        each for each in types if isinstance(each, GraphQLScalarType) and not is_specified_scalar_type(each)
    ]
    assert {"DateTime", "Decimal", "JSON", "SyncToken", "URL"} <= {each.name for each in ours}
    without = [each.name for each in ours if not (each.specified_by_url or "").startswith("https://")]
    assert without == []
