"""Pages that are checked in as they are built: of their present sources, and edited by nobody."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("app", "graphiql")


def digests(paths: Mapping[str, str] | list[str]) -> dict[str, str | None]:
    """SHA-256 of files by their paths; None for what is gone."""
    files = {path: ROOT / path for path in paths}
    return {
        path: hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None
        for path, file in files.items()
    }


def record(page: str) -> dict[str, dict[str, str]]:
    """Digests that the build wrote down, of its sources and of what it made of them."""
    found: dict[str, dict[str, str]] = json.loads((ROOT / "clients" / page / "built.json").read_text())
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_built_of_its_present_sources(page: str) -> None:
    sources = record(page)["sources"]
    assert f"clients/{page}/package.json" in sources
    assert digests(sources) == sources, f"Run `npm run build` in clients/{page}, and commit what it writes."


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_as_it_was_built(page: str) -> None:
    folder = ROOT / "server" / "static" / page
    served = [str(file.relative_to(ROOT)) for file in folder.rglob("*") if file.is_file()]
    assert digests(served) == record(page)["files"], f"Run `npm run build` in clients/{page}."


@pytest.mark.parametrize("page", PAGES)
def test_every_source_of_a_page_is_on_record(page: str) -> None:
    """But for types, which leave nothing in what is built."""
    written = {str(file.relative_to(ROOT)) for file in (ROOT / "clients" / page / "src").rglob("*.*")}
    assert written <= record(page)["sources"].keys()
