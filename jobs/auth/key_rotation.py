"""Key rotation: re-encrypting data under the current field key."""

from datetime import timedelta

import structlog

from core.context import Services
from core.jobs import Lane, task
from core.security import key_rotation

logger = structlog.get_logger(__name__)


@task("auth.reencrypt", lane=Lane.BULK, every=timedelta(hours=1))
async def reencrypt(services: Services) -> None:
    """Run until a pass finds nothing: processes without the new key still write with the old one."""
    if not await key_rotation.needed(services.db, services.crypto):
        return
    run = await key_rotation.reencrypt(services.db, services.crypto)
    logger.info("sealed anew", key=services.crypto.current, texts=run.anew)
    if run.unreadable:
        logger.error("sealed texts cannot be opened", texts=run.unreadable)
