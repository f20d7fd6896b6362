"""The README's snippets and links work; pages name settings and commands that there are."""

import re
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from core.settings import fields
from server.cli import app
from tests import snippets
from tests.conftest import NewPhone

ROOT = Path(__file__).parents[1]
SNIPPETS = [
    each.code for each in snippets.SNIPPETS if (each.page.name, each.language) == ("README.md", "graphql")
]


def test_the_settings_table_is_the_settings() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `LANDFALL_(\w+)` \| (?:`([^`]*)`)? ?\| (.*) \|$", page, re.MULTILINE)
    documented = {name.lower(): (default, meaning) for name, default, meaning in rows}
    assert list(documented) == list(fields())
    for name, field in fields().items():
        default, meaning = documented[name]
        assert meaning == field.description
        assert default == _shown(field.default), name


def test_the_commands_that_pages_name_are_there() -> None:
    named = re.compile(r"(?:`|^|: )landfall ([a-z-]+)(?: ([a-z-]+))?", re.MULTILINE)
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.*")]
    found = {command for page in pages for command in named.findall(page.read_text())}
    assert len(found) > 10
    assert [command for command in found if not _is_command(*command)] == []


def _is_command(name: str, inner: str) -> bool:
    """True for a command; of a group for one of its commands."""
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    command = commands.commands.get(name)
    return inner in command.commands if isinstance(command, TyperGroup) else command is not None


def _shown(default: object) -> str:
    """A default as one writes it in the environment."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        return "[]"
    return "" if default is None or "**" in str(default) else str(default)


def test_what_the_readme_links_to_is_there() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text())
    assert len(linked) > 10
    assert [each for each in linked if not (ROOT / each).exists()] == []


async def test_the_snippets_work_as_they_stand(new_phone: NewPhone) -> None:
    feed, create, watch, comment, changes = SNIPPETS
    ada, alan = await new_phone("Ada"), await new_phone("Alan")
    created = (await ada.run(create))["createPost"]
    assert created["errors"] == []
    assert created["replayed"] is False
    assert (await ada.run(create))["createPost"] == {**created, "replayed": True}
    post_id = created["post"]["id"]
    page = await ada.run(feed)
    assert page["viewer"]["feed"]["edges"][0]["node"]["id"] == post_id
    async with ada.watch(watch) as stream:
        assert (await alan.run(comment))["createComment"]["errors"] == []
        event = (await stream.next())["postEvents"]
    assert event["__typename"] == "CommentCreated"
    assert event["commentEdge"]["node"] == {"text": "Ahoy", "author": {"name": "Alan"}}
    known = (await ada.run(changes))["viewer"]["changes"]
    assert post_id in [node["id"] for node in known["nodes"]]
    assert known["hasMore"] is False
