"""Enums of orders and payments."""

from enum import StrEnum

from ports.order import Carrier as Carrier
from ports.order import FulfillmentStatus as FulfillmentStatus
from ports.order import PaymentMethodKind as PaymentMethodKind


class PaymentStatus(StrEnum):
    """Status of a payment."""

    PENDING = "PENDING"
    """The gateway has not answered yet: wait for the payment to change."""
    REQUIRES_ACTION = "REQUIRES_ACTION"
    """The person has to take a step, which `nextAction` names: the bank wants to see them (3-D Secure)."""
    AUTHORIZED = "AUTHORIZED"
    """The bank has promised the amount; it is captured later, or voided."""
    CAPTURED = "CAPTURED"
    """The amount was taken; it can be refunded."""
    FAILED = "FAILED"
    """Nothing is charged, for the reason in `failureCode`; another attempt may follow."""
    VOIDED = "VOIDED"
    """The payment was called off before anything was taken. Final."""
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    """A part of the amount was given back; more may follow."""
    REFUNDED = "REFUNDED"
    """All of the amount was given back. Final."""


class CaptureTime(StrEnum):
    """Time at which an amount is taken."""

    AT_ONCE = "AT_ONCE"
    LATER = "LATER"
    """By `capture`, at the latest a day before the authorization lapses."""


class GatewayWish(StrEnum):
    """Wish that the gateway was asked for of a payment, and has not done yet."""

    CAPTURE = "CAPTURE"
    VOID = "VOID"
    GIVE_UP = "GIVE_UP"
    """It was not completed in time: voided, and FAILED for the person, who may try again."""


class RefundStatus(StrEnum):
    """Status of one refund."""

    PENDING = "PENDING"
    DONE = "DONE"
    REFUSED = "REFUSED"


class OrderStatus(StrEnum):
    """Status of an order."""

    CREATED = "CREATED"
    """Order waits for its payment, for 30 minutes; PROCESSING, FAILED or CANCELLED follows."""
    PROCESSING = "PROCESSING"
    """Order is paid and is being packed."""
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    """Some of the lines are on their way."""
    SHIPPED = "SHIPPED"
    """All lines are on their way."""
    DELIVERED = "DELIVERED"
    """All lines have arrived."""
    CANCELLED = "CANCELLED"
    """Order was called off; nothing is charged, or all was given back. Final."""
    REFUNDED = "REFUNDED"
    """All that was charged was given back. Final."""
    FAILED = "FAILED"
    """Order was not paid in time; nothing is charged. Final."""


class OrderSource(StrEnum):
    """Source of an order."""

    CART = "CART"
    """Order was placed from a cart."""
    REORDER = "REORDER"
    """Order repeats an earlier one."""


class OrderActor(StrEnum):
    """Actor who moved an order to a status."""

    CUSTOMER = "CUSTOMER"
    """Customer whose order it is."""
    STAFF = "STAFF"
    """Staff of the shop."""
    SYSTEM = "SYSTEM"
    """Shop itself, such as when time is up."""
    GATEWAY = "GATEWAY"
    """Payment provider, by its word on the payment."""
    CARRIER = "CARRIER"
    """Carrier, by its word on a parcel."""


class OrderLineStatus(StrEnum):
    """Status of what a line names, as it is now."""

    AVAILABLE = "AVAILABLE"
    """Variant is on sale and in stock."""
    BACKORDERED = "BACKORDERED"
    """Variant is sold out, but more of it is expected."""
    UNAVAILABLE = "UNAVAILABLE"
    """Variant cannot be had now: it is sold out, or no longer sold."""


class ReorderKind(StrEnum):
    """Kind of a reorder."""

    REPOPULATE_CART = "REPOPULATE_CART"
    """Put the lines into the cart: nothing is ordered."""
    PLACE_ORDER = "PLACE_ORDER"
    """Place an order of the lines at once, unless something significant changed; the cart is not touched."""


class OutOfStockPolicy(StrEnum):
    """Policy for lines that cannot be had as they were."""

    SKIP = "SKIP"
    """Leave out what is missing."""
    SUGGEST = "SUGGEST"
    """Leave out what is missing, and list alternatives."""
    FAIL = "FAIL"
    """Change nothing if any line falls short."""


