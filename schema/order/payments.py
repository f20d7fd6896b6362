"""Payments and payment methods, as clients see them."""

from datetime import datetime

from core.graphql import dated, key, money, node, type_, visible
from core.graphql.common import URL, Entity, Money, Node
from ports.order import NextActionKind, PaymentFailureCode, PaymentMethodKind
from stores.order import PaymentStatus

HIDDEN_SUBJECT = "A thing that is hidden or shown meanwhile shows when the payment is next told or read."


@type_
class PaidWith:
    """Payment method of a payment, as far as it may be shown."""

    kind: PaymentMethodKind
    """Kind of the payment method."""
    card_brand: str | None = key("brand")
    """Brand of the card in lower case, such as `visa`; null for what is no card."""
    last4: str | None
    """Last four digits of the card; null for what is no card."""


@type_
class NextAction:
    """Step that the person has to take before a payment goes on; never stored: ask again when it is lost."""

    kind: NextActionKind
    """Kind of the step."""
    url: URL | None
    """URL of the page to open; null where the SDK shows the step."""
    client_secret: str | None
    """Secret for the payment provider's SDK; null where a page is opened."""


@node("payment")
class Payment(Entity):
    """Payment for one thing, such as an order, in one attempt or several."""

    subject: Node | None = dated(visible("subject_id"), HIDDEN_SUBJECT)
    """Thing that is paid for; null when it is hidden from you."""
    status: PaymentStatus
    """Status of the payment."""
    amount: Money = money("amount")
    """Amount that is charged."""
    captured_amount: Money = money("captured_amount")
    """Amount that was taken; zero before."""
    refunded_amount: Money = money("refunded_amount")
    """Amount that was given back, in one refund or several."""
    disputed_amount: Money = money("disputed_amount")
    """Amount that the customer's bank took back (chargeback), and that is disputed."""
    paid_with: PaidWith | None
    """Payment method that is charged; null until the gateway has accepted it."""
    authorized_until: datetime | None
    """End of the bank's promise to pay; null when nothing is authorized."""
    failure_code: PaymentFailureCode | None
    """Reason for which the payment FAILED; null otherwise."""
    attempt_count: int
    """Number of attempts to pay."""


@node("payment_method")
class PaymentMethod(Entity):
    """Payment method that a person keeps; the payment provider has the card, and nobody here its number."""

    kind: PaymentMethodKind
    """Kind of the payment method."""
    card_brand: str | None = key("brand")
    """Brand of the card in lower case, such as `visa`; null for what is no card."""
    last4: str | None
    """Last four digits of the card; null for what is no card."""
    exp_month: int | None
    """Month in which the card expires, 1 to 12; null for what is no card."""
    exp_year: int | None
    """Year in which the card expires, such as 2031; null for what is no card."""
    default: bool = key("preferred")
    """True if the method is used when nothing else is said."""
