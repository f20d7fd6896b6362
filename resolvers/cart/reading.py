"""Reads of carts, through their access guards, and the fields that are computed at each read."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.audit import Act, record_apart
from core.context import Context
from core.ids import Id, checked
from core.nodes import guard
from core.values import money
from loaders.cart import OpenCartOfOwner
from loaders.media import MediaById
from resolvers.cart import owners
from resolvers.cart.views import CartView, LineView, discounts_shown, views
from stores.cart import carts as store
from stores.cart.carts import Cart, Line
from stores.cart.kinds import CartLineStatus
from stores.cart.quotes import Issue

Document = Mapping[str, Any]


@guard("cart", sync="CART", collection=store.carts.name)
async def own_carts(ctx: Context, wanted: Sequence[str]) -> list[Cart | None]:
    """Access guard of carts: the owner's own, the ended ones too."""
    owner = owners.owner_or_none(ctx)
    if owner is None:
        return [None for _ in wanted]
    open_cart = await ctx.load(OpenCartOfOwner, owner.key)
    found = {open_cart["_id"]: open_cart} if open_cart else {}
    missing = [id for id in wanted if id not in found]
    if missing:
        query = {"owner_key": owner.key, "_id": {"$in": missing}}
        rows = await store.carts.find(ctx.db, query, limit=len(missing))
        found |= {row["_id"]: row for row in rows}
    return [found.get(id) for id in wanted]


@guard("cart_line", sync="CART_LINE", collection=store.carts.name, owner="owner_id")
async def own_lines(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
    """Access guard of lines: those of the owner's open cart."""
    owner = owners.owner_or_none(ctx)
    cart = await owners.cart_of(ctx, owner) if owner else None
    lines = {line["_id"]: line for line in cart["lines"]} if cart else {}
    return [shown_line(cart, lines[id]) if cart and id in lines else None for id in wanted]


def shown_line(cart: Cart, line: Line) -> dict[str, Any]:
    """A line with its cart, by which its prices and status are computed."""
    return {**line, "cart": cart, "owner_id": cart["owner_id"]}


async def viewer_cart(ctx: Context, viewer: Document) -> Cart:
    return await owners.own_cart(ctx, owners.owner_of(ctx))


async def anonymous_cart(ctx: Context) -> Cart | None:
    """The open cart of the device's token; None where there is none."""
    hashed = ctx.bearer(owners.CART_TOKEN)
    return await owners.cart_of(ctx, owners.Owner(hashed, None)) if hashed else None


async def customer_cart(ctx: Context, *, user_id: Id) -> Cart | None:
    """The open cart of a customer, for support: on record each time."""
    await record_apart(
        ctx,
        Act("cart.read", "ACCESS_GRANTED", "CART", subject_id=checked(user_id, "user")),
    )
    return await owners.cart_of(ctx, owners.customer(user_id))


# Fields of carts.

PRICED = ("status", "currency", "codes", "hold", "owner_id", "owner_key")
"""Fields of a cart, beside its lines, that prices and statuses are computed from."""


def lines(cart: Document) -> list[dict[str, Any]]:
    """The cart's lines, newest first."""
    return [shown_line(cart, line) for line in reversed(cart["lines"])]  # type: ignore[arg-type]


def item_count(cart: Document) -> int:
    return sum(line["quantity"] for line in cart["lines"])


def anonymous(cart: Document) -> bool:
    return cart["owner_id"] is None


def _money_of(amount: Any) -> Any:
    """Resolver of an amount of carts."""

    async def amounts(ctx: Context, carts: Sequence[Cart]) -> list[dict[str, Any]]:
        found = await views(ctx, carts)
        return [money.shown(amount(view), view.cart["currency"]) for view in found]

    return amounts


subtotals = _money_of(lambda view: view.subtotal)
discount_totals = _money_of(lambda view: view.discounts.total)
estimated_totals = _money_of(lambda view: view.subtotal - view.discounts.total)


async def discounts(ctx: Context, carts: Sequence[Cart]) -> list[list[Document]]:
    return [list(discounts_shown(view.discounts, view.cart["currency"])) for view in await views(ctx, carts)]


async def issues(ctx: Context, carts: Sequence[Cart]) -> list[list[Issue]]:
    return [view.issues for view in await views(ctx, carts)]


# Fields of lines.


async def _views_of_lines(ctx: Context, shown: Sequence[Document]) -> list[LineView]:
    by_cart = {line["cart"]["_id"]: line["cart"] for line in shown}
    found: dict[str, CartView] = {view.cart["_id"]: view for view in await views(ctx, list(by_cart.values()))}
    return [found[line["cart"]["_id"]].lines[line["_id"]] for line in shown]


def _money_of_line(amount: Any) -> Any:
    """Resolver of an amount of lines."""

    async def amounts(ctx: Context, shown: Sequence[Document]) -> list[dict[str, Any]]:
        found = await _views_of_lines(ctx, shown)
        return [
            money.shown(amount(view), line["cart"]["currency"])
            for view, line in zip(found, shown, strict=True)
        ]

    return amounts


current_unit_prices = _money_of_line(lambda view: view.price)
line_totals = _money_of_line(lambda view: view.total)
line_discounts = _money_of_line(lambda view: view.discount)


def unit_price(line: Document) -> dict[str, Any]:
    return money.shown(line["unit_price"], line["cart"]["currency"])


def alias_ids(line: Document) -> list[str]:
    return [alias["id"] for alias in line["aliases"]]


async def statuses(ctx: Context, shown: Sequence[Document]) -> list[CartLineStatus]:
    return [view.status for view in await _views_of_lines(ctx, shown)]


async def checked_times(ctx: Context, shown: Sequence[Document]) -> list[Any]:
    return [view.checked_at for view in await _views_of_lines(ctx, shown)]


async def line_issues(ctx: Context, shown: Sequence[Document]) -> list[list[Issue]]:
    return [view.issues for view in await _views_of_lines(ctx, shown)]


async def variants(ctx: Context, shown: Sequence[Document]) -> list[Document | None]:
    return [view.variant for view in await _views_of_lines(ctx, shown)]


async def images(ctx: Context, shown: Sequence[Document]) -> list[Document | None]:
    """The first picture of the product, or the one that it had."""
    wanted = []
    for view in await _views_of_lines(ctx, shown):
        now = view.product["image_ids"] if view.product else []
        wanted.append(now[0] if now else view.line["image_id"])
    found = await ctx.loader(MediaById).fetch([id for id in wanted if id])
    return [found.get(id) if id else None for id in wanted]
