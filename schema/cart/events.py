"""Events of a cart."""

from typing import Annotated

from core.graphql import type_, union
from core.graphql.common import Event, ResyncRequired
from core.ids import Id
from schema.cart.types import Cart, CartLine, CartMergeReport


@type_
class CartOrigin:
    """Origin of a change of a cart."""

    device_id: Id | None
    """Id of the device that changed the cart; null when nobody was signed in on it."""


@type_
class DeletedCartLine:
    """Line that left the cart."""

    line_id: Id
    """Id of the line to forget."""


@type_
class CartChanged(Event):
    """Change of the cart by any device, those of several told at once."""

    cart: Cart
    """Cart as it is now."""
    changed_lines: list[CartLine]
    """Lines that were added or changed since the event before, at most 100."""
    deleted_lines: list[DeletedCartLine]
    """Lines that are gone since the event before, at most 1,000."""
    origin: CartOrigin
    """Origin of the last change."""


@type_
class CartLineChanged(Event):
    """Change of a line's issues, because a price or the stock moved."""

    cart_line: CartLine
    """Line with its issues as they are now."""
    cart: Cart
    """Cart with its sums as they are now."""


@type_
class CartMerged(Event):
    """Merge of a device's cart, or of lines that an app kept; it ends the stream of the device's cart."""

    cart: Cart
    """Cart as it is now; that of the device is empty then."""
    report: CartMergeReport
    """Report of what became of the lines that came."""


@type_
class CartHoldExpired(Event):
    """End of a hold of stock: the cart is as it was, without it."""

    cart: Cart
    """Cart as it is now."""


@type_
class CartConverted(Event):
    """Order of the cart, or of a part of it: what was ordered left it."""

    cart: Cart
    """Cart that is open from now on."""
    deleted_cart_id: Id | None
    """Id of the cart that was ordered as a whole; null when it goes on without what was ordered."""


CartEvent = Annotated[
    CartChanged | CartLineChanged | CartMerged | CartHoldExpired | CartConverted | ResyncRequired,
    union("CartEvent", "Event of your cart, or of the cart of a device."),
]
