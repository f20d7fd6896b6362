"""Views of carts as they are now: prices, statuses, issues and discounts, computed at each read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core import clock
from core.context import Context
from loaders.cart import Facts, FactsOfPriced, Priced
from resolvers.cart import discounts
from resolvers.cart.discounts import Discounts, Item
from resolvers.catalog import shown_to_all
from stores.cart.carts import Cart, HeldLine, Line
from stores.cart.kinds import CartIssueCode, CartLineStatus
from stores.cart.promotions import Promotion
from stores.cart.quotes import AppliedDiscount, Issue
from stores.catalog import AvailabilityStatus, Product, ProductStatus, Variant

MOST_PER_LINE = 99

STATUS_OF = {
    CartIssueCode.DISCONTINUED: CartLineStatus.UNAVAILABLE,
    CartIssueCode.OUT_OF_STOCK: CartLineStatus.OUT_OF_STOCK,
    CartIssueCode.INSUFFICIENT_STOCK: CartLineStatus.INSUFFICIENT_STOCK,
    CartIssueCode.PRICE_CHANGED: CartLineStatus.PRICE_CHANGED,
}
"""The statuses that issues give a line, the worst first."""


@dataclass(slots=True)
class LineView:
    """A line as it is now."""

    line: Line
    product: Product | None
    """None when it is hidden, or gone."""
    variant: Variant | None
    price: int
    available: int | None
    """Units that the line may have; None while nobody can tell."""
    checked_at: datetime
    issues: list[Issue] = field(default_factory=list)
    discount: int = 0
    held: bool = False

    @property
    def total(self) -> int:
        return self.price * self.line["quantity"]

    @property
    def sellable(self) -> bool:
        return self.product is not None and self.variant is not None

    @property
    def status(self) -> CartLineStatus:
        codes = {issue["code"] for issue in self.issues}
        for code, status in STATUS_OF.items():
            if code in codes:
                return status
        return CartLineStatus.RESERVED if self.held else CartLineStatus.OK


@dataclass(slots=True)
class CartView:
    """A cart as it is now."""

    cart: Cart
    lines: dict[str, LineView]
    subtotal: int
    discounts: Discounts
    offered: list[Promotion]
    """Promotions that take something off."""
    issues: list[Issue]
    """Issues of its lines, then those of its promotions."""

    @property
    def blocked(self) -> bool:
        return any(issue["blocking"] for issue in self.issues)


async def views(ctx: Context, carts: Sequence[Cart]) -> list[CartView]:
    """The carts as they are now."""
    keys = [_priced(cart) for cart in carts]
    # Many fields ask at the same moment, for one read.
    facts = await ctx.load_many(FactsOfPriced, keys)
    return [_remembered(cart, found) for cart, found in zip(carts, facts, strict=True)]


async def view_of(ctx: Context, cart: Cart) -> CartView:
    [view] = await views(ctx, [cart])
    return view


def _priced(cart: Cart) -> Priced:
    variant_ids = tuple(dict.fromkeys(line["variant_id"] for line in cart["lines"]))
    return Priced(variant_ids, tuple(cart["codes"]), cart["owner_id"])


def _remembered(cart: Cart, facts: Facts) -> CartView:
    key = cart["_id"], cart["version"]
    if key not in facts.computed:
        facts.computed[key] = computed(cart, facts, clock.now())
    view: CartView = facts.computed[key]
    return view


def computed(cart: Cart, facts: Facts, now: datetime) -> CartView:
    """The cart as it is by these facts."""
    lines = _lines(cart, facts, now)
    subtotal = sum(each.total for each in lines)
    offered, told = _offered(cart, facts, subtotal, now)
    items = [Item(each.line["product_id"], each.total) for each in lines]
    found = discounts.best_of(items, offered)
    for each, share in zip(lines, found.shares, strict=True):
        each.discount = share
    issues = [issue for each in lines for issue in each.issues] + told
    return CartView(cart, {each.line["_id"]: each for each in lines}, subtotal, found, offered, issues)


def _offered(cart: Cart, facts: Facts, subtotal: int, now: datetime) -> tuple[list[Promotion], list[Issue]]:
    """Promotions that take something off, and the issues of codes that do not."""
    offered, issues = [], []
    for promotion in facts.promotions:
        used = facts.uses[promotion["_id"]] if cart["owner_id"] else None
        hindrance = discounts.hindrance(
            promotion, subtotal=subtotal, currency=cart["currency"], now=now, used=used
        )
        if hindrance is None:
            offered.append(promotion)
        elif promotion["code"] is not None:
            issues.append(issue(hindrance, cart["currency"], promotion_code=promotion["code"]))
    return offered, issues


def _lines(cart: Cart, facts: Facts, now: datetime) -> list[LineView]:
    left = _left(live_hold(cart, now), facts)
    found = []
    for line in cart["lines"]:
        available = left.get(line["variant_id"])
        found.append(_line(cart, line, facts, available, now))
        if available is not None:
            left[line["variant_id"]] = max(0, available - line["quantity"])
    return found


def live_hold(cart: Cart, now: datetime) -> Sequence[HeldLine]:
    """Stock that is held for the cart; nothing once its time is over."""
    hold = cart["hold"]
    return hold["lines"] if hold is not None and hold["expires_at"] > now else ()


def _left(held: Sequence[HeldLine], facts: Facts) -> dict[str, int]:
    """Units of each variant that the cart may have: what is free, and what is held for the cart itself."""
    if facts.levels is None:
        return {}
    left = {id: max(0, level["available"]) for id, level in facts.levels.items()}
    for each in held:
        left[each["variant_id"]] = left.get(each["variant_id"], 0) + each["quantity"]
    return {id: left.get(id, 0) for id in facts.products}


def _line(cart: Cart, line: Line, facts: Facts, available: int | None, now: datetime) -> LineView:
    product, variant = sold(facts.products, line["variant_id"])
    if variant is None:
        shown = shown_to_all(facts.products.get(line["variant_id"]))
        gone = issue(CartIssueCode.DISCONTINUED, cart["currency"], line, blocking=True)
        return LineView(line, shown, None, line["unit_price"], available, now, [gone])
    hint = variant["availability"]
    checked_at = now if facts.levels is not None else hint["checked_at"]
    is_held = bool(live_hold(cart, now))
    view = LineView(line, product, variant, variant["price"], available, checked_at, held=is_held)
    view.issues = [
        *_of_quantity(cart, line, variant),
        *(_of_stock(cart, line, available) if available is not None else _of_hint(cart, line, variant)),
        *_of_price(cart, line, variant),
    ]
    return view


def sold(products: Mapping[str, Product], variant_id: str) -> tuple[Product | None, Variant | None]:
    """Product and variant, if the variant is on sale."""
    product = products.get(variant_id)
    if product is None or product["status"] != ProductStatus.ACTIVE:
        return None, None
    variant = next(each for each in product["variants"] if each["_id"] == variant_id)
    return (product, variant) if variant["active"] else (product, None)


def most_of(variant: Variant) -> int:
    """Largest quantity of the variant in a line."""
    return min(MOST_PER_LINE, variant["max_per_order"])


def _of_quantity(cart: Cart, line: Line, variant: Variant) -> list[Issue]:
    above = line["quantity"] > most_of(variant)
    if not above and not line["capped"]:
        return []
    most = most_of(variant) if above else None
    code = CartIssueCode.QUANTITY_CAPPED
    return [issue(code, cart["currency"], line, blocking=above, available_quantity=most)]


def _of_stock(cart: Cart, line: Line, available: int) -> list[Issue]:
    if available >= line["quantity"]:
        return []
    code = CartIssueCode.INSUFFICIENT_STOCK if available else CartIssueCode.OUT_OF_STOCK
    return [issue(code, cart["currency"], line, blocking=True, available_quantity=available)]


def _of_hint(cart: Cart, line: Line, variant: Variant) -> list[Issue]:
    """The stock by what the catalog told last, while the exact numbers cannot be read."""
    hint = variant["availability"]
    if hint["status"] == AvailabilityStatus.IN_STOCK:
        return []
    return _of_stock(cart, line, hint["remaining"] or 0)


def _of_price(cart: Cart, line: Line, variant: Variant) -> list[Issue]:
    before, now = line["unit_price"], variant["price"]
    if before == now:
        return []
    code = CartIssueCode.PRICE_CHANGED
    return [issue(code, cart["currency"], line, blocking=now > before, old_price=before, new_price=now)]


def issue(
    code: CartIssueCode,
    currency: str,
    line: Line | None = None,
    *,
    blocking: bool = False,
    old_price: int | None = None,
    new_price: int | None = None,
    available_quantity: int | None = None,
    promotion_code: str | None = None,
) -> Issue:
    return {
        "code": code,
        "line_id": line["_id"] if line else None,
        "blocking": blocking,
        "old_price": old_price,
        "new_price": new_price,
        "currency": currency,
        "available_quantity": available_quantity,
        "product_id": line["product_id"] if line else None,
        "promotion_code": promotion_code,
    }


def discounts_shown(found: Discounts, currency: str) -> list[AppliedDiscount]:
    """Discounts as they are shown and kept, those of nothing too."""
    return [
        {
            "promotion_id": each.promotion["_id"],
            "code": each.promotion["code"],
            "label": each.promotion["name"],
            "amount": each.amount,
            "currency": currency,
        }
        for each in found.applied
    ]
