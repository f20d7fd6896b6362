"""Router rules: what `mongos` 6.0 refuses of the commands that are sent, and which of them reach all shards.

Shard keys are single fields, hashed. The router itself would send an update or a delete by `_id` alone to
every shard; here that is refused too, because what costs every shard is never needed to write one document.
"""

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.storage.mongo import Database
from core.storage.store import COLLECTIONS
from tests import explained
from tests.explained import Document, Stages

Keys = Callable[[Any], str | None]
"""The shard key of a collection by its name; None for one that is not sharded."""
JOINS = ("$lookup", "$graphLookup")
INITIAL = "$setOnInsert"
PROJECT = f"{Path(__file__).parents[1]}/"


def declared(collection: Any) -> str | None:
    kept = COLLECTIONS.get(collection)
    return kept.shard_key if kept else None


def refused(command: Document, *, within: bool = False, keys: Keys = declared) -> Iterator[str]:
    """Why the router refuses a command, each reason once; `within` a transaction it refuses more."""
    name, collection = next(iter(command.items()))
    key = keys(collection)
    if name == "aggregate":
        yield from _stages_refused(command["pipeline"], within=within, keys=keys)
    if key is None:
        return
    if name == "update":
        for each in command["updates"]:
            yield from _update_refused(each["q"], each["u"], key, each, within=within)
    elif name == "delete":
        if any(each["limit"] and not names(each["q"], key) for each in command["deletes"]):
            yield f"deletes one document without naming `{key}`"
    elif name == "findAndModify":
        if not names(command.get("query", {}), key):
            yield f"finds and modifies one document without naming `{key}`"
        elif "update" in command and key in _changed(command["update"], key) and not within:
            yield f"changes `{key}` outside a transaction"
    elif name == "createIndexes":
        for index in command["indexes"]:
            yield from index_refused(index["key"], key, unique=index.get("unique", False))
    elif name == "distinct" and within:
        yield "lists distinct values within a transaction"


def _update_refused(
    query: Document, change: Any, key: str, options: Document, *, within: bool
) -> Iterator[str]:
    multi, moves = options.get("multi", False), key in _changed(change, key)
    if not names(query, key):
        if not multi:
            yield f"updates one document without naming `{key}`"
        if options.get("upsert"):
            yield f"upserts without naming `{key}`"
        if multi and moves:
            yield f"changes `{key}` of many documents"
    elif moves and multi:
        yield f"changes `{key}` of many documents"
    elif moves and not within:
        yield f"changes `{key}` outside a transaction"


def index_refused(index: Document, key: str, *, unique: bool) -> Iterator[str]:
    """A unique index is of `_id`, or begins with the shard key, hashed or not; itself it is not hashed."""
    if unique and "hashed" in index.values():
        yield "makes a hashed index unique"
    elif unique and next(iter(index)) not in ("_id", key):
        yield f"makes an index unique that does not begin with `{key}`"


def _stages_refused(stages: Stages, *, within: bool, keys: Keys, joined: bool = False) -> Iterator[str]:
    for stage in stages:
        [(name, given)] = stage.items()
        if name in JOINS:
            if within and keys(given.get("from")) is not None:
                yield "joins a sharded collection within a transaction"
            yield from _stages_refused(given.get("pipeline", ()), within=within, keys=keys, joined=True)
        elif name == "$unionWith":
            if joined and keys(given["coll"] if isinstance(given, Mapping) else given) is not None:
                yield "unites a sharded collection within a join"
            inner = given.get("pipeline", ()) if isinstance(given, Mapping) else ()
            yield from _stages_refused(inner, within=within, keys=keys, joined=joined)
        elif name == "$facet":
            for inner in given.values():
                yield from _stages_refused(inner, within=within, keys=keys, joined=joined)
        elif name in ("$merge", "$out"):
            yield from _output_refused(name, given, within=within, keys=keys)


def _output_refused(name: str, given: Any, *, within: bool, keys: Keys) -> Iterator[str]:
    target = given["into"] if isinstance(given, Mapping) and "into" in given else given
    key = keys(target if isinstance(target, str) else target["coll"])
    if within:
        yield "writes what it aggregates within a transaction"
    elif key is not None and name == "$out":
        yield "puts out to a sharded collection"
    elif key is not None and isinstance(given, Mapping) and key not in _listed(given.get("on", key)):
        yield f"merges on other fields than `{key}`"


def _listed(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str) else value


