"""Copies of checkpoints where nobody may replace them, and trusted time stamps on them."""

from collections.abc import Sequence
from datetime import date

from core import clock
from core.context import Services
from ports.audit import LockedStorage, Timestamper
from stores import audit as store
from stores.audit import AuditCheckpoint

FOLDER = "checkpoints"
NOTE, TOKEN = "text/plain; charset=utf-8", "application/timestamp-reply"


class CopyDiffers(RuntimeError):
    """Another checkpoint of this size was locked away before: the log was forked."""


def copy_key(row: AuditCheckpoint, suffix: str = "txt") -> str:
    """Key of a copy, in the folder of its day; keys sort as sizes do."""
    return f"{_folder(row['org_id'], row['created_at'].date())}/{row['size']:018}.{suffix}"


async def copy_checkpoint(services: Services, org_id: str, size: int) -> None:
    """Lock a copy of a checkpoint away."""
    row = await store.checkpoints.by_id(services.db, _key(org_id, size))
    if row is None or row["copied_at"] is not None:
        return
    await _put(services, copy_key(row), row["note"].encode(), NOTE)
    await _update(services, row, copied_at=clock.now())


async def stamp(services: Services, org_id: str) -> None:
    """Have the latest checkpoint of an organization stamped by the time-stamp authority, if there is one."""
    row = await store.latest_checkpoint(services.db, org_id)
    if row is None or row["timestamp_token"] is not None:
        return
    token = await services.get(Timestamper).stamp(row["note"].encode())
    if token is None:
        return
    await _put(services, copy_key(row, "tsr"), token, TOKEN)
    await _update(services, row, timestamp_token=token, stamped_at=clock.now())


async def latest_copy(services: Services, org_id: str, days: Sequence[date] = ()) -> tuple[int, str] | None:
    """Size and note of the largest checkpoint that was locked away; on these days, or ever."""
    objects = services.get(LockedStorage).objects
    folders = [_folder(org_id, day) for day in days] or [f"{FOLDER}/{org_id}"]
    found = [each.key for folder in folders for each in await objects.under(folder)]
    if not (notes := [key for key in found if key.endswith(".txt")]):
        return None
    last = max(notes)
    note = b"".join([piece async for piece in objects.read(last)])
    return int(last.rpartition("/")[2].partition(".")[0]), note.decode()


def _folder(org_id: str, day: date) -> str:
    return f"{FOLDER}/{org_id}/{day.isoformat()}"


async def _put(services: Services, key: str, body: bytes, mime: str) -> None:
    """Put a copy, or find that it is there already: the job that made it died before it said so."""
    objects = services.get(LockedStorage).objects
    try:
        await objects.put_once(key, body, mime=mime)
    except FileExistsError:
        there = b"".join([piece async for piece in objects.read(key)])
        # A second time stamp of the same note is another text, and as good as the first.
        if mime == NOTE and there != body:
            raise CopyDiffers(key) from None


async def _update(services: Services, row: AuditCheckpoint, **fields: object) -> None:
    await store.checkpoints.update_one(services.db, _key(row["org_id"], row["size"]), {"$set": fields})


def _key(org_id: str, size: int) -> dict[str, str]:
    return {"_id": f"{org_id}:{size}", "org_id": org_id}
