"""Chats between two people, their messages, and each one's side."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

from core.storage.indexes import A_MOMENT, A_TEXT, LONG_AGO, due
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, Sealed, collection, entity, index
from core.sync.changes import user_scope
from stores.feed import ReportReason, ReportStatus
from stores.media import Attachment


class MessageStatus(StrEnum):
    """Delivery status of a message."""

    SENT = "SENT"
    """The server has stored the message."""
    DELIVERED = "DELIVERED"
    """A device of the recipient has received the message."""
    READ = "READ"
    """The recipient has read the message; shown only while both have read receipts on."""


class PresenceStatus(StrEnum):
    """Presence of a person."""

    ONLINE = "ONLINE"
    """A device of the person has the app in use."""
    AWAY = "AWAY"
    """The app is open on a device, but was not touched for five minutes."""
    OFFLINE = "OFFLINE"
    """No device has the app open, or none has sent a heartbeat for a minute."""


class ReportDecision(StrEnum):
    """Judgment of a moderator on a report."""

    UPHOLD = "UPHOLD"
    """The report is right: the message is deleted for both, and the report becomes UPHELD."""
    DISMISS = "DISMISS"
    """The report is not right: the message stays, and the report becomes DISMISSED."""


class AllowedSenders(StrEnum):
    """Permission to begin a chat with a person; existing chats go on."""

    EVERYONE = "EVERYONE"
    """Anybody who is not blocked may begin a chat."""
    FOLLOWED = "FOLLOWED"
    """People whom the person follows may begin a chat."""
    NOBODY = "NOBODY"
    """Nobody may begin a chat."""


class Chat(TypedDict):
    """Shared row of a chat: guarantees that a pair has one chat."""

    _id: str
    pair_key: str
    data_key: str
    created_at: datetime


class Member(TypedDict):
    """One person's side of a chat; `_id` is `chat|user`. A list of chats needs nothing else."""

    _id: str
    chat_id: str
    user_id: str
    peer_id: str
    pair_key: str
    data_key: str
    started: bool
    """True if it is in this person's list: a chat the other opened is not, until something is said."""
    peer_gone: bool
    blocked: NotRequired[bool]
    """True if the two are hidden from each other: then their devices do not keep each other up to date."""
    archived: bool
    muted_until: datetime | None
    last_activity_at: datetime
    last_sequence: int
    last_message_id: str | None
    unread_count: int
    delivered_sequence: int
    read_sequence: int
    peer_delivered_sequence: int
    peer_read_sequence: int
    version: int
    created_at: datetime
    updated_at: datetime


class Alias(TypedDict):
    """Alias: a chat id that a phone minted although the pair already had a chat."""

    _id: str
    chat_id: str
    user_id: str
    expires_at: datetime


class Message(Row):
    chat_id: str
    sender_id: str
    recipient_id: str
    sequence: int
    sealed_text: str | None
    attachments: list[Attachment]
    reply_to_id: str | None
    sent_at: datetime
    delivered_at: datetime | None
    read_at: datetime | None
    edited_at: datetime | None
    deleted_at: datetime | None
    hidden_for: list[str]
    """Ids of those of the two who deleted it for themselves."""


class ChatSettings(Row):
    """`_id` is the person's id under another prefix."""

    user_id: str
    read_receipts: bool
    show_presence: bool
    allowed_senders: AllowedSenders
    hide_text_in_push: bool


class LastSeen(TypedDict):
    """Time a person was last online; `_id` is theirs."""

    _id: str
    last_seen_at: datetime


class ReportedMessage(TypedDict):
    """Copy of a reported message, encrypted with the report's own key: it outlives deletion in the chat."""

    message_id: str
    sender_id: str
    sequence: int
    sealed_text: str | None
    created_at: datetime


class MessageReport(Row):
    message_id: str
    chat_id: str
    reporter_id: str
    reported_id: str
    reason: ReportReason
    sealed_note: str | None
    data_key: str
    copies: list[ReportedMessage]
    status: ReportStatus
    judged_at: datetime | None


class QueueHealth(TypedDict):
    system: str
    size: int
    oldest_at: datetime | None
    failed: int


class ClientHealth(TypedDict):
    """Queue health last reported by a device; `_id` is `user|device`."""

    _id: str
    user_id: str
    device_id: str
    queues: list[QueueHealth]
    reported_at: datetime
    expires_at: datetime


MOST_PEERS = 5_000
"""Chat partners whose names are kept up to date on a person's devices."""
MOST_REPLIES = 500
"""Replies that are published again when the message they answer is hidden."""
LATEST = [("last_activity_at", -1), ("chat_id", -1)]
BY_SEQUENCE = [("sequence", 1)]

Document = Mapping[str, Any]


def chat_scope(chat_id: str) -> str:
    return f"chat:{chat_id}"


def message_scopes(message: Document) -> list[str]:
    """Scopes of a message: both people, and whoever has the chat open."""
    people = [user_scope(message["sender_id"]), user_scope(message["recipient_id"])]
    return [*people, chat_scope(message["chat_id"])]


