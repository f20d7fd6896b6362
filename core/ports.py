"""What Landfall asks of the outside; `providers/` implements these."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


class DeliveryFailed(Exception):
    """A provider did not take a message; the text names no address and nothing of what was sent."""


class Mailer(Protocol):
    """Delivers a message to an email address, or raises `DeliveryFailed`."""

    async def send(self, *, to: str, subject: str, text: str) -> None: ...


class Texter(Protocol):
    """Delivers a text message to a phone number (E.164), or raises `DeliveryFailed`."""

    async def send(self, *, to: str, text: str) -> None: ...


class Pusher(Protocol):
    """Delivers a push message to an app, or raises `DeliveryFailed`.

    `token` is what the platform gave the app; False says that it is no longer good. One with the same
    `collapse` takes the place of the last on the screen.
    """

    async def send(
        self, *, token: str, title: str, text: str, data: Mapping[str, str], collapse: str = ""
    ) -> bool: ...


class Places(Protocol):
    """Tells roughly where a network address is: `Berlin, Germany`, or the country alone; None: not known."""

    def place(self, address: str) -> str | None: ...


class Captcha(Protocol):
    """Judges the answer to a CAPTCHA; raises `DeliveryFailed` when it cannot."""

    async def passes(self, token: str, *, address: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """What is known of a sign-in whose password was right."""

    user_id: str
    device_known: bool
    """Whether this device had a session of this person before."""
    failures: int
    """Wrong passwords and codes for this account in the last quarter of an hour."""


class Risk(Protocol):
    """Judges whether a right password is enough."""

    async def demands_second_factor(self, attempt: SignInAttempt) -> bool: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in the store."""

    key: str
    size: int
    etag: str


class Objects(Protocol):
    """Keeps files. Keys are paths of plain segments; `origin` is how the client reached us."""

    local: bool
    """Whether objects are files on our own disk."""

    def upload_url(self, key: str, *, size: int, expires_at: datetime, origin: str) -> str:
        """Where a client may PUT exactly `size` bytes until then."""
        ...

    def direct_url(self, key: str, *, expires_at: datetime) -> str | None:
        """Where a client may GET it from the store itself; None when our own server gives it out."""
        ...

    async def put(
        self,
        key: str,
        body: "Path | bytes | AsyncIterator[bytes]",
        *,
        mime: str,
        disposition: str | None = None,
    ) -> str:
        """Store it whole or not at all; returns its ETag."""
        ...

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Its bytes from `start` up to `end`, in pieces; FileNotFoundError."""
        ...

    async def stat(self, key: str) -> Stored | None: ...

    async def under(self, folder: str) -> list[Stored]:
        """All objects of a folder, however deep."""
        ...

    async def copy(self, key: str, to: str) -> None: ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Those that are gone already are fine."""
        ...

    async def erase(self, folder: str) -> None:
        """All of a folder, and what was cut off on its way into it; gone already is fine."""
        ...

    def file(self, key: str) -> Path | None:
        """The file that is the object; None where there is none, or when they are not local."""
        ...


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
        """Write a picture's variants into the folder; what `core.pictures.develop` tells, or Unreadable."""
        ...

    async def film(self, source: Path, folder: Path, mime: str) -> dict[str, Any]:
        """Write a film without metadata, its poster and HLS; `main`, `hls`, `poster`, `width`, `height`,
        `duration_ms`; or Unreadable."""
        ...
