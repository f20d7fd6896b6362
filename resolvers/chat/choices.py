"""Chat settings: a person's choices for one chat, and for all of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from core import jobs, viewers
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from loaders.chat import ChatSettingsByUser
from resolvers.chat import reading
from resolvers.chat.access import change_side, chat_for_update, tell_owner
from stores import chat as store
from stores.chat import AllowedSenders


class ChatChoices(TypedDict, total=False):
    """Settings of one chat; null ends a mute."""

    muted_until: datetime | None
    archived: bool


class SettingsChoices(TypedDict, total=False):
    """Settings of all chats."""

    read_receipts: bool
    show_presence: bool
    allowed_senders: AllowedSenders
    hide_text_in_push: bool


class Changed(TypedDict):
    chat: Mapping[str, Any]
    chat_edge: dict[str, Any]
    removed_chat_id: str | None
    viewer: dict[str, Any]


async def update_chat(
    ctx: Context, *, chat_id: Id, expected_version: int | None = None, **choices: Unpack[ChatChoices]
) -> Changed:
    """Mute or archive a chat; without a version the last write wins."""
    chat = await chat_for_update(ctx, chat_id)
    check_version(expected_version, chat["version"], chat=chat)
    if all(chat[name] == value for name, value in choices.items()):
        return _changed(ctx, chat, moved=False)
    shown = await change_side(ctx, chat["chat_id"], ctx.viewer_id, **choices)
    assert shown is not None
    tell_owner(ctx, shown)
    return _changed(ctx, shown, moved=shown["archived"] != chat["archived"])


def _changed(ctx: Context, chat: Mapping[str, Any], *, moved: bool) -> Changed:
    return {
        "chat": chat,
        "chat_edge": reading.chat_edge(ctx, chat),
        "removed_chat_id": chat["_id"] if moved else None,
        "viewer": viewers.document(ctx),
    }


async def update_chat_settings(
    ctx: Context, *, expected_version: int | None = None, **choices: Unpack[SettingsChoices]
) -> dict[str, Any]:
    """Update the settings; without a version the last write wins."""
    if not choices:
        raise UserError("REQUIRED", "Say what to change.")
    current = await ctx.load(ChatSettingsByUser, ctx.viewer_id)
    check_version(expected_version, current["version"], chat_settings=current)
    if choices.get("read_receipts", current["read_receipts"]) != current["read_receipts"]:
        await jobs.enqueue(ctx.tx, "chat.receipts_told", user_id=ctx.viewer_id)
    kept = await store.settings.by_id(ctx.db, current["_id"])
    if kept is None:
        first = {**current, **choices, "version": 1, "updated_at": ctx.tx.now}
        return {"chat_settings": await ctx.tx.insert(store.settings, first)}
    return {"chat_settings": await ctx.tx.edit(store.settings, kept, choices)}
