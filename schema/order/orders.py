"""Orders, as clients see them."""

from datetime import datetime

from core.graphql import batched, dated, derived, key, local, node, type_
from core.graphql.common import Entity, Money
from core.ids import Id
from resolvers.order import having, reading
from resolvers.order.showing import money
from schema.cart import CartLineOption, PostalAddress, ShippingOption, TaxLine
from schema.catalog import Product
from schema.media import Media
from schema.order.payments import Payment
from stores.order import OrderActor, OrderLineStatus, OrderSource, OrderStatus

OWN_LIFE = "A payment tells of itself, by its own changes."
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
    unit_price: Money = derived(money("unit_price"), "unit_price", "currency")
    """Price of one unit."""
    discount: Money = derived(money("discount"), "discount", "currency")
    """Share of the order's discounts that the line has."""
    tax: Money = derived(money("tax"), "tax", "currency")
    """Tax on the line after its discount."""
    line_total: Money = derived(reading.line_total, "unit_price", "quantity", "currency")
    """Price of all units, before discounts."""
    current_status: OrderLineStatus = dated(batched(having.line_statuses, reads=["variant_id"]), AS_READ)
    """Status of the variant as it is now."""


@type_
class OrderStep:
    """Step of an order to a status."""

    status: OrderStatus
    """Status that the order came to."""
    reached_at: datetime = key("at")
    """Time at which the order came to the status."""
    actor: OrderActor
    """Actor who moved the order there."""


@node("order")
class Order(Entity):
    """Order of a customer: what was bought, at which amounts, and what became of it."""

    number: int
    """Number of the order for people, shown as `#3491`; some numbers are left out."""
    status: OrderStatus
    """Status of the order."""
    order_source: OrderSource = key("source")
    """Source of the order."""
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
    subtotal: Money = derived(money("subtotal"), "subtotal", "currency")
    """Sum of all lines before discounts."""
    discount_total: Money = derived(money("discount_total"), "discount_total", "currency")
    """Sum of all discounts, of those on the shipping too."""
    shipping_option: ShippingOption | None
    """Option of shipping that was chosen; null when there is nothing to ship."""
    shipping_cost: Money = derived(money("shipping"), "shipping", "currency")
    """Price of the shipping before discounts."""
    tax_lines: list[TaxLine]
    """Taxes by name and rate, at most 1,000."""
    tax_included: bool
    """True if prices contain the taxes, which are then not added to `total`."""
    tax: Money = derived(money("tax"), "tax", "currency")
    """Sum of all taxes, contained or added."""
    rounding: Money = derived(money("rounding"), "rounding", "currency")
    """Amount that brings the total to the least step of the currency's payments; mostly 0."""
    total: Money = derived(money("total"), "total", "currency")
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
    timeline: list[OrderStep]
    """Steps of the order so far, at most 8, the first one first."""
    can_reorder: bool = dated(batched(having.can_reorder, reads=["lines"]), AS_READ)
    """True if at least one line can be had now."""
