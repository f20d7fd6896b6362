"""Orders and payments, as clients see them."""

from core import nodes
from core.graphql import Edge, Page, connection, mutation, query
from core.ids import Id
from resolvers.order import charging, confirming, methods, paying, placing, reading
from schema.cart import Cart, CheckoutQuote
from schema.order.fulfilling import OrderMutations, OrderQueries
from schema.order.orders import Order, OrderReturn
from schema.order.payments import NextAction, Payment, PaymentMethod
from schema.order.reorders import QuickReorder, ReorderArea, ReorderMutations, ReorderViewer
from stores.catalog import FULFILLMENT

__all__ = [
    "Edge",
    "Mutation",
    "NextAction",
    "Order",
    "OrderReturn",
    "Payment",
    "PaymentMethod",
    "Query",
    "QuickReorder",
    "ReorderArea",
    "Viewer",
]


class Query(OrderQueries):
    order: Order | None = query(reading.order, by="Key of the order: its id, or its number.")
    """Order of yours by its id or number; null when there is none."""
    orders_for_fulfillment: Page[Order] = query(reading.orders_for_fulfillment, roles=(FULFILLMENT,))
    """Orders to pack and ship, newest first. Each read is put on record."""
    payment: Payment | None = query(nodes.reader("payment"))
    """Payment by its id; null when there is none, or its subject is hidden from you."""
    payment_method: PaymentMethod | None = query(nodes.reader("payment_method"))
    """Payment method of yours by its id; null when there is none."""
    quick_reorder: QuickReorder | None = query(nodes.reader("quick_reorder"))
    """Quick reorder of yours by its id; null when there is none."""


class Viewer(ReorderViewer):
    orders: Page[Order] = connection(reading.viewer_orders)
    """Your orders, newest first."""
    payment_methods: Page[PaymentMethod] = connection(methods.viewer_payment_methods)
    """Your payment methods, at most 20, newest first."""


SOURCE = "Source of the money: a token of the payment provider's SDK, or a payment method of yours"
NEXT_ACTION = (NextAction, "Step to take before the payment goes on; null when there is none.")


class Mutation(OrderMutations, ReorderMutations):
    place_order = mutation(
        placing.place_order,
        "Quote to order, and what to pay with.",
        refuses="AMOUNT_TOO_SMALL CARD_DATA_REFUSED CHECKOUT_IN_PROGRESS INVALID_FORMAT ORDER_EXISTS "
        "OUT_OF_STOCK PAYMENT_DECLINED PAYMENT_IN_PROGRESS PAYMENT_METHOD_REQUIRED QUOTE_EXPIRED "
        "QUOTE_INVALID QUOTE_STALE REQUIRED TOO_LONG",
        returns={
            "order": (
                Order,
                "Order as it is now, one whose payment was declined too; null when there is none.",
            ),
            "order_edge": (Edge[Order], "Edge of the order in your history; null when refused."),
            "cart": (Cart, "Cart that is open now: a new one once the order is paid."),
            "checkout_quote": (
                CheckoutQuote,
                "Quote of what the cart costs now, when the token's quote is not honored; else null.",
            ),
            "payment": (Payment, "Payment of the order; null for a total of 0, and when there is none."),
            "next_action": NEXT_ACTION,
        },
        transaction=False,
        secrets=("next_action",),
        reissue=charging.reissued,
        quote_token="Token of the quote that the customer agreed to.",
        source=f"{SOURCE}; needed unless the total is 0.",
        note="Note for the order, at most 500 characters; that of the cart when left out.",
        gift_message="Message to print for the recipient, at most 300 characters; that of the cart when left "
        "out.",
        save_payment_method="True to keep the token as a payment method of yours, where the bank allows it "
        "without another step; changes tell of it.",
    )
    """Place an order of a quote, exactly as quoted, and charge for it. The stock is held, and the cart cannot
    be changed until the payment has succeeded, was declined, or 15 minutes have passed; another unpaid order
    of the same cart is CANCELLED. Sent again with the same key it goes on where it stands, and charges
    once."""
    retry_payment = mutation(
        charging.retry_payment,
        refuses="AMOUNT_TOO_SMALL EXPIRED INVALID_FORMAT OUT_OF_STOCK PAYMENT_ATTEMPTS_EXCEEDED "
        "PAYMENT_DECLINED PAYMENT_IN_PROGRESS PAYMENT_METHOD_REQUIRED REQUIRED TOO_LONG WRONG_STATUS",
        returns={
            "order": (Order, "Order as it is now; null when it is unknown."),
            "payment": (Payment, "Payment of the order as it is now; null when it is unknown."),
            "next_action": NEXT_ACTION,
        },
        transaction=False,
        secrets=("next_action",),
        reissue=charging.reissued,
        order_id="Id of the order to pay for.",
        source=f"{SOURCE}.",
    )
    """Retry the payment of an order after an attempt that FAILED, up to five within the 30 minutes that an
    order waits; its stock is held for another 15. An order whose authorization lapsed is paid again so."""
    confirm_payment = mutation(
        confirming.confirm_payment,
        refuses="PAYMENT_DECLINED",
        returns={
            "payment": (Payment, "Payment as it is now; null when it is unknown."),
            "next_action": (NextAction, "Step that is still to be taken; null when there is none."),
        },
        transaction=False,
        secrets=("next_action",),
        reissue=paying.reissued_action,
        payment_id="Id of the payment whose step was taken.",
    )
    """Confirm a payment after its step, such as a visit of the bank's page: the gateway is asked what came of
    it, and charges once, however often this is sent. While the step is still open it is shown again."""
    add_payment_method = mutation(
        methods.add_payment_method,
        refuses="INVALID_FORMAT LIMIT_REACHED PAYMENT_ACTION_REQUIRED PAYMENT_DECLINED REQUIRED TOO_LONG",
        returns={
            "payment_method": (PaymentMethod, "Payment method that is kept; null when refused."),
            "payment_method_edge": (
                Edge[PaymentMethod],
                "Edge of the payment method in your list; null when refused.",
            ),
            "former_payment_method": (
                PaymentMethod,
                "Payment method that is the default no longer; null when there is none.",
            ),
            "next_action": (NextAction, "Step that the bank wants first; null when there is none."),
        },
        transaction=False,
        secrets=("next_action",),
        gateway_token="Token of the payment provider's SDK, such as `pm_1PZ4b2`, at most 255 characters; "
        "never a card number.",
        make_default="True to pay with this method from now on when nothing else is said; the first one is "
        "used so in any case.",
    )
    """Add a payment method to yours, at most 20: the payment provider keeps it, and it is charged when you
    pay with it, or when you have agreed to a charge while you are away. A token is added once."""
    set_default_payment_method = mutation(
        methods.set_default_payment_method,
        returns={
            "payment_method": (PaymentMethod, "Payment method that is the default now; null when refused."),
            "former_payment_method": (
                PaymentMethod,
                "Payment method that is the default no longer; null when there is none.",
            ),
        },
        payment_method_id="Id of the payment method to use when nothing else is said.",
    )
    """Set the payment method that is used when nothing else is said, in place of the one before."""
    remove_payment_method = mutation(
        methods.remove_payment_method,
        returns={
            "deleted_payment_method_id": (Id, "Id of the payment method, which is gone; null when refused."),
            "payment_method": (
                PaymentMethod,
                "Payment method that is the default in its place; null when that did not change.",
            ),
        },
        payment_method_id="Id of the payment method to remove.",
    )
    """Remove a payment method of yours for good, from the payment provider too; what was paid with it is not
    touched. Where it was the default, the newest of the others is."""
