"""The cart, as clients see it."""

from typing import Any

from core import nodes
from core.graphql import field, mutation, query, subscription, type_
from core.graphql.common import UserError
from core.ids import Id
from resolvers.cart import (
    adding,
    editing,
    merging,
    owners,
    promoting,
    reading,
    resolving,
    syncing,
    validating,
)
from schema.cart.events import CartEvent
from schema.cart.staff import Promotion, ShippingRate, StaffMutations, StaffQueries, TaxRate
from schema.cart.types import (
    Cart,
    CartLine,
    CartLineOption,
    CartMergeReport,
    CheckoutQuote,
    PostalAddress,
    ShippingOption,
    TaxLine,
)
from schema.catalog import Product
from stores.cart.kinds import CartOperationStatus
from subscriptions import cart as live

__all__ = [
    "Cart",
    "CartLine",
    "CartLineOption",
    "CheckoutQuote",
    "Mutation",
    "PostalAddress",
    "Promotion",
    "Query",
    "ShippingOption",
    "ShippingRate",
    "Subscription",
    "TaxLine",
    "TaxRate",
    "Viewer",
]


@type_
class CartOperationResult:
    """Result of one operation of a replay."""

    item_id: Id
    """Id of the operation, as it was sent."""
    status: CartOperationStatus
    """Status of the operation: what came of it."""
    cart_line: CartLine | None
    """Line that was added or updated, as it was then; null for other operations, and when it was refused."""
    alternatives: list[Product]
    """Products to take instead, at most 5, when the operation was refused because the product is no longer
    sold; else empty."""
    errors: list[UserError]
    """Refusals of the operation, at most 1; fields are named within the operation."""


class Query(StaffQueries):
    cart: Cart | None = query(nodes.reader("cart"))
    """Cart of yours by its id, one that has ended too; null when there is none."""
    anonymous_cart: Cart | None = query(reading.anonymous_cart)
    """Cart of the device whose token is in the header `X-Cart-Token`; null when there is none, and once it
    has expired or was merged."""


class Viewer:
    cart: Cart = field(reading.viewer_cart)
    """Your open cart, the same on all devices; an empty one is made where there is none."""


CHANGES = "CART_CLOSED CHECKOUT_IN_PROGRESS"
OF_PERSON_OR_DEVICE: Any = {"owner": owners.key_of_owner}
OPTIONS = "Options of the line, at most 20 of at most 200 characters each, one of each name; "
ALTERNATIVES = (
    list[Product],
    "Products to take instead, when refused because the product is no longer sold; else null.",
)
CART = (Cart, "Cart as it is now; null when refused and there is none.")


