"""Discounts: what promotions take off a cart, exactly, and each line's share of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from core.values.money import allocate, percent_of
from stores.cart.kinds import CartIssueCode, PromotionKind
from stores.cart.promotions import Promotion


class Item(NamedTuple):
    """Item that is bought: its product, and the cost of all units in minor units."""

    product_id: str
    cost: int


class Discounted(NamedTuple):
    promotion: Promotion
    amount: int


@dataclass(slots=True)
class Discounts:
    """Discounts that are applied together."""

    applied: list[Discounted] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    """Amounts off the items, in their order."""
    shipping: int = 0
    """Amount off the shipping."""

    @property
    def total(self) -> int:
        return sum(self.shares) + self.shipping


def hindrance(
    promotion: Promotion, *, subtotal: int, currency: str, now: datetime, used: int | None
) -> CartIssueCode | None:
    """Why a promotion takes nothing off now; None when it does.

    `used` says how often the customer has used it; None for a customer who is not known.
    """
    ends_at, limit, own_limit = promotion["ends_at"], promotion["usage_limit"], promotion["per_customer"]
    is_over = not promotion["active"] or (ends_at is not None and ends_at <= now)
    is_used_up = limit is not None and promotion["used_count"] >= limit
    if is_over or is_used_up or (own_limit is not None and used is not None and used >= own_limit):
        return CartIssueCode.PROMOTION_EXPIRED
    if (
        promotion["starts_at"] > now
        or (own_limit is not None and used is None)
        or promotion["currency"] not in (None, currency)
        or subtotal < (promotion["min_subtotal"] or 0)
    ):
        return CartIssueCode.PROMOTION_NOT_MET
    return None


def best_of(items: Sequence[Item], promotions: Sequence[Promotion], shipping: int = 0) -> Discounts:
    """The discounts that save most: of all stackable promotions, or of one that is not."""
    stackable = [each for each in promotions if each["stackable"]]
    choices = [stackable, *([each] for each in promotions if not each["stackable"])]
    # Of equals the first: those that go together.
    return max((applied(items, chosen, shipping) for chosen in choices), key=lambda each: each.total)


def applied(items: Sequence[Item], promotions: Sequence[Promotion], shipping: int = 0) -> Discounts:
    """Discounts of the promotions together: percentages first, then amounts, then the shipping."""
    order = list(PromotionKind)
    found = Discounts(shares=[0] * len(items))
    for promotion in sorted(promotions, key=lambda each: order.index(each["kind"])):
        if promotion["kind"] == PromotionKind.FREE_SHIPPING:
            amount = shipping - found.shipping
            found.shipping = shipping
        else:
            shares = _shares(items, found.shares, promotion)
            found.shares = [before + share for before, share in zip(found.shares, shares, strict=True)]
            amount = sum(shares)
        found.applied.append(Discounted(promotion, amount))
    return found


def _shares(items: Sequence[Item], taken: Sequence[int], promotion: Promotion) -> list[int]:
    """Amounts that a promotion takes off the items, of what is left of them."""
    wanted = promotion["product_ids"]
    left = [
        item.cost - off if not wanted or item.product_id in wanted else 0
        for item, off in zip(items, taken, strict=True)
    ]
    whole = sum(left)
    if promotion["kind"] == PromotionKind.PERCENT:
        amount = percent_of(whole, Decimal(promotion["percent_off"] or 0))
    else:
        amount = min(whole, promotion["amount_off"] or 0)
    return allocate(amount, left) if amount else [0] * len(items)
