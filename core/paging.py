"""Keyset pagination as Relay connections: inserting or deleting rows never repeats or skips one."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from core.errors import BadUserInput

MAX_PAGE = 100
DEFAULT_PAGE = 20
"""Size of a page when the client gives none."""
MAX_VALUES = 100
LONGEST_VALUE = 200
"""Letters of one of them: filters are put on record."""

Document = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]
"""Sort keys with 1 or -1; the last is always `_id`, so that every row has one place."""


NEWEST: Sort = (("created_at", -1), ("_id", -1))
"""Newest first."""


def any_of(values: Sequence[Any]) -> Any:
    """Condition that a field has one of a filter's values, which join by OR; BAD_USER_INPUT for too much."""
    if len(values) > MAX_VALUES:
        raise BadUserInput(f"A filter has at most {MAX_VALUES} values.")
    if any(isinstance(each, str) and len(each) > LONGEST_VALUE for each in values):
        raise BadUserInput(f"A value of a filter has at most {LONGEST_VALUE} characters.")
    return values[0] if len(values) == 1 else {"$in": list(values)}


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """Keyset page: how many rows of a list to read, which way, and from which sort keys on."""

    size: int
    backward: bool = False
    position: tuple[Any, ...] | None = None


def fingerprint(name: str, **filters: Any) -> str:
    """Names a list and its filter, so that a cursor of another list is refused."""
    canonical = orjson.dumps([name, filters], option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.blake2b(canonical, digest_size=6).hexdigest()


class Listing:
    """A list's fingerprint, made when a cursor of it is made or read: most are not."""

    __slots__ = ("_filters", "_fingerprint", "_name")

    def __init__(self, name: str, **filters: Any) -> None:
        self._name, self._filters = name, filters
        self._fingerprint: str | None = None

    def __str__(self) -> str:
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self._name, **self._filters)
        return self._fingerprint


def encode(listing: str | Listing, values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([str(listing), *map(_plain, values)])).decode().rstrip("=")


def decode(listing: str | Listing, cursor: str) -> tuple[Any, ...]:
    try:
        found, *values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        restored = tuple(map(_restored, values))
    except (ValueError, TypeError, KeyError, OverflowError, OSError, binascii.Error):
        raise BadUserInput("The cursor is malformed.") from None
    if found != str(listing):
        raise BadUserInput("The cursor belongs to another list or filter.")
    return restored


def _plain(value: Any) -> Any:
    """Datetimes as tagged milliseconds: exactly what MongoDB keeps."""
    if isinstance(value, datetime):
        return {"t": round(value.timestamp() * 1000)}
    return value


def _restored(value: Any) -> Any:
    """The value, if it is one that `_plain` makes: a cursor is not signed."""
    if isinstance(value, dict):
        return datetime.fromtimestamp(value["t"] / 1000, UTC)
    if isinstance(value, list) or (isinstance(value, int) and abs(value) >= 2**63):
        raise ValueError("No value of a sort key.")
    return value


@dataclass(frozen=True, slots=True)
class PageArgs:
    """A client's paging arguments, as every connection takes them."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    fields: tuple[str, ...] = ()
    """Keys of the rows that the answer shows, where that is known before; empty: all may be shown."""

    @property
    def from_an_end(self) -> bool:
        """True if no cursor is given."""
        return self.after is None and self.before is None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Page request: a client's paging arguments, checked; its cursor is not decoded yet."""

    size: int
    backward: bool
    cursor: str | None


def page_request(args: PageArgs, *, most: int = MAX_PAGE) -> PageRequest:
    """Which part of a list the arguments ask for, or BAD_USER_INPUT."""
    first, last, after, before = args.first, args.last, args.after, args.before
    if last is not None and (first is not None or after is not None):
        raise BadUserInput("Give first/after or last/before, not both.")
    if before is not None and (after is not None or last is None):
        raise BadUserInput("`before` goes with `last`.")
    backward = last is not None
    size = (last if last is not None else first) or 0
    if not 1 <= size <= most:
        raise BadUserInput(f"`{'last' if backward else 'first'}` must be between 1 and {most}.")
    return PageRequest(size, backward, before if backward else after)


def parse_page(listing: str | Listing, sort: Sort, args: PageArgs, *, most: int = MAX_PAGE) -> KeysetPage:
    """The page of a keyset list that the arguments ask for, or BAD_USER_INPUT."""
    want = page_request(args, most=most)
    if want.cursor is None:
        return KeysetPage(want.size, want.backward)
    position = decode(listing, want.cursor)
    if len(position) != len(sort):
        raise BadUserInput("The cursor is malformed.")
    return KeysetPage(want.size, want.backward, position)


