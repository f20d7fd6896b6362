"""Steps shared by the tests of chats: opening one, sending, reading."""

from datetime import datetime
from typing import Any

from core import ids
from core.context import Services
from tests.phone import Phone, Stream
from tests.phone import refusal as refusal

MESSAGE = """id text sequence status version sentAt createdAt editedAt deletedAt deliveredAt readAt
  sender { id name }"""
CHAT = "id unreadCount lastSequence readSequence peerReadSequence peerDeliveredSequence archived canSend"

CHAT_EVENTS = """subscription($id: ID!, $after: String) { chatEvents(chatId: $id, after: $after) {
  __typename
  ... on Event { eventId occurredAt }
  ... on MessageCreated { messageEdge { node { id text sequence sender { id } } } }
  ... on MessageUpdated { message { id text version } }
  ... on MessageDeleted { deletedMessageId }
  ... on ChatUpdated { chat { id unreadCount readSequence peerReadSequence peerDeliveredSequence } }
  ... on ChatTypingChanged { user { id } typing }
  ... on ResyncRequired { token }
} }"""

PRESENCE_EVENTS = """subscription { presenceEvents {
  __typename
  ... on Event { eventId occurredAt }
  ... on PresenceChanged { presence { user { id } status lastSeenAt } }
} }"""

CHANGE_EVENTS = """subscription($since: SyncToken) {
  changeEvents(since: $since, types: [CHAT, MESSAGE, UPLOAD]) {
    __typename
    ... on NodeChanged { token viewer { unreadMessageCount } node { __typename id
      ... on Chat { unreadCount preview canSend } ... on Message { text } } }
    ... on NodeDeleted { token deleted { id typename } }
} }"""


async def open_chat(one: Phone, other: Phone, **input: Any) -> str:
    """The chat's id."""
    made = await one.do("createChat", "chat { id }", userId=other.user_id, **input)
    assert made["errors"] == []
    return str(made["chat"]["id"])


async def say(phone: Phone, chat_id: str, text: str = "Hello", **input: Any) -> dict[str, Any]:
    """The stored message."""
    sent = await phone.do("sendMessage", f"message {{ {MESSAGE} }}", chatId=chat_id, text=text, **input)
    assert sent["errors"] == [], sent["errors"]
    message: dict[str, Any] = sent["message"]
    return message


async def talk(one: Phone, other: Phone, count: int = 1) -> tuple[str, list[str]]:
    """A chat in which the first has said something; ids of chat and messages."""
    chat_id = await open_chat(one, other)
    return chat_id, [(await say(one, chat_id, f"Message {number + 1}"))["id"] for number in range(count)]


async def mark_read(phone: Phone, chat_id: str, sequence: int) -> dict[str, Any]:
    done = await phone.do(
        "markChatRead",
        f"chat {{ {CHAT} }} viewer {{ unreadMessageCount }}",
        chatId=chat_id,
        upToSequence=sequence,
    )
    assert done["errors"] == []
    return dict(done)


async def mark_delivered(phone: Phone, chat_id: str, sequence: int) -> dict[str, Any]:
    marks = [{"chatId": chat_id, "upToSequence": sequence}]
    done = await phone.do("markChatsDelivered", f"chats {{ {CHAT} }}", marks=marks)
    assert done["errors"] == []
    return dict(done["chats"][0])


async def chat_of(phone: Phone, chat_id: str, selection: str = CHAT) -> dict[str, Any]:
    found = await phone.run(f"query($id: ID!) {{ chat(id: $id) {{ {selection} }} }}", id=chat_id)
    return dict(found["chat"])


async def history(phone: Phone, chat_id: str, arguments: str = "", selection: str = "text") -> list[Any]:
    """The messages of one page: values of one field, or of several."""
    page = f"messages{arguments} {{ edges {{ node {{ {selection} }} }} }}"
    nodes = [edge["node"] for edge in (await chat_of(phone, chat_id, page))["messages"]["edges"]]
    return [node[selection] for node in nodes] if selection.isalpha() else nodes


async def inbox(phone: Phone, arguments: str = "", selection: str = CHAT) -> list[dict[str, Any]]:
    found = await phone.run(f"{{ viewer {{ chats{arguments} {{ edges {{ node {{ {selection} }} }} }} }} }}")
    return [edge["node"] for edge in found["viewer"]["chats"]["edges"]]


async def event(stream: Stream, field: str = "chatEvents") -> dict[str, Any]:
    """The next event without its place and time."""
    found: dict[str, Any] = (await stream.next())[field]
    assert found.pop("eventId")
    assert found.pop("occurredAt").endswith("Z")
    return found


async def until(stream: Stream, kind: str, field: str = "chatEvents") -> dict[str, Any]:
    """The next event of the kind."""
    while (found := await event(stream, field))["__typename"] != kind:
        continue
    return found


async def changed(stream: Stream, kind: str) -> dict[str, Any]:
    """The next event of `changeEvents` with a node of the kind."""
    while True:
        found: dict[str, Any] = (await stream.next())["changeEvents"]
        if found.get("node", {}).get("__typename") == kind:
            return found


async def registered(phone: Phone) -> str:
    """The phone's push token."""
    token = f"token-{new('device')}"
    done = await phone.do("setPushToken", "device { id }", deviceId=phone.device_id, token=token)
    assert done["errors"] == []
    return token


async def stored(services: Services, collection: str, **query: Any) -> list[dict[str, Any]]:
    return await services.db.find(collection, query)


async def backdate(services: Services, collection: str, id: str, **moments: datetime) -> None:
    """Move a document's moments: as if it had happened then."""
    update = {"q": {"_id": id}, "u": {"$set": moments}}
    await services.db.write({"update": collection, "updates": [update]})


def new(prefix: str) -> str:
    return ids.new_id(prefix)
