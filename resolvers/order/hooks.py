"""Hooks of payments: systems above are told what becomes of what they were paid."""

from core.context import Context
from core.hooks import Hook
from stores.order import Payment

payment_changed = Hook[[Context, Payment, Payment | None], None]("order.payment_changed")
"""Told of each change of a payment, in its unit of work: the payment as it is now, and as it was.

It was nothing for the first attempt. The systems look whether the subject is theirs.
"""
