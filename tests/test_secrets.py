"""Detection of secrets in logs, errors and documents, with which `leftovers.py` searches them."""

import pytest

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
