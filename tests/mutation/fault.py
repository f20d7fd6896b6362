"""Planted fault: one line of the product made wrong by search and replace, and the tests that must notice."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class PlaceGone(Exception):
    """The text to replace is not in its file, or not once: the fault must follow the code."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`find` occurs exactly once in `file`; `tests` are the nearest test files, in the order they are run."""

    what: str
    """The wrong behaviour, as a user would meet it."""
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]

    def planted(self, root: Path = ROOT) -> str:
        """The file's text with the fault in it; PlaceGone where that is not possible."""
        text = (root / self.file).read_text()
        if (times := text.count(self.find)) != 1:
            raise PlaceGone(f"{self.file}: found {times} times, not once: {self.find!r} ({self.what})")
        wrong = text.replace(self.find, self.replace)
        if self.file.endswith(".py"):
            ast.parse(wrong, self.file)
        return wrong
