"""Password rules: those that are accepted, and those that are refused as weak."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import Services
from resolvers.auth import breached as breached_list
from resolvers.auth import passwords

EMAIL = "lovelace@example.com"
GUESSED = "This password is among the first that are guessed."


def test_the_list_of_common_passwords_is_whole() -> None:
    listed = passwords.common_passwords()
    assert len(listed) >= 10_000
    assert {"123456", "password", "qwertyuiop", "iloveyou"} <= listed
    assert not any(line.startswith("# ") for line in listed)


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "qwertyuiop",
        "Password123",
        "!!password!!",
        "PASSWORD2026!",
        "p@ssw0rd2026",
        "passwordpassword",
        "dragondragondragon",
        "2026-sunshine",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert passwords.weakness(password, EMAIL) == GUESSED


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "landfall-demo-1", "password but much longer than that", "tide-tables at noon"],
)
def test_what_is_hard_to_guess_is_taken(password: str) -> None:
    assert passwords.weakness(password, EMAIL) is None


def test_a_short_mailbox_name_forbids_nothing() -> None:
    assert passwords.weakness("correct horse battery", "a@example.com") is None
    assert passwords.weakness("xx a@example.com xx", "a@example.com") is not None


@pytest.fixture(scope="module")
def breached(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    known = [f"password number {n}" for n in range(300)]
    hashes = sorted(hashlib.sha1(each.encode()).hexdigest().upper() for each in known)
    file = tmp_path_factory.mktemp("breached") / "pwned.txt"
    file.write_text("".join(f"{each}:{n * n}\r\n" for n, each in enumerate(hashes)))
    return file, known


def test_a_breached_password_is_found_wherever_it_stands(breached: tuple[Path, list[str]]) -> None:
    file, known = breached
    assert [each for each in known if not breached_list.is_breached(file, each)] == []


@given(st.text(max_size=20))
def test_no_other_password_is_found(breached: tuple[Path, list[str]], password: str) -> None:
    assert not breached_list.is_breached(breached[0], password)


def test_an_empty_file_holds_none(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert not breached_list.is_breached(tmp_path / "empty", "password")


async def test_nobody_s_password_is_never_right(services: Services) -> None:
    assert not await passwords.matches(None, "no account has this password")
    assert not await passwords.matches("garbage", "garbage")
    assert not await passwords.matches("", "")
