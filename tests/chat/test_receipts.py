"""Delivery and read receipts: cumulative, never moving back, and private if one chooses."""

import asyncio

import pytest

from core.context import Services
from tests.chat.steps import (
    chat_of,
    history,
    inbox,
    mark_delivered,
    mark_read,
    new,
    open_chat,
    say,
    stored,
    talk,
)
from tests.conftest import NewPhone
from tests.phone import Phone

SEEN = "status deliveredAt readAt"


async def statuses(phone: Phone, chat_id: str) -> list[str]:
    return await history(phone, chat_id, selection="status")


async def test_sent_delivered_read(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 3)
    assert await statuses(ada, chat_id) == ["SENT"] * 3
    await mark_delivered(grace, chat_id, 2)
    assert await statuses(ada, chat_id) == ["DELIVERED", "DELIVERED", "SENT"]
    done = await mark_read(grace, chat_id, 1)
    assert (done["chat"]["unreadCount"], done["viewer"]["unreadMessageCount"]) == (2, 2)
    assert await statuses(ada, chat_id) == ["READ", "DELIVERED", "SENT"]
    # Reading what was not said to be received delivers it too.
    done = await mark_read(grace, chat_id, 3)
    assert (done["chat"]["unreadCount"], done["viewer"]["unreadMessageCount"]) == (0, 0)
    for message in await history(ada, chat_id, selection=SEEN):
        assert message["status"] == "READ"
        assert message["deliveredAt"] <= message["readAt"]
    seen = await chat_of(ada, chat_id)
    assert (seen["peerReadSequence"], seen["peerDeliveredSequence"]) == (3, 3)
    assert (await chat_of(grace, chat_id))["readSequence"] == 3


async def test_marks_never_move_back(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 5)
    await mark_read(grace, chat_id, 4)
    times = await history(ada, chat_id, selection=SEEN)
    before = await chat_of(grace, chat_id, "version updatedAt")
    for lower in (4, 3, 0, -7):
        done = await mark_read(grace, chat_id, lower)
        assert (done["chat"]["readSequence"], done["chat"]["unreadCount"]) == (4, 1)
        assert (await mark_delivered(grace, chat_id, lower))["readSequence"] == 4
    assert await history(ada, chat_id, selection=SEEN) == times
    assert (await chat_of(ada, chat_id))["peerReadSequence"] == 4
    # Late marks are no changes: no device hears of them.
    assert await chat_of(grace, chat_id, "version updatedAt") == before


