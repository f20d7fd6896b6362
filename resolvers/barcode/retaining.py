"""Retention: scans beyond a person's history, photos of old decisions, and how much a code is in demand."""

from core import uploads
from core.context import Context, Services
from core.storage.batches import delete_each
from resolvers.barcode.sealing import gtin_index
from stores import barcode as store
from stores.barcode import BarcodeSubmission, BarcodeSubmissionStatus, ScanStatus

MOST_COUNTED = 10_000


async def prune(services: Services, user_id: str) -> None:
    """Delete the scans of a person beyond the 5,000 latest."""
    rows = await store.latest_scans(services.db, user_id, store.MOST_SCANS + 1)
    if len(rows) > store.MOST_SCANS:
        beyond = {"user_id": user_id, "scanned_at": {"$lte": rows[-1]["scanned_at"]}}
        await delete_each(services, store.scans, beyond)


async def release_photos(ctx: Context, row: BarcodeSubmission) -> None:
    """Let go of the photos of a submission that was decided long ago."""
    await uploads.release(ctx, row["_id"])
    await ctx.tx.edit(store.submissions, row, {"photos": []})


async def rank(services: Services) -> None:
    """Count the scans that wait for each open case."""
    for status in (BarcodeSubmissionStatus.PENDING, BarcodeSubmissionStatus.REVIEWED):
        async for cases in store.cases.batches(services.db, {"status": status}):
            for case in cases:
                query = {
                    "gtin_index": gtin_index(services.crypto, case["gtin"]),
                    "status": ScanStatus.UNMATCHED,
                }
                command = {"count": store.scans.name, "query": query, "limit": MOST_COUNTED}
                count = int((await services.db.command(command))["n"])
                if count != case["scan_count"]:
                    named = store.cases.key_of(case)
                    await store.cases.update_one(services.db, named, {"$set": {"scan_count": count}})
