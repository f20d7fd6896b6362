"""Background work of what systems share."""

from datetime import timedelta

from core.context import Services
from core.jobs import task


@task("sync.fold_counters", every=timedelta(seconds=2))
async def fold_counters(services: Services) -> None:
    """Counters that were moved by a process which died are added up."""
    await services.counters.fold_left()
