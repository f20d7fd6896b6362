"""Tasks of orders and payments, and the waits before each of their tries."""

from datetime import timedelta

PAY_ON = "order.pay_on"
RECONCILE = "order.reconcile_payment"
CAPTURE_DUE = "order.capture_due"
CARRY_OUT = "order.carry_out"
GIVE_BACK = "order.give_back"
RELEASE = "order.release_charge"
LOOK = "order.look_at_charge"
FORGET = "order.forget_at_gateway"
RETURN_OVERDUE = "order.return_overdue"
REOPEN_CART = "order.reopen_cart"
EXPIRE = "order.expire"
END_LAPSED = "order.end_lapsed"
CALL_OFF = "order.call_off"


def _seconds(*seconds: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=each) for each in seconds)


FIRST_TRY = -1
"""Round of a try that nothing waited for: the next one is the first that waits."""
PAY_ON_WAITS = _seconds(1, 4, 15)
"""After a call without an answer, with the same key."""
RECONCILE_WAITS = _seconds(120, 60, 600, 3_600, 21_600)
"""Of a payment that is not settled; the last goes on until it is."""
ACTION_ROUNDS = 3
"""Reconciliations that a person has to take the next step: an hour in all."""
CARRY_OUT_WAITS = _seconds(60, 300, 1_200, 3_600)
"""After the first try to capture, void or refund."""
RELEASE_WAITS = _seconds(0, 10, 60, 600, 3_600, 21_600)
LOOK_WAITS = _seconds(2, 10, 60, 600)
LAST_DAY = timedelta(days=1)
"""Time before an authorization lapses at which it is captured, unless it was."""
USUAL_HOLD = timedelta(days=6)
"""Time after which that is done where the gateway does not say when it lapses."""
CART_WAITS = timedelta(minutes=15)
"""Time after which a cart can be changed again whose order is not paid."""
UNPAID = timedelta(minutes=30)
"""Time after which an order has FAILED that is not paid."""
LAPSED = timedelta(days=3)
"""Time after which an order is CANCELLED whose authorization lapsed."""


def reconcile_key(payment_id: str) -> str:
    return f"payment:{payment_id}"
