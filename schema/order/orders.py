"""Orders, as clients see them."""

from datetime import datetime

from core.graphql import batched, dated, derived, key, local, money, node, type_, visible
from core.graphql.common import URL, Entity, Money
from core.ids import Id
from resolvers.order import availability, carriers, reading
from schema.cart import CartLineOption, PostalAddress, ShippingOption, TaxLine
from schema.catalog import Product
from schema.media import Media
from schema.order.payments import Payment
from stores.order import (
    CancelReason,
    Carrier,
    FulfillmentStatus,
    OrderActor,
    OrderLineStatus,
    OrderReturnStatus,
    OrderSource,
    OrderStatus,
    OrderStepNote,
    ReturnReason,
)

OWN_LIFE = "It tells of itself, by its own changes."
WINDOW = "A device that keeps it asks its own clock: it ends by itself at `returnableUntil`."
AS_READ = "Read anew each time: an order is a snapshot, and its products change without it."


@type_
class OrderLine:
    """Line of an order, as it was bought: name, price and options stay as they were."""

    line_id: Id
    """Id of the line, which is that of the cart's line; of an order without a cart its variant's."""
    variant_id: Id
    """Id of the variant that was bought."""
    product: Product | None = dated(batched(reading.products, reads=["product_id"]), AS_READ)
    """Product of the line as it is now; null when it is gone."""
    sku: str
    """SKU (stock-keeping unit) of the variant."""
    title: str = key("name")
    """Title of the product and the variant."""
    brand: str
    """Brand of the product."""
    image: Media | None = dated(batched(reading.images, reads=["image_id"]), AS_READ)
    """First picture of the product; null when there was none, or it is gone."""
    options: list[CartLineOption]
    """Options of the line, at most 20, ordered by name."""
    quantity: int
    """Number of units of the variant."""
    unit_price: Money = money("unit_price")
    """Price of one unit."""
    discount: Money = money("discount")
    """Share of the order's discounts that the line has."""
    tax: Money = money("tax")
    """Tax on the line after its discount."""
    shipped_quantity: int
    """Number of units in parcels that have left the shop."""
    returned_quantity: int
    """Number of units that came back."""
    line_total: Money = derived(reading.line_total, "unit_price", "quantity", "currency")
    """Price of all units, before discounts."""
    current_status: OrderLineStatus = dated(
        batched(availability.line_statuses, reads=["variant_id"]), AS_READ
    )
    """Status of the variant as it is now."""


@type_
class OrderStep:
    """Step of an order to a status, or a note on the status that it has."""

    status: OrderStatus
    """Status that the order came to."""
    reached_at: datetime = key("at")
    """Time at which the order came to the status."""
    actor: OrderActor
    """Actor who moved the order there."""
    note: OrderStepNote | None
    """Note on the step; null for a plain one."""


@type_
class FulfillmentLine:
    """Line of an order, as far as it is in a parcel."""

    line_id: Id
    """Id of the order's line."""
    quantity: int
    """Number of units in the parcel."""


@type_
class FulfillmentStep:
    """Step of a parcel, as the carrier or the shop told of it."""

    status: FulfillmentStatus
    """Status that the parcel came to."""
    reached_at: datetime = key("at")
    """Time at which the parcel came to the status."""
    place: str | None
    """Place at which the carrier saw the parcel, such as `Leipzig, DE`; null when it did not say."""


@type_
class Fulfillment:
    """Fulfillment of an order, or of a part: one parcel, with what the carrier says of it."""

    fulfillment_id: Id
    """Id of the fulfillment."""
    version: int
    """Version of the fulfillment, which rises with every change."""
    status: FulfillmentStatus
    """Status of the parcel, by the latest step."""
    lines: list[FulfillmentLine]
    """Lines in the parcel, at most 100."""
    carrier: Carrier
    """Carrier of the parcel."""
    tracking_number: str | None
    """Number under which the carrier knows the parcel; null when there is none yet, or it is erased."""
    tracking_url: URL | None = derived(carriers.tracking_url, "carrier", "tracking_number")
    """URL of the carrier's page of the parcel; null without a number, and for carriers without a page."""
    steps: list[FulfillmentStep] = key("events")
    """Steps of the parcel so far, at most 100, the first one first."""


@type_
class OrderReturnLine:
    """Line of an order that is sent back."""

    line_id: Id
    """Id of the order's line."""
    quantity: int
    """Number of units that the customer sends back."""
    reason: ReturnReason
    """Reason for which the units are sent back."""
    received_quantity: int | None
    """Number of units that came; null before the goods are RECEIVED."""
    restocked: bool | None
    """True if the units were put back into the stock; null before the goods are RECEIVED."""


