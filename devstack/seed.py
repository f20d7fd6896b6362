"""Demo seed: documents of people, posts, comments and follows, with their log entries."""

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher

from core import clock, ids
from core.security.crypto import Keyring
from core.storage.mongo import Database
from core.storage.store import collection
from core.sync import changes
from core.sync.changes import user_scope
from devstack import circles, demo, seed_chats, seed_favorites, seed_inbox, seed_orders, seed_payments, shop
from devstack.demo import Image, Person
from resolvers.auth import passwords
from resolvers.media import picture_fields
from stores import auth, chat, favorite, feed, media, notification, order
from stores.auth import AccountStatus, Role, account_of, person_scopes
from stores.feed import FollowStatus, PostStatus, ReactionKind, Visibility
from stores.feed.scopes import comment_scopes, group_scope, post_scopes
from stores.media import MediaKind

SEED = 20_260_101
PASSWORD = "landfall-demo-1"
BATCH = 2_000
AUDIENCES = (Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE)
IMAGES = 24
ADMINISTRATOR = "grace"
"""Handle of the demo's administrator."""
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Ids and dates count back from here where they must be the same every time."""
LATEST = timedelta(hours=21)
"""Age of the last post: its comments come within ten hours, replies within ten more."""

Document = dict[str, Any]

meta = collection("meta", dict[str, Any])


class SeedRefused(RuntimeError):
    """Demo accounts have a known password: they never belong in production."""


@dataclass(frozen=True, slots=True)
class Size:
    people: int = 200
    posts: int = 2_000
    comments: int = 8_000
    products: int = 800
    chats: int = 80
    messages: int = 8_000

    def scaled(self, scale: float) -> "Size":
        return Size(*(max(4, round(count * scale)) for count in astuple(self)))


async def seeded(db: Database) -> bool:
    return await meta.by_id(db, "demo") is not None


def lately() -> datetime:
    """For demo data that looks as if people had been here lately."""
    return (clock.now() - LATEST).replace(minute=0, second=0, microsecond=0)


async def seed(
    db: Database,
    media_dir: Path,
    crypto: Keyring,
    *,
    size: Size | None = None,
    until: datetime = EPOCH,
    production: bool = False,
) -> Size:
    """Fill an empty database; the same every time but for the keys of chats, and dated back from `until`."""
    if production:
        raise SeedRefused("Demo data has well-known passwords and is refused with LANDFALL_ENV=production.")
    size = size or Size()
    rng = random.Random(SEED)
    maker = Maker(rng, until)
    now = await changes.database_time(db)
    persons = list(demo.people(size.people, rng))
    pictures = maker.media(demo.write_images(media_dir, IMAGES, rng), "POST_MEDIA", 320)
    avatars = maker.media(demo.write_avatars(media_dir, persons), "AVATAR", 96)
    users = maker.users(persons, avatars)
    follows = maker.follows(users, demo.follows(size.people, rng))
    posts = maker.posts(users, pictures, size.posts)
    groups, members = circles.groups(maker, users, until)
    circles.arrange(posts, members)
    comments = maker.comments(users, posts, size.comments)
    reactions = maker.reactions(users, posts, comments)
    maker.count(users, posts, follows)
    # With dice of their own: what was before them stays as it was.
    own = random.Random(SEED + 1)
    talks = seed_chats.talks(Maker(own, until), own, users, crypto, size.chats, size.messages, until)
    await _insert(db, media.media.name, [*pictures, *avatars])
    await _insert(db, auth.users.name, users)
    names = ((name, u["_id"]) for u in users for name in _names(u))
    await _insert(db, auth.user_keys.name, ({"_id": name, "user_id": owner} for name, owner in names))
    await _insert(db, feed.follows.name, follows)
    await _insert(db, feed.groups.name, groups)
    await _insert(db, feed.members.name, members)
    await _insert(db, feed.posts.name, posts)
    await _insert(db, feed.comments.name, comments)
    await _insert(db, feed.reactions.name, reactions)
    reviews = await shop.fill(
        db,
        media_dir,
        size.products,
        rng=rng,
        mint=lambda prefix: maker.id(prefix, until),
        media_of=maker.media,
        insert=_insert,
        epoch=until,
        users=users,
    )
    await _insert(db, changes.log.name, _entries(users, follows, groups, posts, comments, now))
    logged = (_entry("REVIEW", each, [user_scope(each["user_id"])], now) for each in reviews)
    await _insert(db, changes.log.name, logged)
    await _insert(db, chat.chats.name, talks.chats)
    await _insert(db, chat.members.name, talks.members)
    await _insert(db, chat.messages.name, talks.messages)
    told = seed_chats.entries(talks)
    rows = ({**_entry(type, each, scopes, now), "archived": aged} for type, each, scopes, aged in told)
    await _insert(db, changes.log.name, rows)
    dice = random.Random(SEED + 2)
    inboxes = seed_inbox.inboxes(Maker(dice, until), dice, users, until)
    await _insert(db, notification.notifications.name, inboxes.notifications)
    await _insert(db, notification.receipts.name, inboxes.receipts)
    await _insert(db, notification.deliveries.name, inboxes.deliveries)
    items = ((each, [user_scope(each["user_id"])]) for each in inboxes.receipts)
    await _insert(db, changes.log.name, (_entry("NOTIFICATION_RECEIPT", *item, now) for item in items))
    dice = random.Random(SEED + 3)
    wallets = seed_payments.wallets(Maker(dice, until), dice, users, crypto, until)
    await _insert(db, order.payers.name, wallets.payers)
    await _insert(db, order.payment_methods.name, wallets.methods)
    items = ((each, [user_scope(each["user_id"])]) for each in wallets.methods)
    await _insert(db, changes.log.name, (_entry("PAYMENT_METHOD", *item, now) for item in items))
    dice = random.Random(SEED + 3)
    saved = await seed_favorites.of_shop(db, Maker(dice, until), dice, users, crypto, until)
    await _insert(db, favorite.favorites.name, saved.favorites)
    await _insert(db, favorite.favorite_lists.name, saved.lists)
    await _insert(db, favorite.favorite_list_items.name, saved.items)
    for type, documents in (("FAVORITE", saved.favorites), ("FAVORITE_LIST", saved.lists)):
        logged = (_entry(type, each, [user_scope(each["user_id"])], now) for each in documents)
        await _insert(db, changes.log.name, logged)
    dice = random.Random(SEED + 4)
    made = await seed_orders.of_shop(db, Maker(dice, until), dice, users, crypto, until)
    latest = max((each["number"] for each in made["ORDER"]), default=order.FIRST_NUMBER)
    await _insert(db, order.order_counters.name, [{"_id": "orders", "number": latest}])
    for type, documents in made.items():
        await _insert(db, f"{type.lower()}s", documents)
        logged = (_entry(type, each, [user_scope(each["user_id"])], now) for each in documents)
        await _insert(db, changes.log.name, logged)
    await _insert(db, meta.name, [{"_id": "demo", "at": now}])
    return size


def _entries(
    users: list[Document],
    follows: list[Document],
    groups: list[Document],
    posts: list[Document],
    comments: list[Document],
    at: datetime,
) -> Iterator[Document]:
    for user in users:
        yield _entry("USER", user, person_scopes(user), at)
        yield _entry("ACCOUNT", account_of(user), [user_scope(user["_id"])], at)
    for edge in follows:
        yield _entry("FOLLOW", edge, [user_scope(edge["follower_id"])], at)
    for group in groups:
        yield _entry("GROUP", group, [group_scope(group["_id"])], at)
    for post in posts:
        yield _entry("POST", post, post_scopes(post), at)
    for comment in comments:
        yield _entry("COMMENT", comment, comment_scopes(comment), at)


def _entry(type: str, document: Document, scopes: list[str], at: datetime) -> Document:
    return {
        "_id": document["_id"],
        "type": type,
        "node": document["_id"],
        "version": document["version"],
        "scopes": scopes,
        "former_scopes": [],
        "at": at,
        "revision": 1,
        "deleted": False,
        "created": True,
    }


def _names(user: Document) -> tuple[str, str]:
    """Unique keys of a person: email and handle."""
    return auth.email_key(user["email"]), auth.handle_key(user["handle"])


async def _insert(db: Database, name: str, documents: Iterable[Document]) -> None:
    rows = iter(documents)
    while batch := list(islice(rows, BATCH)):
        await db.write({"insert": name, "documents": batch, "ordered": False})


class Maker:
    """Makes documents with ids and dates that depend on the seed alone, and on when it all ends."""

    def __init__(self, rng: random.Random, until: datetime) -> None:
        self._rng = rng
        self._until = until

    def id(self, prefix: str, at: datetime) -> str:
        """A TypeID of that moment."""
        milliseconds = int(at.timestamp() * 1000)
        bits = (
            milliseconds << 80
            | 0x7 << 76
            | self._rng.getrandbits(12) << 64
            | 0b10 << 62
            | self._rng.getrandbits(62)
        )
        return ids.from_uuid(UUID(int=bits), prefix)

    def stamps(self, at: datetime) -> Document:
        return {"version": 1, "created_at": at, "updated_at": at}

    def media(self, images: Iterable[Image], purpose: str, thumb: int) -> list[Document]:
        return [
            {
                **picture_fields(asdict(image), thumb),
                "_id": self.id("media", self._until - timedelta(days=400)),
                "owner_id": "",
                "purpose": purpose,
                "kind": MediaKind.IMAGE,
                "source_bytes": 0,
                "sha256": "",
                "duration_ms": None,
                "alt_text": None,
                "file_name": f"{purpose.lower()}-{number}.webp",
                "folder": image.folder,
                "hls": None,
                # Shown from the start, and so never swept.
                "ref_count": 1,
                "touched_at": self._until,
                "created_at": self._until - timedelta(days=400),
            }
            for number, image in enumerate(images)
        ]

    def users(self, persons: list[Person], avatars: list[Document]) -> list[Document]:
        hashed = _demo_hash()
        made = []
        for person, avatar in zip(persons, avatars, strict=True):
            at = self._until - timedelta(days=person.joined_days_ago)
            user = {
                "_id": self.id("user", at),
                "first_name": person.first_name,
                "last_name": person.last_name,
                "handle": person.handle,
                "bio": person.bio or None,
                "avatar_id": avatar["_id"],
                "email": person.email,
                "email_verified": True,
                "locale": person.locale,
                "time_zone": person.time_zone,
                "roles": [Role.MEMBER, Role.ADMIN] if person.handle == ADMINISTRATOR else [Role.MEMBER],
                "status": AccountStatus.ACTIVE,
                "password_hash": hashed,
                "accepted_terms_version": "1",
                **self.stamps(at),
            }
            avatar["owner_id"] = user["_id"]
            made.append(user)
        return made

    def follows(self, users: list[Document], pairs: Iterable[tuple[int, int]]) -> list[Document]:
        listed = set(pairs)
        made = []
        for follower, followee in sorted(listed):
            at = self._until - timedelta(minutes=self._rng.randrange(60, 500_000))
            made.append(
                {
                    "_id": self.id("follow", at),
                    "follower_id": users[follower]["_id"],
                    "followee_id": users[followee]["_id"],
                    "state": FollowStatus.FOLLOWING,
                    "mutual": (followee, follower) in listed,
                    **self.stamps(at),
                }
            )
        return made

    def posts(self, users: list[Document], pictures: list[Document], count: int) -> list[Document]:
        rng = self._rng
        made = []
        for index in range(count):
            ago = timedelta(minutes=index * 7 + rng.randrange(7), milliseconds=rng.randrange(1000))
            at = self._until - ago
            shown = rng.choices([0, 1, 2, 4], weights=[60, 28, 9, 3])[0]
            visibility = rng.choices(AUDIENCES, weights=[70, 25, 5])[0]
            made.append(
                {
                    "_id": self.id("post", at),
                    # Everybody posts, some far more than others.
                    "author_id": users[int(len(users) * rng.random() ** 1.6)]["_id"],
                    "text": demo.post_text(rng),
                    "media_ids": [each["_id"] for each in rng.sample(pictures, shown)],
                    "visibility": visibility,
                    "state": PostStatus.PUBLISHED,
                    "pinned": False,
                    "comment_count": 0,
                    "share_count": 0,
                    "reactions": {},
                    "edited_at": None,
                    **self.stamps(at),
                }
            )
        return made

    def comments(self, users: list[Document], posts: list[Document], count: int) -> list[Document]:
        rng = self._rng
        made: list[Document] = []
        top: dict[str, list[Document]] = {}
        for _ in range(count):
            post = posts[int(len(posts) * rng.random() ** 1.3)]
            author = rng.choice(users)
            threads = top.setdefault(post["_id"], [])
            parent = rng.choice(threads) if threads and rng.random() < 0.2 else None
            started = parent["created_at"] if parent else post["created_at"]
            at = started + timedelta(minutes=rng.randrange(1, 600), milliseconds=rng.randrange(1000))
            comment = {
                "_id": self.id("comment", at),
                "post_id": post["_id"],
                "post_author_id": post["author_id"],
                "parent_id": parent["_id"] if parent else None,
                "author_id": author["_id"],
                "text": demo.comment_text(rng, post["text"]),
                "reply_count": 0,
                "reactions": {},
                "state": PostStatus.PUBLISHED,
                "edited_at": None,
                **self.stamps(at),
            }
            post["comment_count"] += 1
            if parent:
                parent["reply_count"] += 1
            else:
                threads.append(comment)
            made.append(comment)
        return made

    def reactions(
        self, users: list[Document], posts: list[Document], comments: list[Document]
    ) -> list[Document]:
        rng = self._rng
        made = []
        kinds = list(ReactionKind)
        for subject in [*posts, *comments[:: max(1, len(comments) // 2000)]]:
            for user in rng.sample(users, min(len(users), int(rng.expovariate(1 / 4)))):
                kind = rng.choices(kinds, weights=[60, 25, 8, 4, 3])[0]
                subject["reactions"][kind] = subject["reactions"].get(kind, 0) + 1
                made.append(
                    {
                        "_id": feed.pair(subject["_id"], user["_id"]),
                        "subject_id": subject["_id"],
                        "user_id": user["_id"],
                        "kind": kind,
                        "created_at": subject["created_at"],
                    }
                )
        return made

    def count(self, users: list[Document], posts: list[Document], follows: list[Document]) -> None:
        by_id = {user["_id"]: user for user in users}
        for user in users:
            user |= {"follower_count": 0, "following_count": 0, "post_count": 0}
        for edge in follows:
            by_id[edge["followee_id"]]["follower_count"] += 1
            by_id[edge["follower_id"]]["following_count"] += 1
        for post in posts:
            by_id[post["author_id"]]["post_count"] += 1


def _demo_hash() -> str:
    """One hash for all demo people: 200 honest ones would take half a minute."""
    salt = hashlib.sha256(b"landfall demo").digest()[:16]
    hasher: PasswordHasher = passwords.hasher()
    return hasher.hash(PASSWORD, salt=salt)
