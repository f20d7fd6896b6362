"""The types every system shows: nodes, pages, payloads, scalars."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from core import messages, nodes, paging, viewers
from core.context import Context
from core.errors import ERROR_CODES, ErrorKind
from core.graphql.bindings import Spec
from core.graphql.fields import deprecated, derived, key, local, query
from core.graphql.inputs import input_
from core.graphql.types import interface, node, type_
from core.ids import Id
from core.sync.log_offset import SyncToken
from core.values import text
from core.values.times import LocalTime, local_time

URL = NewType("URL", str)
JSON = NewType("JSON", dict[str, Any])


def _moment(written: str) -> datetime:
    parsed = datetime.fromisoformat(written)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _rfc3339(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"


DECIMAL = re.compile(
    r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:e[+-]?\d{1,3})?|[+-]?(?:nan|infinity)",
    re.ASCII | re.IGNORECASE,
)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"Expected a string, not {value!r}.")
    return value


def _decimal(value: Any) -> Decimal:
    """As it is written: Python takes much more for a number than anybody means by one."""
    if isinstance(value, str) and DECIMAL.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(repr(value))
    raise ValueError(f'Expected a decimal number such as "12.50", not {str(value)[:60]!r}.')


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, RFC 3339 with milliseconds: `2026-01-31T08:30:00.000Z`.",
        serialize=_rfc3339,
        parse_value=_moment,
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day: `2026-01-31`.",
        serialize=date.isoformat,
        parse_value=date.fromisoformat,
        specified_by_url="https://scalars.graphql.org/andimarek/local-date.html",
    ),
    LocalTime: strawberry.scalar(
        name="LocalTime",
        description="A time of day without a date or zone, hours and minutes: `08:30`.",
        serialize=str,
        parse_value=local_time,
        specified_by_url="https://scalars.graphql.org/andimarek/local-time.html",
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a string: `"12.50"`.',
        serialize=str,
        parse_value=_decimal,
        specified_by_url="https://www.w3.org/TR/xmlschema11-2/#decimal",
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value; rare, where only the app itself knows the shape.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
    ),
    URL: strawberry.scalar(
        name="URL",
        description="An absolute address (RFC 3986).",
        serialize=str,
        parse_value=lambda value: text.clean(_text(value)),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3986",
    ),
    SyncToken: strawberry.scalar(
        name="SyncToken",
        description="A place in your changes; opaque: keep it and send it back.",
        serialize=str,
        parse_value=_text,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc4648#section-5",
    ),
}


@type_
class Money:
    """Amount of money in one currency."""

    amount: Decimal
    """Amount in the main unit of the currency, such as euros."""
    currency_code: str
    """Code of the currency (ISO 4217), such as `EUR`; it sets the decimals. `XXX` while it is unknown."""


@interface
class Node:
    """Object with an id of its own (Relay Node), read again by `node(id:)`."""

    id: Id
    """Globally unique and stable id: a type prefix, an underscore and 26 characters. Opaque to clients."""


@interface
class Entity(Node):
    """A node that is kept and changes: what delta sync tells of."""

    version: int
    """Number of the stored version, raised by every edit; send it as `expectedVersion` of an update."""
    created_at: datetime
    """Time at which the object was created."""
    updated_at: datetime
    """Time of the last change."""


@type_
class PageInfo:
    """Position of a page in its list (Relay Cursor Connections)."""

    has_next_page: bool
    """True if more follows after `endCursor`."""
    has_previous_page: bool
    """True if more precedes `startCursor`."""
    start_cursor: str | None = derived(paging.start_cursor)
    """Cursor of the page's first edge; null on an empty page."""
    end_cursor: str | None = derived(paging.end_cursor)
    """Cursor of the page's last edge: send it as `after`. Null on an empty page."""


@type_
class Connection:
    page_info: PageInfo
    """Position of this page in the list."""


@type_
class Edge:
    cursor: str = derived(paging.cursor)
    """Cursor of the item in the list; opaque, valid for this list and filter only."""


def _kind(error: dict[str, Any]) -> ErrorKind:
    return ERROR_CODES[error["code"]].kind


def _message(ctx: Context, error: dict[str, Any]) -> str:
    return messages.text(error["message"], error.get("values"), ctx.language)


@type_
class UserError:
    """Refusal of a mutation, as expected: act on `kind`, show `message`, branch on `code` to do more."""

    kind: ErrorKind = derived(_kind, "code")
    """Kind of the refusal, which says what to do about it; the kinds are a closed set."""
    code: "ErrorCode"  # type: ignore[name-defined]  # noqa: F821
    """Reason of the refusal for the program; codes come with new mutations."""
    message: str = local(_message, "message", "values")
    """Reason of the refusal for people, in the language of `Accept-Language`, or in English."""
    field: list[str] | None
    """Path of the input field at fault; null when the refusal is not about one."""
    limit: int | None = derived(lambda error: error.get("limit"), "limit")
    """Number that the input passes, as `message` names it; null when the refusal is not about a number."""
    retryable: bool
    """True if the same request with the same key may succeed later: keep it queued."""
    retry_after_seconds: int | None
    """Seconds to wait before the retry; null when the time is not known."""


@interface
class Payload:
    """The answer of every mutation."""

    idempotency_key: Id
    """Idempotency key of the input, as sent."""
    errors: list[UserError]
    """Refusals of the mutation; empty when it was done."""
    replayed: bool
    """True if the key was used before: this is the first answer again, with entities as they are now."""


@input_
class MutationInput:
    idempotency_key: Id
    """Idempotency key, made when the user acts and kept across retries; at most 128 characters."""


@interface
class Event:
    """Event of a live stream."""

    event_id: Id
    """Position of the event in the stream: send the last one as `after` to resume without loss."""
    occurred_at: datetime = key("at")
    """Time at which the event happened."""
    at: datetime = deprecated(key("at"), "occurredAt", until="2027-12-31")
    """Time at which the event happened."""


@type_
class ResyncRequired(Event):
    """The position to resume from is too old: read again what you show, or run the delta query."""

    token: SyncToken
    """Position from which the stream goes on."""


async def _viewer(ctx: Context) -> dict[str, Any] | None:
    nodes.check_token(ctx)
    return viewers.document(ctx) if ctx.viewer is not None else None


@node("viewer")
class Viewer(Node):
    """The signed-in user and everything that is theirs."""


class Root:
    """The root field every system's `Viewer` hangs on."""

    viewer: Viewer | None = Spec(query(_viewer).binding)  # type: ignore[assignment]
    """The signed-in user's own data; null for requests without an access token. A token that is expired or
    ended is refused as UNAUTHENTICATED."""
