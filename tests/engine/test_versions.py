"""Versions: every update takes the one that was edited, and CONFLICT shows what is there."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from stores.auth import Role
from tests.chat.steps import open_chat
from tests.conftest import NewPhone
from tests.phone import Phone, refusal

Inputs = Sequence[dict[str, Any]]

CONFLICT = refusal("CONFLICT", "It was changed on another device.")
ROUNDS = 5
SETTINGS: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("updateChatSettings", "chatSettings", "readReceipts", {"readReceipts": False}, {"readReceipts": True}),
    ("updatePrivacyChoices", "privacyChoices", "tracking", {"tracking": False}, {"tracking": True}),
    ("updateAccount", "account", "locale", {"locale": "de"}, {"locale": "fr"}),
]


async def twice(phone: Phone, mutation: str, name: str, fields: str, *inputs: dict[str, Any]) -> None:
    """Change something from a version, and once more from the same one: the second is refused."""
    selection = f"{name} {{ version {fields} }}"
    first, second = inputs
    done = await phone.do(mutation, selection, **first)
    assert done["errors"] == []
    version = done[name]["version"]
    done = await phone.do(mutation, selection, **first, expectedVersion=version)
    assert done["errors"] == []
    now = done[name]
    late = await phone.do(mutation, selection, **second, expectedVersion=now["version"] + 7)
    assert (late["errors"], late[name]) == ([CONFLICT], now)
    last = await phone.do(mutation, selection, **second)
    assert (last["errors"], last[name]["version"] > now["version"]) == ([], True)


async def race(
    phones: tuple[Phone, Phone], mutation: str, name: str, fields: str, inputs: Callable[[int], Inputs]
) -> None:
    """Change something twice at once from one version: one lands, the other is refused with what landed."""
    selection = f"{name} {{ version {fields} }}"
    done = await phones[0].do(mutation, selection, **inputs(0)[0])
    for turn in range(1, 1 + ROUNDS):
        assert done["errors"] == []
        version = done[name]["version"]
        answers = await asyncio.gather(
            *(
                phone.do(mutation, selection, **given, expectedVersion=version)
                for phone, given in zip(phones, inputs(turn), strict=True)
            )
        )
        done, late = sorted(answers, key=lambda answer: len(answer["errors"]))
        assert (late["errors"], late[name]) == ([CONFLICT], done[name])
        assert done[name]["version"] == version + 1


async def two_devices(new_phone: NewPhone, **more: Any) -> tuple[Phone, Phone]:
    first = await new_phone("Ada", **more)
    return first, await new_phone(user_id=first.user_id)


async def test_of_two_edits_of_a_post_at_once_one_lands(new_phone: NewPhone) -> None:
    phones = await two_devices(new_phone)
    post = (await phones[0].do("createPost", "post { id }", text="Well"))["post"]["id"]

    def texts(turn: int) -> Inputs:
        return [{"postId": post, "text": f"{text} {turn}"} for text in ("Better", "Best")]

    await race(phones, "updatePost", "post", "text", texts)


@pytest.mark.parametrize(
    ("mutation", "name", "field"),
    [
        ("updateChatSettings", "chatSettings", "readReceipts"),
        ("updatePrivacyChoices", "privacyChoices", "tracking"),
    ],
)
async def test_of_two_changes_of_settings_at_once_one_lands(
    new_phone: NewPhone, mutation: str, name: str, field: str
) -> None:
    phones = await two_devices(new_phone)
    await race(phones, mutation, name, field, lambda turn: [{field: turn % 2 == 1}] * 2)


async def test_a_sponsorship_has_a_version_and_of_two_at_once_one_lands(new_phone: NewPhone) -> None:
    author = await new_phone("Author")
    post = (await author.do("createPost", "post { id }", text="Buy", visibility="PUBLIC"))["post"]["id"]

    def paid(turn: int) -> Inputs:
        given = {"postId": post, "reason": "Contract."}
        ends = [clock.now() + timedelta(days=turn, hours=hours) for hours in (1, 2)]
        return [{**given, "endsAt": f"{each:%Y-%m-%dT%H:%M:%S.000Z}"} for each in ends]

    admins = await two_devices(new_phone, roles=[Role.MEMBER, Role.ADMIN])
    changed = ("setPostSponsorship", "sponsorship", "endsAt")
    try:
        await twice(admins[0], *changed, *paid(0))
        await race(admins, *changed, paid)
    finally:
        await admins[0].do("cancelPostSponsorship", "post { id }", postId=post, reason="Over.")


@pytest.mark.parametrize(("mutation", "name", "fields", "first", "second"), SETTINGS)
async def test_settings_have_versions_of_their_own(
    new_phone: NewPhone,
    mutation: str,
    name: str,
    fields: str,
    first: dict[str, Any],
    second: dict[str, Any],
) -> None:
    await twice(await new_phone("Ada"), mutation, name, fields, first, second)


async def test_choices_for_a_chat_have_its_version(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat = {"chatId": await open_chat(ada, grace)}
    await twice(
        ada, "updateChat", "chat", "archived", {**chat, "archived": True}, {**chat, "archived": False}
    )


async def test_roles_have_the_version_of_the_account(new_phone: NewPhone) -> None:
    root, ada = await new_phone("Root", roles=[Role.MEMBER, Role.ADMIN]), await new_phone("Ada")
    given: dict[str, Any] = {"userId": ada.user_id, "reason": "Because."}
    first, second = {**given, "roles": ["AUDITOR"]}, {**given, "roles": ["OPERATOR"]}
    await twice(root, "setUserRoles", "account", "roles", first, second)


async def test_an_experiment_has_a_version(new_phone: NewPhone) -> None:
    root = await new_phone("Root", roles=[Role.MEMBER, Role.ADMIN])
    given: dict[str, Any] = {"reason": "Because.", "variants": [{"name": "fresh", "sharePercent": 50}]}
    first, second = {**given, "name": "spring"}, {**given, "name": "summer"}
    try:
        await twice(root, "setFeedExperiment", "feedExperiment", "name", first, second)
        shown = (await root.run("{ feedExperiment { name } }"))["feedExperiment"]
        assert shown == {"name": "summer"}
    finally:
        await root.do("setFeedExperiment", "feedExperiment { name }", reason="Over.")
