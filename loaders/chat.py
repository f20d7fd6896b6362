"""Loaders of chats, messages, settings and chat partners."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from core import ids
from core.storage.loader import Loader, by_id, in_order
from stores import auth as accounts
from stores import chat as store
from stores.auth import AccountStatus, User
from stores.chat import AllowedSenders, ChatSettings

Chat = dict[str, Any]
"""A chat as its viewer sees it."""

GONE = "Deleted user"

MessageById = by_id(store.messages)


class ChatOfViewer(Loader[str, Chat | None]):
    """The viewer's side of chats, started or not."""

    async def batch_load_fn(self, keys: list[str]) -> list[Chat | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        rows = await store.members_of(self.db, self.viewer_id, keys)
        return in_order(keys, map(store.as_chat, rows))

    def know_all(self, chats: Iterable[Chat]) -> None:
        for chat in chats:
            self.know(chat["_id"], chat)


class ChatWithPeer(Loader[str, Chat | None]):
    """The viewer's side of the chat with a person."""

    async def batch_load_fn(self, keys: list[str]) -> list[Chat | None]:
        query = {"user_id": self.viewer_id, "peer_id": {"$in": keys}}
        rows = await store.members.find(self.db, query, limit=len(keys))
        return in_order(keys, map(store.as_chat, rows), by="peer_id")


class PeersByUser(Loader[str, list[str]]):
    """Chat partners of a person, except those hidden from them."""

    batch = False

    async def batch_load_fn(self, keys: list[str]) -> list[list[str]]:
        return [await store.peers_of(self.db, key) for key in keys]


class ChatOfAlias(Loader[str, str | None]):
    """The chat's real id, for an id that a phone of the viewer minted."""

    async def batch_load_fn(self, keys: list[str]) -> list[str | None]:
        rows = await store.aliases.by_ids(self.db, keys)
        own = {row["_id"]: row["chat_id"] for row in rows if row["user_id"] == self.viewer_id}
        return [own.get(key) for key in keys]


class ChatSettingsByUser(Loader[str, ChatSettings]):
    """Chat settings of a person, or the defaults until they choose."""

    async def batch_load_fn(self, keys: list[str]) -> list[ChatSettings]:
        wanted = [store.settings_id(key) for key in keys]
        rows = in_order(wanted, await store.settings.by_ids(self.db, wanted))
        return [row or _default_settings(key) for key, row in zip(keys, rows, strict=True)]


class LastSeenByUser(Loader[str, datetime | None]):
    """Times at which people were last online."""

    async def batch_load_fn(self, keys: list[str]) -> list[datetime | None]:
        rows = {row["_id"]: row["last_seen_at"] for row in await store.last_seen.by_ids(self.db, keys)}
        return [rows.get(key) for key in keys]


def _default_settings(user_id: str) -> ChatSettings:
    joined = datetime.fromtimestamp(ids.moment_of(user_id), UTC)
    return {
        "_id": store.settings_id(user_id),
        "user_id": user_id,
        "read_receipts": True,
        "show_presence": True,
        "allowed_senders": AllowedSenders.EVERYONE,
        "hide_text_in_push": False,
        "version": 0,
        "created_at": joined,
        "updated_at": joined,
    }


class PeerById(Loader[str, User]):
    """Chat partners, present and former; deleted accounts appear without a name."""

    async def batch_load_fn(self, keys: list[str]) -> list[User]:
        fields = (*self.fields, "status") if self.fields else ()
        found = in_order(keys, await accounts.users.by_ids(self.db, keys, fields=fields))
        return [
            row if row and row["status"] != AccountStatus.DELETED else _gone(key)
            for key, row in zip(keys, found, strict=True)
        ]


def _gone(user_id: str) -> User:
    joined = datetime.fromtimestamp(ids.moment_of(user_id), UTC)
    nothing: Any = dict.fromkeys(User.__annotations__)
    return cast(
        "User",
        nothing
        | {
            "_id": user_id,
            "first_name": GONE,
            "roles": [],
            "status": AccountStatus.DELETED,
            "version": 0,
            "created_at": joined,
            "updated_at": joined,
            "follower_count": 0,
            "following_count": 0,
            "post_count": 0,
        },
    )
