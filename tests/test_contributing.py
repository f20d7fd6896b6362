"""A new system works as CONTRIBUTING.md shows it: written into a copy of the project, linted, tested."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import new_system
from tests import layering

ROOT = Path(__file__).parents[1]
TESTS = (
    "confidential.py",
    "conftest.py",
    "explained.py",
    "layering.py",
    "leftovers.py",
    "listening.py",
    "phone.py",
    "reached.py",
    "routed.py",
    "scattered.py",
    "test_architecture.py",
    "test_schema.py",
)
MOST_LINES = 150


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project, without what a system's test does not need."""
    for layer in layering.KNOWS:
        shutil.copytree(ROOT / layer, tmp_path / layer, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs" / "decisions", tmp_path / "docs" / "decisions")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    if (ROOT / ".mypy_cache").exists():
        # Of what has not changed, types are known.
        shutil.copytree(ROOT / ".mypy_cache", tmp_path / ".mypy_cache")
    (tmp_path / "tests").mkdir()
    for name in TESTS:
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    # Its test of the page reads what is not copied.
    left_out = shutil.ignore_patterns("test_page.py")
    shutil.copytree(ROOT / "tests" / "conventions", tmp_path / "tests" / "conventions", ignore=left_out)
    return tmp_path


def blocks() -> dict[str, str]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", text, re.DOTALL))


def run(copy: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_system_is_linted_tested_and_as_the_page_shows_it(copy: Path) -> None:
    run(copy, "server", "new-system", "pin")
    assert layering.order(copy)[-2:] == ["pin", "sync"]
    written = list(new_system.files("pin"))
    assert blocks() == {name: (copy / name).read_text() for name in written}
    code = [name for name in written if not name.startswith("tests/")]
    assert sum(len((copy / name).read_text().splitlines()) for name in code) <= MOST_LINES
    run(copy, "ruff", "check", "--no-cache", *written)
    run(copy, "ruff", "format", "--no-cache", "--check", *written)
    run(copy, "mypy", *code)
    run(copy, "server", "schema", "--write")
    assert "pins(" in (copy / "schema" / "schema.graphql").read_text()
    run(copy, "pytest", "-p", "no:cacheprovider", "tests")


@pytest.mark.parametrize("name", ["", "Pin", "two words", "../pin", "p" * 40])
def test_a_name_that_is_no_word_writes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(new_system.NotWritten, match="is no name of a system"):
        new_system.write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "taken"), [("post", "The schema has a Post"), ("change", "a collection 'changes'")]
)
def test_a_name_that_another_system_has_writes_nothing(name: str, taken: str, tmp_path: Path) -> None:
    for layer in ("stores", "resolvers", "schema", "tests"):
        (tmp_path / layer).mkdir()
    (tmp_path / "schema" / "schema.graphql").write_text((ROOT / "schema" / "schema.graphql").read_text())
    with pytest.raises(new_system.NotWritten, match=taken):
        new_system.write(name, tmp_path)
    assert list(tmp_path.rglob("*.py")) == []


def test_a_system_that_exists_is_left_alone(tmp_path: Path) -> None:
    for layer in ("stores", "resolvers", "subscriptions", "schema", "tests"):
        (tmp_path / layer).mkdir()
    (tmp_path / "schema" / "pin.py").write_text("mine")
    with pytest.raises(new_system.NotWritten, match=r"schema/pin\.py exists already"):
        new_system.write("pin", tmp_path)
    assert list(tmp_path.rglob("*.py")) == [tmp_path / "schema" / "pin.py"]
    assert new_system.files("story")["stores/story.py"].count('"stories"') == 1
