"""Background work of returns."""

from core.jobs import task
from resolvers.order import returning, waits

task(waits.RETURN_OVERDUE)(returning.overdue)
