"""Background work of subject keys: their wraps are made anew every 90 days."""

from datetime import time, timedelta

import structlog

from core import clock
from core.context import Services
from core.jobs import Daily, Lane, task
from stores import audit as store

logger = structlog.get_logger(__name__)

RENEWED_AFTER = timedelta(days=90)


@task("audit.renew_wraps", lane=Lane.BULK, daily_at=Daily(time(3, 0), "UTC"))
async def renew_wraps(services: Services) -> None:
    """Wrap anew what was wrapped 90 days ago; what the keys encrypted stays as it is."""
    renewed = await store.subject_keys.renew(services, before=clock.now() - RENEWED_AFTER)
    if renewed:
        logger.info("subject keys wrapped anew", keys=renewed)
