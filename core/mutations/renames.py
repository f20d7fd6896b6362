"""Renames of mutations: receipts of earlier versions are found under the present names."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.mutations.idempotency import receipts
from core.storage.migrations import update_each
from core.storage.mongo import Database


async def rename_receipts(db: Database, names: Mapping[str, str], changed_inputs: Sequence[str] = ()) -> int:
    """Give receipts of mutations their present names, in batches; how many there were.

    Their inputs had other names as well, so that the hash of an input says nothing: it goes. So does that of
    mutations which kept their names while their inputs changed.
    """
    present = {**names, **{name: name for name in changed_inputs}}
    old = list(present)
    new: dict[str, Any] = {"$arrayElemAt": [list(present.values()), {"$indexOfArray": [old, "$mutation"]}]}
    older = {"mutation": {"$in": old}, "input_hash": {"$exists": True}}
    return await update_each(db, receipts, older, [{"$set": {"mutation": new}}, {"$unset": "input_hash"}])
