"""Private acts: nothing that one does for oneself changes what others read, or is sent to them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core import jobs
from core.context import Services
from tests.chat.steps import CHAT_EVENTS, mark_read, open_chat, say
from tests.conftest import NewPhone
from tests.engine.steps import befriend, post
from tests.engine.test_delta import device_of
from tests.phone import Phone

OTHERS = """query($chat: ID!, $user: ID!, $post: ID!) {
  chat(id: $chat) {
    version updatedAt unreadCount preview lastActivityAt peerReadSequence peerDeliveredSequence canSend
    messages { edges { node { version updatedAt text status readAt deliveredAt deletedAt } } }
  }
  user(id: $user) { version updatedAt name followerCount followingCount postCount
    viewerIsFriend viewerIsFollowed }
  post(id: $post) { version updatedAt text commentCount shareCount reactionSummary { count } }
}"""

Act = Callable[["Pair"], Awaitable[Any]]


class Pair:
    """Two friends who chat, a message each and a post of the second one's."""

    def __init__(self, actor: Phone, other: Phone, chat: str, messages: list[str], post: str) -> None:
        self.actor, self.other, self.chat, self.messages, self.post = actor, other, chat, messages, post

    async def others_view(self) -> Any:
        return await self.other.run(OTHERS, chat=self.chat, user=self.actor.user_id, post=self.post)


@pytest.fixture
async def pair(new_phone: NewPhone) -> Pair:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    chat = await open_chat(grace, ada)
    messages = [(await say(phone, chat, "Hello"))["id"] for phone in (grace, ada, grace)]
    return Pair(ada, grace, chat, messages, await post(grace))


async def _delivered(pair: Pair) -> None:
    marks = [{"chatId": pair.chat, "upToSequence": 3}]
    await pair.actor.do("markChatsDelivered", "chats { id }", marks=marks)


async def _reads_without_receipts(pair: Pair) -> None:
    await mark_read(pair.actor, pair.chat, 3)


def _mutation(name: str, selection: str, **input: Any) -> Act:
    async def act(pair: Pair) -> None:
        known = {
            "OTHER": pair.other.user_id,
            "CHAT": pair.chat,
            "POST": pair.post,
            "LAST": pair.messages[-1],
            "FIRST": pair.messages[0],
            "OWN": pair.messages[1],
        }
        given = {key: known.get(value, value) for key, value in input.items()}
        done = await pair.actor.do(name, selection, **given)
        assert done["errors"] == []

    return act


ACTS: dict[str, Act] = {
    "hides the last message": _mutation("removeMessage", "removedMessageId", messageId="LAST"),
    "hides a message of their own": _mutation("removeMessage", "removedMessageId", messageId="OWN"),
    "mutes the person": _mutation("muteUser", "viewer { id }", userId="OTHER"),
    "hides the post": _mutation("hidePost", "idempotencyKey", postId="POST"),
    "finds the post uninteresting": _mutation("markPostUninteresting", "idempotencyKey", postId="POST"),
    "reports the post": _mutation("submitReport", "report { id }", subjectId="POST", reason="SPAM"),
    "reports a message": _mutation(
        "submitMessageReport", "messageReport { id }", messageId="LAST", reason="SPAM"
    ),
    "archives the chat": _mutation("updateChat", "chat { id }", chatId="CHAT", archived=True),
    "mutes the chat": _mutation(
        "updateChat", "chat { id }", chatId="CHAT", mutedUntil="2030-01-01T00:00:00Z"
    ),
    "hides texts in pushes": _mutation("updateChatSettings", "chatSettings { id }", hideTextInPush=True),
    "takes no messages from strangers": _mutation(
        "updateChatSettings", "chatSettings { id }", allowedSenders="FOLLOWED"
    ),
    "reads with read receipts off": _reads_without_receipts,
    "speaks another language": _mutation("updateAccount", "account { id }", locale="de"),
    "hides who follows them": _mutation("setFollowListsHidden", "account { id }", hidden=True),
    "follows with pushes": _mutation("followUser", "follow { id }", userId="OTHER", notify=True),
}


@pytest.mark.parametrize("act", ACTS)
async def test_nobody_else_notices_who(pair: Pair, services: Services, act: str) -> None:
    if act == "reads with read receipts off":
        await _delivered(pair)
        await pair.actor.do("updateChatSettings", "chatSettings { id }", readReceipts=False)
        await jobs.run_due(services)
    device, before = await device_of(pair.other), await pair.others_view()
    await ACTS[act](pair)
    await jobs.run_due(services)
    assert await pair.others_view() == before
    assert await device.news() == (set(), set())


async def test_who_reads_without_telling_keeps_their_own_devices_up_to_date(
    pair: Pair, services: Services
) -> None:
    await _delivered(pair)
    await pair.actor.do("updateChatSettings", "chatSettings { id }", readReceipts=False)
    await jobs.run_due(services)
    device = await device_of(pair.actor, "CHAT")
    async with (
        pair.actor.watch(CHAT_EVENTS, id=pair.chat) as own,
        pair.other.watch(CHAT_EVENTS, id=pair.chat) as others,
    ):
        await mark_read(pair.actor, pair.chat, 3)
        told = (await own.next())["chatEvents"]
        assert told["__typename"] == "ChatUpdated"
        assert (told["chat"]["id"], told["chat"]["readSequence"], told["chat"]["unreadCount"]) == (
            pair.chat,
            3,
            0,
        )
        assert await others.nothing()
    assert await device.news() == ({pair.chat}, set())


