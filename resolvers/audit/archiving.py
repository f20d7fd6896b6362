"""Archive of critical incidents: their entries are exported to locked storage before they grow cold."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.audit import Act, record
from core.context import Context, Services
from core.hooks import Hook, on
from ports.audit import LockedStorage
from resolvers.audit import export_file
from resolvers.audit.exported import Json
from resolvers.audit.recording import META
from resolvers.audit.tiering import going_cold
from stores import audit as store
from stores.audit import AuditEntry

FOLDER = "archive"

is_critical = Hook[[Services, str, str], bool]("audit.is_critical")
"""Asked whether an incident, by its organization and id, is critical."""


@on(going_cold)
async def archive_critical(services: Services, entries: Sequence[AuditEntry]) -> None:
    """Archive the critical incidents of these entries, unless they are as they were archived."""
    incidents = {(each["org_id"], each["incident_id"]) for each in entries if each["incident_id"] is not None}
    for org_id, incident_id in sorted(incidents):
        if any(await is_critical(services, org_id, str(incident_id))):
            await _archive(services, org_id, str(incident_id))


async def _archive(services: Services, org_id: str, incident_id: str) -> None:
    query = {"incident_id": incident_id, "org_id": org_id}
    newest = [("timestamp", -1), ("_id", -1)]
    last = await store.entries.first(services.db, query, sort=newest)
    locked = services.get(LockedStorage).objects
    # Named by the last entry: an incident that went on is archived anew, beside its earlier archive.
    key = f"{FOLDER}/{org_id}/{incident_id}/{last['_id'] if last else ''}.json"
    if last is None or await locked.stat(key) is not None:
        return

    async def queries(ctx: Context) -> list[dict[str, Any]]:
        return [query]

    with tempfile.TemporaryDirectory(prefix="landfall-audit-") as folder:
        path = Path(folder) / "file"
        file = await export_file.write(services, path, Json(), queries)
        await locked.put(key, path, mime=Json.mime, disposition="attachment")
    ctx = Context(services)
    act = Act(
        "audit.incident_archived",
        "SYSTEM_EVENT",
        "INCIDENT",
        resource_id=incident_id,
        details=file.described(),
        source=META,
        org_id=org_id,
    )
    await ctx.unit(lambda: record(ctx, act))
