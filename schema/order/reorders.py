"""Reorders, lists to order again and suggestions, as clients see them."""

from datetime import datetime

from core.graphql import (
    Edge,
    Page,
    batched,
    connection,
    dated,
    derived,
    field,
    key,
    local,
    money,
    mutation,
    node,
    type_,
)
from core.graphql.common import Entity, Money, Node
from core.ids import Id
from resolvers.order import availability, charging, quick_reorders, reading, reordering, suggesting
from schema.cart import Cart, CartLineOption
from schema.catalog import Product, ProductVariant
from schema.order.orders import AS_READ, Order
from schema.order.payments import NextAction, Payment
from stores.order import OrderLineStatus, ReorderAdjustmentKind, ReorderOutcome


@type_
class ReorderAdjustment:
    """Adjustment of a line: how what can be had now differs from what was wanted."""

    line_id: Id
    """Id of the line, of the order or of the quick reorder."""
    kind: ReorderAdjustmentKind
    """Kind of the adjustment; a line may have one of its quantity and one of its price."""
    requested_quantity: int
    """Number of units that were wanted."""
    granted_quantity: int
    """Number of units that can be had."""
    old_unit_price: Money | None = money("old_price")
    """Price of one unit before; null when it is not known, or was in another currency."""
    new_unit_price: Money | None = money("new_price")
    """Price of one unit now; null when it is no longer sold."""
    significant: bool
    """True if an order with the adjustment is placed only when the customer has agreed to it."""
    alternatives: list[Product]
    """Products to take instead of what falls short, at most 5; empty unless the policy is SUGGEST."""


@type_
class QuickReorderLine:
    """Line of a quick reorder."""

    line_id: Id
    """Id of the line within the quick reorder."""
    variant_id: Id
    """Id of the variant to order."""
    product: Product | None = dated(batched(reading.products, reads=["product_id"]), AS_READ)
    """Product of the line as it is now; null when it is gone."""
    quantity: int
    """Number of units to order."""
    options: list[CartLineOption]
    """Options of the line, at most 20, ordered by name."""
    current_status: OrderLineStatus = dated(
        batched(availability.line_statuses, reads=["variant_id"]), AS_READ
    )
    """Status of the variant as it is now."""


@node("quick_reorder")
class QuickReorder(Entity):
    """Quick reorder: a list under a name, to be put into the cart by one tap."""

    name: str
    """Name of the list, 1 to 60 characters."""
    quick_reorder_lines: list[QuickReorderLine] = key("lines")
    """Lines of the list, at most 100, in their order."""
    source_order_id: Id | None
    """Id of the order that the lines are of; null for a list that was put together or changed by hand."""
    position: int
    """Position among your quick reorders, from 0; equal ones are ordered by id."""
    last_used_at: datetime | None
    """Time at which the list was last put into the cart; null while it was not."""
    notify_when_available: bool = derived(quick_reorders.notifies, "awaited")
    """True if you are told, once, when all lines can be had again."""


@type_
class QuickReorderSuggestion:
    """Suggestion of what to order again, by your orders of the last twelve months."""

    product: Product
    """Product that was bought."""
    variant: ProductVariant
    """Variant that was bought."""
    quantity: int
    """Number of units in the last order of the variant."""
    ordered_count: int
    """Number of orders that had the variant."""
    last_ordered_at: datetime
    """Time of the last order that had the variant."""
    available: bool
    """True if the variant can be had now."""


@node("reorders")
class ReorderArea(Node):
    """Lists of the viewer to order again, and suggestions."""

    quick_reorders: Page[QuickReorder] = connection(quick_reorders.viewer_quick_reorders)
    """Quick reorders, at most 20, by position."""
    quick_reorder_suggestions: list[QuickReorderSuggestion] = field(
        suggesting.suggestions, limit="Number of suggestions, 1 to 10."
    )
    """Suggestions, what was ordered most often first, then what was ordered last; computed at night, and
    when an order has arrived."""


@type_
class ReorderViewer:
    """Viewer's fields of reorders."""

    reorders: ReorderArea = local(quick_reorders.area)
    """Lists to order again, and suggestions."""


CHANGES = "CHECKOUT_IN_PROGRESS CURRENCY_MISMATCH REORDER_UNAVAILABLE"
OUTCOME = (ReorderOutcome, "Outcome of the reorder; null when refused for another reason than stock.")
CART = (Cart, "Cart as it is now; null when there is none.")
ADJUSTMENTS = (
    list[ReorderAdjustment],
    "Adjustments of the lines, in their order; null when refused for another reason than stock.",
)
OUT_OF_STOCK = "Policy for lines that cannot be had as they were."
CART_BEHAVIOR = "Behavior toward the lines that the cart has already."


