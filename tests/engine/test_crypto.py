"""Field encryption: fields are encrypted before they reach the database."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import Services
from core.security.crypto import Keyring, Unreadable, keyring

SECRET = "s" * 40
PLACE = "users/user_1/phone"


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@given(st.text(max_size=200), st.text(max_size=40))
def test_what_is_sealed_opens_in_its_place_alone(text: str, place: str) -> None:
    keys = keyring("", SECRET)
    sealed = keys.seal(text, place=place)
    assert keys.open(sealed, place=place) == text
    assert keys.seal(text, place=place) != sealed
    with pytest.raises(Unreadable):
        keys.open(sealed, place=f"{place}2")


@given(st.data())
def test_what_was_changed_does_not_open(data: st.DataObject) -> None:
    keys = keyring("", SECRET)
    id, _, body = keys.seal("+15550100", place=PLACE).partition(".")
    raw = bytearray(base64.b64decode(body))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unreadable):
        keys.open(f"{id}.{base64.b64encode(raw).decode()}", place=PLACE)


@pytest.mark.parametrize("sealed", ["", ".", "s.", "s.AAAA", "s.é", "x.AAAA", "s.AAAA.AAAA"])
def test_garbage_is_unreadable(sealed: str) -> None:
    with pytest.raises(Unreadable):
        keyring("", SECRET).open(sealed, place=PLACE)


def test_keys_change_one_by_one() -> None:
    first, second = key(), key()
    old = keyring(f"2026:{first}", SECRET)
    both = keyring(f"2027:{second}, 2026:{first}", SECRET)
    new = keyring(f"2027:{second}", SECRET)
    sealed = old.seal("+15550100", place=PLACE)
    assert both.open(sealed, place=PLACE) == "+15550100"
    assert (both.current, both.former) == ("2027", ["2026"])
    again = both.reencrypted(sealed, place=PLACE)
    assert (again.partition(".")[0], new.open(again, place=PLACE)) == ("2027", "+15550100")
    with pytest.raises(Unreadable, match="no field key '2026'"):
        new.open(sealed, place=PLACE)
    # Finding by blind index goes on throughout.
    assert old.blind("+15550100", place="users/phone") == new.blind("+15550100", place="users/phone")


def test_a_data_key_survives_the_change_of_the_key_that_wraps_it() -> None:
    first, second = key(), key()
    old, both = keyring(f"a:{first}", SECRET), keyring(f"b:{second},a:{first}", SECRET)
    wrapped = old.new_data_key(place="chats/chat_1")
    sealed = old.cipher(wrapped, place="chats/chat_1").seal("hello", place="messages/message_1/text")
    again = both.reencrypted(wrapped, place="key:chats/chat_1")
    new = keyring(f"b:{second}", SECRET).cipher(again, place="chats/chat_1")
    assert new.open(sealed, place="messages/message_1/text") == "hello"
    with pytest.raises(Unreadable):
        old.cipher(wrapped, place="chats/chat_2")


def test_a_data_key_opens_nothing_of_another() -> None:
    keys = keyring("", SECRET)
    one, two = (keys.cipher(keys.new_data_key(place="chats/1"), place="chats/1") for _ in range(2))
    with pytest.raises(Unreadable):
        two.open(one.seal("hello", place="p"), place="p")
    with pytest.raises(Unreadable):
        one.open(keys.seal("hello", place="p"), place="p")


def test_a_blind_index_tells_equal_from_different_and_nothing_else() -> None:
    keys, others = keyring("", SECRET), keyring("", "t" * 40)
    index = keys.blind("+15550100", place="users/phone")
    assert index == keys.blind("+15550100", place="users/phone")
    different = {
        keys.blind("+15550101", place="users/phone"),
        keys.blind("+15550100", place="contacts/phone"),
        keys.blind("e+15550100", place="users/phon"),
        others.blind("+15550100", place="users/phone"),
    }
    assert len(different) == 4
    assert index not in different


@pytest.mark.parametrize(
    "given",
    ["short:AAAA", "nokey", ":" + base64.b64encode(b"k" * 32).decode(), "a:!!!", "a.b:" + "A" * 43 + "="],
)
def test_keys_that_cannot_be_right_are_refused_at_start(given: str) -> None:
    with pytest.raises(ValueError, match=r"[Ff]ield key"):
        keyring(given, SECRET)


def test_many_data_keys_are_not_all_kept() -> None:
    keys = Keyring({"k": b"k" * 32}, b"i" * 32)
    for number in range(1_005):
        keys.cipher(keys.new_data_key(place=f"chats/{number}"), place=f"chats/{number}")
    assert len(keys._unwrapped) == 1_000


async def test_the_process_has_a_keyring(services: Services) -> None:
    sealed = services.crypto.seal("+15550100", place=PLACE)
    assert services.crypto.open(sealed, place=PLACE) == "+15550100"
