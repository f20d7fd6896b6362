"""Putting together what every system keeps of a person, and mailing the way to it."""

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import structlog

from core import clock
from core.account import EXPORTERS, on_user_export
from core.context import Context, Services
from core.jobs import task
from resolvers.auth import exports, letters
from stores import auth as store
from stores.auth import DataExport, ExportStatus

logger = structlog.get_logger(__name__)

BATCH = 200
PATIENCE = timedelta(hours=6)
"""An export that is not made by then never will be."""
PROFILE = (
    *("_id", "first_name", "last_name", "handle", "bio", "email", "email_verified", "phone_masked"),
    *("locale", "time_zone", "roles", "org", "job_role", "status", "accepted_terms_version", "created_at"),
)
SESSION = ("_id", "device", "status", "end_reason", "factors", "ip_masked", "approx_location", "created_at")
DEVICE = ("device_id", "name", "platform", "os_version", "app_version", "created_at", "last_seen_at")
KEY = ("_id", "kind", "name", "created_at", "last_used_at")
EVENT = ("_id", "kind", "device", "ip_masked", "approx_location", "at")


@task("auth.build_export")
async def build_export(services: Services, *, export_id: str) -> None:
    """A ZIP with a folder per system, and in it a file of JSON lines per kind of thing."""
    export = await store.data_exports.by_id(services.db, export_id)
    if export is None or export["status"] != ExportStatus.BUILDING:
        return
    with tempfile.TemporaryDirectory(prefix="landfall-export-") as folder:
        archive = Path(folder) / "data.zip"
        await _collect(services, export["user_id"], Path(folder), archive)
        await services.objects.put(exports.key_of(export_id), archive, mime="application/zip")
        size = archive.stat().st_size
    await _finish(services, export, size)


async def _collect(services: Services, user_id: str, folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for system, export in sorted(EXPORTERS.items()):
            files: dict[str, Path] = {}
            async for name, rows in export(services, user_id):
                files.setdefault(name, folder / f"{system}-{name}.jsonl")
                await asyncio.to_thread(_append, files[name], rows)
            for name, file in files.items():
                await asyncio.to_thread(made.write, file, f"{system}/{name}.jsonl")
                file.unlink()


def _append(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with file.open("ab") as lines:
        for row in rows:
            lines.write(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))


async def _finish(services: Services, export: DataExport, size: int) -> None:
    """Ready, with a link nobody knows but its mail; one that was built twice has the later link."""
    user = await store.users.by_id(services.db, export["user_id"])
    if user is None or not user["email"]:
        return
    link, link_hash = exports.new_link(services, export)
    letter = letters.export_ready(services.settings, link)
    ctx = Context(services)

    async def ready() -> None:
        change = {"status": ExportStatus.READY, "size_bytes": size, "link_hash": link_hash}
        expires = {"expires_at": clock.now() + exports.LIFE}
        await ctx.tx.update(store.data_exports, export["_id"], set={**change, **expires})

    # First the mail: if it fails, the errand begins again.
    await services.mailer.send(to=user["email"], subject=letter.subject, text=letter.text)
    await ctx.unit(ready)


@task("auth.expire_exports", every=timedelta(hours=1))
async def expire_exports(services: Services) -> None:
    """Archives live a week; those that were never finished are said to have failed."""
    for export in await store.expired_exports(services.db, clock.now(), limit=BATCH):
        await remove(services, export)
    ctx, late = Context(services), clock.now() - PATIENCE
    query = {"status": ExportStatus.BUILDING, "created_at": {"$lte": late}}
    stuck = await store.data_exports.find(services.db, query, limit=BATCH)

    async def give_up() -> None:
        for export in stuck:
            await ctx.tx.update(store.data_exports, export["_id"], set={"status": ExportStatus.FAILED})

    if stuck:
        await ctx.unit(give_up)


async def remove(services: Services, export: DataExport) -> None:
    await services.objects.delete([exports.key_of(export["_id"])])
    await store.remove_export(services.db, export["_id"])


@on_user_export
async def export_account(
    services: Services, user_id: str
) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Profile, sessions, devices, keys, security events."""
    db = services.db
    user = await store.users.by_id(db, user_id)
    yield "profile", _shown([user] if user else [], PROFILE)
    theirs = {"user_id": user_id}
    yield "sessions", _shown(await store.sessions.find(db, theirs), SESSION)
    yield "devices", _shown(await store.devices.find(db, theirs), DEVICE)
    yield "keys", _shown(await store.keys_of_user(db, user_id), KEY)
    events = await store.security_events.find(db, theirs, sort=[("at", -1)])
    yield "security_events", _shown(events, EVENT)


def _shown(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """What is theirs to read: no hash, no sealed text."""
    return [{"id" if name == "_id" else name: row[name] for name in names if name in row} for row in rows]
