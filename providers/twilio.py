"""Twilio's words for failures, in answers and in callbacks alike (its error dictionary)."""

import re
from collections.abc import Mapping
from typing import Any

from core.ports import DeliveryFailed, FailureCode, Permanent, Retryable

CODES: dict[FailureCode, frozenset[int]] = {
    FailureCode.OPTED_OUT: frozenset({21610}),
    FailureCode.LANDLINE: frozenset({21614, 30006}),
    # Not a number; not reachable by us; handset off or unreachable; unknown.
    FailureCode.UNREACHABLE: frozenset({13223, 13224, 21211, 21214, 21217, 21612, 30003, 30005}),
    # Blocked by the person or the carrier, filtered as spam, too long.
    FailureCode.REFUSED: frozenset({21617, 30004, 30007}),
}
CODE = re.compile(r"\d{5}", re.ASCII)
OURS = frozenset({401, 403, 408, 429})
"""HTTP statuses about our account or pace, which every message would meet: a later try may succeed."""


def permanent(code: object) -> FailureCode | None:
    """The reason that a code of Twilio's stands for; None when a later try may succeed."""
    number = int(str(code)) if CODE.fullmatch(str(code)) else 0
    return next((reason for reason, numbers in CODES.items() if number in numbers), None)


def failure(status: int, answer: Mapping[str, Any]) -> DeliveryFailed:
    """The failure that an answer of the REST API tells of."""
    code = answer.get("code") or answer.get("error_code")
    text = f"Twilio answered {status}, error {code}." if code else f"Twilio answered {status}."
    if (reason := permanent(code)) is not None:
        return Permanent(reason, text)
    if 400 <= status < 500 and status not in OURS:
        return Permanent(FailureCode.REFUSED, text)
    return Retryable(text)
