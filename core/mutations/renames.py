"""Renames of mutations: receipts of earlier versions are found under the present names."""

from collections.abc import Mapping
from typing import Any

from core.mutations.idempotency import receipts
from core.storage.migrations import BATCH
from core.storage.mongo import Database


async def rename_receipts(db: Database, names: Mapping[str, str]) -> int:
    """Give receipts of mutations their present names, in batches; how many there were.

    Their inputs had other names as well, so that the hash of an input says nothing: it goes. A mutation that
    keeps its name while its input changes maps to itself.
    """
    old = list(names)
    new: dict[str, Any] = {"$arrayElemAt": [list(names.values()), {"$indexOfArray": [old, "$mutation"]}]}
    older = {"mutation": {"$in": old}, "input_hash": {"$exists": True}}
    after, changed = "", 0
    while rows := await receipts.find(
        db,
        {**older, "_id": {"$gt": after}},
        sort=[("_id", 1)],
        limit=BATCH,
        fields=("mutation",),
        hint="_id_",
    ):
        after = rows[-1]["_id"]
        query = {"_id": {"$in": [row["_id"] for row in rows]}, **older}
        update = [{"$set": {"mutation": new}}, {"$unset": "input_hash"}]
        answer = await db.write(
            {"update": receipts.name, "updates": [{"q": query, "u": update, "multi": True}]}
        )
        changed += int(answer["nModified"])
    return changed
