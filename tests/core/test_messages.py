"""Messages: every text that people may see is marked, and translated in every catalog."""

import ast
import re
import string
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from core.messages import SOURCE, TRANSLATIONS, language, text

ROOT = Path(__file__).parents[2]
SOURCES = ("commands", "core", "jobs", "resolvers", "routes", "server", "subscriptions")
KEYWORDS = {"UserError": (2,), "NotFound": None, "gettext_noop": None}
"""The functions that take messages, as `make messages` names them to Babel."""
LOCALES = sorted(each.name for each in TRANSLATIONS.iterdir())


@cache
def marked() -> frozenset[str]:
    """Messages of the sources, as Babel extracts them."""
    found = [
        each[2]
        for source in SOURCES
        for each in extract_from_dir(ROOT / source, [("**.py", "python")], keywords=KEYWORDS)
    ]
    return frozenset(str(each) for each in found)


def read(locale: str) -> Catalog:
    with (TRANSLATIONS / locale / "LC_MESSAGES" / "landfall.po").open("rb") as file:
        return read_po(file, locale=locale)


def fields(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}


def problems(catalog: Catalog, wanted: frozenset[str]) -> list[str]:
    """Problems of a catalog of these messages."""
    kept = {str(each.id): each for each in catalog if each.id}
    found = [f"missing: {id}" for id in sorted(wanted - kept.keys())]
    found += [f"stale: {id}" for id in sorted(kept.keys() - wanted)]
    for id, each in kept.items():
        if not each.string or each.fuzzy:
            found.append(f"not translated: {id}")
        elif fields(str(each.string)) != fields(id):
            found.append(f"other values: {id}")
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_is_translated(locale: str) -> None:
    """`make messages` takes new ones into the catalogs, and what is gone out of them."""
    assert problems(read(locale), marked()) == []


@pytest.mark.parametrize("locale", [SOURCE, *LOCALES])
def test_every_message_can_be_shown(locale: str) -> None:
    for message in marked():
        shown = text(message, dict.fromkeys(fields(message), 1_234), locale)
        assert "{" not in shown, message


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (None, "missing: At most {limit}."),
        ({"string": ""}, "not translated: At most {limit}."),
        ({"string": "Höchstens {limit}.", "flags": ["fuzzy"]}, "not translated: At most {limit}."),
        ({"string": "Höchstens {most}."}, "other values: At most {limit}."),
    ],
)
def test_a_catalog_that_lacks_something_is_noticed(entry: dict[str, object] | None, problem: str) -> None:
    catalog = Catalog(locale="de")
    catalog.add("Gone.", "Weg.")
    if entry is not None:
        catalog.add("At most {limit}.", **entry)
    assert sorted(problems(catalog, frozenset({"At most {limit}."}))) == sorted([problem, "stale: Gone."])


NUMBER = re.compile(r"(?<!SHA-)(?<!BCP )\b(?:[2-9]|\d\d+)\b")
"""A number that may change, so that clients had better not read it in a text."""


def test_numbers_are_limits_and_not_words_of_a_message() -> None:
    assert [message for message in sorted(marked()) if NUMBER.search(message)] == []
    assert NUMBER.search("At most 20 people.")
    assert NUMBER.search("A SHA-256, by BCP 47.") is None


def unmarked(source: str) -> list[int]:
    """Lines of refusals whose message is put together where it cannot be translated."""
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    refusals = [each for each in calls if isinstance(each.func, ast.Name) and each.func.id == "UserError"]
    return [
        each.lineno
        for each in refusals
        if not isinstance(each.args[1], ast.Name | ast.Attribute)
        and not (isinstance(each.args[1], ast.Constant) and isinstance(each.args[1].value, str))
    ]


def test_no_message_is_put_together_before_it_is_translated() -> None:
    files = [file for source in SOURCES for file in (ROOT / source).rglob("*.py")]
    assert {
        str(file.relative_to(ROOT)): lines for file in files if (lines := unmarked(file.read_text()))
    } == {}
    assert unmarked('UserError("TOO_LONG", f"At most {most}.")') == [1]
    assert unmarked('UserError("TOO_LONG", "At most %d." % most)') == [1]
    assert unmarked('UserError("TOO_LONG", "At most {limit}.", limit=most)') == []


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("DE-at-1996, en;q=0.5", "de"),
        ("en, de", "en"),
        ("en;q=0.2, de;q=0.9", "de"),
        ("fr, de;q=0.8, en;q=0.9", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("de;q=0", "en"),
        ("de;q=0, *", "en"),
        ("de; q=1.000 ,en", "de"),
        ("de;q=nonsense, en;q=0.1", "en"),
        (";;,,=,-,de-", "de"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_language_is_what_the_header_prefers(accepted: str, chosen: str) -> None:
    assert language(accepted) == chosen


def test_numbers_are_written_as_the_language_has_them() -> None:
    assert text("At most {limit} characters.", {"limit": 5_000}) == "At most 5,000 characters."
    assert text("At most {limit} characters.", {"limit": 5_000}, "de") == "Höchstens 5.000 Zeichen."
    rate = "From {least} to {limit} servings a day."
    assert text(rate, {"least": 0.0001, "limit": 9}) == "From 0.0001 to 9 servings a day."
    assert text(rate, {"least": 0.0001, "limit": 9}, "de") == "Möglich sind 0,0001 bis 9 Portionen am Tag."


def test_a_text_without_values_is_shown_as_it_is() -> None:
    """Receipts of earlier versions hold texts that may have braces in them."""
    assert text("It is {odd.", None, "de") == "It is {odd."
    assert text("Say why.", None, "de") == "Bitte geben Sie einen Grund an."


def test_the_makefile_extracts_what_the_test_does() -> None:
    recipe = re.search(
        r"pybabel --quiet extract (.*) -o .* (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert recipe is not None
    options = " ".join(
        f"-k {name}" + "".join(f":{place}" for place in places or ()) for name, places in KEYWORDS.items()
    )
    assert options in recipe[1]
    assert " ".join(SOURCES) in recipe[0]
