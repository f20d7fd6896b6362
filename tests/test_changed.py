"""Test selection: the tests that a change can break."""

import subprocess
from pathlib import Path

import pytest

from tests import changed, layering

LAWS = ["tests/conventions/test_names.py", "tests/test_smoke.py"]
SOURCES = {
    "core/ids.py": "",
    "stores/auth.py": "from core import ids",
    "resolvers/auth.py": "from stores import auth",
    "resolvers/pin.py": "from resolvers import auth",
    "schema/pin/__init__.py": "def build():\n    from resolvers import pin",
    "schema/auth.py": "from resolvers import auth",
    "server/app.py": "from schema import auth, pin",
    "tests/conftest.py": "from resolvers import auth",
    "tests/conventions/test_names.py": "",
    "tests/test_smoke.py": "",
    "tests/test_auth.py": "",
    "tests/pin/conftest.py": "",
    "tests/pin/steps.py": "",
    "tests/pin/test_pins.py": "from tests.pin import steps",
    "tests/server/test_app.py": "from server import app",
    "tests/engine/test_lists.py": "from tests.pin.steps import keep",
    "tests/engine/test_docs.py": "",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Pins above accounts, with tests of both and of what carries them."""
    for layer in layering.KNOWS:
        (tmp_path / layer).mkdir()
        (tmp_path / layer / "__init__.py").touch()
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    return tmp_path


OF_PINS = ["tests/engine/test_lists.py", "tests/pin/test_pins.py"]


@pytest.mark.parametrize(
    ("files", "tests"),
    [
        ([], []),
        (["resolvers/pin.py"], OF_PINS),
        (["schema/pin/deleted.py"], OF_PINS),
        (["stores/auth.py"], [*OF_PINS, "tests/test_auth.py"]),
        (["tests/pin/test_pins.py"], ["tests/pin/test_pins.py"]),
        (["tests/pin/steps.py"], OF_PINS),
        (["tests/pin/conftest.py"], OF_PINS),
        (["docs/pins.md"], ["tests/engine/test_docs.py"]),
    ],
)
def test_a_change_of_a_system_runs_those_that_import_it(
    tree: Path, files: list[str], tests: list[str]
) -> None:
    assert changed.selected(tree, files) == sorted([*tests, *LAWS])


@pytest.mark.parametrize("file", ["core/ids.py", "server/app.py", "schema/__init__.py", "pyproject.toml"])
def test_what_belongs_to_no_system_runs_everything(tree: Path, file: str) -> None:
    assert changed.selected(tree, ["resolvers/pin.py", file]) == ["tests"]


def test_what_differs_from_main_is_committed_changed_or_new(tree: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments],
            cwd=tree,
            check=True,
            capture_output=True,
        )

    git("init", "-b", "main")
    git("add", ".")
    git("commit", "-m", "Keep pins")
    git("switch", "-c", "names")
    (tree / "stores/auth.py").write_text("")
    git("commit", "-am", "Know nothing of ids")
    (tree / "resolvers/pin.py").write_text("")
    (tree / "jobs/pin.py").touch()
    assert changed.changed_files(tree) == ["resolvers/pin.py", "stores/auth.py", "jobs/pin.py"]
