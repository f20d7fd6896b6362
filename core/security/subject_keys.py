"""Subject keys: one data key for each person, with which what is personal about them is encrypted.

A key lies in a collection of the system's, wrapped by the key management service, which are the deployment's
field keys unless there is another. The wrap is renewed, and what was encrypted stays byte for byte as it is.
Destroying the key erases all of that for good (crypto-shredding), and nothing is encrypted for this subject
any more.
"""

import os
from collections.abc import Collection as Ids
from datetime import datetime
from typing import Any, TypedDict

from core import clock
from core.context import Services
from core.ports import Kms
from core.security.crypto import KEY_BYTES, Cipher
from core.storage.mongo import Database
from core.storage.store import Sealed, collection, index


class SubjectKey(TypedDict):
    _id: str
    """The subject's."""
    key: str | None
    """Wrapped; None once it was destroyed."""
    wrapped_at: datetime
    created_at: datetime
    destroyed_at: datetime | None


class SubjectKeys:
    """Subject keys of one system, in a collection of their own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.store = collection(
            name,
            SubjectKey,
            indexes=[index("wrapped_at", "_id")],
            sealed=[Sealed("key", f"key:{name}/{{_id}}")],
        )

    async def sealing(self, services: Services, subject_id: str) -> Cipher | None:
        """Cipher to encrypt with, made for a subject that has none; None for one whose key was destroyed.

        One that was used lately is remembered: it need not be read, and a text that is encrypted with it
        after its destruction can be read by nobody.
        """
        place = self._place(subject_id)
        if (known := services.crypto.remembered(place=place)) is not None:
            return known
        row = await self.store.by_id(services.db, subject_id) or await self._made(services, subject_id)
        return await self._cipher(services, row) if row["key"] else None

    async def opening(self, services: Services, subject_ids: Ids[str]) -> dict[str, Cipher]:
        """Ciphers to decrypt with, of those subjects whose keys were not destroyed."""
        rows = await self.store.by_ids(services.db, subject_ids)
        return {row["_id"]: await self._cipher(services, row) for row in rows if row["key"]}

    async def renew(self, services: Services, *, before: datetime) -> int:
        """Wrap anew all keys whose wraps were made before a moment; how many those were.

        A key that was destroyed meanwhile stays so: a wrap takes the place of the one it was made of alone.
        """
        kms, renewed = services.get(Kms), 0
        old: dict[str, Any] = {"key": {"$type": "string"}, "wrapped_at": {"$lt": before}}
        async for rows in self.store.batches(services.db, old):
            updates = []
            for row in rows:
                place, former = self._place(row["_id"]), str(row["key"])
                wrap = await kms.wrap(await kms.unwrap(former, place=place), place=place)
                change = {"$set": {"key": wrap, "wrapped_at": clock.now()}}
                updates.append({"q": {"_id": row["_id"], "key": former}, "u": change})
            answer = await services.db.write({"update": self.name, "updates": updates})
            renewed += int(answer["nModified"])
        return renewed

    async def destroy(self, db: Database, subject_id: str) -> None:
        """Destroy the key of a subject; for good, also where there was none yet."""
        now = clock.now()
        change = {
            "$set": {"key": None, "destroyed_at": now},
            "$setOnInsert": {"created_at": now, "wrapped_at": now},
        }
        await self.store.update_one(db, {"_id": subject_id}, change, upsert=True)

    async def _made(self, services: Services, subject_id: str) -> SubjectKey:
        """The subject's new key, or the one that somebody else made meanwhile."""
        now, place = clock.now(), self._place(subject_id)
        made = {
            "key": await services.get(Kms).wrap(os.urandom(KEY_BYTES), place=place),
            "wrapped_at": now,
            "created_at": now,
            "destroyed_at": None,
        }
        answer = await services.db.write(
            {
                "findAndModify": self.name,
                "query": {"_id": subject_id},
                "update": {"$setOnInsert": made},
                "upsert": True,
                "new": True,
            }
        )
        row: SubjectKey = answer["value"]
        return row

    async def _cipher(self, services: Services, row: SubjectKey) -> Cipher:
        place, wrapped = self._place(row["_id"]), str(row["key"])
        known = services.crypto.known(wrapped, place=place)
        if known is not None:
            return known
        key = await services.get(Kms).unwrap(wrapped, place=place)
        return services.crypto.remember(wrapped, key, place=place)

    def _place(self, subject_id: str) -> str:
        return f"{self.name}/{subject_id}"
