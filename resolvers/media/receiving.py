"""Receiving of parts: their upload URLs, and the state of their arrival, read from the object store."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict
from weakref import WeakKeyDictionary

from core import clock
from core.context import Context
from core.errors import BadUserInput
from core.ports import Stored
from stores import media as store
from stores.media import UploadStatus

Document = Mapping[str, Any]

PART_BYTES = 8 * 1024 * 1024
LIFE = timedelta(minutes=15)
SHOWN_URLS = 20
INCOMING, QUARANTINE = "incoming", "quarantine"
_ASKED: WeakKeyDictionary[Context, dict[str, "asyncio.Future[dict[int, Stored]]"]] = WeakKeyDictionary()

HEADERS = [{"name": "Content-Type", "value": "application/octet-stream"}]


def part_key(upload_id: str, number: int) -> str:
    return f"{INCOMING}/{upload_id}/{number}"


def quarantine_key(upload_id: str) -> str:
    """Key of a file that was rejected, and is kept."""
    return f"{QUARANTINE}/{upload_id}"


def part_size(upload: Document, number: int) -> int:
    whole, size = upload["size_bytes"], upload["part_size_bytes"]
    return int(min(size, whole - (number - 1) * size))


def _seen(ctx: Context, upload: Document) -> "asyncio.Future[dict[int, Stored]]":
    """Received parts, listed once for all fields of one answer."""
    args = _ASKED.setdefault(ctx, {})
    if upload["_id"] not in args:
        args[upload["_id"]] = asyncio.ensure_future(received(ctx, upload))
    return args[upload["_id"]]


async def received(ctx: Context, upload: Document) -> dict[int, Stored]:
    """Complete parts by number; one of a wrong size has not arrived."""
    if upload["status"] not in store.SENDING:
        return {}
    found = {}
    for each in await ctx.services.objects.under(f"{INCOMING}/{upload['_id']}"):
        name = each.key.rpartition("/")[2]
        number = int(name) if name.isdecimal() else 0
        if 1 <= number <= upload["part_count"] and each.size == part_size(upload, number):
            found[number] = each
    return found


class UploadPartFilter(TypedDict, total=False):
    """Filter of an upload's parts."""

    pending: bool | None
    """True to list only parts that have not arrived."""


async def parts(
    ctx: Context, upload: Document, *, filter: UploadPartFilter | None = None
) -> list[dict[str, Any]]:
    """Parts, all or those yet to arrive; URLs for the first missing ones, or for those requested."""
    if upload["status"] not in store.SENDING:
        return []
    here = await _seen(ctx, upload)
    missing = [each for each in range(1, upload["part_count"] + 1) if each not in here]
    signed = set(upload.get("signed") or missing[:SHOWN_URLS])
    listed = missing if (filter or {}).get("pending") else range(1, upload["part_count"] + 1)
    return [_part(ctx, upload, number, here.get(number), number in signed) for number in listed]


def _part(
    ctx: Context, upload: Document, number: int, arrived: Stored | None, signed: bool
) -> dict[str, Any]:
    part: dict[str, Any] = {
        "number": number,
        "received": arrived is not None,
        "etag": arrived.etag if arrived else None,
        "url": None,
        "url_expires_at": None,
        "headers": HEADERS,
    }
    if signed:
        ends = clock.now() + LIFE
        part["url"] = ctx.services.objects.upload_url(
            part_key(upload["_id"], number),
            size=part_size(upload, number),
            expires_at=ends,
            origin=ctx.origin,
        )
        part["url_expires_at"] = ends
    return part


async def received_bytes(ctx: Context, upload: Document) -> int:
    if upload["status"] not in store.SENDING:
        stopped = upload["status"] in (UploadStatus.CANCELED, UploadStatus.EXPIRED)
        return 0 if stopped else int(upload["size_bytes"])
    return sum(each.size for each in (await _seen(ctx, upload)).values())


async def progress_percent(ctx: Context, upload: Document) -> int:
    """Share of the bytes that have arrived, rounded down: 100 only when all have."""
    whole: int = upload["size_bytes"]
    return 100 * await received_bytes(ctx, upload) // whole


async def part_received(ctx: Context, upload_id: str) -> None:
    """Publish the first part's arrival to the owner's other devices."""

    async def begin() -> None:
        from_now, where = {"status": UploadStatus.UPLOADING}, {"status": UploadStatus.PENDING}
        await ctx.tx.update(store.uploads, upload_id, set=from_now, where=where)

    await ctx.unit(begin)


def checked_numbers(upload: Document, numbers: Sequence[int]) -> list[int]:
    if not all(1 <= each <= upload["part_count"] for each in numbers):
        raise BadUserInput(f"Parts are numbered from 1 to {upload['part_count']}.")
    return sorted(set(numbers))