class Mutation(StaffMutations):
    add_cart_line = mutation(
        adding.add_cart_line,
        "Line to add to your cart, or to that of the device.",
        refuses=f"{CHANGES} CURRENCY_MISMATCH LIMIT_REACHED LINE_REMOVED OUT_OF_RANGE PRODUCT_DISCONTINUED "
        "REQUIRED TOO_LONG TOO_MANY",
        returns={
            "cart": CART,
            "cart_line": (
                CartLine,
                "Line that was added, or the one with equal options that it joined, which has the new id "
                "among its aliases; null when refused, and when it was ordered since.",
            ),
            "alternatives": ALTERNATIVES,
        },
        **OF_PERSON_OR_DEVICE,
        id="Id of the line, if you mint one: sent again, under any key, it adds nothing twice.",
        item="Item to put into the cart: a variant, or a product for its default variant.",
        quantity="Number of units to add, 1 to 99.",
        options=f"{OPTIONS}none when left out.",
        seen_unit_price="Price that the customer saw, to be told when it has changed; never charged.",
    )
    """Add a variant to the cart; one with equal options raises the quantity of its line. Missing stock does
    not refuse it: the line says so."""
    update_cart_line = mutation(
        editing.update_cart_line,
        "Changes to a line of the cart.",
        refuses=f"{CHANGES} LINE_REMOVED OUT_OF_RANGE TOO_LONG TOO_MANY",
        returns={
            "cart": CART,
            "cart_line": (
                CartLine,
                "Line as changed, or the one that it joined; on CONFLICT without your change; null when it "
                "was removed.",
            ),
            "deleted_cart_line_id": (
                Id,
                "Id of the line to forget, when it was removed or joined another; else null.",
            ),
        },
        **OF_PERSON_OR_DEVICE,
        quantity="Quantity of the line, 0 to 99 or what one order may have; 0 removes the line.",
        options=f"{OPTIONS}those of another line join both.",
        expected_version="Version of the line that was edited, not of the cart: CONFLICT if there is a newer "
        "one. The last writer wins when left out.",
    )
    """Update the quantity and options of a line. The hold of stock, if there is one, is released."""
    remove_cart_line = mutation(
        editing.remove_cart_line,
        refuses=CHANGES,
        returns={"cart": CART, "deleted_cart_line_id": Id},
        **OF_PERSON_OR_DEVICE,
    )
    """Remove a line from the cart; one that is not there is removed already."""
    clear_cart = mutation(
        editing.clear_cart,
        refuses=CHANGES,
        returns={
            "cart": CART,
            "deleted_cart_line_ids": (list[Id], "Ids of the lines to forget; null when refused."),
        },
        **OF_PERSON_OR_DEVICE,
        expected_version="Version of the cart that the app has seen: lines that came later stay. All go when "
        "left out.",
    )
    """Clear the cart of all lines that the app has seen."""
    update_cart = mutation(
        editing.update_cart,
        "Changes to the words that go with the cart.",
        refuses=f"{CHANGES} CARD_DATA_REFUSED TOO_LONG",
        returns={"cart": Cart},
        **OF_PERSON_OR_DEVICE,
        note="Note for the order, at most 500 characters.",
        gift_message="Message to print for the recipient, at most 300 characters.",
    )
    """Update the note and the gift message, which go into the order."""
    merge_cart = mutation(
        merging.merge_cart,
        "Lines to merge into your cart: those of a device's cart, those that an app kept, or both.",
        refuses=f"{CHANGES} REQUIRED TOO_LONG TOO_MANY",
        returns={
            "cart": CART,
            "report": (CartMergeReport, "Report of what became of the lines; null when refused."),
        },
        cart_token="Token of the device's cart, which is good for nothing then.",
        lines="Lines that the app kept while nobody was signed in, at most 100.",
    )
    """Merge the cart of a device, or lines that an app kept, into yours after a sign-in: quantities of equal
    lines are summed, and whatever was there before counts once."""
    sync_cart = mutation(
        syncing.sync_cart,
        "Operations that an app queued while it was offline.",
        refuses=f"{CHANGES} CONFLICT CURRENCY_MISMATCH ID_TAKEN LIMIT_REACHED LINE_REMOVED OUT_OF_RANGE "
        "PRODUCT_DISCONTINUED REQUIRED TOO_LONG TOO_MANY",
        returns={
            "results": (
                list[CartOperationResult],
                "Results of the operations, in their order; null when the replay is refused.",
            ),
            "cart": (Cart, "Cart as it is now; null when there is none."),
            "checkout_quote": (
                CheckoutQuote,
                "Quote of the cart without an address; null when not wanted, when an operation has to come "
                "again, and for an empty cart.",
            ),
        },
        owner=owners.key_of_owner,
        transaction=False,
        receipt=False,
        operations="Operations to replay, 1 to 50, in their order: each by itself, so that one that is "
        "refused stops no other.",
        validate="True to quote the cart in the end.",
    )
    """Sync what an app did offline: each operation is replayed once, however often it is sent."""
    resolve_cart_issues = mutation(
        resolving.resolve_cart_issues,
        "Resolutions of lines' issues.",
        refuses=f"{CHANGES} PRODUCT_DISCONTINUED REQUIRED TOO_MANY",
        returns={"cart": CART, "alternatives": ALTERNATIVES},
        **OF_PERSON_OR_DEVICE,
        resolutions="Resolutions, 1 to 100, in their order: all are done, or none.",
        expected_version="Version of the cart that the app has seen: CONFLICT if there is a newer one. The "
        "cart is taken as it is when left out.",
    )
    """Resolve issues of lines: accept prices, reduce, remove or swap; all of it or nothing."""
    validate_cart = mutation(
        validating.validate_cart,
        "Cart or list to validate, and where it is to go.",
        refuses=f"{CHANGES} CARD_DATA_REFUSED CART_EMPTY INVALID_FORMAT NO_SHIPPING REQUIRED TOO_LONG "
        "TOO_MANY",
        returns={
            "cart": (Cart, "Cart that was validated; null for a list."),
            "checkout_quote": (
                CheckoutQuote,
                "Quote of what an order costs; null when refused, and on a replay after a day.",
            ),
            "shipping_options": (
                list[ShippingOption],
                "Options of shipping to the address, at most 1,000, the cheapest first; empty without one.",
            ),
        },
        **OF_PERSON_OR_DEVICE,
        items="List to check in place of the cart, 1 to 100 variants: nothing is written, and nothing can be "
        "ordered with its quote.",
        shipping_address="Address to ship to; without one there is neither shipping nor tax, and no token.",
        billing_address="Address to send the bill to; that of the shipping when left out.",
        shipping_rate_id="Id of the option of shipping; the cheapest when left out.",
        reserve="True to hold the stock for ten minutes, if nothing is blocking; an older hold is replaced.",
    )
    """Validate the cart before a checkout: the quote has all prices, and is honored for ten minutes."""
    apply_promotion_code = mutation(
        promoting.apply_promotion_code,
        refuses=f"{CHANGES} EXPIRED LIMIT_REACHED PROMOTION_NOT_STACKABLE REQUIRED TOO_LONG",
        returns={"cart": CART},
        **OF_PERSON_OR_DEVICE,
        code="Code to apply, 1 to 40 characters, in any case.",
    )
    """Apply a promotion's code to the cart, which has at most 3. After ten wrong codes in an hour all are
    RATE_LIMITED."""
    remove_promotion_code = mutation(
        promoting.remove_promotion_code,
        refuses=f"{CHANGES} REQUIRED TOO_LONG",
        returns={"cart": CART},
        **OF_PERSON_OR_DEVICE,
        code="Code to remove, 1 to 40 characters, in any case.",
    )
    """Remove a promotion's code from the cart; one that is not there is removed already."""


class Subscription:
    cart_events: CartEvent = subscription(live.cart_events)
    """Events of your cart, or of the cart of the device whose token came with `connection_init`; price and
    stock of what it has are told as well. An open screen of the cart follows it; `changeEvents` tells of the
    cart alone."""
