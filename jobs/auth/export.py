"""Data export: collect every system's data of a person into an archive, and mail its link."""

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson
import structlog

from core import clock
from core.context import Context, Services
from core.erasure import EXPORTERS, FILE_EXPORTERS, on_user_export, pages
from core.jobs import Lane, task
from core.storage.batches import each_in_unit
from ports.auth import AuthSettings
from resolvers.auth import exports, messages
from stores import auth as store
from stores.auth import DataExport, DataExportStatus

logger = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE = timedelta(hours=6)
"""Age at which an unfinished export counts as failed."""
PROFILE = ("password_hash", "phone", "phone_index", "two_factor", "avatar_upload_id", "claims")
SESSION = ("user_id", "counter", "rotated_at", "purge_at")
DEVICE = ("user_id", "push_token", "push_index")
KEY = ("user_id", "public_key", "counter")
"""Fields left out: secrets, and the indexes that find them."""
SECOND_FACTOR = ("method", "masked_destination", "backup_codes_left", "enabled_at")


@task("auth.build_export")
async def build_export(services: Services, *, export_id: str) -> None:
    """Build a ZIP with a folder per system, and in it a file of JSON lines per collection."""
    export = await store.data_exports.by_id(services.db, export_id)
    if export is None or export["status"] != DataExportStatus.BUILDING:
        return
    with tempfile.TemporaryDirectory(prefix="landfall-export-") as folder:
        archive = Path(folder) / "data.zip"
        await _collect(services, export, Path(folder), archive)
        await services.objects.put(exports.key_of(export_id), archive, mime="application/zip")
        size = archive.stat().st_size
    await _finish(services, export, size)


async def _collect(services: Services, export: DataExport, folder: Path, archive: Path) -> None:
    user_id = export["user_id"]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for system, export_rows in _wanted(export, EXPORTERS):
            files: dict[str, Path] = {}
            async for name, rows in export_rows(services, user_id):
                files.setdefault(name, folder / f"{system}-{name}.jsonl")
                await asyncio.to_thread(_append, files[name], rows)
            for name, file in files.items():
                await asyncio.to_thread(made.write, file, f"{system}/{name}.jsonl")
                file.unlink()
        for system, list_files in _wanted(export, FILE_EXPORTERS):
            async for name, key in list_files(services, user_id):
                await _add_file(services, made, f"{system}/files/{name}", key)


def _wanted(export: DataExport, exporters: Mapping[str, T]) -> list[tuple[str, T]]:
    """Exporters of the one system that was asked for, or of all, by the name of the system."""
    only = export.get("system")
    return [(system, each) for system, each in sorted(exporters.items()) if only in (None, system)]


async def _add_file(services: Services, archive: zipfile.ZipFile, name: str, key: str) -> None:
    """Add a file uncompressed: pictures and videos are compressed already."""
    described = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    try:
        with archive.open(described, "w", force_zip64=True) as entry:
            async for piece in services.objects.read(key):
                await asyncio.to_thread(entry.write, piece)
    except FileNotFoundError:
        # It was deleted meanwhile; an empty entry stays in its place.
        logger.info("file not exported", key=key)


def _append(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with file.open("ab") as lines:
        for row in rows:
            lines.write(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))


async def _finish(services: Services, export: DataExport, size: int) -> None:
    """Finish the export with a link known only to its mail; of two builds, the later link is valid."""
    user = await store.users.by_id(services.db, export["user_id"])
    if user is None or not user["email"]:
        return
    link, link_hash = exports.new_link(services, export)
    letter = messages.export_ready(services.get(AuthSettings), link)
    ctx = Context(services)

    async def ready() -> None:
        change = {"status": DataExportStatus.READY, "size_bytes": size, "link_hash": link_hash}
        expires = {"expires_at": clock.now() + exports.LIFE}
        await ctx.tx.update(store.data_exports, export["_id"], set={**change, **expires})

    # First the mail: if it fails, the job is retried.
    await services.mailer.send(to=user["email"], subject=letter.subject, text=letter.text)
    await ctx.unit(ready)


@task("auth.expire_exports", lane=Lane.BULK, every=timedelta(hours=1))
async def expire_exports(services: Services) -> None:
    """Delete archives after a week, and mark unfinished ones as failed."""
    now = clock.now()
    async for expired in store.data_exports.batches(services.db, {"expires_at": {"$lte": now}}):
        for export in expired:
            await remove(services, export)
    stuck = {"status": DataExportStatus.BUILDING, "created_at": {"$lte": now - PATIENCE}}
    await each_in_unit(services, store.data_exports, stuck, _give_up)


async def _give_up(ctx: Context, export: DataExport) -> None:
    await ctx.tx.update(store.data_exports, export["_id"], set={"status": DataExportStatus.FAILED})


async def remove(services: Services, export: DataExport) -> None:
    await services.objects.delete([exports.key_of(export["_id"])])
    await store.remove_export(services.db, export["_id"])


@on_user_export
async def export_account(
    services: Services, user_id: str
) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Profile, second factor, sessions, devices, keys, grants, security events, exports."""
    db, theirs = services.db, {"user_id": user_id}
    async for rows in pages(services, store.users, {"_id": user_id}, without=PROFILE):
        yield "profile", rows
    user = await store.users.by_id(db, user_id)
    if user is not None and (chosen := user.get("two_factor")):
        yield "second_factor", [{name: chosen[name] for name in SECOND_FACTOR}]  # type: ignore[literal-required]
    for name, kept, without in (
        ("sessions", store.sessions, SESSION),
        ("devices", store.devices, DEVICE),
        ("keys", store.auth_keys, KEY),
        ("grants", store.grants, ("user_id", "granted_by")),
        ("security_events", store.security_events, ("user_id", "alerting")),
        ("exports", store.data_exports, ("user_id", "link_hash")),
    ):
        async for rows in pages(services, kept, theirs, without=without):
            yield name, rows
