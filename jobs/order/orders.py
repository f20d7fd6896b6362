"""Background work of orders: the ends of what waits to be paid."""

from core.jobs import task
from resolvers.order import expiring, waits

task(waits.REOPEN_CART)(expiring.reopen_cart)
task(waits.EXPIRE)(expiring.expire)
task(waits.END_LAPSED)(expiring.end_lapsed)
task(waits.CALL_OFF)(expiring.call_off)
