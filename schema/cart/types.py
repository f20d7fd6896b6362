"""Carts, their lines, and quotes."""

from datetime import date, datetime
from decimal import Decimal

from core.graphql import batched, dated, derived, key, local, money, node, type_, visible
from core.graphql.common import Entity, Money, Node
from core.ids import Id
from resolvers.cart import reading, shipping, validating, wording
from schema.catalog import Product, ProductVariant
from schema.media import Media
from stores.cart.kinds import (
    CartIssueCode,
    CartLineStatus,
    CartSkipReason,
    CartStatus,
    CartTokenOutcome,
)

AS_READ = "Computed at each read: a cart that nobody watches is corrected at the next one."


@type_
class CartIssue:
    """Issue of a cart or of one of its lines."""

    code: CartIssueCode
    """Code of the issue, for the program."""
    line_id: Id | None
    """Id of the line; null for an issue of the cart as a whole."""
    blocking: bool
    """True if the cart cannot be ordered before the issue is resolved."""
    old_price: Money | None = money("old_price")
    """Price that was accepted last; null unless the price changed."""
    new_price: Money | None = money("new_price")
    """Price of a unit at present; null unless the price changed."""
    available_quantity: int | None
    """Number of units that can be had; null where that does not explain the issue."""
    message: str = local(wording.message, *wording.READ)
    """Issue in a sentence for people, in the language of `Accept-Language`, or in English."""
    alternatives: list[Product] = batched(wording.alternatives, reads=["code", "product_id"])
    """Products to take instead, at most 5, where the line's cannot be had; else empty."""


@type_
class CartLineOption:
    """Option of a line, which the customer chose."""

    name: str
    """Name of the option, such as `engraving`."""
    value: str
    """Value that the customer chose."""


@type_
class CartDiscount:
    """Discount of a promotion on a cart."""

    code: str | None
    """Code of the promotion; null for one that applies by itself."""
    label: str
    """Label of the promotion for customers."""
    amount: Money = money("amount")
    """Amount that is taken off; 0 where the promotion has nothing to take off."""


@type_
class CartHold:
    """Hold of stock for a cart, made by `validateCart`."""

    expires_at: datetime
    """Time at which the stock is given back, unless the cart is ordered or changed before."""


@node("cart_line")
class CartLine(Entity):
    """Line of a cart: a variant with its options and quantity."""

    product: Product | None = dated(visible("product_id"), AS_READ)
    """Product of the line; null when it is gone: then `title`, `sku` and `image` tell what it was."""
    variant: ProductVariant | None = dated(batched(reading.variants), AS_READ)
    """Variant of the line; null when it is no longer sold."""
    sku: str
    """SKU (stock-keeping unit) of the variant."""
    title: str
    """Title of the product and the variant, as they were when the line was added."""
    image: Media | None = dated(batched(reading.images), AS_READ)
    """First picture of the product; null when there is none."""
    options: list[CartLineOption]
    """Options of the line, at most 20, ordered by name."""
    quantity: int
    """Number of units of the variant."""
    unit_price: Money = derived(reading.unit_price, "unit_price", "cart")
    """Price of one unit that the customer accepted last."""
    current_unit_price: Money = dated(batched(reading.current_unit_prices), AS_READ)
    """Price of one unit at present."""
    line_total: Money = dated(batched(reading.line_totals), AS_READ)
    """Price of all units at present, before discounts."""
    discount: Money = dated(batched(reading.line_discounts), AS_READ)
    """Share of the cart's discounts that the line has."""
    status: CartLineStatus = dated(batched(reading.statuses), AS_READ)
    """Status of the line: the worst of its issues."""
    checked_at: datetime = dated(batched(reading.checked_times), AS_READ)
    """Time at which price and stock were looked at."""
    cart_issues: list[CartIssue] = dated(batched(reading.line_issues), AS_READ)
    """Issues of the line, at most one of each code."""
    aliases: list[Id] = derived(reading.alias_ids, "aliases")
    """Ids of additions that joined this line in the last 90 days, at most 100: mutations know the line by
    them too."""


@node("cart")
class Cart(Entity):
    """Shopping cart: one open for each customer, on all devices, or one for a device without a sign-in."""

    status: CartStatus
    """Status of the cart: only an ACTIVE one can be changed."""
    anonymous: bool = derived(reading.anonymous, "owner_id")
    """True if the cart belongs to a device, whose token is needed to read it."""
    currency_code: str = key("currency")
    """Code of the currency (ISO 4217) of all amounts: that of the first line; an empty cart takes that of
    the next."""
    lines: list[CartLine] = derived(reading.lines, "lines", "_id", "version", *reading.PRICED)
    """Lines of the cart, at most 100, newest first."""
    item_count: int = derived(reading.item_count, "lines")
    """Number of units over all lines, for a badge."""
    subtotal: Money = dated(batched(reading.subtotals), AS_READ)
    """Sum of all lines at present prices, before discounts."""
    discounts: list[CartDiscount] = dated(batched(reading.discounts), AS_READ)
    """Discounts of promotions that apply, at most 103, those by themselves among them."""
    discount_total: Money = dated(batched(reading.discount_totals), AS_READ)
    """Sum of all discounts on the lines."""
    estimated_total: Money = dated(batched(reading.estimated_totals), AS_READ)
    """Subtotal less the discounts; shipping and taxes are known once `validateCart` has an address."""
    promotion_codes: list[str] = key("codes")
    """Codes of promotions on the cart, at most 3, in upper case."""
    cart_issues: list[CartIssue] = dated(batched(reading.issues), AS_READ)
    """Issues of all lines, then those of promotion codes, at most 403."""
    note: str | None
    """Note for the order, at most 500 characters; null when there is none."""
    gift_message: str | None
    """Message to print for the recipient, at most 300 characters; null when there is none."""
    hold: CartHold | None
    """Hold of stock for the cart; null while nothing is held."""


