"""Phone numbers: validated, encrypted, and masked to their last two digits."""

from collections.abc import Sequence

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from core.context import Context, Services
from core.errors import UserError
from core.hooks import Hook
from stores.auth import User

LONGEST = 40

number_changed = Hook[[Context, str], None]("auth.number_changed")
"""A person has another number than before: fill it to show anew what is of a number."""


def parsed(number: str, locale: str, field: Sequence[str] = ("phone",)) -> str:
    """Number in E.164 form; without a country code, the region of the language tag is assumed."""
    region = next((part for part in locale.split("-")[1:] if len(part) == 2 and part.isalpha()), None)
    try:
        if len(number) > LONGEST:
            raise NumberParseException(NumberParseException.TOO_LONG, "")
        found = phonenumbers.parse(number, region.upper() if region else None)
    except NumberParseException:
        found = None
    if found is None or not phonenumbers.is_valid_number(found):
        raise UserError(
            "INVALID_FORMAT",
            "This is not a phone number; begin with + and the country code.",
            field=field,
        )
    return phonenumbers.format_number(found, PhoneNumberFormat.E164)


def masked(number: str) -> str:
    return f"••••••{number[-2:]}"


def kept(ctx: Context, user_id: str, number: str) -> dict[str, str]:
    """Stored fields of a phone number: encrypted, and a blind index to find it by."""
    crypto = ctx.services.crypto
    return {
        "phone": crypto.seal(number, place=f"users/{user_id}/phone"),
        "phone_index": crypto.blind(number, place="users/phone"),
        "phone_masked": masked(number),
    }


def number_of(ctx: Context, user: User) -> str | None:
    return phone_number(ctx.services, user)


def phone_number(services: Services, user: User) -> str | None:
    """The confirmed number of a person in E.164 form; None when there is none."""
    sealed = user.get("phone")
    return services.crypto.open(sealed, place=f"users/{user['_id']}/phone") if sealed else None
