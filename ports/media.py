"""What uploads ask of the outside: scanning, and what is shown of pictures and films."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

MOST_PIXELS, LONGEST_SIDE = 100_000_000, 65_535
"""Of pictures that are decoded."""


class Animation(StrEnum):
    """Whether a picture moves."""

    NONE = "NONE"
    """It never did."""
    KEPT = "KEPT"
    """It does: its WebP variants are animated, long ones only small; the others show its first frame."""
    DROPPED = "DROPPED"
    """It did, but too long or too large to be kept so: it shows its first frame."""


class Unreadable(Exception):
    """The file is damaged, or beyond what may be decoded: trying again is no use."""


class TooLarge(ConnectionError):
    """The scanner would not look at so much: trying again is no use."""


class Scanner(Protocol):
    """Looks for malware."""

    @property
    def largest(self) -> int | None:
        """How many bytes it can look at; None for any number."""
        ...

    async def threat(self, path: Path) -> str | None:
        """The name of what was found in the file; None when nothing was."""
        ...


class Studio(Protocol):
    """Makes what is shown of pictures and films, in processes of their own with limits on time and memory."""

    @property
    def films(self) -> bool:
        """Whether films can be worked on here."""

    @property
    def heic(self) -> bool:
        """Whether HEIC pictures can be decoded here."""
        ...

    @property
    def full(self) -> bool:
        """Whether a film would have to wait for another."""
        ...

    async def picture(self, source: Path, folder: Path, widths: Sequence[int], mime: str) -> dict[str, Any]:
        """Write a picture's variants into the folder; what `develop` of `providers.pictures` tells,
        or Unreadable."""
        ...

    async def film(self, source: Path, folder: Path, mime: str) -> dict[str, Any]:
        """Write a film without metadata, its poster and HLS; `main`, `hls`, `poster`, `width`, `height`,
        `duration_ms`; or Unreadable."""
        ...