def sort_order(sort: Sort, page: KeysetPage) -> list[tuple[str, int]]:
    """The order in which to read: reversed for `last`."""
    return [(key, -way if page.backward else way) for key, way in sort]


def after_filter(sort: Sort, page: KeysetPage) -> dict[str, Any]:
    """The filter for rows past the page's position, lexicographic over the sort keys."""
    if page.position is None:
        return {}
    order = sort_order(sort, page)
    branches = []
    for depth, (key, way) in enumerate(order):
        equal = {order[i][0]: page.position[i] for i in range(depth)}
        branches.append({**equal, key: {"$gt" if way > 0 else "$lt": page.position[depth]}})
    return branches[0] if len(branches) == 1 else {"$or": branches}


def projection(args: PageArgs, sort: Sort, *also: str) -> tuple[str, ...]:
    """Fields to read of each row: those shown, the sort keys, and `also`; all if none is named."""
    return tuple(dict.fromkeys((*args.fields, *(key for key, _ in sort), *also))) if args.fields else ()


def connection(
    listing: str | Listing,
    sort: Sort,
    page: KeysetPage,
    rows: Sequence[Document],
    *,
    edge: Callable[[Document], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A connection document of `rows`, read in scan order with one row more than the page's size."""
    more = len(rows) > page.size
    shown = list(rows[: page.size])
    if page.backward:
        shown.reverse()
    if edge:
        edges = [{"listing": listing, "sort": sort, "node": row, **edge(row)} for row in shown]
    else:
        edges = [{"listing": listing, "sort": sort, "node": row} for row in shown]
    return {
        "edges": edges,
        "page_info": {
            "has_next_page": more if not page.backward else page.position is not None,
            "has_previous_page": more if page.backward else page.position is not None,
            "first_edge": edges[0] if edges else None,
            "last_edge": edges[-1] if edges else None,
        },
    }


def nothing(listing: str | Listing, sort: Sort, args: PageArgs) -> dict[str, Any]:
    """The connection of who may see none of a list; what is asked is checked all the same."""
    return connection(listing, sort, parse_page(listing, sort, args), [])


def referring(found: dict[str, Any], nodes: Sequence[Document | None]) -> dict[str, Any]:
    """A connection in the places of its rows, of what these refer to; without what is gone or hidden."""
    pairs = zip(found["edges"], nodes, strict=True)
    found["edges"] = [{**edge, "row": edge["node"], "node": node} for edge, node in pairs if node]
    return found


def slice_of(rows: Sequence[Document], sort: Sort, page: KeysetPage) -> list[Document]:
    """Rows of `rows` that a database would return for `page`: in scan order, one row more."""
    ordered = list(rows)
    for key, way in reversed(sort_order(sort, page)):
        ordered.sort(key=lambda row: row[key], reverse=way < 0)
    if page.position is not None:
        ordered = [row for row in ordered if _is_beyond(row, sort, page)]
    return ordered[: page.size + 1]


def _is_beyond(row: Document, sort: Sort, page: KeysetPage) -> bool:
    assert page.position is not None
    for (key, way), value in zip(sort_order(sort, page), page.position, strict=True):
        if row[key] != value:
            return bool(row[key] > value) == (way > 0)
    return False


def edge_of(listing: str | Listing, sort: Sort, row: Document, **extra: Any) -> dict[str, Any]:
    """An edge document by itself; its cursor is made when somebody asks for it. A receipt may keep it."""
    return {"listing": str(listing), "sort": sort, "node": row, **extra}


def edge_to(
    listing: str | Listing, sort: Sort, row: Document, node: Document | None
) -> dict[str, Any] | None:
    """An edge by itself, in the place of its row, to what the row refers to; None where that is hidden."""
    return edge_of(listing, sort, node, place=[row[key] for key, _ in sort]) if node else None


def placed_edge(listing: str | Listing, place: Sequence[Any], row: Document, **extra: Any) -> dict[str, Any]:
    """An edge of a list whose places are no keys of its rows: a ranked one."""
    return {"listing": listing, "place": place, "node": row, **extra}


def cursor(edge: Document) -> str:
    """From the node, or from the row that gave it its place where that is another document."""
    place = edge.get("place")
    if place is None:
        row = edge.get("row") or edge["node"]
        place = [row.get(key) for key, _ in edge["sort"]]
    return encode(edge["listing"], place)


def start_cursor(page_info: Document) -> str | None:
    edge = page_info["first_edge"]
    return cursor(edge) if edge else None


def end_cursor(page_info: Document) -> str | None:
    edge = page_info["last_edge"]
    return cursor(edge) if edge else None
