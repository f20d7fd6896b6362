"""Ports that every system may use; those of one system are in `ports/`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class DeliveryFailed(Exception):
    """A provider did not take a message; the text names no address and nothing of what was sent."""


class Mailer(Protocol):
    """Delivers a message to an email address, or raises `DeliveryFailed`."""

    async def send(self, *, to: str, subject: str, text: str) -> None: ...


class SmsSender(Protocol):
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


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in the store."""

    key: str
    size: int
    etag: str


class ObjectStore(Protocol):
    """Keeps files. Keys are paths of plain segments; `origin` is how the client reached us."""

    local: bool
    """True if objects are files on our own disk."""

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
