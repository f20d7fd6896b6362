"""Open requests for a code or another proof."""

from enum import StrEnum


class AuthFactor(StrEnum):
    """A way to prove who one is."""

    PASSWORD = "PASSWORD"
    """Password."""
    OTP = "OTP"
    """One-time code."""
    BACKUP_CODE = "BACKUP_CODE"
    """Single-use backup code."""
    PASSKEY = "PASSKEY"
    """WebAuthn passkey."""
    DEVICE_KEY = "DEVICE_KEY"
    """Key bound to a device."""


class FlowPurpose(StrEnum):
    """What a flow is for."""

    SIGN_IN = "SIGN_IN"
    """Finishing a sign-in with a second factor."""
    VERIFY_EMAIL = "VERIFY_EMAIL"
    """Proving an email address after sign-up."""


class FlowStatus(StrEnum):
    """Where a flow is."""

    OPEN = "OPEN"
    """Waiting for the code."""
    VERIFIED = "VERIFIED"
    """Done."""
    LOCKED = "LOCKED"
    """Closed after five wrong codes."""
    EXPIRED = "EXPIRED"
    """Closed by time."""


class OtpMethod(StrEnum):
    """How a code travels."""

    SMS = "SMS"
    """Text message."""
    EMAIL = "EMAIL"
    """Email."""
    PUSH = "PUSH"
    """Push message to another signed-in device."""