@type_
class PostalAddress:
    """Postal address, to ship to or to bill."""

    name: str
    """Name of the recipient of what is sent there."""
    company: str | None
    """Company of the recipient; null when there is none."""
    line1: str
    """Street and number, or the like."""
    line2: str | None
    """Second line of the street, such as a floor; null when there is none."""
    city: str
    """Name of the town or city."""
    region: str | None
    """Code of the state or province (ISO 3166-2), such as `US-CA`; null when there is none."""
    postal_code: str | None
    """Postal code as the country writes it; null when there is none."""
    country_code: str
    """Code of the country (ISO 3166-1), such as `DE`."""
    phone: str | None
    """Phone number of the recipient (E.164); null when there is none."""


@type_
class ShippingEstimate:
    """Estimate of when an order arrives that is placed today."""

    earliest_on: date
    """First day on which the order may arrive."""
    latest_on: date
    """Last day on which the order should arrive."""


@type_
class ShippingOption:
    """Option of shipping to an address."""

    shipping_rate_id: Id
    """Id of the option, to choose it in `validateCart`."""
    label: str
    """Label of the option for customers."""
    price: Money = money("price")
    """Price of the shipping, before promotions."""
    estimate: ShippingEstimate = derived(shipping.estimate, "quoted_at", "min_days", "max_days")
    """Estimate of when the order arrives."""


@type_
class CheckoutQuoteLine:
    """Line of a quote."""

    line_id: Id | None
    """Id of the cart's line; null for a list that was checked beside the cart."""
    variant_id: Id
    """Id of the variant of the line."""
    quantity: int
    """Number of units of the variant."""
    unit_price: Money = money("unit_price")
    """Price of one unit that is charged."""
    discount: Money = money("discount")
    """Share of the discounts that the line has."""
    tax: Money = money("tax")
    """Tax on the line after its discount."""


@type_
class TaxLine:
    """Tax of one name and rate, over all lines and the shipping."""

    name: str
    """Name of the tax, such as `VAT`."""
    rate: Decimal
    """Rate of the tax in percent."""
    amount: Money = money("amount")
    """Amount of the tax, the sum of what was rounded line by line."""


@node("checkout_quote")
class CheckoutQuote(Node):
    """Quote of what an order costs: a valid one of your cart is honored for ten minutes, and kept for a
    day."""

    token: str | None = local(validating.token, *validating.SIGNED)
    """Token to place the order with; null unless the quote is valid, of your cart with an address, and you
    are signed in."""
    quoted_cart: Cart | None = batched(validating.quoted_carts, reads=["cart_id"])
    """Cart that was quoted; null for a list, and when the cart has ended."""
    cart_version: int | None
    """Version of the cart that was quoted: of another one the quote is stale. Null for a list."""
    expires_at: datetime
    """Time until which the quote is honored, ten minutes after it was made."""
    quote_lines: list[CheckoutQuoteLine] = key("lines")
    """Lines that were quoted, at most 100, in the order in which they were added."""
    subtotal: Money = money("subtotal")
    """Sum of all lines before discounts."""
    discounts: list[CartDiscount]
    """Discounts of promotions, at most 103, those on the shipping among them."""
    discount_total: Money = money("discount_total")
    """Sum of all discounts, of those on the shipping too."""
    shipping_option: ShippingOption | None
    """Option of shipping that was chosen, or the cheapest; null without an address."""
    shipping_cost: Money = money("shipping")
    """Price of the shipping before discounts; 0 without an address."""
    tax_lines: list[TaxLine]
    """Taxes by name and rate, at most 1,000; empty without an address, and where there are none."""
    tax_included: bool
    """True if prices contain the taxes, which are then not added to `total`."""
    tax: Money = money("tax")
    """Sum of all taxes, contained or added."""
    rounding: Money = money("rounding")
    """Amount that brings the total to the least step of the currency's payments; mostly 0."""
    total: Money = money("total")
    """Total to be charged: subtotal, less discounts, plus shipping, taxes that are not contained, and
    rounding."""
    shipping_address: PostalAddress | None = local(validating.shipping_address, "_id", "sealed")
    """Address to ship to; null when none was given."""
    billing_address: PostalAddress | None = local(validating.billing_address, "_id", "sealed")
    """Address to send the bill to: that of the shipping where no other was given; null when there is none at
    all."""
    cart_issues: list[CartIssue] = key("issues")
    """Issues of the lines and codes that were quoted, at most 403."""
    valid: bool
    """True if no issue is blocking."""


@type_
class SkippedCartLine:
    """Line that a merge did not take."""

    line_id: Id
    """Id of the line, as it was sent."""
    variant_id: Id
    """Id of the line's variant."""
    reason: CartSkipReason
    """Reason for which the line was skipped."""


@type_
class CartMergeReport:
    """Report of a merge: what became of the lines that came, each of which counts once."""

    added_count: int = key("added")
    """Number of lines that are new in the cart."""
    summed_count: int = key("summed")
    """Number of lines that went into lines of the cart."""
    capped_count: int = key("capped")
    """Number of lines of which less was taken than came, counted in the other numbers too."""
    skipped: list[SkippedCartLine]
    """Lines that were not taken, at most 200."""
    token: CartTokenOutcome | None
    """Outcome for the cart of the device; null when no token was sent."""
