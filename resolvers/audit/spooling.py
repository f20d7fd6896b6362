"""Spool: entries on this machine's disk while the database is away, signed and synced before they count.

Each batch is a file that appears whole. A line is a record and its signature, which covers the line before
it: one that was changed, left out or put in shows. Who reads a file twice finds its entries in the log.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import structlog

from core import ids
from core.sync.log_offset import Signer

logger = structlog.get_logger(__name__)

FOLDER = "audit-spool"
WHOLE, PART, REJECTED = ".spool", ".part", ".rejected"

Record = dict[str, Any]


class Spool:
    """Spool in the deployment's data directory, which processes may share."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self._folder, self._signer = folder, signer

    async def append(self, records: Sequence[Record]) -> None:
        """Write records, and wait until the disk has them."""
        await asyncio.to_thread(self._write, [orjson.dumps(each) for each in records])

    async def batches(self) -> AsyncIterator[list[Record]]:
        """Batches in the order in which they came; each is removed when the next is asked for."""
        for file in await asyncio.to_thread(lambda: sorted(self._folder.glob(f"*{WHOLE}"))):
            records = await asyncio.to_thread(self._read, file)
            if records is not None:
                yield records
                await asyncio.to_thread(file.unlink, missing_ok=True)

    def _write(self, bodies: Sequence[bytes]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        last, lines = "", []
        for body in bodies:
            last = self._signature(last, body)
            lines.append(body + b"\t" + last.encode())
        whole = self._folder / f"{ids.new_id('batch')}{WHOLE}"
        part = whole.with_suffix(PART)
        with part.open("wb") as file:
            file.write(b"\n".join(lines))
            file.flush()
            os.fsync(file.fileno())
        part.rename(whole)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            # The file's name must last as well.
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read(self, file: Path) -> list[Record] | None:
        """Records of a file; None for one that is gone, or is not ours and is put aside for an inquiry."""
        try:
            text = file.read_bytes()
        except FileNotFoundError:
            return None
        records: list[Record] = []
        last = ""
        for line in text.split(b"\n"):
            body, _, signature = line.rpartition(b"\t")
            last = self._signature(last, body)
            if signature != last.encode():
                file.rename(file.with_suffix(REJECTED))
                logger.error("spooled entries rejected", file=file.name, line=len(records))
                return None
            records.append(orjson.loads(body))
        return records

    def _signature(self, last: str, body: bytes) -> str:
        return self._signer.digest(b"audit spool\n" + last.encode() + b"\n" + body)
