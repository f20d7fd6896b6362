"""Resolving the issues of lines, all of them or none."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.messages import gettext_noop
from core.values.bounds import check_count
from resolvers.cart.adding import MOST_LINES, Changed, need_sold
from resolvers.cart.drafts import Draft
from resolvers.cart.editing import draft_to_change
from resolvers.cart.views import CartView, LineView, most_of, view_of
from stores.cart.carts import Line
from stores.cart.kinds import CartResolutionKind
from stores.catalog import Product


class Resolved(Changed):
    alternatives: NotRequired[list[Product]]
    """Of a refusal alone."""


class CartResolution(TypedDict):
    """Resolution of a line's issues."""

    cart_line_id: Id
    """Id of the line."""
    kind: CartResolutionKind
    """Kind of the resolution."""
    quantity: NotRequired[int | None]
    """Quantity that the line gets, for REDUCE_QUANTITY: at least 1, and at most the present one; as many as
    are left when left out."""
    product_variant_id: NotRequired[Id | None]
    """Id of the variant that takes the line's place, for SWAP alone."""


async def resolve_cart_issues(
    ctx: Context, *, resolutions: Sequence[CartResolution], expected_version: int | None = None
) -> Resolved:
    """Resolve issues of lines; INVALID_INPUT, and nothing is done, where one cannot be resolved so."""
    check_count(resolutions, least=1, most=MOST_LINES, field="resolutions")
    draft = await draft_to_change(ctx)
    check_version(expected_version, draft.cart["version"], cart=draft.cart)
    view = await view_of(ctx, draft.cart)
    for each in resolutions:
        line = draft.line(each["cart_line_id"])
        if line is None:
            raise _invalid(draft, gettext_noop("There is no such line."))
        await _resolve(ctx, draft, view, line, each)
    return {"cart": await draft.save()}


async def _resolve(ctx: Context, draft: Draft, view: CartView, line: Line, wanted: CartResolution) -> None:
    now = view.lines[line["_id"]]
    if wanted["kind"] == CartResolutionKind.REMOVE:
        draft.remove(line)
    elif wanted["kind"] == CartResolutionKind.ACCEPT_PRICE:
        if not now.sellable:
            raise _invalid(draft, gettext_noop("It is no longer sold."))
        draft.change(line, unit_price=now.price)
    elif wanted["kind"] == CartResolutionKind.REDUCE_QUANTITY:
        draft.change(line, quantity=_reduced(draft, now, wanted.get("quantity")), capped=False)
    else:
        await _swap(ctx, draft, line, wanted.get("product_variant_id"))


def _reduced(draft: Draft, now: LineView, wanted: int | None) -> int:
    if now.variant is None:
        raise _invalid(draft, gettext_noop("It is no longer sold."))
    present = now.line["quantity"]
    most = min(most_of(now.variant), present if now.available is None else now.available)
    quantity = most if wanted is None else wanted
    if not 1 <= quantity <= present or quantity > most:
        raise _invalid(draft, gettext_noop("The quantity does not resolve it."))
    return quantity


async def _swap(ctx: Context, draft: Draft, line: Line, variant_id: str | None) -> None:
    if variant_id is None:
        raise _invalid(draft, gettext_noop("Name the variant to take."))
    wanted = await need_sold(ctx, {"product_variant_id": Id(variant_id)})
    if wanted.variant["currency"] != draft.currency and len(draft.lines) > 1:
        raise _invalid(draft, gettext_noop("It is in another currency."))
    draft.currency = wanted.variant["currency"]
    quantity = min(line["quantity"], most_of(wanted.variant))
    equal = draft.equal_line(variant_id, line["options"], but=line["_id"])
    if equal is None:
        draft.change(draft.swap(line, wanted.product, wanted.variant), quantity=quantity)
        return
    draft.join(equal, line, min(most_of(wanted.variant), equal["quantity"] + quantity))


def _invalid(draft: Draft, message: str) -> UserError:
    return UserError("INVALID_INPUT", message, field=["resolutions"], cart=draft.cart)
