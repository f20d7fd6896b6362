"""Orders and payments; for other systems: the payments core, the one way to charge for something.

    paid = await pay(ctx, subject_id=booking["_id"], owner_id=..., amount=..., currency=..., source=source,
                     capture=CaptureTime.AT_ONCE, key=idempotency_key)

Each of these calls the gateway, so none runs in a unit of work: a mutation that pays is `transaction=False`,
has `secrets=("next_action",)` and `reissue=reissued_action`. What becomes of a payment is told by
`payment_changed`, in the unit that changes it, and of an order by `order_moved`. Who sees a payment is asked
of its subject's access guard.
"""

from resolvers.order.hooks import order_moved, payment_changed
from resolvers.order.methods import verify
from resolvers.order.paying import Paid, PaymentSource, check_amount, declined, pay, reissued_action, resume
from resolvers.order.settling import capture, refund, refund_of, void

__all__ = [
    "Paid",
    "PaymentSource",
    "capture",
    "check_amount",
    "declined",
    "order_moved",
    "pay",
    "payment_changed",
    "refund",
    "refund_of",
    "reissued_action",
    "resume",
    "verify",
    "void",
]
