"""Scaffold of a system: the files of a new one, on every layer it needs, with a test that passes."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template

from core import discovery
from core.storage.store import COLLECTIONS

TEMPLATES = Path(__file__).with_name("system_template")
FILES = {
    "stores": "stores/{name}.py",
    "resolvers": "resolvers/{name}.py",
    "schema": "schema/{name}.py",
    "tests": "tests/test_{name}.py",
}
"""By template, where its file goes."""
ORDER = re.compile(r"\n\[tool\.landfall\]\nsystems = \[\n.*?(?=    # It reads every|    \"sync\")", re.DOTALL)
"""The list of all systems in `pyproject.toml`, without those that read every system's types."""
SINGULAR = re.compile(r"[a-z][a-z]{1,30}")


class NotWritten(ValueError):
    """The system cannot be written; the message says why."""


def names_of(name: str) -> dict[str, str]:
    """A system's name as its files have it: `name`, `names`, `Name`, `Names`, `NAME`."""
    names = f"{name[:-1]}ies" if re.search("[^aeiou]y$", name) else f"{name}s"
    return {"name": name, "names": names, "Name": name.title(), "Names": names.title(), "NAME": name.upper()}


def files(name: str) -> dict[str, str]:
    """Path to text of a new system's files; `name` is one word in the singular, lower case: `pin`."""
    if not SINGULAR.fullmatch(name):
        raise NotWritten(f"{name!r} is no name of a system: take one word in lower case, such as `pin`.")
    words = names_of(name)
    return {
        path.format(name=name): Template((TEMPLATES / f"{template}.txt").read_text()).substitute(words)
        for template, path in FILES.items()
    }


def write(name: str, root: Path) -> list[Path]:
    """Write the files of a new system below `root`; none where one of them exists."""
    texts = {root / path: text for path, text in files(name).items()}
    existing = [path for path in texts if path.exists()]
    if existing:
        raise NotWritten(f"{existing[0].relative_to(root)} exists already.")
    missing = [path.parent for path in texts if not path.parent.is_dir()]
    if missing:
        raise NotWritten(f"{missing[0]} is missing: run this in a clone of the project.")
    _check_free(name, root)
    project = root / "pyproject.toml"
    project.write_text(ordered(project.read_text(), name))
    for path, text in texts.items():
        path.write_text(formatted(text, path.name))
    return list(texts)


def _check_free(name: str, root: Path) -> None:
    """Refuse names of a type, or of a collection, that another system has."""
    words = names_of(name)
    snapshot = root / "schema" / "schema.graphql"
    defined = rf"^(?:type|interface|union|enum|input|scalar) {words['Name']}\b"
    if snapshot.exists() and re.search(defined, snapshot.read_text(), re.MULTILINE):
        raise NotWritten(f"The schema has a {words['Name']} already: take another name.")
    discovery.systems("stores")
    if words["names"] in COLLECTIONS:
        raise NotWritten(f"There is a collection {words['names']!r} already: take another name.")


def ordered(project: str, name: str) -> str:
    """The project's description with the system in the order of systems, above all that are there."""
    found = ORDER.search(project)
    if found is None:
        raise NotWritten("pyproject.toml lists no systems: run this in a clone of the project.")
    listed = "" if f'"{name}"' in found[0] else f'    "{name}",\n'
    return project[: found.end()] + listed + project[found.end() :]


def formatted(text: str, name: str) -> str:
    """As ruff formats it, where a line's length depends on the system's name; as it is without ruff."""
    if find_spec("ruff") is None:
        return text
    command = [sys.executable, "-m", "ruff", "format", "--no-cache", "--stdin-filename", name, "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
