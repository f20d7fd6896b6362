"""Key rotation: re-encrypts what older field keys encrypted, so that these can be removed.

Collections declare their encrypted fields. A run goes through them in batches and stores its progress, so
that one that was cut off resumes there; a text that changed meanwhile is left as it is: the change
encrypted it with the current key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from core import clock
from core.ports import KMS_PREFIX
from core.security.crypto import Keyring, Unreadable
from core.storage.migrations import migration, move_collection
from core.storage.mongo import Database
from core.storage.store import COLLECTIONS, Collection, Sealed, collection

BATCH = 200


class Progress(TypedDict):
    """Progress of the run for one key; `_id` is the key's."""

    _id: str
    collection: str
    field: str
    after: str
    """The last document that was looked at."""
    anew: int
    unreadable: int
    clean: bool
    """True if a whole run found nothing more to do."""
    updated_at: datetime


progress = collection("key_rotation_progress", Progress)


@migration("core.key-rotation-progress")
async def _progress(db: Database) -> int:
    """Bring how far runs came from the collection's former name."""
    return await move_collection(db, "sealing_progress", progress)


@dataclass(slots=True)
class Run:
    """Result of one run."""

    anew: int = 0
    """Texts that were re-encrypted with the current key."""
    unreadable: int = 0
    """Texts that no key decrypts: theirs was removed too soon."""


def declared() -> Iterator[tuple[Collection[Any], Sealed]]:
    """All encrypted fields, in the order of a run."""
    for _, each in sorted(COLLECTIONS.items()):
        for sealed in sorted(each.sealed, key=lambda one: one.field):
            yield each, sealed


async def needed(db: Database, crypto: Keyring) -> bool:
    """True while there are former keys, and no whole run with the current one found nothing more to do."""
    known = await progress.by_id(db, crypto.current)
    return bool(crypto.former) and not (known and known["clean"])


async def reencrypt(db: Database, crypto: Keyring) -> Run:
    """One run, or the rest of one that was cut off."""
    known = await progress.by_id(db, crypto.current)
    start = (known["collection"], known["field"]) if known else ("", "")
    run = Run(known["anew"], known["unreadable"]) if known and known["collection"] else Run()
    for kept, sealed in declared():
        place = (kept.name, sealed.field)
        if place >= start:
            after = known["after"] if known and place == start else ""
            await _all_of(db, crypto, kept, sealed, after, run)
    await _note(db, crypto, ("", ""), "", run, clean=not run.anew)
    # Should a former key become the current one again, its run starts over.
    await progress.delete_all(db, {"_id": {"$ne": crypto.current}})
    return run


async def _all_of(
    db: Database, crypto: Keyring, kept: Collection[Any], sealed: Sealed, after: str, run: Run
) -> None:
    current = re.compile(f"^{re.escape(crypto.current)}\\.")
    outside = re.compile(f"^{re.escape(KMS_PREFIX)}")
    older = {sealed.field: {"$type": "string", "$nin": ["", current, outside]}}
    async for rows in kept.batches(db, older, after=after, size=BATCH, scan=True):
        updates = []
        for row in rows:
            former = sealed.text_of(row)
            try:
                text = crypto.reencrypted(former, place=sealed.place_of(row))
            except Unreadable:
                run.unreadable += 1
                continue
            query = {**kept.key_of(row), sealed.field: former}
            updates.append({"q": query, "u": {"$set": {sealed.field: text}}})
        if updates:
            answer = await db.write({"update": kept.name, "updates": updates, "ordered": False})
            run.anew += answer["nModified"]
        await _note(db, crypto, (kept.name, sealed.field), rows[-1]["_id"], run, clean=False)


async def _note(
    db: Database, crypto: Keyring, place: tuple[str, str], after: str, run: Run, *, clean: bool
) -> None:
    name, field = place
    where = {"collection": name, "field": field, "after": after}
    counts = {"anew": run.anew, "unreadable": run.unreadable, "clean": clean}
    change = {"$set": {**where, **counts, "updated_at": clock.now()}}
    await progress.update_one(db, {"_id": crypto.current}, change, upsert=True)
