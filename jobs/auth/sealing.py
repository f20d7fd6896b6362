"""Key rotation: re-encrypting data under the current field key."""

from datetime import timedelta

import structlog

from core import sealing
from core.context import Services
from core.jobs import task

logger = structlog.get_logger(__name__)


@task("auth.seal_anew", every=timedelta(hours=1))
async def seal_anew(services: Services) -> None:
    """Run until a pass finds nothing: processes without the new key still write with the old one."""
    if not await sealing.needed(services.db, services.crypto):
        return
    run = await sealing.seal_anew(services.db, services.crypto)
    logger.info("sealed anew", key=services.crypto.current, texts=run.anew)
    if run.unreadable:
        logger.error("sealed texts cannot be opened", texts=run.unreadable)
