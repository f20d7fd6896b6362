"""Background work of reorders: suggestions, and notices of stock."""

from datetime import time

from core.jobs import Daily, Lane, task
from resolvers.order import awaiting, following, suggesting

task(awaiting.TELL, lane=Lane.BULK)(awaiting.tell_available)
task(following.SUGGEST, lane=Lane.BULK)(suggesting.suggest)
task("order.suggest_to_all", lane=Lane.BULK, daily_at=Daily(time(4, 45), "UTC"))(suggesting.suggest_to_all)
