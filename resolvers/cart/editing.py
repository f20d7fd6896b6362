"""Changes of lines and of the cart itself, by hand."""

from typing import Any, TypedDict, Unpack

from core import ids
from core.cards import check_no_card
from core.context import Context
from core.errors import BadUserInput, UserError, check_version
from core.ids import Id
from core.nodes import GONE
from core.values.bounds import check_length
from loaders.catalog import ProductOfVariant
from resolvers.cart import owners
from resolvers.cart.adding import Changed, LineShown, check_quantity
from resolvers.cart.drafts import Draft
from resolvers.cart.options import CartLineOption, checked
from resolvers.cart.reading import shown_line
from resolvers.cart.views import MOST_PER_LINE
from stores.cart.carts import Cart, Line, Option
from stores.catalog import Variant

LONGEST_NOTE, LONGEST_GIFT_MESSAGE = 500, 300


class CartLineChanges(TypedDict, total=False):
    quantity: int
    options: list[CartLineOption]


class CartChanges(TypedDict, total=False):
    note: str | None
    gift_message: str | None


class Removed(TypedDict):
    cart: Cart
    deleted_cart_line_id: Id


class Cleared(TypedDict):
    cart: Cart
    deleted_cart_line_ids: list[Id]


class LineUpdated(LineShown):
    deleted_cart_line_id: Id | None


async def update_cart_line(
    ctx: Context,
    *,
    cart_line_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[CartLineChanges],
) -> LineUpdated:
    """Set a line's quantity, of which 0 removes it, and its options; those of another line join both."""
    ids.checked(cart_line_id, "cart_line")
    if changes.get("quantity", 0) < 0:
        raise BadUserInput("A quantity is 0 or more.")
    draft = await draft_to_change(ctx)
    line = need_line(draft, cart_line_id)
    current = shown_line(draft.cart, line)
    check_version(expected_version, line["version"], cart=draft.cart, cart_line=current)
    if changes.get("quantity") == 0:
        draft.remove(line)
        return {"cart": await draft.save(), "cart_line": None, "deleted_cart_line_id": Id(line["_id"])}
    options = checked(changes["options"]) if "options" in changes else line["options"]
    quantity = changes.get("quantity", line["quantity"])
    kept, joined = await _changed(ctx, draft, line, options, quantity)
    cart = await draft.save()
    return {
        "cart": cart,
        "cart_line": shown_line(cart, kept),
        "deleted_cart_line_id": Id(line["_id"]) if joined else None,
    }


async def _changed(
    ctx: Context, draft: Draft, line: Line, options: list[Option], quantity: int
) -> tuple[Line, bool]:
    """The line as it became, and if it went into another."""
    equal = draft.equal_line(line["variant_id"], options, but=line["_id"])
    whole = quantity + equal["quantity"] if equal else quantity
    if whole != line["quantity"] or equal:
        await _check_quantity(ctx, draft, line, whole)
    if equal:
        return draft.join(equal, line, whole), True
    changed = {"quantity": quantity, "capped": False} if quantity != line["quantity"] else {}
    return draft.change(line, options=options, **changed), False


async def _check_quantity(ctx: Context, draft: Draft, line: Line, quantity: int) -> None:
    """OUT_OF_RANGE for more than a line may have; lowering is always allowed."""
    product = await ctx.load(ProductOfVariant, line["variant_id"])
    variants = product["variants"] if product else ()
    variant: Variant | None = next((each for each in variants if each["_id"] == line["variant_id"]), None)
    if quantity > MOST_PER_LINE or (variant is not None and quantity > line["quantity"]):
        check_quantity(quantity, variant or {"max_per_order": MOST_PER_LINE}, draft.cart)  # type: ignore[arg-type]


async def remove_cart_line(ctx: Context, *, cart_line_id: Id) -> Removed:
    """Remove a line; one that is not there is removed already."""
    ids.checked(cart_line_id, "cart_line")
    draft = await draft_to_change(ctx)
    line = draft.line(cart_line_id)
    if line is not None:
        draft.remove(line)
    return {"cart": await draft.save(), "deleted_cart_line_id": Id(line["_id"]) if line else cart_line_id}


async def clear_cart(ctx: Context, *, expected_version: int | None = None) -> Cleared:
    """Remove all lines that the app has seen: those of the expected version."""
    draft = await draft_to_change(ctx)
    seen = [line for line in draft.lines if expected_version is None or line["since"] <= expected_version]
    for line in seen:
        draft.remove(line)
    return {"cart": await draft.save(), "deleted_cart_line_ids": [Id(line["_id"]) for line in seen]}


async def update_cart(
    ctx: Context, *, expected_version: int | None = None, **changes: Unpack[CartChanges]
) -> Changed:
    """Change the note and the gift message, which go into the order."""
    texts = checked_words(**changes)
    draft = await draft_to_change(ctx)
    check_version(expected_version, draft.cart["version"], cart=draft.cart)
    draft.set(**texts)
    return {"cart": await draft.save()}


def checked_words(**given: Any) -> dict[str, str | None]:
    """The note and the gift message of an order, or those of them that are given, as they are kept."""
    for field, most in (("note", LONGEST_NOTE), ("gift_message", LONGEST_GIFT_MESSAGE)):
        text = given.get(field) or ""
        check_length(text, most=most, field=field)
        check_no_card(text, field=field)
    return {field: text or None for field, text in given.items()}


async def draft_to_change(ctx: Context) -> Draft:
    """The owner's cart, to be changed: counted against its rate."""
    owner = owners.owner_of(ctx)
    await owners.limit(ctx, owner)
    return Draft(ctx, await owners.cart_to_change(ctx, owner))


def need_line(draft: Draft, line_id: str) -> Line:
    """The line, or LINE_REMOVED; NOT_FOUND for one that nobody has heard of."""
    line = draft.line(line_id)
    if line is not None:
        return line
    if draft.tombstone(line_id) is not None:
        raise UserError("LINE_REMOVED", "This line was removed.", field=["cart_line_id"], cart=draft.cart)
    raise UserError("NOT_FOUND", GONE, field=["cart_line_id"], cart=draft.cart)