chats = collection(
    "chats",
    Chat,
    prefix="chat",
    indexes=[index("pair_key", unique=True)],
    shard_key="pair_key",
    sealed=[Sealed("data_key", "key:chats/{_id}")],
)
members = collection(
    "chat_members",
    Member,
    indexes=[
        index("user_id", "started", "archived", "-last_activity_at", "-chat_id"),
        index("user_id", "peer_id"),
        index("user_id", "unread_count"),
        index("last_activity_at"),
    ],
    shard_key="user_id",
    sealed=[Sealed("data_key", "key:chats/{chat_id}")],
)
aliases = collection(
    "chat_aliases", Alias, indexes=[index("expires_at", expireAfterSeconds=0), index("user_id")]
)
messages = entity(
    "messages",
    Message,
    prefix="message",
    indexes=[
        index("chat_id", "sequence", unique=True),
        index("chat_id", "updated_at"),
        index("sender_id", "_id"),
        index("reply_to_id", partialFilterExpression={"reply_to_id": A_TEXT}, serves={"reply_to_id": "x"}),
        index(
            "deleted_at", partialFilterExpression={"deleted_at": A_MOMENT}, serves=due("deleted_at", LONG_AGO)
        ),
    ],
    shard_key="chat_id",
    scopes=message_scopes,
    audience_never_shrinks=True,
    aspects=["receipts"],
)
settings = entity("chat_settings", ChatSettings, prefix="chat_settings", owner="user_id")
last_seen = collection("last_seen", LastSeen)
reports = entity(
    "message_reports",
    MessageReport,
    prefix="message_report",
    owner="reporter_id",
    indexes=[
        index("message_id", "reporter_id", unique=True),
        index("status", "-created_at", "-_id"),
        index("reporter_id"),
        index("reported_id"),
    ],
    shard_key="message_id",
    sealed=[Sealed("data_key", "key:message_reports/{_id}")],
    moves=Moves(
        {
            ReportStatus.OPEN: {ReportStatus.UPHELD, ReportStatus.DISMISSED},
            ReportStatus.UPHELD: (),
            ReportStatus.DISMISSED: (),
        }
    ),
)
health = collection(
    "client_health", ClientHealth, indexes=[index("expires_at", expireAfterSeconds=0), index("user_id")]
)


def pair_key(one: str, other: str) -> str:
    return "|".join(sorted((one, other)))


def row_id(chat_id: str, user_id: str) -> str:
    return f"{chat_id}|{user_id}"


def settings_id(user_id: str) -> str:
    return f"chat_settings_{user_id.rpartition('_')[2]}"


async def chat_of_pair(db: Database, one: str, other: str) -> Chat | None:
    return await chats.first(db, {"pair_key": pair_key(one, other)})


async def change_both(db: Database, chat: Document, *, own: Any, peers: Any) -> None:
    """Change both sides of a chat in one command."""
    sides = ((chat["user_id"], own), (chat["peer_id"], peers))
    updates = [
        {"q": {"_id": row_id(chat["chat_id"], user_id), "user_id": user_id}, "u": change}
        for user_id, change in sides
    ]
    answer = await db.write({"update": members.name, "updates": updates})
    # Within a transaction that has read its own side, whose peer was there.
    assert answer["n"] == len(sides)


async def members_of(db: Database, user_id: str, chat_ids: Sequence[str]) -> list[Member]:
    query = {"_id": {"$in": [row_id(each, user_id) for each in chat_ids]}, "user_id": user_id}
    return await members.find(db, query, limit=max(1, len(chat_ids)))


async def member_of(db: Database, user_id: str, chat_id: str) -> Member | None:
    rows = await members_of(db, user_id, [chat_id])
    return rows[0] if rows else None


async def peers_of(db: Database, user_id: str) -> list[str]:
    """People a person chats with and is not hidden from, latest activity first."""
    query = {"user_id": user_id, "started": True, "blocked": {"$ne": True}}
    rows = await members.find(db, query, limit=MOST_PEERS, fields=("peer_id",), batch=True)
    return [row["peer_id"] for row in rows]


async def unread_message_count(db: Database, user_id: str) -> int:
    """Unread messages of all chats that are not archived."""
    rows = await db.aggregate(
        members.name,
        [
            {"$match": {"user_id": user_id, "unread_count": {"$gt": 0}, "archived": False, "started": True}},
            {"$group": {"_id": None, "total": {"$sum": "$unread_count"}}},
        ],
    )
    return int(rows[0]["total"]) if rows else 0


async def replies_to(db: Database, message: Message) -> list[str]:
    """Ids of the latest messages that answer one."""
    query = {"reply_to_id": message["_id"], "chat_id": message["chat_id"]}
    rows = await messages.find(db, query, limit=MOST_REPLIES, fields=("_id",))
    return [row["_id"] for row in rows]


def unread_of(member: Member, beyond: int) -> dict[str, Any]:
    """Filter of the messages that a person has not read."""
    return {
        "chat_id": member["chat_id"],
        "sequence": {"$gt": beyond},
        "sender_id": member["peer_id"],
        "deleted_at": None,
        "hidden_for": {"$ne": member["user_id"]},
    }


async def count_unread(db: Database, member: Member, beyond: int) -> int:
    rows = await db.aggregate(messages.name, [{"$match": unread_of(member, beyond)}, {"$count": "unread"}])
    return int(rows[0]["unread"]) if rows else 0


def as_chat(member: Member) -> dict[str, Any]:
    """One side of a chat in the form its owner sees, under the chat's id."""
    people = [member["user_id"], member["peer_id"]]
    return {**member, "_id": member["chat_id"], "participant_ids": people}
