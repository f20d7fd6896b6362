"""Ports of uploads: malware scanning, and processing of pictures and films."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field

from core.settings import SystemSettings


class MediaSettings(SystemSettings):
    """Settings of uploads and what becomes of them."""

    media_url: str = Field("", description="CDN address of public media; empty: our own `/media`.")
    video: Literal["auto", "on", "off"] = Field(
        "auto", description="Take films; auto: where ffmpeg is installed."
    )
    clamd: str = Field("", description="`host:port` of a ClamAV daemon; empty: the built-in scanner.")
    clamd_max_bytes: int = Field(
        100 * 1024**2,
        gt=0,
        description="The daemon's StreamMaxLength: larger files are refused before they come.",
    )


MOST_PIXELS, LONGEST_SIDE = 100_000_000, 65_535
"""Of pictures that are decoded."""


class Animation(StrEnum):
    """Animation of a picture."""

    NONE = "NONE"
    """Still picture that never moved."""
    KEPT = "KEPT"
    """Picture that still moves: WebP renditions are animated, of long ones only small; the others show the
    first frame."""
    DROPPED = "DROPPED"
    """Picture that moved, but was too long or too large to be kept so: its first frame is shown."""


class Unreadable(Exception):
    """The file is damaged, or beyond what may be decoded: a retry is no use."""


class TooLarge(ConnectionError):
    """The scanner would not look at so much: a retry is no use."""


class Scanner(Protocol):
    """Looks for malware."""

    @property
    def largest(self) -> int | None:
        """Most bytes it can scan; None for any number."""
        ...

    async def threat(self, path: Path) -> str | None:
        """The name of what was found in the file; None when nothing was."""
        ...


class MediaProcessor(Protocol):
    """Makes what is shown of pictures and films, in processes of their own with limits on time and memory."""

    @property
    def films(self) -> bool:
        """True if films can be processed here."""

    @property
    def heic(self) -> bool:
        """True if HEIC pictures can be decoded here."""
        ...

    @property
    def full(self) -> bool:
        """True if a film would have to wait for another."""
        ...

    async def picture(self, source: Path, folder: Path, widths: Sequence[int], mime: str) -> dict[str, Any]:
        """Write a picture's variants into the folder; what `develop` of `providers.pictures` tells,
        or Unreadable."""
        ...

    async def film(self, source: Path, folder: Path, mime: str) -> dict[str, Any]:
        """Write a film without metadata, its poster and HLS; `main`, `hls`, `poster`, `width`, `height`,
        `duration_ms`; or Unreadable."""
        ...
