"""Background work of exports: writing the files, and deleting them after a day."""

from datetime import timedelta

from core.context import Services
from core.jobs import Lane, task
from resolvers.audit import export_job
from resolvers.audit.exporting import RUN

RETRIES = (timedelta(seconds=30), timedelta(minutes=5))
"""Waits between the three tries of an export."""


@task(RUN, lane=Lane.BULK, retries=RETRIES, given_up=export_job.give_up)
async def run_export(services: Services, *, export_id: str) -> None:
    await export_job.run_export(services, export_id)


@task(export_job.EXPIRE, lane=Lane.BULK)
async def expire_export(services: Services, *, export_id: str) -> None:
    await export_job.expire_export(services, export_id)
