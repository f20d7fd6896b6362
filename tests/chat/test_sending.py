"""Sending: numbered in the order of acceptance, stored once, refused one by one."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services, Viewer
from core.ids import Id
from resolvers.chat import sending
from tests.chat.steps import (
    CHAT,
    CHAT_EVENTS,
    MESSAGE,
    chat_of,
    event,
    history,
    inbox,
    new,
    open_chat,
    refusal,
    say,
    stored,
    talk,
)
from tests.conftest import Commands, NewPhone
from tests.phone import Phone, key

EMPTY = refusal("REQUIRED", "A message needs text or an attachment.", ["text"])


async def test_a_message_and_all_it_changes(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    sent = await ada.do(
        "sendMessage",
        f"message {{ {MESSAGE} replyTo {{ id }} chat {{ id }} }} messageEdge {{ cursor node {{ id }} }} "
        f"chat {{ {CHAT} preview lastMessage {{ text }} }} chatEdge {{ cursor node {{ id }} }}",
        chatId=chat_id,
        text="  Hello,\nGrace  ",
    )
    assert sent["errors"] == []
    message = sent["message"]
    created = message.pop("createdAt")
    assert message == {
        "id": sent["messageEdge"]["node"]["id"],
        "text": "Hello,\nGrace",
        "sequence": 1,
        "status": "SENT",
        "version": 1,
        "sentAt": created,
        "editedAt": None,
        "deletedAt": None,
        "deliveredAt": None,
        "readAt": None,
        "sender": {"id": ada.user_id, "name": "Ada"},
        "replyTo": None,
        "chat": {"id": chat_id},
    }
    assert (sent["chat"]["lastSequence"], sent["chat"]["unreadCount"]) == (1, 0)
    assert (sent["chat"]["preview"], sent["chat"]["lastMessage"]) == (
        "Hello, Grace",
        {"text": "Hello,\nGrace"},
    )
    assert sent["chatEdge"]["node"]["id"] == chat_id
    [seen] = await inbox(grace, selection="unreadCount preview peer { name } lastMessage { sequence }")
    assert seen == {
        "unreadCount": 1,
        "preview": "Hello, Grace",
        "peer": {"name": "Ada"},
        "lastMessage": {"sequence": 1},
    }
    assert (await grace.run("{ viewer { unreadMessageCount } }"))["viewer"] == {"unreadMessageCount": 1}


async def test_what_a_message_costs(
    new_phone: NewPhone, commands: Commands, quiet: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten commands until it is accepted, none of which grows with the chat; and two to tell who watches."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    answer = "message { id sequence status createdAt } chat { id lastSequence preview }"
    for _ in range(3):
        await asyncio.sleep(0.05)
        commands.reset()
        sent = await ada.do("sendMessage", answer, chatId=chat_id, text="Hello", id=new("message"))
        assert sent["errors"] == []
        counts = dict(commands.counts)
    with capsys.disabled():
        print(f"\nA message costs {sum(counts.values())} MongoDB commands: {counts}")
    # Whether it is known, the chat's side, who is hidden; receipt (twice), both sides and the log; the
    # message and its push; and the end.
    assert counts == {"find": 3, "update": 4, "insert": 2, "commitTransaction": 1}
    told = []
    async with grace.watch(CHAT_EVENTS, id=chat_id) as stream:
        for _ in range(3):
            commands.reset()
            await ada.do("sendMessage", answer, chatId=chat_id, text="Hello", id=new("message"))
            assert (await event(stream))["__typename"] == "MessageCreated"
            told.append(commands.counts["find"] - counts["find"])
    # The entry and its message; the reader's sweep of the log comes on top now and then.
    assert min(told) == 2


async def test_edges_are_those_of_the_lists(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    edges = "messageEdge { cursor node { id } } chatEdge { cursor node { id } }"
    sent = await ada.do("sendMessage", edges, chatId=chat_id, text="Hello")
    listed = await ada.run(
        "{ viewer { chats { edges { cursor node { id messages { edges { cursor node { id } } } } } } } }"
    )
    [edge] = listed["viewer"]["chats"]["edges"]
    assert edge["node"].pop("messages")["edges"] == [sent["messageEdge"]]
    assert edge == sent["chatEdge"]


async def test_failure_send_retried_after_a_lost_answer(new_phone: NewPhone, services: Services) -> None:
    """Row "Send retried after a lost answer": stored message, same sequence, no second push."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    id, same = new("message"), key()
    sent = [
        await ada.do("sendMessage", "message { id sequence }", chatId=chat_id, text="Once", id=id, **how)
        for how in ({"idempotencyKey": same}, {"idempotencyKey": same}, {}, {})
    ]
    assert [each["replayed"] for each in sent] == [False, True, False, False]
    assert [each["message"] for each in sent] == [{"id": id, "sequence": 1}] * 4
    assert len(await stored(services, "messages", chat_id=chat_id)) == 1
    assert (await chat_of(grace, chat_id))["unreadCount"] == 1
    assert len(await stored(services, "jobs", **{"arguments.message_id": id})) == 1


