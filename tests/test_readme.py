"""The README's snippets and links work, and the page of settings is the settings."""

import re
from pathlib import Path

from core.settings import fields
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
    feed, create, watch, changes = SNIPPETS
    ada = await new_phone("Ada")
    created = (await ada.run(create))["createPost"]
    assert created["errors"] == []
    assert created["replayed"] is False
    assert (await ada.run(create))["createPost"] == {**created, "replayed": True}
    post_id = created["post"]["id"]
    page = await ada.run(feed)
    assert page["viewer"]["feed"]["edges"][0]["node"]["id"] == post_id
    async with ada.watch(watch) as stream:
        await ada.do("createComment", "comment { id }", postId=post_id, text="Ahoy")
        event = (await stream.next())["postEvents"]
    assert event["__typename"] == "CommentCreated"
    assert event["commentEdge"]["node"] == {"text": "Ahoy", "author": {"name": "Ada"}}
    known = (await ada.run(changes))["viewer"]["changes"]
    assert post_id in [node["id"] for node in known["nodes"]]
    assert known["hasMore"] is False
