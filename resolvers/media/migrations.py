"""Stored uploads, brought up to date."""

from core.mutations.renames import rename_receipts
from core.storage.migrations import migration, update_each
from core.storage.mongo import Database
from stores import media as store
from stores.media import UploadStatus

MUTATIONS = {
    "signUploadParts": "requestUploadPartUrls",
    "abortUpload": "cancelUpload",
}
"""Former names of mutations, with the present ones."""


@migration("media.canceled")
async def canceled(db: Database) -> int:
    """Call uploads that their owners gave up CANCELED."""
    present = {"$set": {"status": UploadStatus.CANCELED}}
    return await update_each(db, store.uploads, {"status": "ABORTED"}, present)


@migration("media.mutation-names")
async def mutation_names(db: Database) -> int:
    """Let receipts of mutations be found under the mutations' present names."""
    return await rename_receipts(db, MUTATIONS)


@migration("media.mime-type")
async def mime_type(db: Database) -> int:
    """Let receipts of `createUpload` be found, whose input had `mime` for `mimeType`."""
    return await rename_receipts(db, {}, ["createUpload"])
