"""Errors: refusals are data in a payload, faults are GraphQL errors, the rest is a bug."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar

ERROR_CODES: dict[str, str] = {}
"""Every code of the schema's `ErrorCode` enum with its description, as the systems declare them."""


class RefusalKind(StrEnum):
    """Meaning of a refusal for the queue that the mutation was sent from."""

    FINAL = "FINAL"
    """It stays refused: take it from the queue. With another input it needs another key."""
    TRANSIENT = "TRANSIENT"
    """It passes by itself: send it again with the same key. What follows it in the same document or array is
    not run."""
    REPEATABLE = "REPEATABLE"
    """Another act, or another day, cures it: keep it for the next flush, same key. It stops nothing but what
    names the id it minted."""


KINDS: dict[str, RefusalKind] = {}
"""The kind of each code."""


def error_codes(kind: RefusalKind = RefusalKind.FINAL, /, **codes: str) -> None:
    """Declare the codes with which a system refuses; equal meanings share one code."""
    for code, description in codes.items():
        if (
            ERROR_CODES.setdefault(code, description) != description
            or KINDS.setdefault(code, kind) is not kind
        ):
            raise ValueError(f"ErrorCode {code} is declared twice with different meanings.")


error_codes(
    CONFLICT="Another device changed it first: the payload holds the current state, nothing was written.",
    NOT_FOUND="It does not exist, or you may not see it.",
    FORBIDDEN="You may see it, but not do this with it.",
    INVALID_INPUT="A value is malformed or out of range; `field` names it.",
    ID_TAKEN="The id you minted belongs to something else: mint another.",
)
error_codes(
    RefusalKind.TRANSIENT,
    RATE_LIMITED="Too often: try again after `retryAfterSeconds`.",
    UNAVAILABLE="Something needed is down for the moment: try again.",
    DEFERRED="Not run: something before it in the same flush has to come again. Send both, in order.",
)


class UserError(Exception):
    """An expected refusal of a mutation: it becomes a `UserError` in the payload.

    `entities` are payload fields to show beside it (CONFLICT returns the current entity).
    """

    def __init__(
        self,
        code: str,
        message: str,
        /,
        *,
        field: Sequence[str] | None = None,
        retry_after_seconds: int | None = None,
        **entities: Any,
    ) -> None:
        if code not in ERROR_CODES:
            raise ValueError(f"{code} is not declared with core.errors.refusals().")
        super().__init__(message)
        self.code, self.message = code, message
        self.field = list(field) if field else None
        self.retry_after_seconds = retry_after_seconds
        self.entities = entities

    @property
    def retryable(self) -> bool:
        """True if a retry of the same request with the same key may succeed: then no receipt is left."""
        return KINDS[self.code] is not RefusalKind.FINAL

    @property
    def document(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "retryable": self.retryable,
            "retry_after_seconds": self.retry_after_seconds,
        }


class RequestError(Exception):
    """A request that cannot be answered; `code` and `extensions` reach the client."""

    code = "INTERNAL"
    transient = False
    """True if it passes by itself: the same request may be retried as it is."""

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = {"code": self.code, **extensions}


class BadUserInput(RequestError):
    code = "BAD_USER_INPUT"


class Unauthenticated(RequestError):
    """`reason`: NO_TOKEN, TOKEN_EXPIRED, TOKEN_INVALID or SESSION_REVOKED."""

    code = "UNAUTHENTICATED"

    MESSAGES: ClassVar[dict[str, str]] = {
        "NO_TOKEN": "Sign in first.",
        "TOKEN_EXPIRED": "The access token has expired: refresh the session.",
        "TOKEN_INVALID": "The access token is not valid.",
        "SESSION_REVOKED": "The session has ended: sign in again.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.MESSAGES[reason], reason=reason)
        self.reason = reason


class Forbidden(RequestError):
    code = "FORBIDDEN"


class NotFound(RequestError):
    """Unknown and unseen alike, so that nobody learns what they may not see."""

    code = "NOT_FOUND"

    def __init__(self, what: str = "Not found.") -> None:
        super().__init__(what)


class RateLimited(RequestError):
    code = "RATE_LIMITED"
    transient = True

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Too many requests.", retryAfterSeconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class QueryTooComplex(RequestError):
    code = "QUERY_TOO_COMPLEX"


class IdempotencyKeyReused(RequestError):
    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("This idempotencyKey was used before with another mutation or input.")


class IdempotencyInProgress(RequestError):
    code = "IDEMPOTENCY_IN_PROGRESS"
    transient = True

    def __init__(self) -> None:
        super().__init__("The first request with this idempotencyKey is still running.", retryAfterSeconds=1)


class TimedOut(RequestError):
    code = "TIMEOUT"
    transient = True

    def __init__(self) -> None:
        super().__init__("The operation took too long. A mutation may have happened: repeat it to learn.")


class Unavailable(RequestError):
    """A database or provider is down: nothing was written, the client may try again."""

    code = "UNAVAILABLE"
    transient = True

    MESSAGE: ClassVar[str] = "The service is not available for the moment."

    def __init__(self, **extensions: Any) -> None:
        super().__init__(self.MESSAGE, **extensions)


class Busy(Unavailable):
    """As much of this kind runs as this process takes on; nothing of it was begun."""

    MESSAGE = "Too much is to be done at once."

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retryAfterSeconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
