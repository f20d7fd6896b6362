"""Detection of anomalies in how a log is used: bulk reads, exports out of working hours, repeated denials.

Each is put on record under a key of its own, which makes its alert go out once, whoever detects it.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

from prometheus_client import Counter
from pymongo.errors import DuplicateKeyError

from core import clock, zones
from core.audit import Act, record
from core.context import Context, Services
from ports.audit import AuditSettings
from resolvers.audit.anomalies import AuditAnomaly, raise_anomaly
from stores import audit as store
from stores import auth as accounts
from stores.audit import AuditAnomalyKind, AuditEntry

WINDOW = timedelta(hours=1)
"""Time over which reads and denials are counted."""
LATELY = timedelta(minutes=15)
"""Time within which an export is looked at: three rounds, should one fail."""
MOST_EXPORTS = 500
EXPORT = "audit.export_requested"
READS = (
    "audit.entries_read",
    "audit.entries_searched",
    "audit.entry_read",
    "audit.log_streamed",
    "audit.proof_read",
)
DETECTED = "audit.anomaly_detected"
SUNDAY = 6
ANOMALIES = Counter(
    "landfall_audit_anomalies_total", "Unusual uses of audit logs that were detected.", ["kind"]
)

Detected = tuple[str, AuditAnomaly]
"""An anomaly with the key under which it is told once."""


async def detect(services: Services, org_id: str) -> int:
    """Alert of what is new in an organization's log; how many anomalies there were."""
    told = 0
    async for key, anomaly in _anomalies(services, org_id, clock.now()):
        ctx = Context(services)
        try:
            new = await ctx.unit(partial(_tell, ctx, key, anomaly))
        except DuplicateKeyError:
            # Another process was first.
            continue
        if new:
            ANOMALIES.labels(anomaly.kind).inc()
            told += 1
    return told


async def _anomalies(services: Services, org_id: str, now: datetime) -> AsyncIterator[Detected]:
    settings, since, hour = services.get(AuditSettings), now - WINDOW, now.strftime("%Y%m%d%H")
    reads = await store.read_counts(services.db, org_id, READS, since, settings.audit_bulk_reads)
    denials = await store.denial_counts(services.db, org_id, since, settings.audit_denials)
    for kind, counts in (
        (AuditAnomalyKind.BULK_READ, reads),
        (AuditAnomalyKind.REPEATED_DENIALS, denials),
    ):
        for actor_id, count in sorted(counts.items()):
            yield (
                f"{kind}:{org_id}:{actor_id}:{hour}",
                AuditAnomaly(kind, org_id, actor_id, count, since, now),
            )
    exports = await store.recent_acts(services.db, org_id, EXPORT, now - LATELY, MOST_EXPORTS)
    for entry in await _off_hours(services, exports):
        at, kind = entry["timestamp"], AuditAnomalyKind.OFF_HOURS_EXPORT
        yield f"{kind}:{entry['_id']}", AuditAnomaly(kind, org_id, entry["actor_id"], 1, at, at)


async def _off_hours(services: Services, exports: list[AuditEntry]) -> list[AuditEntry]:
    """Those exports that were requested out of working hours, by the clock of who requested them."""
    people = {entry["actor_id"] for entry in exports if entry["actor_id"] is not None}
    rows = await accounts.users.by_ids(services.db, people, fields=["time_zone"])
    places = {row["_id"]: row["time_zone"] for row in rows}
    settings = services.get(AuditSettings)
    return [
        entry
        for entry in exports
        if _is_off_hours(
            settings, zones.wall_time(places.get(entry["actor_id"] or "", "UTC"), entry["timestamp"])
        )
    ]


def _is_off_hours(settings: AuditSettings, wall: datetime) -> bool:
    """True on a Sunday, and before or after working hours."""
    begin, end = settings.working_hours
    return wall.weekday() == SUNDAY or not begin <= wall.time() < end


async def _tell(ctx: Context, key: str, anomaly: AuditAnomaly) -> bool:
    """Put an anomaly on record and alert of it with the unit of work; False if its key is known."""
    if await store.entry_keys.by_id(ctx.db, f"audit:{key}") is not None:
        return False
    act = Act(
        DETECTED,
        "COMPLIANCE_CHECK",
        "AUDIT_LOG",
        details={"kind": anomaly.kind, "actor_id": anomaly.actor_id, "count": anomaly.count},
        entry_key=key,
        org_id=anomaly.org_id,
    )
    await record(ctx, act)
    await raise_anomaly(ctx, anomaly)
    return True
