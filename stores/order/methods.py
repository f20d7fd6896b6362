"""Payment methods that people keep, and the gateway's customers whose they are."""

from typing import TypedDict

from core.storage.store import Row, Sealed, collection, entity, index
from ports.order import PaymentMethodKind


class PaymentMethod(Row):
    user_id: str
    kind: PaymentMethodKind
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    preferred: bool
    """True for the one that is used when nothing else is said."""
    sealed_ref: str
    """Gateway's id of it."""


class Payer(TypedDict):
    """Customer of the gateway: `_id` is the person's."""

    _id: str
    sealed_ref: str


payment_methods = entity(
    "payment_methods",
    PaymentMethod,
    prefix="payment_method",
    owner="user_id",
    indexes=[index("user_id", "-created_at", "-_id")],
    shard_key="user_id",
    sealed=[Sealed("sealed_ref", "payment_methods/{_id}")],
)
payers = collection("payers", Payer, owner="_id", sealed=[Sealed("sealed_ref", "payers/{_id}")])


def method_place(id: str) -> str:
    return f"payment_methods/{id}"


def payer_place(user_id: str) -> str:
    return f"payers/{user_id}"
