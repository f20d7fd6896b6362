"""Versions: every update takes the one that was edited, and CONFLICT shows what is there."""

from typing import Any

import pytest

from stores.auth import Role
from tests.chat.steps import open_chat
from tests.conftest import NewPhone
from tests.phone import Phone, refusal

CONFLICT = refusal("CONFLICT", "It was changed on another device.")
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
    given: dict[str, Any] = {"reason": "Because.", "variants": [{"name": "fresh", "share": 50}]}
    first, second = {**given, "name": "spring"}, {**given, "name": "summer"}
    try:
        await twice(root, "setFeedExperiment", "feedExperiment", "name", first, second)
        shown = (await root.run("{ feedExperiment { name } }"))["feedExperiment"]
        assert shown == {"name": "summer"}
    finally:
        await root.do("setFeedExperiment", "feedExperiment { name }", reason="Over.")
