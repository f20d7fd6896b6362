"""What Landfall asks of the outside; `providers/` implements these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


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

    `token` is what the platform gave the app; False says that it is no longer good.
    """

    async def send(self, *, token: str, title: str, text: str, data: Mapping[str, str]) -> bool: ...


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


class Media(Protocol):
    """Where media files can be fetched from; `origin` is how the client reached us."""

    def url(self, file_name: str, *, origin: str) -> str: ...
