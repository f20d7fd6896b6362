"""Opening chats: one of each pair, whoever begins and from whatever id."""

import asyncio
from datetime import timedelta

import pytest

from core import clock
from core.context import Services
from stores import chat as store
from stores.auth import AccountStatus
from tests.chat.steps import CHAT, chat_of, history, inbox, new, open_chat, refusal, say, stored, talk
from tests.conftest import NewPhone
from tests.phone import Failed, make_user

WITH = "query($id: ID!) { user(id: $id) { viewerChat { id } } }"
CHAT_BY_ID = "query($id: ID!) { chat(id: $id) { id } }"


async def test_opening_gives_one_chat_with_everything_in_it(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    made = await ada.do(
        "createChat",
        f"chat {{ {CHAT} preview lastMessage {{ id }} mutedUntil peer {{ id name }} participants {{ name }} "
        "messages { edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } "
        "chatEdge { cursor node { id } }",
        userId=grace.user_id,
    )
    assert made["errors"] == []
    id = made["chat"].pop("id")
    assert made["chatEdge"]["node"]["id"] == id
    nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert made["chat"] == {
        "unreadCount": 0,
        "lastSequence": 0,
        "readSequence": 0,
        "peerReadSequence": 0,
        "peerDeliveredSequence": 0,
        "archived": False,
        "canSend": True,
        "preview": None,
        "lastMessage": None,
        "mutedUntil": None,
        "peer": {"id": grace.user_id, "name": "Grace"},
        "participants": [{"name": "Ada"}, {"name": "Grace"}],
        "messages": {"edges": [], "pageInfo": nothing},
    }
    assert await open_chat(ada, grace) == id
    assert await open_chat(grace, ada) == id


async def test_a_chat_is_not_in_the_others_list_until_something_is_said(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await open_chat(ada, grace)
    assert [chat["id"] for chat in await inbox(ada)] == [id]
    assert await inbox(grace) == []
    assert await grace.run(WITH, id=ada.user_id) == {"user": {"viewerChat": None}}
    assert await grace.run(CHAT_BY_ID, id=id) == {"chat": None}
    await say(ada, id)
    assert [chat["id"] for chat in await inbox(grace)] == [id]
    assert await grace.run(WITH, id=ada.user_id) == {"user": {"viewerChat": {"id": id}}}


async def test_failure_both_users_open_a_chat_at_once(new_phone: NewPhone, services: Services) -> None:
    """Row "Both users open a chat at once": unique pair key, one chat, the loser's id aliased."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    hers, his = new("chat"), new("chat")
    one, other = await asyncio.gather(open_chat(ada, grace, id=hers), open_chat(grace, ada, id=his))
    assert one == other
    assert one in (hers, his)
    assert len(await stored(services, "chats", pair_key=store.pair_key(ada.user_id, grace.user_id))) == 1
    # Queued messages that name either id land in it.
    await say(ada, hers, "From Ada")
    await say(grace, his, "From Grace")
    assert await history(ada, hers) == ["From Ada", "From Grace"]
    assert (await chat_of(grace, his))["id"] == one


async def test_many_open_at_once(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    found = await asyncio.gather(*(open_chat(*pair) for pair in [(ada, grace), (grace, ada)] * 4))
    assert len(set(found)) == 1
    assert len(await stored(services, "chat_members", chat_id=found[0])) == 2


async def test_an_alias_is_the_person_s_own_and_ends_after_30_days(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    alias = new("chat")
    assert await open_chat(grace, ada, id=alias) == chat_id
    assert (await chat_of(grace, alias))["id"] == chat_id
    assert (await grace.run("query($id: ID!) { node(id: $id) { id } }", id=alias))["node"]["id"] == chat_id
    assert await ada.run(CHAT_BY_ID, id=alias) == {"chat": None}
    [row] = await stored(services, "chat_aliases", _id=alias)
    assert timedelta(days=29) < row["expires_at"] - clock.now() <= timedelta(days=30)


async def test_error_id_taken_when_the_id_belongs_to_something_else(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    theirs = await open_chat(grace, alan)
    mine = await open_chat(ada, grace)
    for person in (grace, alan):
        refused = await ada.do("createChat", "chat { id }", userId=person.user_id, id=theirs)
        assert refused["errors"] == [refusal("ID_TAKEN", "This id is in use.", ["id"])]
    # Another person's alias is taken too, though it leads to the very chat.
    alias = new("chat")
    assert await open_chat(grace, ada, id=alias) == mine
    refused = await ada.do("createChat", "chat { id }", userId=grace.user_id, id=alias)
    assert refused["errors"] == [refusal("ID_TAKEN", "This id is in use.", ["id"])]
    assert [chat["id"] for chat in await inbox(ada)] == [mine]


async def test_error_cannot_message_self(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("createChat", "chat { id }", userId=ada.user_id)
    assert refused["chat"] is None
    message = "You cannot chat with yourself."
    assert refused["errors"] == [refusal("FORBIDDEN", message, ["userId"])]


@pytest.mark.parametrize("why", ["unknown", "suspended", "blocked by", "blocked"])
async def test_error_user_unavailable(new_phone: NewPhone, services: Services, why: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    user_id = grace.user_id
    if why == "unknown":
        user_id = new("user")
    elif why == "suspended":
        user_id = await make_user(services, "Gone", status=AccountStatus.SUSPENDED)
    elif why == "blocked by":
        await grace.do("blockUser", "removedUserId", userId=ada.user_id)
    else:
        await ada.do("blockUser", "removedUserId", userId=grace.user_id)
    refused = await ada.do("createChat", "chat { id } chatEdge { cursor }", userId=user_id)
    assert (refused["chat"], refused["chatEdge"]) == (None, None)
    assert refused["errors"] == [refusal("NOT_FOUND", "There is no such person.", ["userId"])]
    assert await inbox(ada) == []


@pytest.mark.parametrize(
    ("wish", "followed", "allowed"),
    [
        ("EVERYONE", False, True),
        ("FOLLOWED", True, True),
        ("FOLLOWED", False, False),
        ("NOBODY", True, False),
    ],
)
async def test_error_not_allowed(new_phone: NewPhone, wish: str, followed: bool, allowed: bool) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    done = await grace.do("updateChatSettings", "chatSettings { allowedSenders }", allowedSenders=wish)
    assert done["chatSettings"] == {"allowedSenders": wish}
    if followed:
        await grace.do("followUser", "user { id }", userId=ada.user_id)
    opened = await ada.do("createChat", "chat { id }", userId=grace.user_id)
    if allowed:
        assert opened["errors"] == []
        return
    message = "This person does not take messages from you."
    assert opened["errors"] == [refusal("FORBIDDEN", message, ["userId"])]
    # Who takes nothing may still begin.
    assert await open_chat(grace, ada)


async def test_an_existing_chat_outlives_a_change_of_allowed_senders(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    await grace.do("updateChatSettings", "chatSettings { id }", allowedSenders="NOBODY")
    assert await open_chat(ada, grace) == chat_id
    await say(ada, chat_id, "Still here")


async def test_twenty_new_chats_a_day(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    others = [await make_user(services, f"Person {number}") for number in range(21)]
    for other in others[:20]:
        assert (await ada.do("createChat", "chat { id }", userId=other))["errors"] == []
    [error] = (await ada.do("createChat", "chat { id }", userId=others[20]))["errors"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert error["retryAfterSeconds"] > 3_000
    # An existing one costs nothing.
    assert (await ada.do("createChat", "chat { id }", userId=others[0]))["errors"] == []


@pytest.mark.parametrize("id", ["nonsense", "user_01h455vb4pex5vsknk084sn02q"])
async def test_a_bad_id_is_bad_input(new_phone: NewPhone, id: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    with pytest.raises(Failed) as failed:
        await ada.do("createChat", "chat { id }", userId=grace.user_id, id=id)
    assert [error["extensions"]["code"] for error in failed.value.errors] == ["BAD_USER_INPUT"]
