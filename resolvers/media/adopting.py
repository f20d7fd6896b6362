"""Adoption of fetched pictures: checked, scanned and processed as if they had been uploaded."""

import asyncio
import hashlib
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import structlog

from core import clock, ids, jobs
from core.context import Context
from core.uploads import Purpose
from ports.media import MediaProcessor, Scanner, Unreadable
from resolvers.media import sniffing
from resolvers.media.linking import link
from resolvers.media.processing import medium, new_folder, picture_fields, store_files
from stores import media as store

logger = structlog.get_logger(__name__)

Keep = Callable[[str], Awaitable[bool]]

UNKEPT = timedelta(hours=1)
"""Age at which a folder without a medium is erased."""


async def adopt(
    ctx: Context,
    source: bytes,
    *,
    mime: str,
    args: Purpose,
    owner_id: str,
    record_id: str,
    public: bool,
    keep: Keep,
) -> bool:
    """Make a picture a medium of the record; raises Unreadable.

    `keep` writes its id into the record, in the unit of work that makes it one; when it says False, the
    record does not want it any more, and nothing is left of it.
    """
    media_id, folder = ids.new_id("media"), new_folder(public=public)
    with tempfile.TemporaryDirectory(prefix="landfall-") as place:
        file, made = Path(place) / "source", Path(place) / "made"
        await asyncio.to_thread(_written, file, made, source)
        if await ctx.services.get(Scanner).threat(file) is not None:
            raise Unreadable("It holds malware.")
        if not await asyncio.to_thread(sniffing.fits, file, mime):
            raise Unreadable("It is not what it says it is.")
        told = await ctx.services.get(MediaProcessor).picture(file, made, args.widths, mime)
        # Nobody else knows of the folder, should this process die before the medium is written down.
        due_at = clock.now() + UNKEPT
        await ctx.unit(
            lambda: jobs.enqueue(
                ctx.tx, "media.erase_unkept", due_at=due_at, media_id=media_id, folder=folder
            )
        )
        await store_files(ctx, folder, made)
    upload = {
        "owner_id": owner_id,
        "purpose": args.name,
        "mime": mime,
        "size_bytes": len(source),
        "alt_text": None,
        "file_name": "",
    }
    fields = {**picture_fields(told, args.thumb), "sha256": hashlib.sha256(source).hexdigest()}

    async def kept() -> bool:
        if not await keep(media_id):
            return False
        await ctx.tx.insert(store.media, medium(media_id, upload, folder, fields, ctx))
        await link(ctx, media_id, record_id, public=public)
        return True

    return await ctx.unit(kept)


def _written(file: Path, made: Path, source: bytes) -> None:
    made.mkdir()
    file.write_bytes(source)


async def erase_unkept(ctx: Context, media_id: str, folder: str) -> None:
    """Erase the folder of a medium that was never stored; one that was is left to `keeping.purge`."""
    if await store.media.by_id(ctx.db, media_id) is None:
        await ctx.services.objects.erase(folder)
