"""Runtime of compiled code: leaf values, batches, lists taken apart and put together."""

from asyncio import create_task, gather
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import isfinite
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLLeafType
from prometheus_client import Counter

from core.context import Context
from core.storage import mongo
from core.storage.loader import Loader

FALLBACKS = Counter(
    "landfall_executor_anomalies_total", "Compiled runs abandoned to the reference.", ["reason"]
)

FROM_DATABASE = mongo.ZONE
SMALLEST, LARGEST = -(2**31), 2**31 - 1


class Fallback(Exception):
    """Fallback: the compiled path does not handle it, the reference executor answers."""


def anomaly(*_: Any) -> Any:
    raise Fallback


def serializer(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    """A leaf value as JSON; for values that are not plainly right, whatever the reference makes of them."""
    if isinstance(leaf, GraphQLEnumType):
        return _enum(leaf)
    if leaf.name == "DateTime":
        return _datetime(leaf)
    if leaf.name == "Int":
        return _int(leaf)

    def serialize(value: Any) -> Any:
        if value is None:
            raise Fallback
        return leaf.serialize(value)

    return _float(serialize) if leaf.name == "Float" else serialize


def names_of(leaf: GraphQLEnumType) -> dict[Any, str]:
    return {value.value: name for name, value in leaf.values.items()}


def _enum(leaf: GraphQLEnumType) -> Callable[[Any], Any]:
    names = names_of(leaf)

    def serialize(value: Any) -> Any:
        try:
            return names[value]
        except (KeyError, TypeError):
            raise Fallback from None

    return serialize


def _datetime(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    def serialize(value: Any) -> Any:
        if value.__class__ is not datetime or value.tzinfo is None:
            raise Fallback
        if value.tzinfo is not FROM_DATABASE and value.utcoffset():
            value = value.astimezone(UTC)
        # A third of the time that `isoformat` takes; without a fraction where there is none.
        moment = orjson.dumps(value)
        return str(moment[1:24], "ascii") + "Z" if value.microsecond else str(moment[1:20], "ascii") + ".000Z"

    return serialize


def _int(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    def serialize(value: Any) -> Any:
        if value.__class__ is int and SMALLEST <= value <= LARGEST:
            return value
        raise Fallback

    return serialize


def _float(otherwise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def serialize(value: Any) -> Any:
        return value if value.__class__ is float and isfinite(value) else otherwise(value)

    return serialize


def leaves(serialize: Callable[[Any], Any], nullable: bool) -> Callable[[Any], Any]:
    """A list of leaf values."""

    def serialize_list(value: Any) -> Any:
        if value.__class__ is not list and value.__class__ is not tuple:
            raise Fallback
        if nullable:
            return [None if item is None else serialize(item) for item in value]
        if None in value:
            raise Fallback
        return [serialize(item) for item in value]

    return serialize_list


class Fields:
    """The keys that all selections of one loader's documents read; everything, if one cannot tell."""

    def __init__(self) -> None:
        self._known: set[str] | None = {"_id"}
        self.read: tuple[str, ...] = ()

    def add(self, keys: Iterable[str] | None) -> None:
        if keys is None or self._known is None:
            self._known, self.read = None, ()
        else:
            self._known |= set(keys)
            self.read = tuple(sorted(self._known))


async def fetch(
    ctx: Context, loader: type[Loader[Any, Any]], keys: Sequence[Any], fields: Fields
) -> dict[Any, Any]:
    """Values of a whole level's keys, in one batch."""
    return await ctx.loader(loader, fields.read).fetch([key for key in keys if key is not None])


async def together(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Await all calls concurrently and return their results; when one fails, the others are cancelled.

    As `asyncio.gather`, but the last one needs no task of its own: half of all columns that wait beside
    others do so in twos.
    """
    tasks = [create_task(call) for call in calls[:-1]]
    try:
        last = await calls[-1]
        return [*[await task for task in tasks], last]
    except BaseException:
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)
        raise


async def each(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    """Resolvers of every parent, awaited together so that their loaders batch."""
    waiting = list(calls)
    if len(waiting) == 1:
        return [await waiting[0]]
    return list(await gather(*waiting))


def flat(lists: Sequence[Any]) -> list[Any]:
    """The items of all lists in a row."""
    for items in lists:
        if items.__class__ is not list and items.__class__ is not tuple:
            raise Fallback
    return [item for items in lists for item in items]


def regrouped(lists: Sequence[Any], items: Iterable[Any]) -> list[list[Any]]:
    """Items in a row as lists of the lengths they came from."""
    row = iter(items)
    return [list(islice(row, len(group))) for group in lists]


def present(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def restored(values: Sequence[Any], items: Iterable[Any]) -> list[Any]:
    """Items put back where values were not None."""
    row = iter(items)
    return [None if value is None else next(row) for value in values]


def distinct(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Documents without repetition, and which of them each value is: a shared child is built once."""
    ids = [*map(id, values)]
    unique = dict(zip(ids, values, strict=True))
    places = {each: place for place, each in enumerate(unique)}
    return [*unique.values()], [*map(places.__getitem__, ids)]


def parted(
    values: Sequence[Any], name_of: Callable[[Any], Any], names: Sequence[str]
) -> dict[str, list[Any]]:
    """Documents of an interface or union by their type."""
    parts: dict[str, list[Any]] = {}
    for value in values:
        name = name_of(value)
        if name not in names:
            raise Fallback
        parts.setdefault(name, []).append(value)
    return parts


def united(values: Sequence[Any], name_of: Callable[[Any], Any], parts: dict[str, list[Any]]) -> list[Any]:
    """The answers of each type's documents in their first order."""
    rows = {name: iter(items) for name, items in parts.items()}
    return [next(rows[name_of(value)]) for value in values]
