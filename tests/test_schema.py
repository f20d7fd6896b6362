"""The schema clients were built with is the one that is served."""

from pathlib import Path

from core.settings import Settings
from server import assembly

SNAPSHOT = Path(__file__).parents[1] / "schema" / "schema.graphql"


def test_the_snapshot_is_the_schema() -> None:
    sdl = assembly.make_schema(Settings()).as_str() + "\n"
    assert SNAPSHOT.read_text() == sdl, "The schema has changed: run `make schema`, and read the diff."
