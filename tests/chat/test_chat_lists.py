"""The list of chats and the history: pages, deltas, and what they cost."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from core.settings import Settings
from tests.chat.steps import (
    backdate,
    chat_of,
    history,
    inbox,
    mark_read,
    open_chat,
    say,
    talk,
)
from tests.conftest import Commands, NewPhone
from tests.phone import Phone, make_user

LIST = """{ viewer { chats(first: 15) { edges { cursor node {
  id unreadCount lastActivityAt preview lastSequence
  peer { id name }
  lastMessage { id text sequence sentAt sender { id } }
} } pageInfo { hasNextPage endCursor } } } }"""

NAMED = """query($q: String) { viewer { chats(filter: {query: $q}) {
  edges { node { peer { lastName } } } } } }"""


@pytest.fixture
async def busy(new_phone: NewPhone, services: Services) -> Phone:
    """Somebody with sixteen chats, the last said in each by the other."""
    ada = await new_phone("Ada")
    for number in range(16):
        grace = await new_phone(user_id=await make_user(services, f"Grace {number}"))
        chat_id = await open_chat(ada, grace)
        await say(ada, chat_id, "Hello")
        await say(grace, chat_id, f"Answer {number}")
    return ada


async def test_a_list_of_fifteen_costs_at_most_four_commands(
    busy: Phone, commands: Commands, quiet: None, capsys: pytest.CaptureFixture[str]
) -> None:
    await busy.run(LIST)
    seen = []
    for _ in range(3):
        commands.reset()
        found = (await busy.run(LIST))["viewer"]["chats"]
        seen.append(dict(commands.counts))
    # Hints of what was said before come on top where the machine is slow.
    counts = min(seen, key=lambda each: sum(each.values()))
    assert len(found["edges"]) == 15
    assert found["pageInfo"]["hasNextPage"] is True
    for place, chat in enumerate(edge["node"] for edge in found["edges"]):
        assert chat["unreadCount"] == 1
        assert chat["peer"]["name"] == f"Grace {15 - place}"
        assert chat["preview"] == chat["lastMessage"]["text"] == f"Answer {15 - place}"
        assert chat["lastSequence"] == chat["lastMessage"]["sequence"] == 2
    with capsys.disabled():
        print(f"\nA list of 15 chats costs {sum(counts.values())} MongoDB commands: {counts}")
    assert counts == {"find": 3}


async def test_a_page_of_messages_costs_the_same_however_long_it_is(
    new_phone: NewPhone, commands: Commands, quiet: None
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 12)
    await say(grace, chat_id, "Yes")
    selection = "id text sequence status readAt deliveredAt sender { id name } replyTo { text }"

    async def costs() -> list[dict[str, int]]:
        found = []
        for size in (2, 13):
            commands.reset()
            assert len(await history(ada, chat_id, f"(last: {size})", selection)) == size
            found.append(dict(commands.counts))
        return found

    # The viewer's side of the chat, messages, their senders; once something is read, what the two chose
    # for receipts.
    assert await costs() == [{"find": 3}] * 2
    await mark_read(grace, chat_id, 12)
    await mark_read(ada, chat_id, 13)
    await asyncio.sleep(0.05)
    assert await costs() == [{"find": 4}] * 2


async def test_the_newest_of_many_chats_come_in_one_command(
    busy: Phone, commands: Commands, quiet: None, settings: Settings
) -> None:
    query = (
        "{ viewer { chats(first: 15) { edges { node { messages(last: 5) { edges { node { text } } } } } } } }"
    )
    await busy.run(query)
    commands.reset()
    found = (await busy.run(query))["viewer"]["chats"]["edges"]
    if settings.executor == "compiled":
        # The reference reads each chat's, sixteen in a command.
        assert dict(commands.counts) == {"find": 1, "aggregate": 1}
    texts = [[edge["node"]["text"] for edge in each["node"]["messages"]["edges"]] for each in found]
    assert texts == [["Hello", f"Answer {number}"] for number in range(15, 0, -1)]


async def test_chats_are_paged_by_latest_activity(busy: Phone) -> None:
    page = """query($after: String) { viewer { chats(first: 5, after: $after) {
      edges { node { id } } pageInfo { hasNextPage endCursor } } } }"""
    seen: list[str] = []
    after = None
    while True:
        found = (await busy.run(page, after=after))["viewer"]["chats"]
        seen += [edge["node"]["id"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == 16
    assert [chat["id"] for chat in await inbox(busy, "(first: 100)")] == seen


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("lov", ["Lovelace"]),
        ("ADA", ["Lovelace"]),
        ("hop", ["Hopper"]),
        ("ove", []),
        (".*", []),
        ("", ["Hopper", "Lovelace"]),
    ],
)
async def test_chats_are_found_by_the_peer_s_name(
    new_phone: NewPhone, services: Services, query: str, found: list[str]
) -> None:
    me = await new_phone("Me")
    for first, last in (("Ada", "Lovelace"), ("Grace", "Hopper")):
        other = await new_phone(user_id=await make_user(services, first, last_name=last))
        await open_chat(me, other)
    listed = await me.run(NAMED, q=query)
    assert [e["node"]["peer"]["lastName"] for e in listed["viewer"]["chats"]["edges"]] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("jose", ["Müller-Łuc"]),
        ("MULLER", ["Müller-Łuc"]),
        ("luc", ["Müller-Łuc"]),
        ("\u0131\u015f\u0131k", ["I\u015f\u0131k"]),
        ("ayse is", ["I\u015f\u0131k"]),
        ("小明", ["王"]),
        ("明", ["王"]),
        ("नि", ["शर्मा"]),
        ("ना", []),
    ],
)
async def test_names_of_peers_are_found_in_any_script(
    new_phone: NewPhone, services: Services, query: str, found: list[str]
) -> None:
    me = await new_phone("Me")
    people = (("José", "Müller-Łuc"), ("Ay\u015fe", "I\u015f\u0131k"), ("小明", "王"), ("निशा", "शर्मा"))
    for first, last in people:
        await open_chat(me, await new_phone(user_id=await make_user(services, first, last_name=last)))
    listed = await me.run(NAMED, q=query)
    assert [e["node"]["peer"]["lastName"] for e in listed["viewer"]["chats"]["edges"]] == found


async def test_history_is_read_backwards(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 7)
    page = """query($id: ID!, $before: String) { chat(id: $id) { messages(last: 3, before: $before) {
      edges { cursor node { sequence } }
      pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } }"""
    pages, before = [], None
    for _ in range(3):
        found = (await grace.run(page, id=chat_id, before=before))["chat"]["messages"]
        pages.append([edge["node"]["sequence"] for edge in found["edges"]])
        assert found["pageInfo"]["hasPreviousPage"] is (len(pages) < 3)
        assert found["pageInfo"]["hasNextPage"] is (before is not None)
        before = found["pageInfo"]["startCursor"]
        assert before == found["edges"][0]["cursor"]
    assert pages == [[5, 6, 7], [2, 3, 4], [1]]
    assert await history(grace, chat_id, "(first: 2)", "sequence") == [1, 2]
    forward = found["edges"][0]["cursor"]
    assert await history(grace, chat_id, f'(first: 2, after: "{forward}")', "sequence") == [2, 3]
    assert await history(grace, chat_id, f'(after: "{forward}")', "sequence") == [2, 3, 4, 5, 6, 7]


async def test_twenty_messages_when_nothing_is_asked(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 22)
    assert await history(ada, chat_id, selection="sequence") == list(range(3, 23))
    assert await history(ada, chat_id, "(filter: {afterSequence: 0})", "sequence") == list(range(1, 21))


async def test_what_came_after_a_sequence(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 5)
    for after, newer in ((0, [1, 2, 3, 4, 5]), (3, [4, 5]), (5, []), (99, [])):
        assert await history(grace, chat_id, f"(filter: {{afterSequence: {after}}})", "sequence") == newer
    assert await history(grace, chat_id, "(filter: {afterSequence: 1}, first: 2)", "sequence") == [2, 3]


async def test_what_changed_since_a_moment(new_phone: NewPhone, services: Services) -> None:
    """Created, edited, deleted or re-marked since; what is older stays away."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, ids = await talk(ada, grace, 5)
    before = clock.now() - timedelta(hours=1)
    for id in ids:
        await backdate(services, "messages", id, updated_at=before)
    since = (clock.now() - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    assert await history(grace, chat_id, f'(filter: {{updatedFrom: "{since}"}})', "sequence") == []
    await ada.do("updateMessage", "message { id }", messageId=ids[1], text="Edited")
    await ada.do("deleteMessage", "message { id }", messageId=ids[2])
    assert await history(grace, chat_id, f'(filter: {{updatedFrom: "{since}"}})', "sequence") == [2, 3]
    await mark_read(grace, chat_id, 1)
    await say(grace, chat_id, "New")
    assert await history(ada, chat_id, f'(filter: {{updatedFrom: "{since}"}})', "sequence") == [1, 2, 3, 6]


@pytest.mark.parametrize(
    "arguments",
    [
        "(last: 101)",
        "(first: 0)",
        "(first: 1, last: 1)",
        "(filter: {afterSequence: -1})",
        '(before: "nonsense", last: 1)',
    ],
)
async def test_a_page_that_cannot_be_is_bad_input(new_phone: NewPhone, arguments: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    query = f"query($id: ID!) {{ chat(id: $id) {{ messages{arguments} {{ edges {{ cursor }} }} }} }}"
    assert (await ada.ask(query, id=chat_id)).code == "BAD_USER_INPUT"


async def test_a_cursor_of_another_chat_is_refused(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    chat_id, _ = await talk(ada, grace)
    other, _ = await talk(ada, alan)
    page = "messages { pageInfo { endCursor } }"
    cursor = (await chat_of(ada, other, page))["messages"]["pageInfo"]["endCursor"]
    query = (
        "query($id: ID!, $c: String) { chat(id: $id) { messages(last: 5, before: $c) { edges { cursor } } } }"
    )
    assert (await ada.ask(query, id=chat_id, c=cursor)).code == "BAD_USER_INPUT"


async def test_mute_and_archive_are_one_s_own(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    until = (clock.now() + timedelta(minutes=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    done = await ada.do("updateChat", "chat { mutedUntil archived }", chatId=chat_id, mutedUntil=until)
    assert done["chat"] == {"mutedUntil": until, "archived": False}
    edge = "chatEdge { cursor node { id } } removedChatId viewer { unreadMessageCount }"
    done = await ada.do("updateChat", f"chat {{ mutedUntil archived }} {edge}", chatId=chat_id, archived=True)
    assert done["chat"] == {"mutedUntil": until, "archived": True}
    archive = "{ viewer { chats(filter: {view: ARCHIVED}) { edges { cursor node { id } } } } }"
    assert [done["chatEdge"]] == (await ada.run(archive))["viewer"]["chats"]["edges"]
    assert (done["removedChatId"], done["viewer"]) == (chat_id, {"unreadMessageCount": 0})
    assert await chat_of(grace, chat_id, "mutedUntil archived") == {"mutedUntil": None, "archived": False}
    done = await ada.do("updateChat", "chat { mutedUntil archived }", chatId=chat_id, mutedUntil=None)
    assert done["chat"] == {"mutedUntil": None, "archived": True}
    clock.shift(timedelta(minutes=6))
    assert (await chat_of(ada, chat_id, "mutedUntil"))["mutedUntil"] is None


async def test_settings(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    fields = "id readReceipts showPresence allowedSenders hideTextInPush version"
    query = f"{{ viewer {{ chatSettings {{ {fields} }} }} }}"
    first: dict[str, Any] = (await ada.run(query))["viewer"]["chatSettings"]
    assert first | {"id": ""} == {
        "id": "",
        "readReceipts": True,
        "showPresence": True,
        "allowedSenders": "EVERYONE",
        "hideTextInPush": False,
        "version": 0,
    }
    done = await ada.do("updateChatSettings", f"chatSettings {{ {fields} }}", readReceipts=False)
    assert done["chatSettings"] == {**first, "readReceipts": False, "version": 1}
    done = await ada.do("updateChatSettings", f"chatSettings {{ {fields} }}", hideTextInPush=True)
    assert done["chatSettings"] == {**first, "readReceipts": False, "hideTextInPush": True, "version": 2}
    assert (await ada.run(query))["viewer"]["chatSettings"] == done["chatSettings"]
    [error] = (await ada.do("updateChatSettings", "chatSettings { id }"))["errors"]
    assert error["code"] == "REQUIRED"


SHOWN = {
    "text": {"chat_id", "sealed_text"},
    "sentAt": {"sent_at"},
    "sender { name }": {"sender_id"},
    "chat { id }": {"chat_id"},
    "replyTo { text }": {"reply_to_id"},
    "readAt": {"read_at", "sender_id", "recipient_id"},
    "status": {"read_at", "sender_id", "recipient_id", "delivered_at"},
}
"""Fields of the document that each field of a message reads."""


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("shown", SHOWN)
async def test_of_a_message_only_what_is_asked_for_is_read(
    new_phone: NewPhone, commands: Commands, shown: str
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace, 2)
    await mark_read(grace, chat_id, 1)
    page = f"query($id: ID!) {{ chat(id: $id) {{ messages {{ edges {{ node {{ id {shown} }} }} }} }} }}"
    compiled = await ada.run(page, id=chat_id)
    assert commands.fields["messages"] == {"_id", "sequence", *SHOWN[shown]}
    # Introspection takes the same selection to the reference, which reads all of it.
    reference = await ada.run(page.replace("{ chat(", "{ __schema { __typename } chat("), id=chat_id)
    assert reference["chat"] == compiled["chat"]
