"""Background work of uploads and media."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import clock
from core.account import on_user_deleted, on_user_export, on_user_export_files
from core.context import Context, Services
from core.jobs import task
from resolvers import media


@task("media.process")
async def process(services: Services, *, upload_id: str) -> None:
    await media.process(Context(services), upload_id)


@task("media.clear_parts")
async def clear_parts(services: Services, *, upload_id: str) -> None:
    await media.clear_parts(Context(services), upload_id)


@task("media.erase_folder")
async def erase_folder(services: Services, *, folder: str) -> None:
    await services.objects.erase(folder)


@task("media.erase_unkept")
async def erase_unkept(services: Services, *, media_id: str, folder: str) -> None:
    await media.erase_unkept(Context(services), media_id, folder)


@task("media.move")
async def move(services: Services, *, media_id: str, public: bool) -> None:
    await media.move(Context(services), media_id, public=public)


@task("media.purge")
async def purge(services: Services, *, media_id: str, touched_at: str) -> None:
    await media.purge(Context(services), media_id, touched_before=clock.moment(touched_at))


@task("media.condemn")
async def condemn(services: Services, *, media_id: str) -> None:
    await media.condemn(Context(services), media_id)


@task("media.sweep", every=timedelta(hours=1))
async def sweep(services: Services) -> None:
    await media.sweep(Context(services))


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    async for name, rows in media.exported(Context(services), user_id):
        yield name, rows


@on_user_export_files
async def export_files(services: Services, user_id: str) -> AsyncIterator[tuple[str, str]]:
    async for name, key in media.exported_files(Context(services), user_id):
        yield name, key


@on_user_deleted
async def erase_person(services: Services, user_id: str) -> None:
    await media.erase_person(Context(services), user_id)
