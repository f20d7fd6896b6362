"""Email addresses: one canonical form for sign-up, sign-in and every look-up.

NFC and small letters (case folding would make one of ß and ss), the domain by IDNA 2008 in its Unicode form.
"""

import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

from core.values import text

LONGEST = 320


def canonical(email: str) -> str:
    """Canonical form to store and look up; a malformed email is returned as one that nobody has."""
    whole = text.clean(email)[:LONGEST]
    name, at, domain = whole.rpartition("@")
    return f"{_small(name)}{at}{_domain(domain)}"


def checked(email: str) -> str:
    """Canonical form of a well-formed email; ValueError for any other."""
    try:
        found = validate_email(text.clean(email), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("This is not an email address.") from None
    return canonical(found.normalized)


def _domain(domain: str) -> str:
    try:
        return idna.decode(idna.encode(domain, uts46=True, transitional=False))
    except (idna.IDNAError, UnicodeError):
        return _small(domain)


def _small(part: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).lower())
