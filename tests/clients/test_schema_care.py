"""The schema as its readers have it: linted, compared with the last release, downloaded by build tools."""

from pathlib import Path

import pytest

from tests.clients.test_clients import CLIENTS, installed, run_program

__all__ = ["installed"]

CARE = CLIENTS / "schema"
RELEASED = 'type Query { "A name." name: String! kind: Kind } enum Kind { ONE }'
CHANGES = {
    "safe": (RELEASED.replace("kind:", "other: Int kind:"), 0, "0 breaking, 0 dangerous and 1 safe"),
    "dangerous": (RELEASED.replace("ONE", "ONE TWO"), 0, "dangerous: Enum value 'TWO' was added"),
    "breaking": (RELEASED.replace("name: String!", "name: String"), 1, 'say "- Breaking: `Query.name`'),
}


async def _care(installed: str, *command: str, **environment: str) -> tuple[int | None, str]:
    return await run_program(["node", *command], cwd=CARE, **environment)


async def test_the_schema_is_clean(installed: str) -> None:
    assert await _care(installed, "lint.js") == (0, "")


async def test_lint_finds_what_is_not(installed: str, tmp_path: Path) -> None:
    """A description that is missing, a name, and a list that is no connection of Relay's."""
    schema = (CLIENTS.parent / "schema" / "schema.graphql").read_text()
    bad = (
        schema
        + "\ntype bad_name { items(first: String): BadConnection }\ntype BadConnection { edges: [Int] }\n"
    )
    file = tmp_path / "schema.graphql"
    file.write_text(bad)
    code, said = await _care(installed, "lint.js", str(file))
    assert code == 1
    for rule in ("require-description", "naming-convention", "relay-arguments", "relay-connection-types"):
        assert f"@graphql-eslint/{rule}" in said


async def test_what_breaks_since_the_last_release_is_in_the_changelog(installed: str) -> None:
    code, said = await _care(installed, "changes.js")
    assert code == 0, said


@pytest.mark.parametrize("kind", CHANGES)
async def test_changes_are_classed(installed: str, tmp_path: Path, kind: str) -> None:
    schema, expected, words = CHANGES[kind]
    code, said = await _care(installed, "changes.js", *_files(tmp_path, schema, "## Unreleased\n\n- More.\n"))
    assert (code, words in said) == (expected, True), said


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("- Breaking: `Query.name` may be\n  null.", 0),
        ("- Breaking: `Query` is another.", 0),
        ("- `Query.name` may be null.", 1),
        ("- Breaking: `Query.kind` too.", 1),
        ("- More.\n\n## 0.1.0\n\n- Breaking: `Query.name`, long ago.", 1),
    ],
)
async def test_a_breaking_change_must_be_said(
    installed: str, tmp_path: Path, entry: str, expected: int
) -> None:
    files = _files(tmp_path, CHANGES["breaking"][0], f"# Changelog\n\n## Unreleased\n\n{entry}\n")
    code, said = await _care(installed, "changes.js", *files)
    assert code == expected, said


async def test_build_tools_download_it(installed: str, address: str) -> None:
    code, said = await _care(installed, "--test", "download.js", LANDFALL_URL=f"{address}/graphql")
    assert code == 0, said


def _files(folder: Path, schema: str, changelog: str) -> list[str]:
    contents = {"released.graphql": RELEASED, "schema.graphql": schema, "CHANGELOG.md": changelog}
    for name, content in contents.items():
        (folder / name).write_text(content)
    return [str(folder / name) for name in contents]