@node("order_return")
class OrderReturn(Entity):
    """Order return: goods that a customer sends back, from the request to the refund."""

    order: "Order | None" = dated(visible("order_id"), OWN_LIFE)
    """Order that the goods are of; null when it is hidden from you."""
    status: OrderReturnStatus
    """Status of the return."""
    return_lines: list[OrderReturnLine] = key("lines")
    """Lines that are sent back, at most 100."""
    note: str | None = local(reading.return_note, "_id", "sealed_note")
    """Note of the customer on the return; null when there is none, or it is erased."""
    decision_reason: str | None
    """Reason that support gave for the decision; null before, and when none was given."""
    refund_amount: Money | None = money("refund_amount")
    """Most that is given back for the return; null before it is approved."""


@node("order")
class Order(Entity):
    """Order of a customer: what was bought, at which amounts, and what became of it."""

    number: int
    """Number of the order for people, shown as `#3491`; some numbers are left out."""
    status: OrderStatus
    """Status of the order."""
    order_source: OrderSource = key("source")
    """Source of the order."""
    source_order: "Order | None" = dated(visible("source_order_id"), "It never changes.")
    """Order of yours that was ordered again so; null for an order of another source."""
    cart_id: Id | None
    """Id of the cart that was ordered; null for an order without a cart."""
    summary: str = local(reading.summary, "lines")
    """Contents in short, such as `Magnesium, Zinc and 3 more`, in the language of `Accept-Language`."""
    order_lines: list[OrderLine] = key("lines")
    """Lines of the order, at most 100, in the order in which they were added to the cart."""
    item_count: int = derived(reading.item_count, "lines")
    """Number of units over all lines."""
    currency_code: str = key("currency")
    """Code of the currency (ISO 4217) of all amounts."""
    subtotal: Money = money("subtotal")
    """Sum of all lines before discounts."""
    discount_total: Money = money("discount_total")
    """Sum of all discounts, of those on the shipping too."""
    shipping_option: ShippingOption | None
    """Option of shipping that was chosen; null when there is nothing to ship."""
    shipping_cost: Money = money("shipping")
    """Price of the shipping before discounts."""
    tax_lines: list[TaxLine]
    """Taxes by name and rate, at most 1,000."""
    tax_included: bool
    """True if prices contain the taxes, which are then not added to `total`."""
    tax: Money = money("tax")
    """Sum of all taxes, contained or added."""
    rounding: Money = money("rounding")
    """Amount that brings the total to the least step of the currency's payments; mostly 0."""
    total: Money = money("total")
    """Total that is charged."""
    payment: Payment | None = dated(batched(reading.payments, reads=["_id"]), OWN_LIFE)
    """Payment of the order; null while there is none, and for a total of 0."""
    shipping_address: PostalAddress | None = local(reading.shipping_address, "_id", "sealed")
    """Address that the order is shipped to; null once it is erased."""
    billing_address: PostalAddress | None = local(reading.billing_address, "_id", "sealed")
    """Address that the bill is sent to; null once it is erased."""
    note: str | None = local(reading.note, "_id", "sealed")
    """Note of the customer for the order; null when there is none."""
    gift_message: str | None = local(reading.gift_message, "_id", "sealed")
    """Message to print for the recipient; null when there is none."""
    refunded_total: Money = money("refunded_total")
    """Amount that was given back, in one refund or several."""
    fulfillments: list[Fulfillment]
    """Parcels of the order, at most 100, in the order in which they were packed."""
    returns: list[OrderReturn] = dated(batched(reading.returns, reads=["return_ids"]), OWN_LIFE)
    """Returns of goods of the order, at most 20, the first one first."""
    cancel_reason: CancelReason | None
    """Reason for which the order was cancelled; null otherwise."""
    can_cancel: bool = derived(reading.can_cancel, "status", "fulfillments")
    """True if the order can be cancelled: nothing of it is packed."""
    can_return: bool = dated(derived(reading.can_return, "status", "timeline", "lines"), WINDOW)
    """True if goods of the order can be sent back."""
    returnable_until: datetime | None = derived(reading.return_closes_at, "timeline")
    """End of the time in which goods can be sent back, 30 days after all arrived; null before they have."""
    timeline: list[OrderStep]
    """Steps of the order so far, at most 100, the first one first."""
    can_reorder: bool = dated(batched(availability.can_reorder, reads=["lines"]), AS_READ)
    """True if at least one line can be had now."""
