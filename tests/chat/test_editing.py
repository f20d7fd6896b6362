"""Editing within a quarter of an hour, deleting within a day, and what remains."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from tests.chat.steps import (
    chat_of,
    history,
    inbox,
    mark_read,
    refusal,
    say,
    stored,
    talk,
)
from tests.conftest import NewPhone


async def test_an_edit(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    fields = "id text version editedAt sequence"
    done = await ada.do(
        "updateMessage", f"message {{ {fields} }}", messageId=id, text=" Better ", expectedVersion=1
    )
    assert done["errors"] == []
    assert done["message"].pop("editedAt") is not None
    assert done["message"] == {"id": id, "text": "Better", "version": 2, "sequence": 1}
    assert await history(grace, chat_id) == ["Better"]
    [chat] = await inbox(grace, selection="preview unreadCount")
    assert chat == {"preview": "Better", "unreadCount": 1}


async def test_error_edit_window_closed(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    clock.shift(timedelta(minutes=14, seconds=50))
    assert (await ada.do("updateMessage", "message { id }", messageId=id, text="In time"))["errors"] == []
    clock.shift(timedelta(seconds=20))
    refused = await ada.do("updateMessage", "message { id }", messageId=id, text="Late")
    message = "Messages can be edited for 15 minutes."
    assert refused["errors"] == [refusal("EXPIRED", message, ["messageId"], 15)]
    assert await history(grace, chat_id) == ["In time"]


async def test_error_conflict_shows_the_message_as_it_is(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    _, [id] = await talk(ada, grace)
    await ada.do("updateMessage", "message { id }", messageId=id, text="First", expectedVersion=1)
    refused = await ada.do(
        "updateMessage", "message { text version }", messageId=id, text="Second", expectedVersion=1
    )
    assert refused["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert refused["message"] == {"text": "First", "version": 2}


@pytest.mark.parametrize("mutation", ["updateMessage", "deleteMessage"])
async def test_error_forbidden_for_another_s_message(new_phone: NewPhone, mutation: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    input: dict[str, Any] = {"text": "Mine"} if mutation == "updateMessage" else {}
    [error] = (await grace.do(mutation, "__typename", messageId=id, **input))["errors"]
    assert (error["code"], error["field"]) == ("FORBIDDEN", ["messageId"])
    assert await history(ada, chat_id) == ["Message 1"]


async def test_a_blocked_person_cannot_speak_by_editing(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    await grace.do("blockUser", "removedUserId", userId=ada.user_id)
    [error] = (await ada.do("updateMessage", "message { id }", messageId=id, text="You!"))["errors"]
    assert error["code"] == "BLOCKED"
    assert await history(grace, chat_id) == ["Message 1"]


@pytest.mark.parametrize(("text", "code"), [(" ", "REQUIRED"), ("x" * 4_001, "TOO_LONG")])
async def test_an_edit_obeys_the_rules_of_sending(new_phone: NewPhone, text: str, code: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    _, [id] = await talk(ada, grace)
    [error] = (await ada.do("updateMessage", "message { id }", messageId=id, text=text))["errors"]
    assert (error["code"], error["field"]) == (code, ["text"])


async def test_deleting_for_both_leaves_a_tombstone(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, ids = await talk(ada, grace, 3)
    await mark_read(grace, chat_id, 1)
    shown = "message { id text deletedAt } chat { preview lastSequence }"
    done = await ada.do("deleteMessage", shown, messageId=ids[2])
    assert done["errors"] == []
    # A stub of it stays, so it is not gone.
    gone = done["message"]
    assert (gone["id"], gone["text"], gone["deletedAt"] is None) == (ids[2], None, False)
    assert done["chat"] == {"preview": None, "lastSequence": 3}
    seen = await history(grace, chat_id, selection="id text sequence deletedAt")
    assert seen[2].pop("deletedAt") is not None
    assert seen[2] == {"id": ids[2], "text": None, "sequence": 3}
    # Of two unread ones, one is left; a read one that goes takes none away.
    assert (await chat_of(grace, chat_id))["unreadCount"] == 1
    await ada.do("deleteMessage", "message { id }", messageId=ids[0])
    assert (await chat_of(grace, chat_id))["unreadCount"] == 1
    rows = await stored(services, "messages", chat_id=chat_id, deleted_at={"$ne": None})
    assert [row["sealed_text"] for row in rows] == [None, None]


async def test_delete_beats_edit(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    for _ in range(2):
        done = await ada.do("deleteMessage", "message { id }", messageId=id)
        assert (done["errors"], done["message"]["id"]) == ([], id)
    refused = await ada.do("updateMessage", "message { id }", messageId=id, text="Edited offline")
    assert refused["errors"] == [refusal("NOT_FOUND", "The message was deleted.", ["messageId"])]
    assert await history(grace, chat_id) == [None]


async def test_error_delete_window_closed(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    clock.shift(timedelta(hours=24, seconds=10))
    # The token of the phone has had its time too.
    ada, grace = await new_phone(user_id=ada.user_id), await new_phone(user_id=grace.user_id)
    refused = await ada.do("deleteMessage", "message { id }", messageId=id)
    message = "Messages can be deleted for both for 24 hours."
    assert refused["errors"] == [refusal("EXPIRED", message, ["messageId"], 24)]
    assert await history(grace, chat_id) == ["Message 1"]
    # For oneself, always.
    assert (await ada.do("removeMessage", "removedMessageId", messageId=id))["errors"] == []
    assert await history(ada, chat_id) == []


async def test_deleting_for_oneself_is_not_seen_by_the_other(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, ids = await talk(ada, grace, 2)
    await say(grace, chat_id, "Third")
    done = await grace.do("removeMessage", "removedMessageId chat { unreadCount preview }", messageId=ids[1])
    assert done["chat"] == {"unreadCount": 1, "preview": "Third"}
    assert await history(grace, chat_id) == ["Message 1", "Third"]
    assert await history(ada, chat_id) == ["Message 1", "Message 2", "Third"]
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await grace.run(node, id=ids[1]))["node"] is None
    assert (await ada.run(node, id=ids[1]))["node"] == {"id": ids[1]}
    refused = await grace.do("removeMessage", "removedMessageId", messageId=ids[1])
    assert [each["code"] for each in refused["errors"]] == ["NOT_FOUND"]


async def test_hidden_and_then_deleted_for_both_a_message_is_uncounted_once(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, ids = await talk(ada, grace, 3)
    done = await grace.do("removeMessage", "chat { unreadCount }", messageId=ids[1])
    assert done["chat"] == {"unreadCount": 2}
    assert (await ada.do("deleteMessage", "message { id }", messageId=ids[1]))["errors"] == []
    assert (await chat_of(grace, chat_id))["unreadCount"] == 2


async def test_the_list_shows_the_latest_message_one_has(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    _, ids = await talk(ada, grace, 2)
    previews = []
    for id in reversed(ids):
        done = await grace.do("removeMessage", "chat { preview unreadCount }", messageId=id)
        previews.append(done["chat"])
    assert previews == [{"preview": "Message 1", "unreadCount": 1}, {"preview": None, "unreadCount": 0}]
    assert (await inbox(ada, selection="preview"))[0]["preview"] == "Message 2"
