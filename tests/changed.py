"""Test selection: the test files that a change can break, by the import graph.

    python -m tests.changed [FILE ...]

Prints them for the files given, or for all that differ from where this branch left `main`: the tests of the
systems that changed and of those that import them, every test file that imports any of these, and the laws.
What belongs to no system carries all of them: then everything runs.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePath

from tests import layering

ROOT = Path(__file__).parents[1]
MAIN = ("main", "origin/main")
LAWS = ("test_architecture", "test_schema", "test_smoke")
"""Quick, and about all systems; the conventions are too."""
CONVENTIONS = PurePath("tests/conventions")
PAGES = ("test_contributing", "test_docs", "test_readme", "test_snippets")
"""Those that read what is written for people."""
EVERYTHING = ["tests"]


class Sources:
    """The product and its tests as one graph of imports."""

    def __init__(self, root: Path) -> None:
        folders = (*layering.KNOWS, "tests")
        self._root = root
        self._paths = layering.modules(root, folders)
        self._importers: dict[str, set[str]] = defaultdict(set)
        for name, imported in layering.graph(root, folders).items():
            # The server puts together whatever there is, and a conftest prepares for whatever runs.
            if not name.startswith("server.") and not name.endswith(".conftest"):
                for each in imported:
                    self._importers[each].add(name)

    def under(self, folder: PurePath) -> set[str]:
        return {name for name, path in self._paths.items() if path.is_relative_to(self._root / folder)}

    def named(self, *stems: str) -> set[str]:
        return {name for name in self._paths if name.rpartition(".")[2] in stems}

    def of_system(self, system: str) -> set[str]:
        """Its modules on every layer, and its tests."""
        product = {name for name in self._paths if _system(name) == system}
        return product | self.under(PurePath("tests", system)) | self.named(f"test_{system}")

    def carried(self, modules: Iterable[str]) -> set[str]:
        """These and all that import them, systems as wholes."""
        found: set[str] = set()
        waiting = set(modules)
        while waiting:
            found |= waiting
            systems = {system for name in waiting if (system := _system(name))}
            above = {each for name in waiting for each in self._importers[name]}
            waiting = above.union(*map(self.of_system, systems)) - found
        return found

    def test_files(self, modules: Iterable[str]) -> list[str]:
        paths = [self._paths[name].relative_to(self._root) for name in modules]
        return sorted(str(path) for path in paths if path.name.startswith("test_"))


def _system(module: str) -> str:
    """The system whose module of the product it is, if any."""
    layer, _, inner = module.partition(".")
    name = inner.partition(".")[0]
    return name if layer in layering.SYSTEM_LAYERS and name != "__init__" else ""


def selected(root: Path, changed: Iterable[str]) -> list[str]:
    """Paths for pytest, relative to the root."""
    sources = Sources(root)
    touched: set[str] = set()
    for path in map(PurePath, changed):
        module = ".".join(path.with_suffix("").parts)
        if path.suffix == ".md":
            touched |= sources.named(*PAGES)
        elif system := _system(module):
            touched |= sources.of_system(system)
        elif path.parts[0] == "tests":
            touched |= sources.under(path.parent if path.name == "conftest.py" else path)
        elif path.parts[0] == "clients":
            touched |= sources.under(PurePath("tests/clients"))
        else:
            return EVERYTHING
    laws = sources.named(*LAWS) | sources.under(CONVENTIONS)
    return sources.test_files(sources.carried(touched) | laws)


def changed_files(root: Path) -> list[str]:
    """Files that differ from the commit where this branch left `main`, committed or not."""
    known = set(_git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes"))
    main = next((name for name in MAIN if name in known), "HEAD")
    [base] = _git(root, "merge-base", main, "HEAD")
    return [
        *_git(root, "diff", "--name-only", base),
        *_git(root, "ls-files", "--others", "--exclude-standard"),
    ]


def _git(root: Path, *arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


if __name__ == "__main__":
    print(*selected(ROOT, sys.argv[1:] or changed_files(ROOT)))
