"""Rate limits of acts that burden others, also where nothing else limits them."""

from typing import Any

import pytest

from core.context import Services
from core.security.limits import Rate
from resolvers.chat import opening, presence, sending
from tests.chat.steps import new, open_chat, stored, talk
from tests.conftest import NewPhone
from tests.phone import Phone, key


async def codes(phone: Phone, mutation: str, *inputs: dict[str, Any]) -> list[list[str]]:
    found = []
    for input in inputs:
        done = await phone.do(mutation, "__typename", **input)
        found.append([each["code"] for each in done["errors"]])
    return found


@pytest.fixture
def few() -> Rate:
    return Rate(f"few-{key()}", 2, 60)


async def test_typing_on_and_off_is_limited(
    new_phone: NewPhone, few: Rate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "TYPING_RATE", few)
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    inputs = [{"chatId": chat_id, "typing": on} for on in (True, False, True)]
    assert await codes(ada, "setChatTyping", *inputs) == [[], [], ["RATE_LIMITED"]]


async def test_edits_are_limited(new_phone: NewPhone, few: Rate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "EDIT_RATE", few)
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    _, [id] = await talk(ada, grace)
    inputs = [{"messageId": id, "text": f"Edited {number}"} for number in range(3)]
    assert await codes(ada, "updateMessage", *inputs) == [[], [], ["RATE_LIMITED"]]


async def test_other_ids_of_a_chat_are_limited(
    new_phone: NewPhone, services: Services, few: Rate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is kept for 30 days; the same one again costs nothing."""
    monkeypatch.setattr(opening, "ALIAS_RATE", few)
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    one, *others = (new("chat") for _ in range(3))
    inputs = [{"userId": grace.user_id, "id": id} for id in (one, one, one, *others)]
    assert await codes(ada, "createChat", *inputs) == [[], [], [], [], ["RATE_LIMITED"]]
    assert len(await stored(services, "chat_aliases", chat_id=chat_id)) == 2
