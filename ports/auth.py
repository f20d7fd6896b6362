"""What authentication asks of the outside."""

from dataclasses import dataclass
from typing import Protocol


class Places(Protocol):
    """Tells roughly where a network address is: `Berlin, Germany`, or the country alone; None: not known."""

    def place(self, address: str) -> str | None: ...


class Captcha(Protocol):
    """Judges the answer to a CAPTCHA; raises `DeliveryFailed` when it cannot."""

    asked: bool
    """Whether people are asked for any."""

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
