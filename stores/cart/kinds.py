"""Enums of the cart: statuses, issues, promotions."""

from enum import StrEnum


class CartStatus(StrEnum):
    """Status of a cart."""

    ACTIVE = "ACTIVE"
    """Cart can be changed; checkout or, without a sign-in, merging or 30 days without a change end that."""
    CHECKING_OUT = "CHECKING_OUT"
    """Cart is being paid and cannot be changed; it becomes CONVERTED, or ACTIVE again when payment fails."""
    MERGED = "MERGED"
    """Cart of a device went into the cart of an account; it stays so."""
    CONVERTED = "CONVERTED"
    """Cart became an order; it stays so, without its lines, and is forgotten after 90 days."""
    EXPIRED = "EXPIRED"
    """Cart of a device was not changed for 30 days; it is deleted after another 30."""


class CartLineStatus(StrEnum):
    """Status of a line of a cart: the worst of its issues."""

    OK = "OK"
    """Line can be ordered as it is."""
    RESERVED = "RESERVED"
    """Line can be ordered, and its stock is held for a while."""
    PRICE_CHANGED = "PRICE_CHANGED"
    """Price differs from the one that was accepted last."""
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    """Fewer are left than the line has."""
    OUT_OF_STOCK = "OUT_OF_STOCK"
    """None is left for the line."""
    UNAVAILABLE = "UNAVAILABLE"
    """Product or variant is no longer sold."""


class CartIssueCode(StrEnum):
    """Code of an issue of a cart, or of one of its lines."""

    PRICE_CHANGED = "PRICE_CHANGED"
    """Price differs from the one that was accepted last: blocking when it rose."""
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    """Fewer are left than the line has; `availableQuantity` says how many."""
    OUT_OF_STOCK = "OUT_OF_STOCK"
    """None is left for the line."""
    DISCONTINUED = "DISCONTINUED"
    """Product or variant is no longer sold."""
    QUANTITY_CAPPED = "QUANTITY_CAPPED"
    """Quantity was cut by a merge to what one order may have; blocking where it is still above that."""
    PROMOTION_EXPIRED = "PROMOTION_EXPIRED"
    """Promotion of a code is over, or was used up: it takes nothing off."""
    PROMOTION_NOT_MET = "PROMOTION_NOT_MET"
    """Cart does not fulfill the conditions of a code: it takes nothing off."""


class CartResolutionKind(StrEnum):
    """Kind of a resolution of a line's issues."""

    ACCEPT_PRICE = "ACCEPT_PRICE"
    """Accept the price as it is now."""
    REDUCE_QUANTITY = "REDUCE_QUANTITY"
    """Lower the quantity to `quantity`, or to what is left when that is left out."""
    REMOVE = "REMOVE"
    """Remove the line from the cart."""
    SWAP = "SWAP"
    """Put the variant `productVariantId` in the line's place."""


class CartSkipReason(StrEnum):
    """Reason for which a merge skipped a line."""

    KNOWN_LINE = "KNOWN_LINE"
    """Line was in the account's cart before: it is there, was removed, or was ordered."""
    PRODUCT_UNAVAILABLE = "PRODUCT_UNAVAILABLE"
    """Product is no longer sold, or is priced in another currency than the cart."""
    CART_FULL = "CART_FULL"
    """Cart has as many lines as it may."""


class CartTokenOutcome(StrEnum):
    """Outcome of a merge for the cart of a device."""

    MERGED = "MERGED"
    """Cart of the device went into the account's cart."""
    KNOWN = "KNOWN"
    """Cart of the device was merged into the account's cart before."""
    INVALID = "INVALID"
    """Token names no cart: it is unknown, has expired, or was merged into another account."""


class CartOperationStatus(StrEnum):
    """Status of an operation of a replay."""

    APPLIED = "APPLIED"
    """Operation took effect now."""
    DUPLICATE = "DUPLICATE"
    """Operation took effect before: nothing was changed."""
    REJECTED = "REJECTED"
    """Operation was refused for good; `errors` say why."""
    CONFLICT = "CONFLICT"
    """Line was changed by another device since: nothing was changed."""
    DEFERRED = "DEFERRED"
    """Operation was not run, because one before it has to come again: send both again."""


class PromotionKind(StrEnum):
    """Kind of a promotion."""

    PERCENT = "PERCENT"
    """Takes a percentage off the products."""
    FIXED = "FIXED"
    """Takes an amount off the products, at most what they cost."""
    FREE_SHIPPING = "FREE_SHIPPING"
    """Takes off what shipping costs."""
