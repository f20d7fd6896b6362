"""Errors: refusals are data in a payload, faults are GraphQL errors, the rest is a bug."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from strawberry.utils.str_converters import to_camel_case

from core import messages
from core.messages import gettext_noop


class ErrorKind(StrEnum):
    """Kind of a refusal, which says what an app does about it; the kinds are a closed set."""

    INVALID = "INVALID"
    """An input is not accepted: mark the field, and send it changed under a new key."""
    NOT_FOUND = "NOT_FOUND"
    """The thing that the input names is gone or hidden: drop it, and what is queued for it."""
    FORBIDDEN = "FORBIDDEN"
    """The caller may not do this: say so."""
    CONFLICT = "CONFLICT"
    """Something else was written before: show the payload's entity, and ask again."""
    WRONG_STATUS = "WRONG_STATUS"
    """The thing is not in a status that allows this: read it again."""
    LIMIT = "LIMIT"
    """As many or as much as allowed is there: make room, or come back later."""
    AUTHENTICATION = "AUTHENTICATION"
    """The caller has to prove who they are, or to sign in."""
    TRANSIENT = "TRANSIENT"
    """The refusal passes by itself: keep the mutation queued and send it again with the same key. Whatever
    follows in the same document or array is not run."""


class ErrorCode(NamedTuple):
    """Error code of a refusal, as a system declares it.

    One that is `retryable` leaves no receipt: the same request with the same key may succeed later. Those of
    kind TRANSIENT pass by themselves; the others are cured by another act, perhaps one that stands behind it
    in the same queue.
    """

    kind: ErrorKind
    description: str
    retryable: bool


ERROR_CODES: dict[str, ErrorCode] = {}
"""Every code of the schema's `ErrorCode` enum, as the systems declare them."""


def error_codes(kind: ErrorKind, /, *, retryable: bool = False, **codes: str) -> None:
    """Declare the codes of a kind with which a system refuses; equal meanings share one code.

    A new code is for what an app does something else about than about an existing one with another `field`.
    """
    for code, description in codes.items():
        declared = ErrorCode(kind, description, retryable or kind is ErrorKind.TRANSIENT)
        if ERROR_CODES.setdefault(code, declared) != declared:
            raise ValueError(f"ErrorCode {code} is declared twice with different meanings.")


error_codes(
    ErrorKind.INVALID,
    INVALID_INPUT="A value does not do; `field` names it.",
    REQUIRED="A value is missing or empty; `field` names it.",
    TOO_LONG="A text is longer than `limit` characters; `field` names it.",
    TOO_MANY="A list has more than `limit` items; `field` names it.",
    OUT_OF_RANGE="A number or time is not within its range; `field` names it.",
    INVALID_FORMAT="A text is not in the form it must have; `field` names it.",
    NAME_TAKEN="Another one beside it has this name: choose another.",
)
error_codes(
    ErrorKind.CONFLICT,
    CONFLICT="Another device changed it first: the payload holds the current state, nothing was written.",
    ID_TAKEN="The id you minted belongs to something else: mint another.",
)
error_codes(ErrorKind.NOT_FOUND, NOT_FOUND="The thing does not exist, or is hidden from you.")
error_codes(
    ErrorKind.FORBIDDEN,
    FORBIDDEN="The thing may be seen, but this may not be done with it.",
    NOT_MEMBER="Only members may do this.",
)
error_codes(
    ErrorKind.WRONG_STATUS,
    WRONG_STATUS="The status of the thing does not allow the mutation.",
    EXPIRED="The time of the thing is over, or it was used up: begin again where that is possible.",
    ALREADY_DONE="This was done before, and is done once.",
)
error_codes(ErrorKind.LIMIT, LIMIT_REACHED="You have as many as anybody may have, which is `limit`.")
error_codes(
    ErrorKind.TRANSIENT,
    RATE_LIMITED="Requests came too often: try again after `retryAfterSeconds`.",
    UNAVAILABLE="Something needed is down for the moment: try again.",
    DEFERRED="The mutation was not run: one before it in the flush has to come again. Send both, in order.",
)


