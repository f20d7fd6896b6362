"""Hooks of orders and payments: who is told what becomes of them."""

from core.context import Context
from core.hooks import Hook
from stores.order import Order, Payment

payment_changed = Hook[[Context, Payment, Payment | None], None]("order.payment_changed")
"""Told of each change of a payment, in its unit of work: the payment as it is now, and as it was.

It was nothing for the first attempt. The systems look whether the subject is theirs.
"""

order_moved = Hook[[Context, Order, Order], None]("order.moved")
"""Told of each status that an order comes to, in its unit of work: the order as it is now, and as it was."""
charge_released = Hook[[Context, Payment], None]("order.charge_released")
"""Told that a charge was voided or given back which a payment does not want, in a unit of work."""
