"""Ports that every system may use; those of one system are in `ports/`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class FailureCode(StrEnum):
    """Reason for which a message will never arrive, in words that all providers share."""

    UNREACHABLE = "UNREACHABLE"
    """The address is not in use, or out of reach."""
    LANDLINE = "LANDLINE"
    """The number takes no text messages."""
    OPTED_OUT = "OPTED_OUT"
    """The person has told the provider to stop."""
    UNREGISTERED = "UNREGISTERED"
    """The app was uninstalled, or its token replaced."""
    REFUSED = "REFUSED"
    """The provider refuses the message or the address for another reason."""
    NO_PROVIDER = "NO_PROVIDER"
    """None is set up."""


class DeliveryFailed(Exception):
    """A provider did not take a message; the text names no address and nothing of what was sent."""


class Retryable(DeliveryFailed):
    """A later try may succeed."""


class CircuitOpen(Retryable):
    """The provider was not asked: too many of the latest calls have failed (circuit breaker)."""


class RateReached(Retryable):
    """The provider was not asked: it takes no more messages a second."""


class Permanent(DeliveryFailed):
    """No later try will succeed, and the code says why."""

    def __init__(self, code: FailureCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sent:
    """Receipt for a message that a provider has taken."""

    provider_ref: str = ""
    """The provider's id of it, which its callbacks name; empty if there is none."""


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """File in a mail."""

    name: str
    mime: str
    data: bytes


class Mailer(Protocol):
    """Delivers a message to an email address, or raises `Retryable` or `Permanent`.

    `headers` are added to those that every mail has. Mails with the same `key` are the same mail, sent again
    because nobody knows whether it arrived: their Message-ID is the same, by which mailboxes keep one.
    """

    async def send(
        self,
        *,
        to: str,
        subject: str,
        text: str,
        html: str = "",
        headers: Mapping[str, str] = NO_HEADERS,
        attachments: Sequence[MailAttachment] = (),
        key: str = "",
    ) -> Sent: ...


class SmsSender(Protocol):
    """Delivers a text message to a phone number (E.164), or raises `Retryable` or `Permanent`."""

    async def send(self, *, to: str, text: str) -> Sent: ...


class VoiceCaller(Protocol):
    """Calls a phone number (E.164) and reads a text aloud, or raises `Retryable` or `Permanent`.

    The call waits for one key. `language` is a tag of BCP 47.
    """

    async def send(self, *, to: str, text: str, language: str = "en") -> Sent: ...


class PushPriority(StrEnum):
    """Priority of a push message: how it asks for attention."""

    CRITICAL = "CRITICAL"
    """Interrupts, with a sound that overrides Do Not Disturb."""
    HIGH = "HIGH"
    """Interrupts, with a sound."""
    MEDIUM = "MEDIUM"
    """Makes a sound."""
    LOW = "LOW"
    """Waits in the list, without a sound."""


class Pusher(Protocol):
    """Delivers a push message to an app, or raises `Retryable` or `Permanent`.

    `token` is what the platform gave the app. One with the same `collapse` takes the place of the last on the
    screen. After `ttl` it is no longer delivered. A silent one wakes the app with its data alone. `category`
    names the actions that the app shows beneath it.
    """

    async def send(
        self,
        *,
        token: str,
        title: str,
        text: str,
        data: Mapping[str, str],
        collapse: str = "",
        ttl: timedelta | None = None,
        silent: bool = False,
        category: str = "",
        priority: PushPriority = PushPriority.MEDIUM,
    ) -> Sent: ...


class SlackPoster(Protocol):
    """Posts to a person (member id) in Slack, or raises `Retryable` or `Permanent`.

    `acknowledge` is the label of a button that acknowledges the message; empty: there is none.
    """

    async def send(
        self, *, to: str, title: str, text: str, link: str = "", acknowledge: str = ""
    ) -> Sent: ...


class TeamsPoster(Protocol):
    """Posts a card to a person's Workflows webhook in Teams (a URL), or raises `Retryable` or `Permanent`."""

    async def send(self, *, to: str, title: str, text: str, link: str = "") -> Sent: ...


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

    async def put_once(self, key: str, body: bytes, *, mime: str) -> None:
        """Store an object that nothing of ours replaces; FileExistsError if there is one.

        What keeps others from replacing or deleting it is the bucket's object lock.
        """
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


KMS_PREFIX = "kms."
"""Beginning of wraps that a service outside makes: rotation of the field keys leaves them alone."""


class Kms(Protocol):
    """Key management service: wraps data keys of subjects, so that what they encrypt is erased with the wrap.

    A wrap is a text, bound to the `place` of its key. One that a service outside makes begins with `kms.`.
    """

    async def wrap(self, key: bytes, *, place: str) -> str:
        """The key, wrapped by the service's present key."""
        ...

    async def unwrap(self, wrapped: str, *, place: str) -> bytes:
        """The key of a wrap, also of one that a former key of the service made."""
        ...
