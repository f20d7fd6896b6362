"""Subject keys: one data key for each person, with which what is personal about them is encrypted.

A key lies in a collection of the system's, wrapped by the deployment's field keys: their rotation renews the
wrap, and what was encrypted stays byte for byte as it is. Destroying the key erases all of that for good
(crypto-shredding), and nothing is encrypted for this subject any more.
"""

from collections.abc import Collection as Ids
from datetime import datetime
from typing import TypedDict

from core import clock
from core.context import Services
from core.security.crypto import Cipher
from core.storage.store import Sealed, collection


class SubjectKey(TypedDict):
    _id: str
    """The subject's."""
    key: str | None
    """Wrapped; None once it was destroyed."""
    created_at: datetime
    destroyed_at: datetime | None


class SubjectKeys:
    """Subject keys of one system, in a collection of their own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.store = collection(name, SubjectKey, sealed=[Sealed("key", f"key:{name}/{{_id}}")])

    async def sealing(self, services: Services, subject_id: str) -> Cipher | None:
        """Cipher to encrypt with, made for a subject that has none; None for one whose key was destroyed.

        One that was used lately is remembered: it need not be read, and a text that is encrypted with it
        after its destruction can be read by nobody.
        """
        place = self._place(subject_id)
        if (known := services.crypto.remembered(place=place)) is not None:
            return known
        row = await self.store.by_id(services.db, subject_id) or await self._made(services, subject_id)
        return services.crypto.cipher(row["key"], place=place) if row["key"] else None

    async def opening(self, services: Services, subject_ids: Ids[str]) -> dict[str, Cipher]:
        """Ciphers to decrypt with, of those subjects whose keys were not destroyed."""
        rows = await self.store.by_ids(services.db, subject_ids)
        return {
            row["_id"]: services.crypto.cipher(row["key"], place=self._place(row["_id"]))
            for row in rows
            if row["key"]
        }

    async def destroy(self, services: Services, subject_id: str) -> None:
        """Destroy the key of a subject; for good, also where there was none yet."""
        now = clock.now()
        change = {
            "$set": {"key": None, "destroyed_at": now},
            "$setOnInsert": {"created_at": now},
        }
        await self.store.update_one(services.db, {"_id": subject_id}, change, upsert=True)

    async def _made(self, services: Services, subject_id: str) -> SubjectKey:
        """The subject's new key, or the one that somebody else made meanwhile."""
        made = {
            "key": services.crypto.new_data_key(place=self._place(subject_id)),
            "created_at": clock.now(),
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

    def _place(self, subject_id: str) -> str:
        return f"{self.name}/{subject_id}"
