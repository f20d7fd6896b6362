"""Background work of tiers, nightly."""

from datetime import time

from core.context import Services
from core.jobs import Daily, Lane, task
from resolvers.audit import archiving, tiering  # noqa: F401  # Archives before entries grow cold.


@task("audit.tier", lane=Lane.BULK, daily_at=Daily(time(2, 30), "UTC"))
async def tier(services: Services) -> None:
    """Mark entries by their age, and archive critical incidents before they grow cold."""
    await tiering.tier_all(services)
