"""Open chats and inboxes, live: on sockets, resumed without loss."""

import asyncio
from datetime import timedelta

import pytest

from core import clock, ids
from core.context import Services
from core.sync.log_offset import LogOffset
from resolvers.feed import typing_indicator
from tests.chat.steps import (
    CHANGE_EVENTS,
    CHAT_EVENTS,
    changed,
    event,
    mark_delivered,
    mark_read,
    open_chat,
    say,
    talk,
    until,
)
from tests.conftest import NewPhone
from tests.phone import Failed, Stream


async def new_messages(stream: Stream, count: int) -> list[str]:
    """Texts of the next messages, each told once or more, in the order in which they first came."""
    texts: dict[str, None] = {}
    while len(texts) < count:
        found = await until(stream, "MessageCreated")
        texts[found["messageEdge"]["node"]["text"]] = None
    return list(texts)


async def test_every_kind_of_event(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with grace.watch(CHAT_EVENTS, id=chat_id) as stream:
        message = await say(ada, chat_id, "Second")
        created = {"id": message["id"], "text": "Second", "sequence": 2, "sender": {"id": ada.user_id}}
        assert await event(stream) == {"__typename": "MessageCreated", "messageEdge": {"node": created}}
        await ada.do("updateMessage", "message { id }", messageId=message["id"], text="Better")
        updated = {"id": message["id"], "text": "Better", "version": 2}
        assert await event(stream) == {"__typename": "MessageUpdated", "message": updated}
        await mark_read(grace, chat_id, 2)
        read = {"id": chat_id, "unreadCount": 0, "readSequence": 2}
        peers = {"peerReadSequence": 0, "peerDeliveredSequence": 0}
        assert await event(stream) == {"__typename": "ChatUpdated", "chat": {**read, **peers}}
        await ada.do("deleteMessage", "message { id }", messageId=message["id"])
        # A stub of it stays: the message itself says so.
        stub = {"id": message["id"], "text": None, "version": 3}
        assert await event(stream) == {"__typename": "MessageUpdated", "message": stub}
        assert await stream.nothing()


async def marks(stream: Stream) -> tuple[int, int]:
    """Marks of the other, what they received and read, by the next event of the chat itself."""
    chat = (await until(stream, "ChatUpdated"))["chat"]
    return chat["peerDeliveredSequence"], chat["peerReadSequence"]


async def test_receipts_reach_the_writer(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 2)
    async with ada.watch(CHAT_EVENTS, id=chat_id) as stream:
        await mark_delivered(grace, chat_id, 2)
        assert await marks(stream) == (2, 0)
        await mark_read(grace, chat_id, 1)
        assert await marks(stream) == (2, 1)
        await grace.do("updateChatSettings", "chatSettings { id }", readReceipts=False)
        await say(ada, chat_id, "Third")
        await mark_read(grace, chat_id, 3)
        assert await marks(stream) == (3, 0)


async def test_what_one_deletes_for_oneself_is_told_to_oneself_alone(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    async with ada.watch(CHAT_EVENTS, id=chat_id) as hers, grace.watch(CHAT_EVENTS, id=chat_id) as his:
        await grace.do("removeMessage", "removedMessageId", messageId=id)
        gone = {"__typename": "MessageDeleted", "deletedMessageId": id}
        assert await event(his) == gone
        assert await hers.nothing()


async def test_changes_tell_of_all_chats(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    first, _ = await talk(ada, grace)
    async with grace.watch(CHANGE_EVENTS) as inbox, grace.watch(CHAT_EVENTS, id=first) as opened:
        await say(ada, first, "To the first")
        assert (await until(opened, "MessageCreated"))["messageEdge"]["node"]["text"] == "To the first"
        seen = {}
        while seen.keys() < {"Chat", "Message"}:
            found = (await inbox.next())["changeEvents"]
            seen[found["node"]["__typename"]] = found
        assert seen["Message"]["node"]["text"] == "To the first"
        chat = {"id": first, "unreadCount": 2, "preview": "To the first", "canSend": True}
        assert seen["Chat"]["node"] == {"__typename": "Chat", **chat}
        # Counters of the viewer come along.
        assert seen["Chat"]["viewer"] == {"unreadMessageCount": 2}
        # A chat that did not exist when the stream began.
        second = await open_chat(alan, grace)
        await say(alan, second, "From Alan")
        assert (await changed(inbox, "Message"))["node"]["text"] == "From Alan"
        assert await opened.nothing()


async def test_blocking_is_told_as_a_changed_chat(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with ada.watch(CHANGE_EVENTS) as stream:
        await grace.do("blockUser", "removedUserId", userId=ada.user_id)
        found = (await changed(stream, "Chat"))["node"]
        assert (found["id"], found["canSend"]) == (chat_id, False)
        await grace.do("unblockUser", "user { id }", userId=ada.user_id)
        found = (await changed(stream, "Chat"))["node"]
        assert (found["id"], found["canSend"]) == (chat_id, True)


async def test_a_resumed_stream_has_what_was_missed(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with grace.watch(CHAT_EVENTS, id=chat_id) as stream:
        await say(ada, chat_id, "Seen")
        last = (await stream.next())["chatEvents"]
        while last["__typename"] != "MessageCreated":
            last = (await stream.next())["chatEvents"]
    for number in range(5):
        await say(ada, chat_id, f"Missed {number}")
    async with grace.watch(CHAT_EVENTS, id=chat_id, after=last["eventId"]) as stream:
        await say(ada, chat_id, "Live again")
        missed = ["Missed 0", "Missed 1", "Missed 2", "Missed 3", "Missed 4", "Live again"]
        texts = await new_messages(stream, 6)
        # What lies close before the position may come again.
        texts = [text for text in texts if text not in ("Message 1", "Seen")]
        while len(texts) < 6:
            texts += await new_messages(stream, 1)
        assert texts == missed


async def test_missed_messages_come_with_the_changes(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with grace.watch(CHANGE_EVENTS) as stream:
        await say(ada, chat_id, "Seen")
        since = (await changed(stream, "Message"))["token"]
    for number in range(3):
        await say(ada, chat_id, f"Missed {number}")
    async with grace.watch(CHANGE_EVENTS, since=since) as stream:
        texts: set[str] = set()
        while not texts >= {"Missed 0", "Missed 1", "Missed 2"}:
            texts.add((await changed(stream, "Message"))["node"]["text"])


async def test_an_edit_of_a_message_never_seen_brings_the_message(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with grace.watch(CHAT_EVENTS, id=chat_id) as stream:
        await say(ada, chat_id, "Seen")
        last = (await stream.next())["chatEvents"]["eventId"]
    message = await say(ada, chat_id, "Missed")
    await ada.do("updateMessage", "message { id }", messageId=message["id"], text="Edited")
    async with grace.watch(CHAT_EVENTS, id=chat_id, after=last) as stream:
        found = await until(stream, "MessageUpdated")
        assert found["message"] == {"id": message["id"], "text": "Edited", "version": 2}


async def test_failure_redis_lost_position_too_old(new_phone: NewPhone, services: Services) -> None:
    """Row "Redis lost": a position that cannot be resumed is answered with ResyncRequired, and goes on."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    old = services.signer.event_id(LogOffset(clock.now() - timedelta(days=91), "message_x", 1))
    async with grace.watch(CHAT_EVENTS, id=chat_id, after=old) as stream:
        assert (await stream.next())["chatEvents"]["__typename"] == "ResyncRequired"
        await say(ada, chat_id, "Goes on")
        # What lies close before the position may come again.
        assert (await new_messages(stream, 2))[-1] == "Goes on"


@pytest.mark.parametrize("whose", ["nobody's", "others'"])
async def test_what_is_not_one_s_own_cannot_be_watched(new_phone: NewPhone, whose: str) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    chat_id = (await talk(ada, grace))[0] if whose == "others'" else ids.new_id("chat")
    async with alan.watch(CHAT_EVENTS, id=chat_id) as stream:
        with pytest.raises(Failed) as failed:
            await stream.next()
    [error] = failed.value.errors
    assert (error["message"], error["extensions"]) == (
        "It does not exist, or you may not see it.",
        {"code": "NOT_FOUND"},
    )


async def test_typing(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with ada.watch(CHAT_EVENTS, id=chat_id) as hers, grace.watch(CHAT_EVENTS, id=chat_id) as his:
        for _ in range(3):
            # Said again within three seconds, it is told once.
            done = await grace.do("setChatTyping", "__typename", chatId=chat_id, typing=True)
            assert done["errors"] == []
        on = {"__typename": "ChatTypingChanged", "user": {"id": grace.user_id}, "typing": True}
        assert await event(hers) == on
        for _ in range(2):
            await grace.do("setChatTyping", "__typename", chatId=chat_id, typing=False)
        assert await event(hers) == {**on, "typing": False}
        assert await hers.nothing()
        # Nobody needs to be told that they write.
        assert await his.nothing(seconds=0.1)


async def test_typing_expires(new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing_indicator, "TYPING_SECONDS", 0.2)
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with ada.watch(CHAT_EVENTS, id=chat_id) as stream:
        await grace.do("setChatTyping", "__typename", chatId=chat_id, typing=True)
        assert (await event(stream))["typing"] is True
        assert (await event(stream))["typing"] is False
        await say(grace, chat_id, "There")
        assert (await event(stream))["__typename"] == "MessageCreated"


async def test_typing_of_the_blocked_is_not_told(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    await ada.do("blockUser", "removedUserId", userId=grace.user_id)
    async with ada.watch(CHAT_EVENTS, id=chat_id) as stream:
        done = await grace.do("setChatTyping", "__typename", chatId=chat_id, typing=True)
        assert done["errors"] == []
        assert await stream.nothing()


async def test_an_ephemeral_event_can_be_resumed_from(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    async with ada.watch(CHAT_EVENTS, id=chat_id) as stream:
        await grace.do("setChatTyping", "__typename", chatId=chat_id, typing=True)
        typing = (await stream.next())["chatEvents"]
        assert typing["__typename"] == "ChatTypingChanged"
    await say(grace, chat_id, "Meanwhile")
    async with ada.watch(CHAT_EVENTS, id=chat_id, after=typing["eventId"]) as stream:
        async with asyncio.timeout(10):
            while "Meanwhile" not in await new_messages(stream, 1):
                continue