@type_
class ReorderMutations:
    """Mutations of reorders."""

    reorder_items = mutation(
        reordering.reorder_items,
        refuses=f"{CHANGES} AMOUNT_TOO_SMALL CARD_DATA_REFUSED INVALID_FORMAT NO_SHIPPING ORDER_EXISTS "
        "OUT_OF_STOCK PAYMENT_DECLINED PAYMENT_IN_PROGRESS PAYMENT_METHOD_REQUIRED QUOTE_STALE REQUIRED "
        "TOO_LONG TOO_MANY",
        returns={
            "outcome": OUTCOME,
            "cart": (Cart, "Cart as it is now; null when there is none, and for an order that is placed."),
            "order": (
                Order,
                "Order that was placed, one whose payment was declined too; null when there is none.",
            ),
            "order_edge": (Edge[Order], "Edge of the order in your history; null when there is none."),
            "adjustments": ADJUSTMENTS,
            "confirmation_token": (
                str,
                "Token to send back, with a new key, if the customer agrees within 10 minutes; null unless "
                "the outcome is NEEDS_CONFIRMATION.",
            ),
            "payment": (Payment, "Payment of the order; null when there is none."),
            "next_action": (NextAction, "Step to take before the payment goes on; null when there is none."),
        },
        transaction=False,
        secrets=("next_action",),
        reissue=charging.reissued,
        order_id="Id of the order to repeat.",
        kind="Kind of the reorder.",
        line_ids="Ids of the lines to repeat, 1 to 100; all of them when left out.",
        out_of_stock=OUT_OF_STOCK,
        cart_behavior=f"{CART_BEHAVIOR} An order that is placed touches no cart.",
        source="Source of the money for an order that is placed: a token of the payment provider's SDK, or a "
        "payment method of yours; needed unless the total is 0.",
        shipping_address="Address to ship the order to; that of the earlier order when left out.",
        confirmation_token="Token of the answer that the customer agreed to, at most 255 characters; none "
        "when left out.",
        requested_at="Time at which the customer asked for the order. After more than 10 minutes the request "
        "is taken to come from a queue, and needs the customer's word; now when left out.",
    )
    """Reorder items of an order of yours, at the prices of now: they go into the cart as far as they can be
    had, or, as PLACE_ORDER, are ordered at once, without codes and by the cheapest shipping. Nobody is
    charged for what they have not seen: where lines fall short or cost more, or the total is more than it
    was, the outcome is NEEDS_CONFIRMATION. A replay does nothing twice, and answers as the first time."""
    save_quick_reorder = mutation(
        quick_reorders.save_quick_reorder,
        refuses="CARD_DATA_REFUSED LIMIT_REACHED OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY",
        returns={"quick_reorder": QuickReorder, "quick_reorder_edge": Edge[QuickReorder]},
        name="Name of the list, 1 to 60 characters.",
        contents="Contents of the list: the lines of an order, or lines of your own.",
        position="Position among your quick reorders, 0 to 9,999; behind the others when left out.",
        notify_when_available="True to be told, once, when all lines can be had again.",
    )
    """Save a list to order again by one tap, of which you may have 20."""
    update_quick_reorder = mutation(
        quick_reorders.update_quick_reorder,
        refuses="CARD_DATA_REFUSED OUT_OF_RANGE TOO_LONG TOO_MANY",
        returns={"quick_reorder": QuickReorder},
        name="Name of the list, 1 to 60 characters.",
        items="Lines of the list from now on, 1 to 100.",
        position="Position among your quick reorders, 0 to 9,999.",
        notify_when_available="True to be told, once, when all lines can be had again.",
    )
    """Update a quick reorder: its name, lines, position, or whether you are told of its stock."""
    delete_quick_reorder = mutation(
        quick_reorders.delete_quick_reorder, returns={"deleted_quick_reorder_id": Id}
    )
    """Delete a quick reorder for good; orders are not touched."""
    apply_quick_reorder = mutation(
        quick_reorders.apply_quick_reorder,
        refuses=CHANGES,
        returns={
            "quick_reorder": QuickReorder,
            "outcome": OUTCOME,
            "cart": CART,
            "adjustments": ADJUSTMENTS,
        },
        out_of_stock=OUT_OF_STOCK,
        cart_behavior=CART_BEHAVIOR,
    )
    """Apply a quick reorder to the cart, as `reorderItems` does with an order."""
