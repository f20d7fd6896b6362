"""ZIP reader with bounds: what strangers packed may list, or unpack to, more than there is memory."""

import zipfile
from pathlib import Path

MOST_LISTED = 4 * 1024 * 1024
"""Bytes of an archive's list of members: some forty thousand, all of which are held in memory at once."""
STEPWISE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Codecs that unpack as much as is read. Others give all of a piece at once, a million times as much."""

UNREADABLE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError)
"""Errors raised by reading an archive that nobody can open, or a member of it."""


def opened(path: Path) -> zipfile.ZipFile:
    """The archive, its list read; `BadZipFile` for none, and for one that lists too much."""
    with path.open("rb") as file:
        # The reader's own way to find the list: what is found otherwise could be another one.
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end is None or end[zipfile._ECD_SIZE] > MOST_LISTED:  # type: ignore[attr-defined]
        raise zipfile.BadZipFile("No archive, or one of too many members.")
    return zipfile.ZipFile(path)


def begins(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    """The first bytes of a member."""
    member = archive.getinfo(name)
    if member.compress_type not in STEPWISE:
        raise NotImplementedError("This codec is not unpacked.")
    with archive.open(member) as file:
        return file.read(size)
