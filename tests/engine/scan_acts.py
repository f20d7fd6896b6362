"""Acts of the barcode scanner for the long history: batches of a phone that was away, and what it deletes."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from core import clock, ids
from core.storage.mongo import Database
from stores import barcode as store
from tests.engine.flushes import ERRORS, Act

RESULTS = f"results {{ itemId status {ERRORS} }}"
AWAY_SECONDS = 3_600
"""Time for which a phone was without a connection: few scans are within ten seconds of another."""


def one(dice: random.Random, codes: Sequence[str], scans: list[str]) -> Act:
    """An act of a person, of whose scans the ids are known."""
    choice = dice.random()
    if choice < 0.75 or not scans:
        made = [_scan(dice, codes) for _ in range(dice.randint(1, 4))]
        scans.extend(each["id"] for each in made)
        return Act("recordScans", {"scans": made}, RESULTS)
    if choice < 0.97:
        return Act("deleteScanRecord", {"scanRecordId": dice.choice(scans[-10:])})
    return Act("deleteScanHistory", {}, "deletedCount")


def _scan(dice: random.Random, codes: Sequence[str]) -> dict[str, Any]:
    at = clock.now() - timedelta(seconds=dice.uniform(0, AWAY_SECONDS))
    return {
        "id": ids.new_id("scan_record"),
        "code": dice.choice(codes),
        "matchedFrom": "LOCAL_CACHE",
        "scannedAt": at.isoformat(),
        "timeZone": "Europe/Vienna",
    }


async def check(db: Database, user_id: str, done: Sequence[tuple[Act, Any]]) -> None:
    """The history has what was recorded as new, and not deleted since."""
    kept: set[str] = set()
    for act, payload in done:
        if act.mutation == "recordScans":
            results = payload["results"] or ()
            kept |= {each["itemId"] for each in results if each["status"] == "CREATED"}
        elif act.mutation == "deleteScanRecord" and not payload["errors"]:
            kept.remove(act.input["scanRecordId"])
        elif act.mutation == "deleteScanHistory" and not payload["errors"]:
            kept.clear()
    found = await store.scans.find(db, {"user_id": user_id}, limit=10_000)
    assert {each["_id"] for each in found} == kept, "A scan was lost, or came back."
