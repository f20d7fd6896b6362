"""Malware scanners: signatures that every scanner must know, or a ClamAV daemon."""

import asyncio
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from core import archives
from ports.media import TooLarge

PIECE = 1024 * 1024
SECONDS = 120.0
SIGNATURES = {
    # Written in two parts, so that this file is not found by the scanners of those who hold it.
    "Eicar-Test-Signature": b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
}
MOST_MEMBERS = 1_000
MOST_UNPACKED = 200 * 1024 * 1024
"""Bytes looked at inside archives."""


class Signatures:
    """Implements `ports.media.Scanner`: finds the test signature, in archives too."""

    largest: int | None = None

    async def threat(self, path: Path) -> str | None:
        return await asyncio.to_thread(self._threat, path)

    def _threat(self, path: Path) -> str | None:
        with path.open("rb") as file:
            found = _search(file)
        return found or _search_archive(path)


def _search(file: BinaryIO, most: int | None = None) -> str | None:
    overlap = max(map(len, SIGNATURES.values())) - 1
    tail, seen = b"", 0
    while piece := file.read(PIECE):
        window = tail + piece
        for name, signature in SIGNATURES.items():
            if signature in window:
                return name
        tail, seen = window[-overlap:], seen + len(piece)
        if most is not None and seen >= most:
            return None
    return None


def _search_archive(path: Path) -> str | None:
    try:
        with archives.opened(path) as archive:
            return next(filter(None, _members(archive)), None)
    except archives.UNREADABLE:
        # No archive, or one that nobody can open: its bytes were looked at.
        return None


def _members(archive: zipfile.ZipFile) -> Iterator[str | None]:
    left = MOST_UNPACKED
    for member in archive.infolist()[:MOST_MEMBERS]:
        if member.compress_type not in archives.STEPWISE:
            continue
        with archive.open(member) as file:
            yield _search(file, left)  # type: ignore[arg-type]
        left -= member.file_size
        if left <= 0:
            return


class ClamAV:
    """Implements `ports.media.Scanner` by clamd's INSTREAM command over TCP."""

    def __init__(self, host: str, port: int, largest: int | None = None) -> None:
        self._host, self._port = host, port
        self.largest = largest

    async def threat(self, path: Path) -> str | None:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(self._host, self._port)
            sending = asyncio.create_task(_send(writer, path))
            answering = asyncio.create_task(reader.readuntil(b"\0"))
            try:
                # A daemon that has had enough says so and hangs up, while we still send.
                await asyncio.wait((sending, answering), return_when=asyncio.FIRST_COMPLETED)
                answer = (await answering).rstrip(b"\0").decode(errors="replace")
            except asyncio.IncompleteReadError as error:
                raise ConnectionError("The scanner hung up.") from error
            finally:
                sending.cancel()
                answering.cancel()
                await asyncio.gather(sending, answering, return_exceptions=True)
                writer.close()
        return _verdict(answer)


async def _send(writer: asyncio.StreamWriter, path: Path) -> None:
    writer.write(b"zINSTREAM\0")
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, PIECE):
            writer.write(struct.pack("!I", len(piece)) + piece)
            await writer.drain()
    finally:
        file.close()
    writer.write(struct.pack("!I", 0))
    await writer.drain()


def _verdict(answer: str) -> str | None:
    """`stream: OK`, or `stream: Eicar-Test-Signature FOUND`; anything else means that it was not scanned."""
    said = answer.partition(": ")[2]
    if said == "OK":
        return None
    if said.endswith(" FOUND"):
        return said.removesuffix(" FOUND")
    if "size limit exceeded" in answer:
        raise TooLarge(answer[:200])
    raise ConnectionError(f"The scanner said: {answer[:200]}")
