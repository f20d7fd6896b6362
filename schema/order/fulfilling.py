"""Mutations of placed orders, by customers, support and those who pack, as clients see them."""

from core import nodes
from core.graphql import Page, mutation, query, type_
from resolvers.order import cancelling, fulfilling, reading, refunding, returning
from schema.cart import Cart
from schema.order.orders import Order, OrderReturn
from schema.order.payments import Payment
from stores.catalog import FULFILLMENT, SUPPORT

PARCEL = {"order": (Order, "Order with its parcel, as it is now; null when it is unknown.")}
BACK = {
    "order_return": (OrderReturn, "Order return as it is now; null when there is none."),
    "order": (Order, "Order that the goods are of; null when refused."),
}
TRACKING_NUMBER = "Number under which the carrier knows the parcel, at most 50 characters."


@type_
class OrderQueries:
    """Reads of what becomes of orders."""

    order_return: OrderReturn | None = query(nodes.reader("order_return"))
    """Order return of yours by its id; null when there is none."""
    customer_orders: Page[Order] = query(
        reading.customer_orders, roles=(SUPPORT,), id="Id of the customer whose orders to read."
    )
    """Orders of a customer, newest first. Each read is put on record."""
    return_queue: Page[OrderReturn] = query(reading.return_queue, roles=(SUPPORT, FULFILLMENT))
    """Returns to decide, to receive and to refund, newest first. Each read is put on record."""


@type_
class OrderMutations:
    """Writes of what becomes of orders."""

    cancel_order = mutation(
        cancelling.cancel_order,
        refuses="NOT_CANCELLABLE PAYMENT_IN_PROGRESS",
        returns={
            "order": (Order, "Order as it is now, also when it cannot be cancelled."),
            "cart": (Cart, "Cart that can be changed again; null when none was being paid."),
        },
        order_id="Id of your order, or as support of a customer's.",
        reason="Reason for which the order is cancelled.",
    )
    """Cancel an order while nothing of it is packed: its stock is free again, promotions count as unused, and
    the payment is voided or given back, which changes the payment a moment later. Cannot be undone."""
    refund_order = mutation(
        refunding.refund_order,
        refuses="ALREADY_DONE CARD_DATA_REFUSED OUT_OF_RANGE REFUND_EXCEEDS_PAID REQUIRED TOO_LONG "
        "WRONG_STATUS",
        returns={
            "order": (Order, "Order whose payment is given back; null when it is unknown."),
            "payment": (
                Payment,
                "Payment as it is now; `refundedAmount` rises when the gateway has answered.",
            ),
            "order_return": (OrderReturn, "Order return that the refund is for; null when there is none."),
        },
        roles=(SUPPORT,),
        order_id="Id of the order whose payment to give back.",
        amount="Amount to give back, of what was captured and not given back or disputed since.",
        reason="Reason for the refund, 1 to 500 characters, for the record.",
        order_return_id="Id of the return that the refund is for: of at most its `refundAmount`, once.",
    )
    """Refund a part of an order, or all of it; the order is REFUNDED once everything is given back."""
    create_fulfillment = mutation(
        fulfilling.create_fulfillment,
        refuses="LIMIT_REACHED LINES_EXCEEDED NOT_PAID OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY WRONG_STATUS",
        returns=PARCEL,
        roles=(FULFILLMENT,),
        order_id="Id of the order to pack.",
        lines="Lines in the parcel, 1 to 100, with no more units than are left to pack.",
        carrier="Carrier of the parcel.",
        tracking_number=TRACKING_NUMBER,
    )
    """Create a parcel of a paid order; it is PENDING, and does not keep the order from being cancelled."""
    update_fulfillment = mutation(
        fulfilling.update_fulfillment,
        refuses="TOO_LONG",
        returns=PARCEL,
        roles=(FULFILLMENT,),
        fulfillment_id="Id of the parcel to update.",
        carrier="Carrier of the parcel.",
        tracking_number=TRACKING_NUMBER,
        expected_version="Version of the parcel that was edited: CONFLICT if there is a newer one. The last "
        "writer wins when left out.",
    )
    """Update who carries a parcel, and its number."""
    record_fulfillment_step = mutation(
        fulfilling.record_fulfillment_step,
        refuses="NOT_PAID WRONG_STATUS",
        returns=PARCEL,
        roles=(FULFILLMENT,),
        fulfillment_id="Id of the parcel.",
        status="Status that the parcel came to.",
        occurred_at="Time at which the parcel came to the status, one in the future counts as now; now when "
        "left out.",
    )
    """Record where a parcel is: the order is shipped and delivered by its parcels, and the payment is
    captured, whole, when the first one leaves. What is older than the latest step moves nothing back."""
    request_return = mutation(
        returning.request_return,
        refuses="CARD_DATA_REFUSED LIMIT_REACHED OUT_OF_RANGE REQUIRED RETURN_QUANTITY RETURN_WINDOW_CLOSED "
        "TOO_LONG TOO_MANY WRONG_STATUS",
        returns=BACK,
        order_id="Id of the order whose goods to send back.",
        lines="Lines to send back, 1 to 100, each with its reason.",
        note="Note on the return, at most 500 characters.",
    )
    """Request to send back goods of a delivered order, within 30 days; support decides."""
    cancel_return = mutation(
        returning.cancel_return,
        refuses="WRONG_STATUS",
        returns=BACK,
        order_return_id="Id of the return to call off.",
    )
    """Cancel a return of yours, before the goods are received."""
    decide_return = mutation(
        returning.decide_return,
        refuses="CARD_DATA_REFUSED OUT_OF_RANGE REQUIRED TOO_LONG WRONG_STATUS",
        returns=BACK,
        roles=(SUPPORT,),
        order_return_id="Id of the return to decide.",
        decision="Decision on the return.",
        reason="Reason for the decision, for the customer, at most 500 characters; required to reject.",
        refund_amount="Most that is given back for the goods; what was paid for them when left out.",
    )
    """Decide on a return. Of one that is approved the goods must come within 30 days."""
    receive_return = mutation(
        returning.receive_return,
        refuses="REQUIRED RETURN_QUANTITY TOO_MANY WRONG_STATUS",
        returns=BACK,
        roles=(FULFILLMENT,),
        order_return_id="Id of the return whose goods came.",
        lines="Lines that came, 1 to 100; nothing came of those that are not named.",
    )
    """Receive goods that came back: those to restock can be sold again, and support can refund them."""
