"""Background work of chats: push, corrections, windows, and people who leave."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core import jobs as job_queue
from core.context import Services
from core.erasure import EXPORTERS
from jobs import chat as jobs
from resolvers.chat import announcing
from stores import chat as store
from tests.chat.steps import (
    backdate,
    chat_of,
    history,
    inbox,
    mark_delivered,
    mark_read,
    open_chat,
    refusal,
    registered,
    say,
    stored,
    talk,
)
from tests.conftest import NewPhone
from tests.phone import Phone, deleted_ids


async def pushes(services: Services, token: str) -> list[tuple[str, str]]:
    """Title and text of what the device was sent of chats, latest first, once two seconds have passed."""
    clock.shift(timedelta(seconds=3))
    while await job_queue.run_due(services):
        continue
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    sent = [(each["subject"], each["text"]) for each in letters if each["to"] == token]
    return [each for each in sent if each[0] != "New sign-in"]


async def test_a_message_nobody_acknowledged_is_pushed(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    phone, tablet = await registered(grace), await registered(await new_phone(user_id=grace.user_id))
    chat_id, _ = await talk(ada, grace)
    await say(ada, chat_id, "Are you\nthere?")
    for token in (phone, tablet):
        assert await pushes(services, token) == [("Ada", "Are you there?"), ("Ada", "Message 1")]
    assert await pushes(services, phone) == [("Ada", "Are you there?"), ("Ada", "Message 1")]


@pytest.mark.parametrize("why", ["delivered", "read", "muted", "deleted", "hidden", "blocked", "too early"])
async def test_no_push_when(new_phone: NewPhone, services: Services, why: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    token = await registered(grace)
    chat_id, [id] = await talk(ada, grace)
    if why == "delivered":
        await mark_delivered(grace, chat_id, 1)
    elif why == "read":
        await mark_read(grace, chat_id, 1)
    elif why == "muted":
        until = (clock.now() + timedelta(hours=1)).isoformat()
        await grace.do("updateChat", "chat { id }", chatId=chat_id, mutedUntil=until)
    elif why == "deleted":
        await ada.do("deleteMessage", "message { id }", messageId=id)
    elif why == "hidden":
        await grace.do("removeMessage", "removedMessageId", messageId=id)
    elif why == "blocked":
        await grace.do("blockUser", "removedUserId", userId=ada.user_id)
    else:
        clock.shift(timedelta(seconds=-3))
    assert await pushes(services, token) == []


async def test_a_push_without_the_text(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    token = await registered(grace)
    await grace.do("updateChatSettings", "chatSettings { id }", hideTextInPush=True)
    await talk(ada, grace)
    assert await pushes(services, token) == [("Ada", "New message")]


async def test_a_worker_that_died_after_pushing_does_not_push_twice(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    token = await registered(grace)
    _, [id] = await talk(ada, grace)
    assert len(await pushes(services, token)) == 1
    await announcing.announce(services, message_id=id)
    assert len(await pushes(services, token)) == 1


async def test_a_message_that_is_read_before_its_push_is_sent_is_not_pushed(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    token = await registered(grace)
    chat_id, [id] = await talk(ada, grace)
    await announcing.announce(services, message_id=id)
    await mark_delivered(grace, chat_id, 1)
    assert await pushes(services, token) == []


async def test_quiet_hours_and_mutes_hold_for_messages_whose_text_is_stored_nowhere(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    token = await registered(grace)
    await grace.do("updateNotificationPreferences", "recipient { id }", mutedSources=["CHAT"])
    _, [id] = await talk(ada, grace)
    assert await pushes(services, token) == []
    [row] = await stored(services, "deliveries", user_id=grace.user_id)
    assert (row["status"], row["failure_reason"]) == ("SUPPRESSED", "MUTED")
    [kept] = await stored(services, "notifications", _id=row["notification_id"])
    assert kept["wording"]["variables"] == {"message_id": id}
    assert "Message 1" not in str(kept)


async def test_unread_counts_are_mended(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 3)
    await mark_read(grace, chat_id, 1)
    right = await stored(services, "chat_members", chat_id=chat_id, user_id=ada.user_id)
    row = store.row_id(chat_id, grace.user_id)
    wrong = {"q": {"_id": row}, "u": {"$set": {"unread_count": 17}}}
    await services.db.write({"update": "chat_members", "updates": [wrong]})
    await jobs.recheck_unread(services)
    assert (await chat_of(grace, chat_id))["unreadCount"] == 2
    # What was right is left alone.
    assert await stored(services, "chat_members", chat_id=chat_id, user_id=ada.user_id) == right


async def test_tombstones_go_after_90_days(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, ids = await talk(ada, grace, 3)
    for id in ids[:2]:
        await ada.do("deleteMessage", "message { id }", messageId=id)
    await backdate(services, "messages", ids[0], deleted_at=clock.now() - timedelta(days=91))
    await backdate(services, "messages", ids[1], deleted_at=clock.now() - timedelta(days=89))
    await jobs.purge_tombstones(services)
    assert await history(grace, chat_id, selection="sequence") == [2, 3]
    assert (await say(ada, chat_id, "Next"))["sequence"] == 4


async def test_failure_peer_account_deleted(new_phone: NewPhone, services: Services) -> None:
    """Row "Peer account deleted": history readable, canSend false, and what they said is gone."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(grace, ada, 2)
    await say(ada, chat_id, "Mine stays")
    await grace.do("updateChatSettings", "chatSettings { id }", showPresence=False)
    update = {"q": {"_id": grace.user_id}, "u": {"$set": {"status": "DELETED", "first_name": None}}}
    await services.db.write({"update": "users", "updates": [update]})
    for _ in range(2):
        await jobs.erase(services, grace.user_id)
    [chat] = await inbox(ada, selection="id canSend peer { id name handle avatar { id } } unreadCount")
    assert chat == {
        "id": chat_id,
        "canSend": False,
        "peer": {"id": grace.user_id, "name": "Deleted user", "handle": None, "avatar": None},
        "unreadCount": 0,
    }
    seen = await history(ada, chat_id, selection="text sender { name }")
    assert seen == [
        {"text": None, "sender": {"name": "Deleted user"}},
        {"text": None, "sender": {"name": "Deleted user"}},
        {"text": "Mine stays", "sender": {"name": "Ada"}},
    ]
    refused = await ada.do("sendMessage", "message { id }", chatId=chat_id, text="Hello?")
    assert refused["errors"] == [refusal("USER_UNAVAILABLE", "This person has left.", ["chatId"])]
    for name in ("chat_members", "chat_settings", "last_seen", "chat_aliases"):
        rows = await stored(services, name, **{"$or": [{"user_id": grace.user_id}, {"_id": grace.user_id}]})
        assert rows == []
    assert await stored(services, "messages", sender_id=grace.user_id, sealed_text={"$ne": None}) == []


