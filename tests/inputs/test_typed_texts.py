"""Every text of every mutation: nothing hidden in it is kept, and what nobody sees is empty."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from core.context import Services
from tests.conftest import NewPhone
from tests.inputs.world import ANONYMOUS, MUTATIONS, Path, World, inputs_of, leaves, outcome, unlimited
from tests.phone import Phone

TEXTS = ("String", "URL")
MARK = "zqxj"
HIDDEN = f"{MARK}\0a\u202eb\u2066c\x1bd\ufeff"
BLANK = ("\u200b\u2060\u200d", " \u202e\0\u2067 ", "\u3164\u2800\ufe0f\u0301")
OPAQUE = frozenset(
    {
        *("password", "currentPassword", "newPassword", "captchaToken", "refreshToken", "token"),
        *("signature", "clientDataJson", "authenticatorData", "attestationObject", "publicKey", "deviceKey"),
    }
)
"""Texts that machines made, and secrets, which are stored hashed or encrypted if at all."""
TYPED = [
    pytest.param(mutation, path, id=f"{mutation}.{'.'.join(path)}")
    for mutation in MUTATIONS
    for path in leaves(inputs_of(mutation), *TEXTS)
]


async def phone_for(mutation: str, world: World, new_phone: NewPhone, anonymous: Phone) -> Phone:
    return anonymous if mutation in ANONYMOUS else await new_phone(user_id=world.ada.user_id)


@pytest.mark.parametrize(("mutation", "path"), TYPED)
async def test_what_nobody_sees_is_empty(
    world: World, new_phone: NewPhone, anonymous: Phone, services: Services, mutation: str, path: Path
) -> None:
    phone = await phone_for(mutation, world, new_phone, anonymous)
    came = []
    for value in ("", *BLANK):
        await unlimited(services)
        came.append(await outcome(phone, mutation, world.input(phone, mutation, path, value)))
    if path[-1] not in OPAQUE:
        assert came[1:] == [came[0]] * len(BLANK)


@pytest.mark.parametrize(("mutation", "path"), TYPED)
async def test_nothing_hidden_is_kept(
    world: World, new_phone: NewPhone, anonymous: Phone, services: Services, mutation: str, path: Path
) -> None:
    phone = await phone_for(mutation, world, new_phone, anonymous)
    await unlimited(services)
    await outcome(phone, mutation, world.input(phone, mutation, path, HIDDEN))


async def test_no_collection_holds_what_was_hidden(world: World, services: Services) -> None:
    """After the tests above; that something was kept at all shows that they came so far."""
    kept = [text async for text in marked(services)]
    assert len(kept) > 20, kept
    assert [text for text in kept if set(text) & set("\0\u202e\u2066\x1b\ufeff")] == []


async def marked(services: Services) -> Any:
    """Every text with the mark, wherever it is kept."""
    names = await services.db.command({"listCollections": 1, "nameOnly": True})
    for row in names["cursor"]["firstBatch"]:
        for found in await services.db.find(row["name"], {}, limit=100_000):
            for text in texts(found):
                if MARK in text:
                    yield text


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from (name, *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
