"""Secrets stay secret; runs last, over what all other tests left behind."""

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.context import Services
from core.crypto import Unreadable
from core.store import COLLECTIONS
from tests import confidential


def test_a_secret_is_found_wherever_it_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidential, "PASSWORDS", {"correct horse battery"})
    monkeypatch.setattr(confidential, "TOKENS", {"eyJhbGciOi.abc.def-_1"})
    monkeypatch.setattr(confidential, "CODES", {"123456"})
    assert confidential.found_in('{"event":"it was correct horse battery"}') == ["corr..."]
    assert confidential.found_in("Bearer eyJhbGciOi.abc.def-_1,") == ["eyJh..."]
    assert confidential.found_in("code=123456 sent") == ["1234..."]
    assert confidential.found_in('{"code":"123456"}') == ["1234..."]
    assert confidential.found_in('{"size":123456,"sizes":[123456,123456]}') == []
    assert confidential.found_in("at 08:15:30.123456Z, took 1234567 ms, user_123456, eyJhbGciOi") == []


def test_secrets_are_known_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords: set[str] = set()
    tokens: set[str] = set()
    named = {"password": passwords, "accessToken": tokens, "backupCodes": tokens}
    monkeypatch.setattr(confidential, "NAMED", named)
    confidential.note(
        {"input": {"password": "correct horse", "text": "nothing to hide", "email": "a@b.example"}}
    )
    signed_in = {"tokens": {"accessToken": "eyJhbGciOi"}, "backupCodes": ["AAAABBBBCC"]}
    confidential.note({"data": {"signIn": signed_in}})
    assert passwords == {"correct horse"}
    assert tokens == {"eyJhbGciOi", "AAAABBBBCC"}


@pytest.fixture(scope="module")
def log(logged: Path) -> str:
    return logged.read_text()


async def test_no_log_error_receipt_or_errand_holds_a_secret(services: Services, log: str) -> None:
    """Of all tests that ran in this process: their passwords, codes and tokens."""
    assert confidential.found_in(log) == []
    assert confidential.found_in("\n".join(confidential.ERRORS)) == []
    for name in ("receipts", "errands", "changes", "auth_flows", "sessions", "security_events"):
        async for page in pages_of(services, name):
            assert confidential.found_in(orjson.dumps(page, default=str).decode()) == [], name


async def test_everything_sealed_is_declared_and_opens_where_it_lies(services: Services) -> None:
    """Else a change of field keys would leave it behind."""
    crypto = services.crypto
    ours = re.compile(rf"{crypto.current}\.[A-Za-z0-9+/]{{36,}}={{0,2}}")
    found = set()
    for name, kept in COLLECTIONS.items():
        fields = {each.field: each for each in kept.sealed}
        async for page in pages_of(services, name):
            for row in page:
                for field, text in texts_in(row):
                    if ours.fullmatch(text):
                        assert field in fields, (name, field)
                        found.add((name, field))
                        # Some tests spoil what is sealed, to see what becomes of it.
                        with contextlib.suppress(Unreadable):
                            crypto.open(text, place=fields[field].place_of(row))
                            found.add((name, field, "opens"))
    assert {each[:2] for each in found} == {each[:2] for each in found if each[2:]}


def texts_in(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a document, and the path to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_in(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner, field)
    elif isinstance(value, str):
        yield field, value


async def pages_of(services: Services, name: str) -> AsyncIterator[list[Any]]:
    last = ""
    while page := await services.db.find(name, {"_id": {"$gt": last}}, sort=[("_id", 1)], limit=2_000):
        yield page
        last = page[-1]["_id"]
