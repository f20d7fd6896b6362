"""Account erasure and export: the part of each system in deleting a person's data, or handing it over.

Each system says it once, in `jobs/<system>.py`; deletion and export find them all here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from collections.abc import Collection as Names
from functools import partial
from typing import Any

from core.context import Context, Services
from core.hooks import Hook
from core.storage.batches import delete_each
from core.storage.store import COLLECTIONS, Collection

Eraser = Callable[[Services, str], Awaitable[None]]
Exporter = Callable[[Services, str], AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]]
FileExporter = Callable[[Services, str], AsyncIterator[tuple[str, str]]]

held = Hook[[Context, str], bool]("erasure.held")
"""Asked whether a person's data must be kept for now, as under a legal hold: no account is erased then."""

ERASERS: dict[str, Eraser] = {}
EXPORTERS: dict[str, Exporter] = {}
FILE_EXPORTERS: dict[str, FileExporter] = {}
"""By the name of the system."""


def on_user_deleted(function: Eraser) -> Eraser:
    """Erase, or make anonymous, what a system keeps of a person who is gone: `erase(services, user_id)`.

    It confirms by returning. One that raises is called again until it does, so it must be safe to repeat.
    """
    ERASERS[_system(function, ERASERS)] = function
    return function


def on_user_export(function: Exporter) -> Exporter:
    """Yield what a system keeps of a person, `("posts", rows)` in batches; each name becomes a file.

    Rows are what the person may read: plain values, no secrets and nothing private of others.
    """
    EXPORTERS[_system(function, EXPORTERS)] = function
    return function


def on_user_export_files(function: FileExporter) -> FileExporter:
    """Yield the files a system keeps of a person: the name of each, and its key in the object store."""
    FILE_EXPORTERS[_system(function, FILE_EXPORTERS)] = function
    return function


def complete() -> None:
    """Erase and export what people own in systems that say nothing of it themselves."""
    owned: dict[str, list[Collection[Any]]] = {}
    for declared in COLLECTIONS.values():
        if declared.owner is not None:
            owned.setdefault(declared.document.__module__.split(".")[1], []).append(declared)
    for system, stores in owned.items():
        ERASERS.setdefault(system, partial(erase_owned, stores))
        EXPORTERS.setdefault(system, partial(_export_owned, stores))


async def erase_owned(stores: Sequence[Collection[Any]], services: Services, user_id: str) -> None:
    """Delete what a person owns in the collections, for all who may see it."""

    for store in stores:
        await delete_each(services, store, {str(store.owner): user_id})


async def _export_owned(
    stores: Sequence[Collection[Any]], services: Services, user_id: str
) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    for store in stores:
        sealed = {each.field for each in store.sealed}
        async for rows in store.batches(services.db, {str(store.owner): user_id}):
            yield (
                store.name,
                [
                    {name.lstrip("_"): value for name, value in row.items() if name not in sealed}
                    for row in rows
                ],
            )


def _system(function: Callable[..., Any], known: Mapping[str, Any]) -> str:
    _, system, *_ = [*function.__module__.split("."), ""]
    if not system or system in known:
        raise ValueError(f"{function.__module__}.{function.__name__}: one per system, in its jobs.")
    return system


async def pages(
    services: Services, collection: Collection[Any], query: Mapping[str, Any], *, without: Names[str] = ()
) -> AsyncIterator[list[dict[str, Any]]]:
    """Rows to export, whole but for some fields: what is added to a document later comes too."""
    async for rows in collection.batches(services.db, query):
        yield [_shown(row, without) for row in rows]


def _shown(row: Mapping[str, Any], without: Names[str]) -> dict[str, Any]:
    return {"id": row["_id"], **{name: row[name] for name in row if name not in ("_id", *without)}}