async def test_the_same_message_sent_at_once_under_many_keys(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    id = new("message")
    sent = await asyncio.gather(*(say(ada, chat_id, "Once", id=id) for _ in range(5)))
    assert {(each["id"], each["sequence"]) for each in sent} == {(id, 1)}
    assert await history(grace, chat_id) == ["Once"]


async def test_error_id_taken_for_another_sender_s_message(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [id] = await talk(ada, grace)
    refused = await grace.do("sendMessage", "message { id }", chatId=chat_id, text="Mine", id=id)
    assert refused["message"] is None
    assert refused["errors"] == [refusal("ID_TAKEN", "This id is in use.", ["id"])]
    assert await history(ada, chat_id) == ["Message 1"]


async def test_both_write_at_once_and_agree_on_the_order(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    assert await open_chat(grace, ada) == chat_id
    await asyncio.gather(*(say(phone, chat_id, f"{n}") for n in range(6) for phone in (ada, grace)))
    assert await history(ada, chat_id, selection="sequence") == list(range(1, 13))
    assert await history(ada, chat_id, selection="id") == await history(grace, chat_id, selection="id")
    assert [(await chat_of(phone, chat_id))["unreadCount"] for phone in (ada, grace)] == [6, 6]


async def test_failure_crash_after_taking_a_sequence(new_phone: NewPhone, services: Services) -> None:
    """Row "Crash after taking a sequence": what was never accepted shows nowhere, and no two messages have
    one number."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    ctx = Context(services, viewer=Viewer(ada.user_id, ada.session_id, ada.device_id))

    async def crash() -> None:
        sent = await sending.send_message(ctx, chat_id=Id(chat_id), text="Never accepted")
        assert sent["message"]["sequence"] == 2
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await ctx.unit(crash)
    await say(grace, chat_id, "After")
    assert await history(ada, chat_id, selection="sequence") == [1, 2]
    assert (await chat_of(ada, chat_id))["lastSequence"] == 2


@pytest.mark.parametrize(
    ("input", "error"),
    [
        ({"text": " \n "}, EMPTY),
        ({}, EMPTY),
        ({"text": "é" * 4_001}, refusal("TOO_LONG", "At most 4,000 characters.", ["text"], limit=4_000)),
    ],
)
async def test_errors_empty_message_and_text_too_long(
    new_phone: NewPhone, input: dict[str, Any], error: dict[str, Any]
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    refused = await ada.do("sendMessage", "message { id } chat { id }", chatId=chat_id, **input)
    assert (refused["message"], refused["chat"]) == (None, None)
    assert refused["errors"] == [error]
    assert await history(ada, chat_id) == []


async def test_the_longest_text(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    assert (await say(ada, chat_id, f" {'🌊' * 4_000} "))["text"] == "🌊" * 4_000
    [chat] = await inbox(grace, selection="preview")
    assert chat["preview"] == "🌊" * 139 + "…"


async def test_failure_blocked_while_offline(new_phone: NewPhone) -> None:
    """Row "Blocked while offline": the replayed send is BLOCKED, for both and whoever blocked."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    await grace.do("blockUser", "removedUserId", userId=ada.user_id)
    message = "You and this person are hidden from each other."
    for phone in (ada, grace):
        refused = await phone.do("sendMessage", "message { id }", chatId=chat_id, text="Hello?")
        assert refused["errors"] == [refusal("BLOCKED", message, ["chatId"])]
        assert (await chat_of(phone, chat_id))["canSend"] is False
        assert await history(phone, chat_id) == ["Message 1"]
    await grace.do("unblockUser", "user { id }", userId=ada.user_id)
    assert (await chat_of(ada, chat_id))["canSend"] is True
    await say(ada, chat_id, "Hello again")


async def test_only_participants_see_a_chat(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    chat_id, [id] = await talk(ada, grace)
    attempts = {
        "sendMessage": ({"chatId": chat_id, "text": "Hello"}, "chatId"),
        "markChatRead": ({"chatId": chat_id, "upToSequence": 1}, "chatId"),
        "setChatTyping": ({"chatId": chat_id, "typing": True}, "chatId"),
        "updateMessage": ({"messageId": id, "text": "Mine"}, "messageId"),
        "deleteMessage": ({"messageId": id}, "messageId"),
        "updateChat": ({"chatId": chat_id, "archived": True}, "chatId"),
    }
    for mutation, (input, field) in attempts.items():
        [error] = (await alan.do(mutation, "__typename", **input))["errors"]
        assert (error["code"], error["field"]) == ("NOT_FOUND", [field])
    for phone in (alan, anonymous):
        assert await phone.run("query($id: ID!) { chat(id: $id) { id } }", id=chat_id) == {"chat": None}
        nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        assert await phone.run(nodes, ids=[chat_id, id]) == {"nodes": [None, None]}


async def test_a_reply(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    chat_id, [id] = await talk(ada, grace)
    await say(grace, chat_id, "Yes?", replyToId=id)
    assert await history(ada, chat_id, selection="text replyTo { id text }") == [
        {"text": "Message 1", "replyTo": None},
        {"text": "Yes?", "replyTo": {"id": id, "text": "Message 1"}},
    ]
    _, [elsewhere] = await talk(ada, alan)
    refused = await ada.do("sendMessage", "message { id }", chatId=chat_id, text="?", replyToId=elsewhere)
    message = "There is no such message in this chat."
    assert refused["errors"] == [refusal("NOT_FOUND", message, ["replyToId"])]


@pytest.mark.parametrize(
    ("ahead", "kept"),
    [(-timedelta(days=3), True), (timedelta(minutes=4), True), (timedelta(minutes=6), False)],
)
async def test_a_clock_that_is_far_ahead_is_not_believed(
    new_phone: NewPhone, ahead: timedelta, kept: bool
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    written = (clock.now() + ahead).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = await say(ada, chat_id, sentAt=written)
    assert message["sentAt"] == (written if kept else message["createdAt"])


async def test_failure_too_many_messages(new_phone: NewPhone) -> None:
    """Row "Too many messages": RATE_LIMITED with retryAfterSeconds; the queue is kept and lands later."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = await open_chat(ada, grace)
    same, refused, landed = key(), None, 0
    while refused is None and landed < 70:
        sent = await ada.do("sendMessage", "message { id }", chatId=chat_id, text="?", idempotencyKey=same)
        if sent["errors"]:
            [refused] = sent["errors"]
        else:
            landed, same = landed + 1, key()
    assert refused is not None
    # Some pass while these are sent.
    assert 60 <= landed < 70
    assert (refused["code"], refused["retryable"], refused["retryAfterSeconds"]) == ("RATE_LIMITED", True, 1)
    clock.shift(timedelta(seconds=2))
    again = await ada.do("sendMessage", "message { sequence }", chatId=chat_id, text="?", idempotencyKey=same)
    assert (again["errors"], again["replayed"]) == ([], False)
    assert again["message"] == {"sequence": landed + 1}


async def test_one_refusal_in_a_queue_does_not_stop_the_rest(new_phone: NewPhone) -> None:
    """A flush of one document: first in, first out, each with its own answer."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id = new("chat")
    queue = ["One", "", "Two", "x" * 4_001, "Three"]
    document = "\n".join(
        f'm{place}: sendMessage(input: {{idempotencyKey: "{key()}", chatId: "{chat_id}", text: "{text}"}}) '
        "{ message { text sequence } errors { code } }"
        for place, text in enumerate(queue)
    )
    opening = (
        f'o: createChat(input: {{idempotencyKey: "{key()}", id: "{chat_id}", userId: "{grace.user_id}"}}) '
        "{ chat { id } errors { code } }"
    )
    answers = await ada.run(f"mutation {{ {opening} {document} }}")
    assert [answers[f"m{place}"]["errors"] for place in range(5)] == [
        [],
        [{"code": "REQUIRED"}],
        [],
        [{"code": "TOO_LONG"}],
        [],
    ]
    assert await history(grace, chat_of_grace := (await inbox(grace))[0]["id"]) == ["One", "Two", "Three"]
    assert await history(grace, chat_of_grace, selection="sequence") == [1, 2, 3]


async def test_text_lies_encrypted_and_bound_to_its_place(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, [first] = await talk(ada, grace)
    secret = "The treasure is under the third palm"
    second = (await say(ada, chat_id, secret))["id"]
    everything = [
        row
        for name in ("messages", "chats", "chat_members", "changes", "receipts", "jobs")
        for row in await services.db.find(name, {})
    ]
    assert secret not in str(everything)
    rows = {row["_id"]: row for row in await stored(services, "messages", chat_id=chat_id)}
    # Moved to another message it does not open.
    moved = {"q": {"_id": first}, "u": {"$set": {"sealed_text": rows[second]["sealed_text"]}}}
    await services.db.write({"update": "messages", "updates": [moved]})
    answer = await ada.ask("query($id: ID!) { node(id: $id) { ... on Message { text } } }", id=first)
    assert answer.code == "INTERNAL"
    assert secret not in str(answer.body)


async def test_keys_of_chats_differ(new_phone: NewPhone, services: Services) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    for other in (grace, alan):
        await open_chat(ada, other)
    rows = await stored(services, "chat_members", user_id=ada.user_id)
    opened = [services.crypto.open(row["data_key"], place=f"key:chats/{row['chat_id']}") for row in rows]
    assert len(set(opened)) == 2


async def test_a_new_message_brings_a_chat_back_from_the_archive_unless_muted(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    until = (clock.now() + timedelta(hours=8)).isoformat()
    for muted in (None, until):
        await grace.do("updateChat", "chat { id }", chatId=chat_id, archived=True, mutedUntil=muted)
        assert await inbox(grace) == []
        assert [chat["id"] for chat in await inbox(grace, "(filter: {view: ARCHIVED})")] == [chat_id]
        await say(ada, chat_id)
        assert [chat["id"] for chat in await inbox(grace)] == ([] if muted else [chat_id])


async def test_writing_in_an_archived_chat_takes_it_out_of_the_archive(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    moved = "removedChatId chatEdge { node { archived } } viewer { unreadMessageCount }"
    await grace.do("updateChat", "chat { id }", chatId=chat_id, archived=True)
    for left in (chat_id, None):
        sent = await grace.do("sendMessage", moved, chatId=chat_id, text="Here again")
        assert (sent["errors"], sent["removedChatId"]) == ([], left)
        assert sent["chatEdge"] == {"node": {"archived": False}}
        assert sent["viewer"] == {"unreadMessageCount": 1}
