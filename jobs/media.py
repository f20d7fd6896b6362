"""Background work of uploads and media."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import clock
from core.context import Context, Services
from core.erasure import on_user_deleted, on_user_export, on_user_export_files, pages
from core.jobs import Lane, task
from core.values.text import file_name
from resolvers.media import adopting, keeping, processing
from stores import media as store

LEFT_OUT = ("owner_id", "folder", "former_folders", "ref_count", "touched_at", "hls", "variants", "tries")
"""Fields left out of an export: storage locations, and internal bookkeeping."""


def in_context(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[None]]:
    """Run a task of media with a context of its own."""

    async def run(services: Services, **arguments: Any) -> None:
        await work(Context(services), **arguments)

    return run


process = task("media.process")(in_context(processing.process))
clear_parts = task("media.clear_parts", lane=Lane.BULK)(in_context(keeping.clear_parts))
erase_unkept = task("media.erase_unkept", lane=Lane.BULK)(in_context(adopting.erase_unkept))
move = task("media.move")(in_context(keeping.move))
condemn = task("media.condemn")(in_context(keeping.condemn))
sweep = task("media.sweep", lane=Lane.BULK, every=timedelta(hours=1))(in_context(keeping.sweep))


@task("media.erase_folder", lane=Lane.BULK)
async def erase_folder(services: Services, *, folder: str) -> None:
    await services.objects.erase(folder)


@task("media.purge", lane=Lane.BULK)
async def purge(services: Services, *, media_id: str, touched_at: str) -> None:
    await keeping.purge(Context(services), media_id, touched_before=clock.moment(touched_at))


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export a person's media and uploads, as clients see them."""
    for name, kept in (("media", store.media), ("uploads", store.uploads)):
        async for rows in pages(services, kept, {"owner_id": user_id}, without=LEFT_OUT):
            yield name, rows


@on_user_export_files
async def export_files(services: Services, user_id: str) -> AsyncIterator[tuple[str, str]]:
    """File of each medium, under its id and original name."""
    async for rows in pages(services, store.media, {"owner_id": user_id}):
        for row in rows:
            stem = file_name(row["file_name"]).rpartition(".")[0] or "file"
            suffix = row["main"].rpartition(".")[2]
            yield f"{row['id']}/{stem}.{suffix}", f"{row['folder']}/{row['main']}"


@on_user_deleted
async def erase_person(services: Services, user_id: str) -> None:
    await keeping.erase_person(Context(services), user_id)
