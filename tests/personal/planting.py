"""Documents of every collection, made from their types: each text in them is a mark that tells its place."""

import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, is_typeddict

import orjson

from core import clock, ids
from core.context import Services
from core.storage.store import COLLECTIONS, Collection, Sealed

MARK = "plantedmark"
Fields = Mapping[str, Any]


def mark(collection: str, field: str) -> str:
    return f"{MARK}-{collection}-{field}-"


def document(collection: Collection[Any], own: Fields) -> dict[str, Any]:
    """A whole document of the collection's type, but for what is given."""
    hints = typing.get_type_hints(collection.document, include_extras=True)
    return {
        name: own[name] if name in own else _value(collection.name, name, hint)
        for name, hint in hints.items()
        if own.get(name, ...) is not LEFT_OUT
    }


LEFT_OUT = object()
"""For a field that the planted document does not have."""


def _value(collection: str, name: str, hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is NotRequired:
        return _value(collection, name, get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return _value(collection, name, next(each for each in get_args(hint) if each is not type(None)))
    if origin is Literal:
        return get_args(hint)[0]
    if origin is list:
        return [] if name.endswith("_ids") else [_value(collection, name, get_args(hint)[0])]
    if origin is dict or hint is dict:
        return {"said": mark(collection, name)} if Any in get_args(hint) else {}
    if is_typeddict(hint):
        inner = typing.get_type_hints(hint, include_extras=True)
        return {each: _value(collection, f"{name}.{each}", type) for each, type in inner.items()}
    return _plain(collection, name, hint)


def _plain(collection: str, name: str, hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint)).value
    if hint is str and (name == "_id" or name.rpartition(".")[2].endswith("_id")):
        return ids.new_id(name.rpartition(".")[2].removesuffix("_id").replace("_", "") or "thing")
    moment = clock.now() + timedelta(minutes=5)
    return {str: mark(collection, name), int: 0, float: 0.0, bool: False, datetime: moment}.get(hint)


def seal(services: Services, sealed: Sealed, name: str, planted: dict[str, Any]) -> None:
    """The field's mark as the deployment's keys seal it; JSON where it is opened as JSON."""
    holder: Any = planted
    *path, last = sealed.field.split(".")
    for step in path:
        holder = holder[step]
    text = mark(name, sealed.field)
    plain = orjson.dumps({"said": text}).decode() if sealed.field == "sealed" else text
    holder[last] = services.crypto.seal(plain, place=sealed.place_of(planted))


async def plant(services: Services, name: str, own: Fields) -> dict[str, Any]:
    collection = COLLECTIONS[name]
    planted = document(collection, own)
    for sealed in collection.sealed:
        if sealed.field not in own and not sealed.place.startswith("key:"):
            seal(services, sealed, name, planted)
    await services.db.write({"insert": name, "documents": [planted]})
    return planted


def texts(value: Any) -> str:
    """Everything a document says, opened up as one text."""
    return orjson.dumps(value, default=str).decode()
