"""Monitoring of the breached-password list."""

import asyncio
from datetime import timedelta

from core.context import Services
from core.jobs import Lane, task
from ports.auth import AuthSettings
from resolvers.auth import breached


@task("auth.watch_breached_passwords", lane=Lane.BULK, every=timedelta(days=1))
async def watch_breached_passwords(services: Services) -> None:
    """Warn operators if `landfall passwords renew` has not run for long."""
    file = services.get(AuthSettings).breached_passwords_file
    if file is not None:
        await asyncio.to_thread(breached.watch, file)
