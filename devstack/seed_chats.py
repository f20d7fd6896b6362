"""Demo chats: pairs, messages, and receipts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from core.security.crypto import Keyring
from core.sync.changes import user_scope
from devstack import demo
from resolvers.chat.access import text_place
from stores import chat as store

FIRST_SYNC = 50
KNOWN = 3
KNOWN_CHATS = 15
FIRST_CHAT = 120
"""Messages at least in the first chat of all: more than a page."""

Document = dict[str, Any]


class Stamps(Protocol):
    """Source of ids and dates that are the same every time."""

    def id(self, prefix: str, at: datetime) -> str: ...

    def stamps(self, at: datetime) -> Document: ...


@dataclass
class Talks:
    """Documents by collection."""

    chats: list[Document] = field(default_factory=list)
    members: list[Document] = field(default_factory=list)
    messages: list[Document] = field(default_factory=list)


def talks(
    maker: Stamps,
    rng: Random,
    users: Sequence[Document],
    crypto: Keyring,
    count: int,
    messages: int,
    end: datetime,
) -> Talks:
    """Make `count` chats with so many messages in all; the first are those of the demo sign-ins."""
    made = Talks()
    pairs = list(_pairs(len(users), rng, count))
    for place, (one, other) in enumerate(pairs):
        last_at = end - timedelta(minutes=place * 37 + rng.randrange(30))
        length = max(2, messages // len(pairs))
        if place == 0:
            length = max(length, FIRST_CHAT)
        _chat(made, maker, rng, (users[one], users[other]), crypto, length, last_at)
    return made


def _pairs(people: int, rng: Random, count: int) -> Iterator[tuple[int, int]]:
    """The known ones with one another and with many, then anybody."""
    seen: set[tuple[int, int]] = set()
    first = range(min(KNOWN, people))
    wanted = [(one, other) for one in first for other in first if one < other]
    wanted += [(known, other) for other in range(KNOWN, min(KNOWN_CHATS, people)) for known in range(KNOWN)]
    most = min(count, people * (people - 1) // 2)
    while len(seen) < most:
        one, other = wanted.pop(0) if wanted else sorted(rng.sample(range(people), 2))
        if (one, other) not in seen:
            seen.add((one, other))
            yield one, other


def _chat(
    made: Talks,
    maker: Stamps,
    rng: Random,
    people: tuple[Document, Document],
    crypto: Keyring,
    length: int,
    last_at: datetime,
) -> None:
    lines = list(demo.talk(rng, length))
    moments = _moments(rng, [begins for _, _, begins in lines], last_at)
    at = moments[0]
    chat_id = maker.id("chat", at)
    common: Document = {
        "pair_key": store.pair_key(people[0]["_id"], people[1]["_id"]),
        "data_key": crypto.new_data_key(place=f"chats/{chat_id}"),
        "created_at": at,
    }
    made.chats.append({"_id": chat_id, **common})
    cipher = crypto.cipher(common["data_key"], place=f"chats/{chat_id}")
    unread = rng.choice([0, 0, 1, 3])
    told = []
    for sequence, ((who, text, _), moment) in enumerate(zip(lines, moments, strict=True), 1):
        id = maker.id("message", moment)
        told.append(
            {
                "_id": id,
                "chat_id": chat_id,
                "sender_id": people[who]["_id"],
                "recipient_id": people[1 - who]["_id"],
                "sequence": sequence,
                "sealed_text": cipher.seal(text, place=text_place(id)),
                "attachments": [],
                "reply_to_id": None,
                "sent_at": moment,
                "delivered_at": moment,
                "read_at": moment if sequence <= length - unread else None,
                "edited_at": None,
                "deleted_at": None,
                "hidden_for": [],
                **maker.stamps(moment),
            }
        )
    made.messages += told
    for who in (0, 1):
        made.members.append(_side(common, chat_id, people[who], people[1 - who], told, unread))


def _side(
    common: Document, chat_id: str, own: Document, peer: Document, told: list[Document], unread: int
) -> Document:
    last = told[-1]
    read = last["sequence"] - unread
    return {
        **common,
        "_id": store.row_id(chat_id, own["_id"]),
        "chat_id": chat_id,
        "user_id": own["_id"],
        "peer_id": peer["_id"],
        "started": True,
        "peer_gone": False,
        "archived": False,
        "muted_until": None,
        "last_activity_at": last["created_at"],
        "last_sequence": last["sequence"],
        "last_message_id": last["_id"],
        "unread_count": sum(each["sender_id"] == peer["_id"] for each in told[read:]),
        "delivered_sequence": last["sequence"],
        "read_sequence": read,
        "peer_delivered_sequence": last["sequence"],
        "peer_read_sequence": read,
        "version": 1,
        "updated_at": last["created_at"],
    }


def _moments(rng: Random, begins: Sequence[bool], last_at: datetime) -> list[datetime]:
    """Times of the lines: answers follow within minutes, conversations are hours or days apart."""
    at, moments = last_at, []
    for begun in reversed(begins):
        moments.append(at)
        gap = rng.expovariate(1 / 2_000) + 60 if begun else rng.expovariate(1 / 2)
        at -= timedelta(minutes=gap, milliseconds=rng.randrange(1_000))
    return [moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in reversed(moments)]


def entries(made: Talks) -> Iterator[tuple[str, Document, list[str], bool]]:
    """Change-log entries: type, document, scopes, and true if first syncs skip it."""
    versions = {"version": 1}
    last = {side["chat_id"]: side["last_sequence"] for side in made.members}
    for chat in made.chats:
        yield "CHAT", {**chat, **versions}, [user_scope(id) for id in chat["pair_key"].split("|")], False
    for message in made.messages:
        aged = message["sequence"] <= last[message["chat_id"]] - FIRST_SYNC
        yield "MESSAGE", message, store.message_scopes(message), aged
