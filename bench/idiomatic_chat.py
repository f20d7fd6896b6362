"""Chats and people in idiomatic Strawberry: types made from documents, texts opened in a resolver."""

import base64
from datetime import datetime
from typing import Any

import strawberry
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.idiomatic_shop import Document, Media, PageInfo

NONCE = 12
REMEMBERED = 1_000


Info = strawberry.Info[Any, None]


class Texts:
    """Opens what messages say with their chat's key, which the deployment's key unwraps."""

    def __init__(self, field_key: str) -> None:
        self._master = AESGCM(base64.b64decode(field_key))
        self._unwrapped: dict[str, AESGCM] = {}

    def open(self, message: Document, chat: Document) -> str | None:
        if message["sealed_text"] is None:
            return None
        return self._opened(self._key(chat), message["sealed_text"], f"messages/{message['_id']}/text")

    def _key(self, chat: Document) -> AESGCM:
        wrapped = chat["data_key"]
        if wrapped not in self._unwrapped:
            if len(self._unwrapped) >= REMEMBERED:
                self._unwrapped.pop(next(iter(self._unwrapped)))
            plain = self._opened(self._master, wrapped, f"key:chats/{chat['chat_id']}")
            self._unwrapped[wrapped] = AESGCM(base64.b64decode(plain))
        return self._unwrapped[wrapped]

    @staticmethod
    def _opened(key: AESGCM, sealed: str, place: str) -> str:
        raw = base64.b64decode(sealed.partition(".")[2])
        return key.decrypt(raw[:NONCE], raw[NONCE:], place.encode()).decode()


@strawberry.type
class User:
    id: strawberry.ID
    name: str
    avatar_id: strawberry.Private[str | None]

    @classmethod
    def from_document(cls, row: Document) -> "User":
        names = " ".join(filter(None, (row.get("first_name"), row.get("last_name"))))
        name = names or row.get("handle") or "Somebody"
        return cls(id=row["_id"], name=name, avatar_id=row.get("avatar_id"))

    @strawberry.field
    async def avatar(self, info: Info) -> Media | None:
        return await info.context.media.load(self.avatar_id) if self.avatar_id else None


@strawberry.type
class Message:
    id: strawberry.ID
    sequence: int
    sent_at: datetime
    delivered_at: datetime | None
    edited_at: datetime | None
    row: strawberry.Private[Document]
    chat: strawberry.Private[Document]

    @classmethod
    def from_document(cls, row: Document, chat: Document) -> "Message":
        return cls(
            id=row["_id"],
            sequence=row["sequence"],
            sent_at=row["sent_at"],
            delivered_at=row["delivered_at"],
            edited_at=row["edited_at"],
            row=row,
            chat=chat,
        )

    @strawberry.field
    def text(self, info: Info) -> str | None:
        texts: Texts = info.context.texts
        return texts.open(self.row, self.chat)

    @strawberry.field
    async def sender(self, info: Info) -> User:
        sender: User = await info.context.users.load(self.row["sender_id"])
        return sender


@strawberry.type
class MessageEdge:
    node: Message


@strawberry.type
class MessageConnection:
    page_info: PageInfo
    edges: list[MessageEdge]


@strawberry.type
class Chat:
    id: strawberry.ID
    unread_count: int
    row: strawberry.Private[Document]

    @strawberry.field
    async def messages(self, info: Info, last: int = 50) -> MessageConnection:
        """The end of the history, without what the viewer deleted."""
        query = {"chat_id": self.id, "hidden_for": {"$ne": info.context.viewer_id}}
        cursor = info.context.db.messages.find(query).sort("sequence", -1).limit(last + 1)
        rows = await cursor.to_list(last + 1)
        page = [MessageEdge(node=Message.from_document(row, self.row)) for row in reversed(rows[:last])]
        return MessageConnection(page_info=PageInfo(has_previous_page=len(rows) > last), edges=page)


@strawberry.type
class ChatEdge:
    node: Chat


@strawberry.type
class ChatConnection:
    page_info: PageInfo
    edges: list[ChatEdge]


async def latest_chats(ctx: Any, first: int) -> ChatConnection:
    query = {"user_id": ctx.viewer_id, "started": True, "archived": False}
    cursor = (
        ctx.db.chat_members.find(query).sort([("last_activity_at", -1), ("chat_id", -1)]).limit(first + 1)
    )
    rows = await cursor.to_list(first + 1)
    edges = [
        ChatEdge(node=Chat(id=row["chat_id"], unread_count=row["unread_count"], row=row))
        for row in rows[:first]
    ]
    return ChatConnection(page_info=PageInfo(has_next_page=len(rows) > first), edges=edges)