class UserError(Exception):
    """Refusal of a mutation, as expected: it becomes a `UserError` in the payload.

    The message is a template: it names `{limit}`, the number that is exceeded, and what else is in `values`.
    It is formatted when it is shown. `field` is the path to the value in the input, shown by the names that
    clients write (`endsAt` for `ends_at`). `entities` are payload fields to show beside it (CONFLICT returns
    the current entity).
    """

    def __init__(
        self,
        code: str,
        message: str,
        /,
        *,
        field: Sequence[str] | None = None,
        limit: int | None = None,
        values: Mapping[str, str | int | float] | None = None,
        retry_after_seconds: int | None = None,
        **entities: Any,
    ) -> None:
        if code not in ERROR_CODES:
            raise ValueError(f"{code} is not declared with core.errors.error_codes().")
        self.code, self.message = code, message
        self.field = [to_camel_case(each) for each in field] if field else None
        self.limit = limit
        self.values = {**({} if limit is None else {"limit": limit}), **(values or {})}
        self.retry_after_seconds = retry_after_seconds
        self.entities = entities
        super().__init__(code, message)

    def __str__(self) -> str:
        return messages.text(self.message, self.values)

    @property
    def retryable(self) -> bool:
        """True if a retry of the same request with the same key may succeed: then no receipt is left."""
        return ERROR_CODES[self.code].retryable

    @property
    def document(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "values": self.values,
            "field": self.field,
            "limit": self.limit,
            "retryable": self.retryable,
            "retry_after_seconds": self.retry_after_seconds,
        }


@contextmanager
def below(*path: str) -> Iterator[None]:
    """Place the fields of refusals below a field of the input, of which those who refuse see a part alone."""
    try:
        yield
    except UserError as refusal:
        if refusal.field is not None:
            refusal.field = [*map(to_camel_case, path), *refusal.field]
        raise


def check_version(expected: int | None, current: int, **entities: Any) -> None:
    """CONFLICT, with the entities as they are now, if one has changed since its editor saw it."""
    if expected is not None and expected != current:
        raise UserError("CONFLICT", "It was changed on another device.", **entities)


class DoneElsewhere(Exception):
    """Work that somebody else has begun or done: whoever meant to do it looks what came of that."""


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
        "NO_TOKEN": gettext_noop("Sign in first."),
        "TOKEN_EXPIRED": gettext_noop("The access token has expired: refresh the session."),
        "TOKEN_INVALID": gettext_noop("The access token is not valid."),
        "SESSION_REVOKED": gettext_noop("The session has ended: sign in again."),
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.MESSAGES[reason], reason=reason)
        self.reason = reason


class Forbidden(RequestError):
    code = "FORBIDDEN"


class NotFound(RequestError):
    """Unknown and unseen alike, so that nobody learns what they may not see."""

    code = "NOT_FOUND"

    def __init__(self, what: str = gettext_noop("Not found.")) -> None:
        super().__init__(what)


class RateLimited(RequestError):
    code = "RATE_LIMITED"
    transient = True

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(gettext_noop("Too many requests."), retryAfterSeconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class QueryTooComplex(RequestError):
    code = "QUERY_TOO_COMPLEX"


class IdempotencyKeyReused(RequestError):
    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__(gettext_noop("This idempotencyKey was used before with another mutation or input."))


class IdempotencyInProgress(RequestError):
    code = "IDEMPOTENCY_IN_PROGRESS"
    transient = True

    def __init__(self) -> None:
        super().__init__(
            gettext_noop("The first request with this idempotencyKey is still running."), retryAfterSeconds=1
        )


class TimedOut(RequestError):
    code = "TIMEOUT"
    transient = True

    def __init__(self) -> None:
        super().__init__(
            gettext_noop("The operation took too long. A mutation may have happened: repeat it to learn.")
        )


class Unavailable(RequestError):
    """A database or provider is down: nothing was written, the client may try again."""

    code = "UNAVAILABLE"
    transient = True

    MESSAGE: ClassVar[str] = gettext_noop("The service is not available for the moment.")

    def __init__(self, **extensions: Any) -> None:
        super().__init__(self.MESSAGE, **extensions)


class Busy(Unavailable):
    """As much of this kind runs as this process takes on; nothing of it was begun."""

    MESSAGE = gettext_noop("Too much is to be done at once.")

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retryAfterSeconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