async def test_failure_mark_read_beyond_the_last_sequence(new_phone: NewPhone) -> None:
    """Row "markChatRead beyond last sequence": clipped to lastSequence."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 2)
    assert (await mark_read(grace, chat_id, 2_000_000))["chat"]["readSequence"] == 2
    await say(ada, chat_id, "Third")
    assert (await chat_of(grace, chat_id))["unreadCount"] == 1
    assert await statuses(ada, chat_id) == ["READ", "READ", "SENT"]


async def test_own_messages_are_neither_unread_nor_marked(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 2)
    await say(grace, chat_id, "Mine")
    done = await mark_read(grace, chat_id, 3)
    assert done["chat"]["unreadCount"] == 0
    assert await statuses(grace, chat_id) == ["READ", "READ", "SENT"]
    assert (await chat_of(ada, chat_id))["unreadCount"] == 1


async def test_marks_from_many_devices_merge_by_maximum(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    tablet = await new_phone(user_id=grace.user_id)
    chat_id, _ = await talk(ada, grace, 8)
    await asyncio.gather(
        *(mark_read(phone, chat_id, n) for n in (2, 7, 5) for phone in (grace, tablet)),
        *(mark_delivered(tablet, chat_id, n) for n in (8, 1)),
    )
    seen = await chat_of(ada, chat_id)
    assert (seen["peerReadSequence"], seen["peerDeliveredSequence"]) == (7, 8)
    assert (await chat_of(grace, chat_id))["unreadCount"] == 1
    assert await statuses(ada, chat_id) == ["READ"] * 7 + ["DELIVERED"]


async def test_a_batch_of_marks(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    first, _ = await talk(ada, grace, 2)
    second, _ = await talk(alan, grace, 3)
    theirs, _ = await talk(ada, alan)
    alias = new("chat")
    assert await open_chat(grace, ada, id=alias) == first
    marks = [
        {"chatId": first, "upToSequence": 1},
        {"chatId": second, "upToSequence": 3},
        {"chatId": alias, "upToSequence": 2},
        {"chatId": theirs, "upToSequence": 1},
        {"chatId": new("chat"), "upToSequence": 1},
    ]
    done = await grace.do("markChatsDelivered", "chats { id deliveredSequence }", marks=marks)
    assert done["errors"] == []
    assert done["chats"] == [
        {"id": first, "deliveredSequence": 2},
        {"id": second, "deliveredSequence": 3},
    ]
    many = [{"chatId": first, "upToSequence": 1}] * 101
    refused = await grace.do("markChatsDelivered", "chats { id }", marks=many)
    assert [(each["code"], each["field"]) for each in refused["errors"]] == [("TOO_MANY", ["marks"])]


@pytest.mark.parametrize(("by_alias", "by_id"), [(1, 3), (3, 1), (2, 2)])
@pytest.mark.parametrize("alias_first", [True, False])
async def test_an_alias_and_the_real_id_in_one_batch_are_one_chat(
    new_phone: NewPhone, by_alias: int, by_id: int, alias_first: bool
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 3)
    alias = new("chat")
    assert await open_chat(grace, ada, id=alias) == chat_id
    marks = [{"chatId": alias, "upToSequence": by_alias}, {"chatId": chat_id, "upToSequence": by_id}]
    marks = marks if alias_first else marks[::-1]
    version = (await chat_of(grace, chat_id, "version"))["version"]
    done = await grace.do("markChatsDelivered", "chats { id deliveredSequence version }", marks=marks)
    highest = max(by_alias, by_id)
    assert done["errors"] == []
    # A mark that is no advance on the one before it is no change.
    steps = 1 if marks[0]["upToSequence"] == highest else 2
    assert done["chats"] == [{"id": chat_id, "deliveredSequence": highest, "version": version + steps}]
    assert (await chat_of(ada, chat_id))["peerDeliveredSequence"] == highest
    assert await statuses(ada, chat_id) == ["DELIVERED"] * highest + ["SENT"] * (3 - highest)


async def test_an_alias_that_is_another_person_s_marks_nothing(new_phone: NewPhone) -> None:
    """Neither for a stranger, nor for the other of the two: each knows the chat by ids of their own."""
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    chat_id, _ = await talk(ada, grace, 2)
    alias = new("chat")
    assert await open_chat(ada, grace, id=alias) == chat_id
    for stranger in (grace, alan):
        marks = [{"chatId": alias, "upToSequence": 2}]
        done = await stranger.do("markChatsDelivered", "chats { id }", marks=marks)
        assert (done["errors"], done["chats"]) == ([], [])
    assert (await chat_of(ada, chat_id))["peerDeliveredSequence"] == 0
    assert await statuses(ada, chat_id) == ["SENT", "SENT"]


@pytest.mark.parametrize("who", ["the reader", "the writer"])
async def test_read_receipts_can_be_kept_to_oneself(new_phone: NewPhone, who: str) -> None:
    """With them off neither side sees read times; DELIVERED stays."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 3)
    await say(grace, chat_id, "Yes")
    await mark_read(grace, chat_id, 1)
    await mark_read(ada, chat_id, 4)
    shy = grace if who == "the reader" else ada
    await shy.do("updateChatSettings", "chatSettings { id }", readReceipts=False)
    await mark_read(grace, chat_id, 2)
    for phone in (ada, grace):
        seen = await history(phone, chat_id, selection=SEEN)
        assert [each["status"] for each in seen] == ["DELIVERED", "DELIVERED", "SENT", "DELIVERED"]
        assert [each["readAt"] for each in seen] == [None] * 4
        chat = await chat_of(phone, chat_id)
        assert chat["peerReadSequence"] == 0
    assert (await chat_of(grace, chat_id))["readSequence"] == 2
    assert (await chat_of(grace, chat_id))["unreadCount"] == 1
    # On again, what was read meanwhile stays one's own.
    await shy.do("updateChatSettings", "chatSettings { id }", readReceipts=True)
    assert await statuses(ada, chat_id) == ["READ", "DELIVERED", "SENT", "READ"]
    assert (await chat_of(ada, chat_id))["peerReadSequence"] == 1
    await mark_read(grace, chat_id, 3)
    assert await statuses(ada, chat_id) == ["READ", "DELIVERED", "READ", "READ"]


async def test_unread_counts_of_many_chats(new_phone: NewPhone, services: Services) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    first, _ = await talk(ada, grace, 3)
    await talk(alan, grace, 2)
    total = "{ viewer { unreadMessageCount } }"
    assert (await grace.run(total))["viewer"]["unreadMessageCount"] == 5
    await grace.do("updateChat", "chat { id }", chatId=first, archived=True)
    assert (await grace.run(total))["viewer"]["unreadMessageCount"] == 2
    assert sorted(chat["unreadCount"] for chat in await inbox(grace)) == [2]
    assert (
        sum(row["unread_count"] for row in await stored(services, "chat_members", user_id=grace.user_id)) == 5
    )
