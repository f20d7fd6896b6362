"""CONTRIBUTING.md is right about adding a system: the one it writes is added to a copy, and run there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import house

ROOT = Path(__file__).parents[1]
TESTS = ("confidential.py", "conftest.py", "house.py", "phone.py", "test_architecture.py", "test_schema.py")
FILES = (
    "stores/pin.py",
    "loaders/pin.py",
    "resolvers/pin.py",
    "schema/pin.py",
    "tests/test_pin.py",
    "jobs/pin.py",
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The house with the 25th system."""
    for floor in house.KNOWS:
        shutil.copytree(ROOT / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs" / "decisions", tmp_path / "docs" / "decisions")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    for name in TESTS:
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    for name, code in blocks().items():
        (tmp_path / name).write_text(code)
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


def test_the_system_of_contributing_works(copy: Path) -> None:
    assert tuple(blocks()) == FILES
    run(copy, "ruff", "check", "--no-cache", *FILES)
    run(copy, "ruff", "format", "--no-cache", "--check", *FILES)
    run(copy, "server", "schema", "--write")
    assert "pins(" in (copy / "schema" / "schema.graphql").read_text()
    run(copy, "pytest", "-p", "no:cacheprovider", "tests")
