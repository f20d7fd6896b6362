"""The rules by which lines come into a cart: added by hand, merged, replayed or ordered again."""

from collections.abc import Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict

from core import clock, ids
from core.context import Context
from core.errors import BadUserInput, ErrorKind, UserError, error_codes
from core.ids import Id
from core.nodes import GONE
from core.one_of import one_of
from core.values import money
from core.values.money import Money
from loaders.catalog import ProductById, ProductOfVariant
from resolvers.cart import owners
from resolvers.cart.drafts import Draft
from resolvers.cart.options import CartLineOption, checked
from resolvers.cart.reading import shown_line
from resolvers.cart.views import most_of, sold
from resolvers.catalog import alternatives, default_variant
from stores.cart import carts as store
from stores.cart.carts import KNOWN, Cart, Line, Option
from stores.catalog import Product, ProductStatus, Variant

error_codes(
    ErrorKind.NOT_FOUND,
    LINE_REMOVED="The line was removed from the cart: mint another id to add it again.",
)
error_codes(
    ErrorKind.CONFLICT,
    CURRENCY_MISMATCH="The cart is in another currency: order what it has, or clear it.",
)

MOST_LINES = 100


@one_of
class CartItem(TypedDict, total=False):
    """Item to put into a cart: one of several."""

    product_variant_id: Id | None
    """Id of the variant."""
    product_id: Id | None
    """Id of the product, for its default variant."""


class Sold(NamedTuple):
    """Variant that is on sale, with its product."""

    product: Product
    variant: Variant


class Changed(TypedDict):
    cart: Cart


class LineShown(TypedDict):
    cart: Cart
    cart_line: dict[str, Any] | None


class Added(LineShown):
    alternatives: NotRequired[list[Product]]
    """Of a refusal alone."""


async def add_cart_line(
    ctx: Context,
    *,
    id: Id | None = None,
    item: CartItem,
    quantity: int = 1,
    options: Sequence[CartLineOption] = (),
    seen_unit_price: Money | None = None,
) -> Added:
    """Add a variant to the owner's cart; one with equal options raises the quantity of its line."""
    if quantity < 1:
        raise BadUserInput("A quantity is 1 or more.")
    line_id, chosen = id and ids.minted(id, "cart_line"), checked(options)
    owner = owners.owner_of(ctx)
    await owners.limit(ctx, owner)
    draft = Draft(ctx, await owners.cart_to_change(ctx, owner))
    if line_id is not None and await is_known(ctx, draft, line_id):
        return _shown(draft.cart, draft.line(line_id))
    wanted = await need_sold(ctx, item)
    take_currency(draft, wanted.variant)
    seen = seen_price(seen_unit_price, draft.currency)
    line = put(draft, line_id, wanted, chosen, quantity, seen)
    return _shown(await draft.save(), line)


def _shown(cart: Cart, line: Line | None) -> Added:
    kept = store.find_line(cart["lines"], line["_id"]) if line else None
    return {"cart": cart, "cart_line": shown_line(cart, kept) if kept else None}


async def is_known(ctx: Context, draft: Draft, line_id: str) -> bool:
    """True if a line with this id was added before; LINE_REMOVED if it was removed since."""
    if draft.line(line_id) is not None:
        return True
    tombstone = draft.tombstone(line_id)
    if tombstone is not None and not tombstone["ordered"]:
        raise line_removed(draft.cart)
    return tombstone is not None or bool(await ordered_before(ctx, draft.cart, [line_id]))


def line_removed(cart: Cart) -> UserError:
    return UserError("LINE_REMOVED", "This line was removed.", field=["id"], cart=cart)


async def ordered_before(ctx: Context, cart: Cart, line_ids: Sequence[str]) -> set[str]:
    """Those of the ids that are of lines which the owner ordered in the last 90 days."""
    if cart["owner_id"] is None or not line_ids:
        return set()
    return await store.ordered_ids(ctx.db, cart["owner_key"], line_ids, clock.now() - KNOWN)


