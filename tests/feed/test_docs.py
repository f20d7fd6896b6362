"""The page for app developers tells what to do about every refusal there is."""

import re
from pathlib import Path

from core.errors import ERROR_CODES
from tests.auth.test_docs import declared

ROOT = Path(__file__).parents[2]


def test_every_refusal_has_its_row() -> None:
    page = (ROOT / "docs/feed.md").read_text()
    rows = re.findall(r"^\| ([A-Z_, ]+) \|", page, re.MULTILINE)
    told = {code for row in rows for code in row.split(", ")}
    assert declared("feed") - told == set()
    assert told - set(ERROR_CODES) == set()


def test_what_the_page_calls_is_there() -> None:
    page = (ROOT / "docs/feed.md").read_text()
    schema = (ROOT / "schema/schema.graphql").read_text()
    called = set(re.findall(r"\b([a-z]+[A-Z]\w+)\(", page))
    assert called == {"feedDelta", "feedEvents", "postEvents"}
    named = set(re.findall(r"`([a-z]+[A-Z]\w+)`", page)) - {
        "idempotencyKey",
        "transactionLifetimeLimitSeconds",
    }
    assert {name for name in called | named if f" {name}" not in schema} == set()
