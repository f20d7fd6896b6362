"""Emails: validated, and masked to their first letter and domain."""

from collections.abc import Sequence

from core.errors import UserError
from stores.auth import emails


def valid_email(email: str, field: Sequence[str] = ("email",)) -> str:
    """The email in its canonical form."""
    try:
        return emails.checked(email)
    except ValueError:
        raise UserError("INVALID_FORMAT", "This is not an email address.", field=field) from None


def masked_email(email: str) -> str:
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"
