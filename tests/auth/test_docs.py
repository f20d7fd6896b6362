"""The page for app developers tells what to do about every refusal there is."""

import ast
import re
from pathlib import Path

from core.errors import ERROR_CODES

ROOT = Path(__file__).parents[2]


def declared(system: str) -> set[str]:
    """The codes that a system refuses with: those it declares and those of all systems that it uses."""
    trees = [ast.parse(file.read_text()) for file in (ROOT / "resolvers" / system).glob("*.py")]
    calls = [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "UserError"
    ]
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}


def test_every_refusal_has_its_row() -> None:
    page = (ROOT / "docs/auth.md").read_text()
    rows = re.findall(r"^\| ([A-Z_, ]+) \|", page.partition("In payloads")[2], re.MULTILINE)
    told = {code for row in rows for code in row.split(", ")}
    assert declared("auth") - told == set()
    assert told - set(ERROR_CODES) == set()


def test_what_the_page_calls_is_there() -> None:
    page = (ROOT / "docs/auth.md").read_text()
    fields = set(re.findall(r"^  (\w+)\(", (ROOT / "schema/schema.graphql").read_text(), re.MULTILINE))
    called = set(re.findall(r"\b([a-z]+[A-Z]\w+|stepUp)\(", page))
    assert len(called) > 10
    assert called - fields == set()