async def need_sold(ctx: Context, item: CartItem) -> Sold:
    """The variant that is to be added; NOT_FOUND, or PRODUCT_DISCONTINUED with alternatives."""
    variant_id, product_id = item.get("product_variant_id"), item.get("product_id")
    if variant_id is not None:
        field = "productVariantId"
        product = await ctx.load(ProductOfVariant, ids.checked(variant_id, "variant"))
    else:
        field = "productId"
        product = await ctx.load(ProductById, ids.checked(str(product_id), "product"))
    if product is None or product["status"] == ProductStatus.HIDDEN:
        raise UserError("NOT_FOUND", GONE, field=["item", field])
    found, variant = sold({variant_id: product}, variant_id) if variant_id else _default(product)
    if found is None or variant is None:
        [others] = await alternatives(ctx, [product])
        raise UserError(
            "PRODUCT_DISCONTINUED", "It is no longer sold.", field=["item", field], alternatives=others
        )
    return Sold(found, variant)


async def sold_variant(ctx: Context, variant_id: str) -> Sold | None:
    """The variant with its product; None where it is not on sale."""
    product = await ctx.load(ProductOfVariant, variant_id)
    found, variant = sold({variant_id: product}, variant_id) if product else (None, None)
    return Sold(found, variant) if found is not None and variant is not None else None


def _default(product: Product) -> tuple[Product | None, Variant | None]:
    variant = default_variant(product)
    return sold({variant["_id"]: product}, variant["_id"]) if variant is not None else (None, None)


def fits_currency(draft: Draft, variant: Variant) -> bool:
    """True if the variant is priced in the cart's currency, or the cart is empty."""
    return not draft.lines or draft.currency == variant["currency"]


def take_currency(draft: Draft, variant: Variant) -> None:
    """An empty cart takes the variant's currency; CURRENCY_MISMATCH where the cart has another."""
    if not fits_currency(draft, variant):
        raise UserError(
            "CURRENCY_MISMATCH",
            "The cart is in {currency}.",
            field=["item"],
            values={"currency": draft.currency},
            cart=draft.cart,
        )
    draft.currency = variant["currency"]


def seen_price(seen: Money | None, currency: str) -> int | None:
    """The price that the customer saw, in minor units; INVALID_INPUT for one that is none."""
    if seen is None or seen["currency_code"] != currency:
        # In another currency it tells nothing.
        return None
    minor = money.minor_units(seen["amount"], currency)
    if minor is None or not 0 <= minor <= money.MOST_MINOR_UNITS:
        raise UserError("INVALID_INPUT", "This is no price.", field=["seen_unit_price", "amount"])
    return minor


def put(
    draft: Draft, line_id: str | None, wanted: Sold, options: list[Option], quantity: int, seen: int | None
) -> Line:
    """Put a variant into the cart: as more of an equal line, or as a line of its own."""
    equal = draft.equal_line(wanted.variant["_id"], options)
    whole = quantity + (equal["quantity"] if equal else 0)
    check_quantity(whole, wanted.variant, draft.cart)
    if equal is None:
        check_room(draft)
        price = wanted.variant["price"] if seen is None else seen
        return draft.add(line_id, wanted.product, wanted.variant, options, quantity, price)
    joined = draft.alias(equal, line_id) if line_id is not None else equal
    accepted = {} if seen is None else {"unit_price": seen}
    return draft.change(joined, quantity=whole, capped=False, **accepted)


def check_quantity(quantity: int, variant: Variant, cart: Cart) -> None:
    """OUT_OF_RANGE for more than a line may have."""
    most = most_of(variant)
    if quantity > most:
        raise UserError("OUT_OF_RANGE", "At most {limit} of it.", field=["quantity"], limit=most, cart=cart)


def check_room(draft: Draft) -> None:
    """LIMIT_REACHED where the cart has as many lines as it may."""
    if len(draft.lines) >= MOST_LINES:
        raise UserError("LIMIT_REACHED", "At most {limit} lines.", limit=MOST_LINES, cart=draft.cart)