def _changed(change: Any, key: str) -> set[str]:
    """The shard key, if an update may change it: its field, what holds it, or a part of it."""
    if isinstance(change, list):
        fields = {each for stage in change for each in _fields_of(stage)}
    elif all(name.startswith("$") for name in change):
        fields = {each for name, given in change.items() if name != INITIAL for each in given}
    else:
        # Whole documents keep their `_id`; another key would have to be in them, and the same.
        return set() if key == "_id" else {key}
    return (
        {key}
        if any(f"{key}.".startswith(f"{each}.") or each.startswith(f"{key}.") for each in fields)
        else set()
    )


def _fields_of(stage: Document) -> Iterable[str]:
    [(name, given)] = stage.items()
    if name in ("$set", "$addFields"):
        return list(given)
    return _listed(given) if name == "$unset" else ()


def names(query: Document, key: str) -> bool:
    """True if a query names the key by equality."""
    return any(
        each is not None and not (isinstance(each, Mapping) and set(each) != {"$eq"})
        for each in _conditions(query, key)
    )


def targeted(query: Document, key: str) -> bool:
    """True if a query is targeted: the key's values tell its shards; a range of hashed values tells none."""
    if any(not isinstance(each, Mapping) or {"$eq", "$in"} & each.keys() for each in _conditions(query, key)):
        return True
    either = query.get("$or", ())
    return bool(either) and all(targeted(each, key) for each in either)


def _conditions(query: Document, key: str) -> Iterator[Any]:
    if key in query:
        yield query[key]
    for each in query.get("$and", ()):
        yield from _conditions(each, key)


def scattered(command: Document, *, keys: Keys = declared) -> Iterator[str]:
    """Scatter-gather reads of a command: the collection, and the fields it is queried by."""
    for collection, stages in explained.reads_of(command):
        key = keys(collection)
        queries = [stage["$match"] for stage in stages if "$match" in stage]
        if key is not None and not any(targeted(each, key) for each in queries):
            yield f"{collection}: {', '.join(sorted({name for each in queries for name in fields_in(each)}))}"


def fields_in(query: Document) -> Iterator[str]:
    for name, given in query.items():
        if name in ("$and", "$or"):
            for each in given:
                yield from fields_in(each)
        else:
            yield name


@dataclass
class Router:
    """Commands sent that a sharded cluster's router would refuse, or send to all shards."""

    refusals: dict[str, str] = field(default_factory=dict)
    """By collection and reason, who sent the first."""
    scattering: dict[str, str] = field(default_factory=dict)
    """By collection and fields, who sent the first."""

    def wrap(self, send: Callable[[Database, dict[str, Any]], Awaitable[dict[str, Any]]]) -> Any:
        """`Database.command` that looks at what it is given."""

        async def command(db: Database, given: dict[str, Any]) -> dict[str, Any]:
            if not explained.of_tests():
                self.note(given, within=db.session is not None)
            return await send(db, given)

        return command

    def note(self, command: Document, *, within: bool) -> None:
        name, collection = next(iter(command.items()))
        for reason in refused(command, within=within):
            self.refusals.setdefault(f"{collection} {name} {reason}", _sender())
        for each in scattered(command):
            self.scattering.setdefault(each, _sender())

    def problems(self, allowed: Iterable[str]) -> list[str]:
        """Commands that are refused, and those that scatter without a stated reason.

        Things with ids of their own are read by ids that phones keep: a shard without them looks into its
        index by `_id` and is done.
        """
        known = [(collection, set(fields.split(", "))) for collection, fields in map(_parted, allowed)]
        known += [(kept.name, {"_id"}) for kept in COLLECTIONS.values() if kept.prefix is not None]
        found = dict(self.refusals)
        for each, sender in self.scattering.items():
            collection, fields = _parted(each)
            asked = set(fields.split(", "))
            if not any(name == collection and wanted <= asked for name, wanted in known):
                found[f"{each}: asks all shards"] = sender
        return sorted(f"{each} ({sender})" for each, sender in found.items())


ROUTER = Router()
"""Of this process, whatever Landfalls there are in it."""


def _parted(kind: str) -> tuple[str, str]:
    collection, _, fields = kind.partition(": ")
    return collection, fields


def _sender() -> str:
    """The innermost lines of the code that sent it."""
    lines: list[str] = []
    frame = sys._getframe(3)
    while frame is not None and len(lines) < 3:
        path = frame.f_code.co_filename
        if path.startswith(PROJECT) and ".venv" not in path and path not in explained.CARRIERS:
            lines.append(f"{path.removeprefix(PROJECT)}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return " < ".join(lines)