@pytest.mark.parametrize("blocker", ["reader", "writer"])
async def test_receipts_obey_blocks(pair: Pair, services: Services, blocker: str) -> None:
    """Receipts of messages are not sent to the other member while one has blocked the other."""
    one, two = (pair.actor, pair.other) if blocker == "reader" else (pair.other, pair.actor)
    await one.do("blockUser", "removedUserId", userId=two.user_id)
    query = """query($id: ID!) { chat(id: $id) { version updatedAt canSend peerReadSequence
      peerDeliveredSequence messages { edges { node { version updatedAt status readAt deliveredAt } } } } }"""
    device, before = await device_of(pair.other), await pair.other.run(query, id=pair.chat)
    assert before["chat"]["canSend"] is False
    # What the block ended is forgotten once more: a round looks back at what may have been late.
    await device.sync()
    async with pair.other.watch(CHAT_EVENTS, id=pair.chat) as stream:
        done = await mark_read(pair.actor, pair.chat, 3)
        assert (done["chat"]["readSequence"], done["chat"]["unreadCount"]) == (3, 0)
        assert await stream.nothing()
    assert await pair.other.run(query, id=pair.chat) == before
    assert await device.news() == (set(), set())
    # Afterwards what is read is told again, and with it how far the other has come.
    await one.do("unblockUser", "viewer { id }", userId=two.user_id)
    await say(pair.other, pair.chat, "Back")
    await mark_read(pair.actor, pair.chat, 4)
    after = (await pair.other.run(query, id=pair.chat))["chat"]
    assert (after["canSend"], after["peerReadSequence"]) == (True, 4)
    assert after["messages"]["edges"][-1]["node"]["status"] == "READ"


async def test_both_hide_a_message_at_once_and_the_sender_deletes_it_for_both(pair: Pair) -> None:
    """Nothing is counted twice, and no hide is lost."""
    unread = "query($id: ID!) { chat(id: $id) { unreadCount lastMessage { id } } }"
    before = (await pair.actor.run(unread, id=pair.chat))["chat"]["unreadCount"]
    assert before == 2
    last = pair.messages[-1]
    await asyncio.gather(
        *(phone.do("removeMessage", "removedMessageId", messageId=last) for phone in (pair.actor, pair.other))
    )
    for phone, left in ((pair.actor, 1), (pair.other, 0)):
        chat = (await phone.run(unread, id=pair.chat))["chat"]
        assert chat["lastMessage"]["id"] == pair.messages[1]
        assert chat["unreadCount"] in (left, 1)


async def test_hidden_for_oneself_and_then_deleted_for_both(pair: Pair) -> None:
    unread = "query($id: ID!) { chat(id: $id) { unreadCount lastMessage { id } } }"
    last = pair.messages[-1]
    await pair.actor.do("removeMessage", "removedMessageId", messageId=last)
    gone = await pair.other.do("deleteMessage", "message { id }", messageId=last)
    assert gone["errors"] == []
    chat = (await pair.actor.run(unread, id=pair.chat))["chat"]
    # It was taken off what is unread once.
    assert chat == {"unreadCount": 1, "lastMessage": {"id": pair.messages[1]}}


async def test_two_hides_in_a_row(pair: Pair) -> None:
    device = await device_of(pair.actor)
    for id in (pair.messages[2], pair.messages[1]):
        await pair.actor.do("removeMessage", "removedMessageId", messageId=id)
    changed, deleted = await device.news()
    assert (pair.chat in changed, deleted) == (True, set(pair.messages[1:]))
    query = "query($id: ID!) { chat(id: $id) { unreadCount lastMessage { id } } }"
    chat = (await pair.actor.run(query, id=pair.chat))["chat"]
    assert chat == {"unreadCount": 1, "lastMessage": {"id": pair.messages[0]}}
    both = (await pair.other.run(query, id=pair.chat))["chat"]
    assert both["lastMessage"] == {"id": pair.messages[2]}


async def test_a_reply_does_not_show_what_one_has_hidden(pair: Pair) -> None:
    answer = await say(pair.other, pair.chat, "As I said", replyToId=pair.messages[0])
    device, others = await device_of(pair.actor, "MESSAGE"), await device_of(pair.other, "MESSAGE")
    await pair.actor.do("removeMessage", "removedMessageId", messageId=pair.messages[0])
    assert await device.news() == ({answer["id"]}, {pair.messages[0]})
    assert await others.news() == (set(), set())


@pytest.mark.parametrize("reader", ["who chose", "the other"])
async def test_read_times_that_go_out_of_sight_and_come_back(
    pair: Pair, services: Services, reader: str
) -> None:
    await mark_read(pair.actor, pair.chat, 3)
    await mark_read(pair.other, pair.chat, 3)
    device = await device_of(pair.actor if reader == "who chose" else pair.other, "CHAT", "MESSAGE")
    for shown in (False, True):
        await pair.actor.do("updateChatSettings", "chatSettings { id }", readReceipts=shown)
        await jobs.run_due(services)
        assert await device.news() == ({pair.chat, *pair.messages}, set())
