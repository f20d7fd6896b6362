"""Demo data: the same every time, whole, and never in production."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import bson
import pytest

from core import clock
from core.security.crypto import keyring
from core.storage import mongo, store
from core.storage.mongo import Database
from devstack import seed
from devstack.seed import PASSWORD, SeedRefused, Size
from devstack.servers import Servers
from resolvers.auth import passwords
from tests.commands import Done, landfall

SMALL = Size(people=12, posts=40, comments=120, products=30, chats=8, messages=160)
CRYPTO = keyring("", "a secret of the tests, long enough")
INBOX = ("notifications", "notification_receipts", "deliveries")
SEEDED = ("media", "users", "user_keys", "follows", "posts", "comments", "reactions", *INBOX)


@asynccontextmanager
async def empty(servers: Servers, name: str) -> AsyncIterator[Database]:
    """A database of its own, dropped at the end."""
    client = mongo.connect(servers.mongo_url, "pymongo")
    db = Database(client, name)
    try:
        await store.ensure_indexes(db)
        yield db
    finally:
        await db.command({"dropDatabase": 1})
        await client.close()


@pytest.fixture(scope="module")
def media_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seed")


@pytest.fixture(scope="module")
async def seeded(servers: Servers, media_dir: Path) -> AsyncIterator[Database]:
    """A database with a small set."""
    async with empty(servers, "seed_one") as db:
        assert not await seed.seeded(db)
        assert await seed.seed(db, media_dir, CRYPTO, size=SMALL) == SMALL
        assert await seed.seeded(db)
        yield db


async def rows(db: Database, collection: str) -> list[dict[str, Any]]:
    return await db.find(collection, {}, sort=[("_id", 1)])


async def fingerprint(db: Database) -> dict[str, str]:
    """A hash of every collection's content."""
    found = {}
    for name in SEEDED:
        digest = hashlib.sha256()
        for row in await rows(db, name):
            digest.update(bson.encode(row))
        found[name] = digest.hexdigest()
    return found


def files(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found
    }


async def test_the_same_content_every_time(
    seeded: Database, media_dir: Path, servers: Servers, tmp_path: Path
) -> None:
    async with empty(servers, "seed_two") as again:
        await seed.seed(again, tmp_path, CRYPTO, size=SMALL)
        assert await fingerprint(again) == await fingerprint(seeded)
    assert files(tmp_path) == files(media_dir)


async def test_people_were_here_lately_and_nothing_lies_ahead(servers: Servers, tmp_path: Path) -> None:
    async with empty(servers, "seed_lately") as db:
        await seed.seed(db, tmp_path, CRYPTO, size=SMALL, until=seed.lately())
        now = clock.now()
        posts = [row["created_at"] for row in await rows(db, "posts")]
        assert timedelta() < now - max(posts) < timedelta(hours=24)
        for name in (*SEEDED, "messages", "product_reviews", "groups"):
            for row in await rows(db, name):
                assert row.get("created_at", now) <= now, name


async def test_what_is_counted_is_there(seeded: Database) -> None:
    users, posts, comments = [await rows(seeded, name) for name in ("users", "posts", "comments")]
    follows, reactions = await rows(seeded, "follows"), await rows(seeded, "reactions")
    assert (len(users), len(posts), len(comments)) == (12, 40, 120)
    for user in users:
        id = user["_id"]
        assert user["follower_count"] == sum(each["followee_id"] == id for each in follows)
        assert user["following_count"] == sum(each["follower_id"] == id for each in follows)
        assert user["post_count"] == sum(each["author_id"] == id for each in posts)
    for post in posts:
        assert post["comment_count"] == sum(each["post_id"] == post["_id"] for each in comments)
    for subject in [*posts, *comments]:
        counted = sum(each["subject_id"] == subject["_id"] for each in reactions)
        assert sum(subject["reactions"].values()) == counted
    pairs = {(each["follower_id"], each["followee_id"]) for each in follows}
    assert len(pairs) == len(follows)
    for edge in follows:
        assert edge["mutual"] == ((edge["followee_id"], edge["follower_id"]) in pairs)


async def test_references_lead_somewhere(seeded: Database, media_dir: Path) -> None:
    known = {row["_id"] for name in SEEDED for row in await rows(seeded, name)}
    for post in await rows(seeded, "posts"):
        assert {post["author_id"], *post["media_ids"]} <= known
    for comment in await rows(seeded, "comments"):
        assert {comment["author_id"], comment["post_id"], comment["parent_id"] or comment["_id"]} <= known
    shown = await rows(seeded, "media")
    names = {f"{medium['folder']}/{each['name']}" for medium in shown for each in medium["variants"]}
    assert names <= files(media_dir).keys()
    assert {f"{each['folder']}/{each['main']}" for each in shown} <= names
    # First syncs read the log: everything that syncs has an entry.
    logged = {row["_id"] for row in await rows(seeded, "changes")}
    for name in ("users", "follows", "posts", "comments"):
        assert {row["_id"] for row in await rows(seeded, name)} <= logged


