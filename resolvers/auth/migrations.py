"""Stored accounts, brought up to date."""

from functools import partial

import structlog

from core import emails, unit
from core.changes import user_scope
from core.migrations import migration
from core.mongo import Database
from core.unit import Unit
from stores import auth as store
from stores.auth import UserKey

logger = structlog.get_logger(__name__)

BATCH = 200
UNCERTAIN = r"[^\x21-\x7e]|[A-Z]|@.*xn--"
"""Addresses that were kept in another form than the canonical one, and some that were not."""


@migration("auth.canonical-emails")
async def canonical_emails(db: Database) -> int:
    """Addresses that case folding changed are found by their canonical form.

    Locks and flows of such an address are named by the older form; they end by themselves within a day.
    """
    after, changed = "email:", 0
    while keys := await store.email_keys(db, after=after, pattern=UNCERTAIN, limit=BATCH):
        for key in keys:
            moved, _ = await unit.run(db, partial(_move, key=key))
            changed += moved
        after = keys[-1]["_id"]
    return changed


async def _move(tx: Unit, *, key: UserKey) -> bool:
    former = key["_id"].removeprefix("email:")
    wanted, id = emails.canonical(former), store.email_key(former)
    user = await store.users.by_id(tx.db, key["user_id"])
    if user is None or await store.user_keys.by_id(tx.db, key["_id"]) is None:
        return False
    if id != key["_id"]:
        if await store.user_keys.by_id(tx.db, id) is not None:
            logger.warning("two accounts have one address", user=user["_id"])
            return False
        await tx.insert(store.user_keys, {"_id": id, "user_id": user["_id"]})
        await tx.delete(store.user_keys, key["_id"])
    if user["email"] == wanted:
        return id != key["_id"]
    renamed = await tx.update(store.users, user["_id"], set={"email": wanted})
    assert renamed is not None
    tx.changed(renamed, scopes=[user_scope(user["_id"])])
    return True
