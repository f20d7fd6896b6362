"""The benchmark's data: demo content at scale in embedded servers, made once, kept in `.landfall/bench`."""

import asyncio
import base64
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from rich.console import Console

from core.security.crypto import keyring
from core.storage import mongo, store
from core.storage.mongo import Database
from devstack import seed
from devstack.servers import Servers, embedded
from resolvers.auth.signing import make_signing_key

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".landfall" / "bench"
DATABASE = "landfall"
SECRET = "a secret of the benchmark, long enough"
FIELD_KEY = base64.b64encode(hashlib.sha256(b"the benchmark's field key").digest()).decode()
FIELD_KEYS = f"bench:{FIELD_KEY}"
"""With which the texts of messages are encrypted."""
VIEWERS = 32
"""People whose requests take turns: with one, servers that share work among requests would gain too much."""


@contextmanager
def prepared(scale: float, out: Console) -> Iterator[Servers]:
    """Servers with the demo data in them; made anew when what makes them has changed."""
    folder = KEPT / f"scale-{scale:g}"
    source = folder / "made-from"
    if folder.exists() and (not source.exists() or source.read_text() != _recipe()):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source.write_text(_recipe())
    key = folder / "key.pem"
    if not key.exists():
        key.write_bytes(make_signing_key())
    with embedded(folder / "data") as servers:
        _fill(servers, folder, scale, out)
        yield servers


def viewers(servers: Servers) -> list[str]:
    """Addresses of people who follow somebody and talk to somebody, the same ones each time."""
    with MongoClient[dict[str, Any]](servers.mongo_url) as client:
        db = client[DATABASE]
        talkers = db["chat_members"].distinct("user_id")
        chosen = {"_id": {"$in": talkers}, "following_count": {"$gt": 0}}
        users = db["users"].find(chosen, {"email": 1}, sort=[("_id", 1)])
        return [user["email"] for user in users.limit(VIEWERS)]


def key_file(servers: Servers) -> Path:
    return servers.data_dir.parent / "key.pem"


def _fill(servers: Servers, folder: Path, scale: float, out: Console) -> None:
    async def fill() -> None:
        client = mongo.connect(servers.mongo_url, "pymongo")
        db = Database(client, DATABASE)
        try:
            if await seed.seeded(db):
                return
            size = seed.Size().scaled(scale)
            out.print(
                f"Making {size.people:,} people, {size.posts:,} posts, {size.comments:,} comments, "
                f"{size.products:,} products, {size.chats:,} chats with {size.messages:,} messages, once."
            )
            # An earlier run may have been stopped halfway.
            await db.command({"dropDatabase": 1})
            await store.ensure_indexes(db)
            await seed.seed(db, folder / "media", keyring(FIELD_KEYS, SECRET), size=size)
        finally:
            await client.close()

    asyncio.run(fill())


def _recipe() -> str:
    """A digest of the files that decide what the data look like."""
    digest = hashlib.sha256()
    for file in [
        *sorted((ROOT / "devstack").glob("s[eh]*.py")),
        *sorted((ROOT / "devstack" / "demo").rglob("*")),
    ]:
        if file.suffix in (".py", ".txt", ".tsv", ".csv"):
            digest.update(file.read_bytes())
    return digest.hexdigest()