async def test_everybody_has_an_inbox_partly_seen_and_acknowledged(seeded: Database) -> None:
    told = {row["_id"]: row for row in await rows(seeded, "notifications")}
    receipts, users = await rows(seeded, "notification_receipts"), await rows(seeded, "users")
    assert {each["user_id"] for each in receipts} == {each["_id"] for each in users}
    for receipt in receipts:
        assert receipt["title"] == told[receipt["notification_id"]]["wording"]["title"]
        assert receipt["acknowledged"] == (receipt["acknowledgment"] is not None)
        assert receipt["sent_at"] <= (receipt["seen_at"] or receipt["sent_at"])
    unseen = [each for each in receipts if each["seen_at"] is None]
    open_ones = [each for each in receipts if each["requires_ack"] and not each["acknowledged"]]
    assert 0 < len(unseen) < len(receipts)
    assert 0 < len(open_ones) < len(receipts) / 2
    delivered = {(row["notification_id"], row["user_id"]) for row in await rows(seeded, "deliveries")}
    assert delivered == {(each["notification_id"], each["user_id"]) for each in receipts}
    logged = {row["_id"] for row in await rows(seeded, "changes")}
    assert {each["_id"] for each in receipts} <= logged


async def test_products_have_labels_stock_and_entries(seeded: Database) -> None:
    products = await rows(seeded, "products")
    media = {each["_id"]: each for each in await rows(seeded, "media")}
    levels = {each["variant_id"] for each in await rows(seeded, "inventory")}
    on_sale = [each for each in products if each["status"] == "ACTIVE"]
    assert len(on_sale) == 30
    for each in on_sale:
        label = media[each["label_image_id"]]
        assert [variant["width"] for variant in label["variants"]] == [240]
        assert each["name"] in label["alt_text"]
        assert {variant["_id"] for variant in each["variants"]} <= levels
        assert each["dirty"] is False
    assert {each["_id"] for each in await rows(seeded, "product_entries")} == {
        each["_id"] for each in on_sale
    }
    assert sum(each["product_count"] for each in await rows(seeded, "categories")) == 30


async def test_the_demo_people_can_sign_in(seeded: Database) -> None:
    for name in ("ada", "grace", "alan"):
        [key] = await seeded.find("user_keys", {"_id": f"email:{name}@example.com"})
        [user] = await seeded.find("users", {"_id": key["user_id"]})
        assert (user["handle"], user["status"], user["email_verified"]) == (name, "ACTIVE", True)
    assert await passwords.matches(user["password_hash"], PASSWORD)


async def test_production_is_refused_and_stays_empty(servers: Servers, tmp_path: Path) -> None:
    async with empty(servers, "seed_production") as db:
        with pytest.raises(SeedRefused, match="refused with LANDFALL_ENV=production"):
            await seed.seed(db, tmp_path, CRYPTO, size=SMALL, production=True)
        assert [await rows(db, name) for name in SEEDED] == [[]] * len(SEEDED)
    assert files(tmp_path) == {}


def test_sizes() -> None:
    assert Size() == Size(200, 2_000, 8_000, 800, 80, 8_000)
    assert Size().scaled(0.05) == Size(10, 100, 400, 40, 4, 400)
    assert Size().scaled(0.001) == Size(people=4, posts=4, comments=8, products=4, chats=4, messages=8)
    assert Size().scaled(25) == Size(5_000, 50_000, 200_000, 20_000, 2_000, 200_000)


async def test_chats_hang_together(seeded: Database) -> None:
    chats, members, messages = [await rows(seeded, name) for name in ("chats", "chat_members", "messages")]
    assert (len(chats), len(members)) == (8, 16)
    users = {user["_id"]: user for user in await rows(seeded, "users")}
    log = {row["_id"]: row for row in await rows(seeded, "changes")}
    for chat in chats:
        said = sorted(
            (each for each in messages if each["chat_id"] == chat["_id"]), key=lambda each: each["sequence"]
        )
        assert [each["sequence"] for each in said] == list(range(1, len(said) + 1))
        assert [each["created_at"] for each in said] == sorted(each["created_at"] for each in said)
        cipher = CRYPTO.cipher(chat["data_key"], place=f"chats/{chat['_id']}")
        texts = [cipher.open(each["sealed_text"], place=f"messages/{each['_id']}/text") for each in said]
        assert all(0 < len(text) <= 4_000 for text in texts)
        for side in (each for each in members if each["chat_id"] == chat["_id"]):
            assert side["last_sequence"] == len(said)
            assert users.keys() >= {side["user_id"], side["peer_id"]}
            assert side["last_message_id"] == said[-1]["_id"]
            unread = [each for each in said[side["read_sequence"] :] if each["sender_id"] == side["peer_id"]]
            assert side["unread_count"] == len(unread)
        fresh = [each["sequence"] for each in said if not log[each["_id"]]["archived"]]
        assert fresh == [each["sequence"] for each in said[-50:]]
        assert set(log[chat["_id"]]["scopes"]) == {f"user:{id}" for id in chat["pair_key"].split("|")}


def landfall_seed(servers: Servers, folder: Path, *arguments: str, **settings: str) -> Done:
    chosen = {
        "MONGO_URL": servers.mongo_url,
        "REDIS_URL": servers.redis_url,
        "MONGO_DATABASE": "seed_command",
        "DATA_DIR": str(folder),
        "MEDIA_DIR": str(folder / "media"),
        **settings,
    }
    return landfall("seed", *arguments, **chosen)


async def test_the_command_fills_an_empty_database_once(servers: Servers, tmp_path: Path) -> None:
    async with empty(servers, "seed_command") as db:
        done = await asyncio.to_thread(landfall_seed, servers, tmp_path, "--scale", "0.05")
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"people=10, posts=100, comments=400", done.stdout)
        counted = [len(await rows(db, name)) for name in ("users", "posts", "comments")]
        assert counted == [10, 100, 400]
        again = await asyncio.to_thread(landfall_seed, servers, tmp_path, "--scale", "0.05")
        assert again.returncode == 1
        assert again.stderr.strip() == "This database has demo data already."
        assert len(await rows(db, "users")) == 10
