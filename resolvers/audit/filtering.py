"""Filters of the audit log, and the bound on what a search by words may cost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from pymongo.errors import ExecutionTimeout

from core import deadline, paging
from core.context import Context
from core.errors import BadUserInput, TimedOut
from core.ids import Id
from core.messages import gettext_noop
from core.values import words
from resolvers.audit.access import Reach
from stores import audit as store
from stores.audit import AuditEventKind, AuditResourceKind

SEARCH_SECONDS = 0.8
"""Longest time that a search may take of the database."""
TOO_LONG = gettext_noop("This search takes too long: narrow it by time or kind, or take rarer words.")
LONGEST_TEXT = 200
MOST_TERMS = 10


class AuditEntryFilter(TypedDict, total=False):
    """Filter of the audit log."""

    incident_ids: list[Id] | None
    """Ids of incidents that the entries belong to one of, at most 100."""
    actor_ids: list[Id] | None
    """Ids of people who did one of the acts, at most 100."""
    event_kinds: list[AuditEventKind] | None
    """Kinds of events that the entries are of one of."""
    resource_kinds: list[AuditResourceKind] | None
    """Kinds of what the acts were done to."""
    resource_ids: list[Id] | None
    """Ids of what the acts were done to, at most 100."""
    actions: list[str] | None
    """Actions of which the entries have one, such as `feed.post_deleted`, at most 100."""
    from_: datetime | None
    """Moment from which on the entries were recorded, by the clock of the server."""
    to: datetime | None
    """Moment before which the entries were recorded."""
    search_text: str | None
    """Words that the entries have all of in their clear fields, at most 10 and 200 characters. Case and
    accents do not matter; personal values are never searched."""


FIELDS = {
    "incident_ids": "incident_id",
    "actor_ids": "actor_id",
    "event_kinds": "event_type",
    "resource_kinds": "resource_type",
    "resource_ids": "resource_id",
    "actions": "action",
}
"""By key of a filter, the field that has one of its values."""

T = TypeVar("T")


def conditions(filter: Mapping[str, Any]) -> dict[str, Any]:
    """Query of a filter, whose parts are joined by AND."""
    found = {
        FIELDS[name]: paging.any_of(values) for name, values in filter.items() if name in FIELDS and values
    }
    bounds = {"$gte": filter.get("from_"), "$lt": filter.get("to")}
    if given := {operator: moment for operator, moment in bounds.items() if moment is not None}:
        found["timestamp"] = given
    if (text := filter.get("search_text")) is not None:
        found["terms"] = {"$all": terms_in(text)}
    return found


def as_written(filter: Mapping[str, Any]) -> dict[str, Any]:
    """Filter as clients write it, in JSON, without what is left out."""
    given = {store.in_camel_case(name): value for name, value in filter.items() if value is not None}
    written: dict[str, Any] = store.plain_json(given)
    return written


def terms_in(text: str) -> list[str]:
    """Words of what a person typed, folded; BAD_USER_INPUT for none, or too many."""
    if len(text) > LONGEST_TEXT:
        raise BadUserInput(f"A search has at most {LONGEST_TEXT} characters.")
    found = list(dict.fromkeys(words.query_terms(text)))
    if not found:
        raise BadUserInput("A search needs a letter or a digit.")
    if len(found) > MOST_TERMS:
        raise BadUserInput(f"A search has at most {MOST_TERMS} words.")
    return found


async def bounded(
    ctx: Context,
    reach: Reach,
    where: Mapping[str, Any],
    read: Callable[[list[dict[str, Any]]], Awaitable[T]],
) -> T:
    """Bounded read by the reach's queries, the rarest word first; BAD_USER_INPUT when it takes too long."""

    if "terms" not in where:
        return await read(reach.queries(where))

    async def work() -> T:
        return await read(reach.queries(await _rarest_first(ctx, reach, where)))

    try:
        return await deadline.bounded(work(), SEARCH_SECONDS)
    except (TimedOut, ExecutionTimeout):
        # The database has the same deadline, and may be the first to notice.
        raise BadUserInput(TOO_LONG) from None


async def _rarest_first(ctx: Context, reach: Reach, where: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions with the rarest word first, by which the index is read."""
    terms = where["terms"]["$all"]
    if reach.org_id is None or len(terms) == 1:
        return dict(where)
    found = await asyncio.gather(*(store.frequency(ctx.db, reach.org_id, term) for term in terms))
    counts = dict(zip(terms, found, strict=True))
    return {**where, "terms": {"$all": sorted(terms, key=counts.__getitem__)}}