class CartBehavior(StrEnum):
    """Behavior toward the lines that the cart has already."""

    MERGE = "MERGE"
    """Lines of the cart stay: equal ones are summed."""
    REPLACE = "REPLACE"
    """Lines of the cart go."""


class ReorderOutcome(StrEnum):
    """Outcome of a reorder."""

    CART_REPOPULATED = "CART_REPOPULATED"
    """Cart has the lines, or what can be had of them."""
    ORDER_PLACED = "ORDER_PLACED"
    """Order was placed, whose payment says if money was taken already."""
    NEEDS_CONFIRMATION = "NEEDS_CONFIRMATION"
    """Order waits for the customer's word, and nothing is charged: show the adjustments, and send the token
    with a new key if they agree."""
    REJECTED = "REJECTED"
    """Lines are all out of stock or gone; nothing was changed."""


class ReorderAdjustmentKind(StrEnum):
    """Kind of an adjustment."""

    UNAVAILABLE = "UNAVAILABLE"
    """No unit of the line can be had."""
    QUANTITY_REDUCED = "QUANTITY_REDUCED"
    """Fewer units can be had than were wanted."""
    PRICE_INCREASED = "PRICE_INCREASED"
    """One unit costs more than it did."""
    PRICE_DECREASED = "PRICE_DECREASED"
    """One unit costs less than it did."""


class CancelReason(StrEnum):
    """Reason for which an order was cancelled; there will be more."""

    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    """Customer does not want it any more."""
    ORDERED_BY_MISTAKE = "ORDERED_BY_MISTAKE"
    """Customer did not mean to order it, or not this way."""
    TAKES_TOO_LONG = "TAKES_TOO_LONG"
    """Delivery would come too late."""
    FOUND_CHEAPER = "FOUND_CHEAPER"
    """Customer found it at a better price."""
    NOT_DELIVERABLE = "NOT_DELIVERABLE"
    """Shop cannot deliver it."""
    REPLACED = "REPLACED"
    """Customer placed another order from the same cart before paying for this one."""
    NOT_PAID = "NOT_PAID"
    """Bank's promise to pay lapsed, and no other payment came."""
    OTHER = "OTHER"
    """None of the other reasons fits."""


class OrderReturnStatus(StrEnum):
    """Status of a return."""

    REQUESTED = "REQUESTED"
    """Return waits for the shop's decision."""
    APPROVED = "APPROVED"
    """Goods may be sent back, within 30 days."""
    REJECTED = "REJECTED"
    """Shop does not take the goods back, for the reason in `decisionReason`. Final."""
    RECEIVED = "RECEIVED"
    """Goods have come back; the refund follows."""
    REFUNDED = "REFUNDED"
    """Amount was given back. Final."""
    CANCELLED = "CANCELLED"
    """Return was called off, or the goods did not come in time. Final."""


class ReturnReason(StrEnum):
    """Reason for which goods are sent back; there will be more."""

    DAMAGED = "DAMAGED"
    """Goods arrived damaged, or do not work."""
    WRONG_ITEM = "WRONG_ITEM"
    """Something else was ordered."""
    NOT_AS_DESCRIBED = "NOT_AS_DESCRIBED"
    """Goods are not what the product's page says."""
    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    """Customer does not want the goods any more."""
    OTHER = "OTHER"
    """None of the other reasons fits."""


class ReturnDecision(StrEnum):
    """Decision on a return."""

    APPROVE = "APPROVE"
    """Goods may be sent back."""
    REJECT = "REJECT"
    """Goods are not taken back."""


class OrderStepNote(StrEnum):
    """Note on a step of an order: why it came about."""

    OUT_OF_STOCK = "OUT_OF_STOCK"
    """Stock was gone when the payment came: nothing is charged, and the cart is as it was."""
    NOT_PAID = "NOT_PAID"
    """Order was not paid within 30 minutes, or within five attempts."""
    REPLACED = "REPLACED"
    """Another order was placed from the same cart."""
    PAYMENT_LAPSED = "PAYMENT_LAPSED"
    """Bank's promise to pay has lapsed: the order is not shipped before it is paid again, and is CANCELLED
    after three days."""
    PAID_AGAIN = "PAID_AGAIN"
    """Order was paid again, after a lapse."""
    PAID_TOO_LATE = "PAID_TOO_LATE"
    """Payment came when the order had ended: it is voided, or given back."""
