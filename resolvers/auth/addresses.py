"""Email addresses: checked, and shown by their first letter and domain."""

from email_validator import EmailNotValidError, validate_email

from core.errors import Refused, refusals

refusals(INVALID_EMAIL="The email address cannot be right.")


def valid_email(email: str) -> str:
    """The address as it is kept: normalised, in small letters."""
    try:
        return validate_email(email, check_deliverability=False, test_environment=True).normalized.casefold()
    except EmailNotValidError:
        raise Refused("INVALID_EMAIL", "This is not an email address.", field=["email"]) from None


def masked_email(email: str) -> str:
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"
