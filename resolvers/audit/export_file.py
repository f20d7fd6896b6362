"""Files of exported entries: read a batch at a time, oldest first, written, and forgotten."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.context import Context, Services, Viewer
from core.paging import KeysetPage
from resolvers.audit import places
from resolvers.audit.exported import Format, Row
from resolvers.audit.fitting import fitted
from stores import audit as store
from stores.audit import AuditEntry

BATCH = 500

Queries = Callable[[Context], Awaitable[Sequence[Mapping[str, Any]]]]
"""Gives the queries that together find the entries, asked anew for each batch."""


class TooMany(Exception):
    """There are more entries than a file may have."""


@dataclass
class File:
    """File on the local disk that is being written, with what its manifest tells of it."""

    stream: BinaryIO
    size: int = 0
    count: int = 0
    first: str | None = None
    last: str | None = None
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, piece: bytes, rows: Sequence[Row] = ()) -> None:
        self.stream.write(piece)
        self.digest.update(piece)
        self.size += len(piece)
        self.count += len(rows)
        if rows:
            self.first = self.first or rows[0].entry["_id"]
            self.last = rows[-1].entry["_id"]

    def described(self) -> dict[str, Any]:
        """Count, bounds, size and hash, as a manifest tells them."""
        return {
            "entryCount": self.count,
            "firstEntryId": self.first,
            "lastEntryId": self.last,
            "sizeBytes": self.size,
            "sha256": self.digest.hexdigest(),
        }


async def write(
    services: Services, path: Path, format: Format, queries: Queries, *, viewer: Viewer | None = None
) -> File:
    """Write a file of what the queries find; TooMany."""
    with path.open("wb") as stream:
        file = File(stream)
        file.write(format.begin())
        async for rows in _batches(services, queries, viewer):
            await asyncio.to_thread(_write_batch, file, format, rows)
            if file.count > store.MOST_EXPORTED:
                raise TooMany
        file.write(format.end())
    return file


def _write_batch(file: File, format: Format, rows: Sequence[Row]) -> None:
    file.write(format.batch(rows), rows)


async def _batches(services: Services, queries: Queries, viewer: Viewer | None) -> AsyncIterator[list[Row]]:
    """Entries, each with its place."""
    position: tuple[Any, ...] | None = None
    while True:
        # Anew for each batch: what loaders remember of entries would grow with the file.
        ctx = Context(services, viewer=viewer)
        page = KeysetPage(BATCH, backward=True, position=position)
        entries = await store.newest(ctx.db, await queries(ctx), page)
        if not entries:
            return
        batch = fitted(entries[:BATCH])
        yield await _rows(ctx, batch)
        if len(entries) <= BATCH:
            return
        position = (batch[-1]["timestamp"], batch[-1]["_id"])


async def _rows(ctx: Context, entries: Sequence[AuditEntry]) -> list[Row]:
    found = await places.integrities(ctx, entries)
    links = await places.links_of(ctx, entries)
    return [Row(*each) for each in zip(entries, links, found, strict=True)]