async def test_an_export_holds_what_one_said(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, ids = await talk(ada, grace, 2)
    await say(grace, chat_id, "Not hers")
    await ada.do("deleteMessage", "message { id }", messageId=ids[0])
    exported = dict([each async for each in EXPORTERS["chat"](services, ada.user_id)])
    assert [row["chat_id"] for row in exported["chats"]] == [chat_id]
    [row] = exported["messages"]
    assert row["sent_at"] is not None
    told = {"id": ids[1], "chat_id": chat_id, "sequence": 2, "text": "Message 2", "attachments": []}
    assert {name: row[name] for name in told} == told
    assert not row.keys() & {"sealed_text", "hidden_for"}


async def test_first_syncs_hold_the_last_fifty_of_each_chat(new_phone: NewPhone, services: Services) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    first, ids = await talk(ada, grace, 60)
    await talk(alan, grace, 2)
    query = """query($since: SyncToken) { viewer {
      changes(since: $since, types: [CHAT, MESSAGE], limit: 200) {
      nodes { id __typename ... on Message { sequence chat { id } } } deleted { id } token hasMore } } }"""
    device = (await grace.run(query))["viewer"]["changes"]
    clock.shift(timedelta(seconds=3))
    while await job_queue.run_due(services):
        continue
    fresh = (await grace.run(query))["viewer"]["changes"]
    kinds = [node["__typename"] for node in fresh["nodes"]]
    assert (kinds.count("Chat"), kinds.count("Message")) == (2, 52)
    numbers = [
        node["sequence"] for node in fresh["nodes"] if node.get("chat") and node["chat"]["id"] == first
    ]
    assert numbers == list(range(11, 61))
    assert (deleted_ids(fresh), fresh["hasMore"]) == ([], False)
    # Who has synchronised before learns of changes to older ones too.
    await ada.do("updateMessage", "message { id }", messageId=ids[0], text="Edited")
    later: dict[str, Any] = (await grace.run(query, since=device["token"]))["viewer"]["changes"]
    assert [node["id"] for node in later["nodes"] if node["__typename"] == "Message"] == [ids[0]]


async def test_the_delta_tells_of_everything(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    query = """query($since: SyncToken) { viewer { changes(since: $since, limit: 200) {
      nodes { __typename id ... on Message { text status }
        ... on Chat { unreadCount archived peerReadSequence }
        ... on ChatSettings { readReceipts } } deleted { id } token } } }"""
    tokens: dict[str, str] = {}

    async def changed(phone: Phone) -> tuple[dict[str, Any], list[str]]:
        found = (await phone.run(query, since=tokens.get(phone.user_id)))["viewer"]["changes"]
        tokens[phone.user_id] = found["token"]
        return {node.pop("__typename"): node for node in found["nodes"]}, deleted_ids(found)

    for phone in (ada, grace):
        await changed(phone)
    chat_id = await open_chat(ada, grace)
    assert (await changed(ada))[0]["Chat"]["id"] == chat_id
    assert await changed(grace) == ({}, [])
    id = (await say(ada, chat_id, "Hello"))["id"]
    new_to_grace, _ = await changed(grace)
    assert new_to_grace["Chat"]["unreadCount"] == 1
    assert new_to_grace["Message"] == {"id": id, "text": "Hello", "status": "SENT"}
    await changed(ada)
    await mark_read(grace, chat_id, 1)
    seen_by_ada, _ = await changed(ada)
    assert seen_by_ada["Message"]["status"] == "READ"
    assert seen_by_ada["Chat"]["peerReadSequence"] == 1
    assert (await changed(grace))[0]["Chat"]["unreadCount"] == 0
    await grace.do("updateChat", "chat { id }", chatId=chat_id, archived=True)
    await grace.do("updateChatSettings", "chatSettings { id }", readReceipts=False)
    for_grace, _ = await changed(grace)
    assert for_grace["Chat"]["archived"] is True
    assert for_grace["ChatSettings"]["readReceipts"] is False
    assert await changed(ada) == ({}, [])
    await grace.do("removeMessage", "removedMessageId", messageId=id)
    _, deleted = await changed(grace)
    assert deleted == [id]
    assert await changed(ada) == ({}, [])
    await ada.do("deleteMessage", "message { id }", messageId=id)
    gone, _ = await changed(ada)
    assert gone["Message"]["text"] is None
