"""Tiering: entries grow warm after 90 days and cold after two years, unless a legal hold is on them.

Nothing is moved but the mark beside an entry. Lists end where cold entries begin: these are read by exports.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core import clock
from core.context import Context, Services
from core.errors import RequestError
from core.hooks import Hook
from core.messages import gettext_noop
from resolvers.audit import places
from stores import audit as store
from stores.audit import AuditEntry, AuditTier

HOT_FOR, WARM_UNTIL = timedelta(days=91), timedelta(days=730)
BATCH = 500

going_cold = Hook[[Services, Sequence[AuditEntry]], None]("audit.going_cold")
"""Called with entries before they grow cold; what fails keeps them warm."""
cold_reached = Hook[[Context, Mapping[str, Any]], str]("audit.cold_reached")
"""Asked for the id of an export with the cold entries that a filter finds."""


class ColdData(RequestError):
    """Cold entries were asked for: `exportId` is of an export that fetches them."""

    code = "COLD_DATA"

    def __init__(self, export_id: str | None) -> None:
        super().__init__(
            gettext_noop("These entries are in the archive: an export fetches them."), exportId=export_id
        )


async def tier_all(services: Services) -> None:
    """Mark entries by their age."""
    now = clock.now()
    await _move(services, AuditTier.HOT, AuditTier.WARM, now - HOT_FOR)
    await _move(services, AuditTier.WARM, AuditTier.COLD, now - WARM_UNTIL)


async def _move(services: Services, was: AuditTier, to: AuditTier, before: datetime) -> None:
    after: tuple[datetime, str] | None = None
    while states := await store.in_tier(services.db, was, before=before, after=after, limit=BATCH):
        # Those that a hold keeps are passed, and looked at again the next night.
        after = states[-1]["recorded_at"], states[-1]["_id"]
        held: set[str] = set()
        if to is AuditTier.COLD:
            entries = await store.entries.by_ids(services.db, [each["_id"] for each in states])
            held = await store.held_entries(services.db, entries)
            await going_cold(services, [each for each in entries if each["_id"] not in held])
        await store.move(services.db, [each for each in states if each["_id"] not in held], was, to)


async def at_hand(
    ctx: Context, entries: Sequence[AuditEntry], filter: Mapping[str, Any]
) -> tuple[list[AuditEntry], bool]:
    """Entries of a page up to the first cold one, and whether there is one; ColdData if none is before it."""
    found = await places.tiers(ctx, entries)
    cold = next((at for at, tier in enumerate(found) if tier == AuditTier.COLD), None)
    if cold is None:
        return list(entries), False
    if cold == 0:
        raise ColdData(next(iter(await cold_reached(ctx, filter)), None))
    return list(entries[:cold]), True
