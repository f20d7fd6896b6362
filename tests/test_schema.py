"""Schema snapshot: the schema clients were built with is the one that is served."""

from pathlib import Path

from graphql import GraphQLField, GraphQLScalarType, build_schema, is_specified_scalar_type, validate_schema

from core.settings import Settings
from server import lifespan
from tests.conventions.schemas import directive

SNAPSHOT = Path(__file__).parents[1] / "schema" / "schema.graphql"
APP_SNAPSHOT = SNAPSHOT.with_name("app.graphql")
CHANGED = "The schema has changed: run `make schema`, and read the diff."


def test_the_snapshot_is_the_schema() -> None:
    schema = lifespan.make_schema(Settings())
    assert SNAPSHOT.read_text() == schema.as_str() + "\n", CHANGED
    assert APP_SNAPSHOT.read_text() == schema.for_apps() + "\n", CHANGED


def test_apps_have_all_but_what_is_for_staff() -> None:
    whole, app = (build_schema(each.read_text()) for each in (SNAPSHOT, APP_SNAPSHOT))
    assert validate_schema(app) == []
    missing = whole.type_map.keys() - app.type_map.keys()
    assert {"InventoryLevel", "SuspendUserPayload"} <= missing
    assert {"User", "Review", "CreatePostInput"}.isdisjoint(missing)
    for root in ("Query", "Mutation", "Subscription"):
        taken = whole.type_map[root].fields.keys() - app.type_map[root].fields.keys()
        roles = {name for name, field in whole.type_map[root].fields.items() if _needs_role(field)}
        assert taken == roles
    assert "@tag" not in APP_SNAPSHOT.read_text()


def _needs_role(field: GraphQLField) -> bool:
    return any(set(given) - {"stepUp"} for given in directive(field, "access"))


def test_every_scalar_of_ours_says_where_it_is_specified() -> None:
    types = lifespan.make_schema(Settings())._schema.type_map.values()
    ours = [
        each for each in types if isinstance(each, GraphQLScalarType) and not is_specified_scalar_type(each)
    ]
    assert {"DateTime", "Decimal", "JSON", "SyncToken", "URL"} <= {each.name for each in ours}
    without = [each.name for each in ours if not (each.specified_by_url or "").startswith("https://")]
    assert without == []
