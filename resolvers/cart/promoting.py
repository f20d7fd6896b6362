"""Codes of promotions on a cart, and uses of promotions by orders."""

from collections.abc import Sequence
from datetime import timedelta

from core import clock, ids
from core.audit import Act, record
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.values.bounds import check_length
from core.values.text import Line
from resolvers.cart.adding import Changed
from resolvers.cart.discounts import hindrance
from resolvers.cart.editing import draft_to_change
from resolvers.cart.owners import Owner, owner_of
from resolvers.cart.views import view_of
from stores.cart import promotions as store
from stores.cart.carts import Cart
from stores.cart.kinds import CartIssueCode
from stores.cart.promotions import Promotion
from stores.cart.quotes import Quote

error_codes(
    ErrorKind.CONFLICT,
    PROMOTION_NOT_STACKABLE="The code does not go together with another one of the cart: remove that first.",
)

MOST_CODES = 3
LONGEST_CODE = 40
MOST_MISSES = 10
WITHIN = timedelta(hours=1)


def normalized(code: str) -> str:
    """A code as it is kept and compared."""
    text = code.upper()
    check_length(text, least=1, most=LONGEST_CODE, field="code")
    return text


async def apply_promotion_code(ctx: Context, *, code: Line) -> Changed:
    """Put a code on the cart: one that does not exist, is over, or does not fit is refused."""
    wanted = normalized(code)
    owner = owner_of(ctx)
    await _check_misses(ctx, owner)
    draft = await draft_to_change(ctx)
    codes = draft.cart["codes"]
    if wanted in codes:
        return {"cart": draft.cart}
    if len(codes) >= MOST_CODES:
        raise UserError(
            "LIMIT_REACHED", "At most {limit} codes.", field=["code"], limit=MOST_CODES, cart=draft.cart
        )
    found = {each["code"]: each for each in await store.with_codes(ctx.db, [wanted, *codes])}
    promotion = found.get(wanted)
    if promotion is None:
        await _miss(ctx, owner, wanted)
        raise UserError("NOT_FOUND", "There is no such code.", field=["code"], cart=draft.cart)
    await _check_applies(ctx, owner, draft.cart, promotion)
    others = [found[each] for each in codes if each in found]
    if others and not all(each["stackable"] for each in (promotion, *others)):
        raise UserError(
            "PROMOTION_NOT_STACKABLE", "It does not go with others.", field=["code"], cart=draft.cart
        )
    draft.set(codes=[*codes, wanted])
    cart = await draft.save()
    await record(ctx, _act("cart.promotion_applied", cart, wanted))
    return {"cart": cart}


async def remove_promotion_code(ctx: Context, *, code: Line) -> Changed:
    """Take a code off the cart; one that is not on it is off already."""
    wanted = normalized(code)
    draft = await draft_to_change(ctx)
    if wanted not in draft.cart["codes"]:
        return {"cart": draft.cart}
    draft.set(codes=[each for each in draft.cart["codes"] if each != wanted])
    cart = await draft.save()
    await record(ctx, _act("cart.promotion_removed", cart, wanted))
    return {"cart": cart}


def _act(action: str, cart: Cart, code: str) -> Act:
    return Act(action, "DATA_MODIFIED", "CART", cart["_id"], details={"code": code})


async def _check_applies(ctx: Context, owner: Owner, cart: Cart, promotion: Promotion) -> None:
    """EXPIRED for a promotion that is over or used up; one whose conditions are not met may be applied."""
    used = await _used(ctx, owner, promotion)
    view = await view_of(ctx, cart)
    found = hindrance(promotion, subtotal=view.subtotal, currency=cart["currency"], now=ctx.tx.now, used=used)
    if found == CartIssueCode.PROMOTION_EXPIRED:
        raise UserError("EXPIRED", "It is over, or was used up.", field=["code"], cart=cart)
    if promotion["starts_at"] > ctx.tx.now:
        raise UserError("NOT_FOUND", "There is no such code.", field=["code"], cart=cart)


async def _used(ctx: Context, owner: Owner, promotion: Promotion) -> int | None:
    if owner.user_id is None:
        return None
    if promotion["per_customer"] is None:
        return 0
    return len(await store.uses_of(ctx.db, [promotion["_id"]], owner.user_id))


async def _check_misses(ctx: Context, owner: Owner) -> None:
    """RATE_LIMITED for who guesses: also with a code that is right."""
    missed = await ctx.services.window_counter.lately(_misses(owner), within=WITHIN)
    if missed.number >= MOST_MISSES:
        wait = missed.first + WITHIN.total_seconds() - clock.timestamp()
        raise UserError("RATE_LIMITED", "Too often.", retry_after_seconds=max(1, round(wait)))


async def _miss(ctx: Context, owner: Owner, code: str) -> None:
    # The same wrong code again counts once: nobody learns anything of it.
    await ctx.services.window_counter.add(_misses(owner), code, within=WITHIN)


def _misses(owner: Owner) -> str:
    return f"promotion-codes:{owner.key}"


async def fitting_codes(ctx: Context, codes: Sequence[str]) -> list[str]:
    """Codes of two carts that go together, those that are over left out; at most as many as one may have."""
    wanted = list(dict.fromkeys(codes))
    if not wanted:
        return []
    found = {each["code"]: each for each in await store.with_codes(ctx.db, wanted)}
    kept: list[Promotion] = []
    for code in wanted:
        promotion = found.get(code)
        if promotion is None or not _lives(promotion, ctx) or len(kept) >= MOST_CODES:
            continue
        if not kept or (promotion["stackable"] and all(each["stackable"] for each in kept)):
            kept.append(promotion)
    return [str(each["code"]) for each in kept]


def _lives(promotion: Promotion, ctx: Context) -> bool:
    ends_at, limit = promotion["ends_at"], promotion["usage_limit"]
    is_left = limit is None or promotion["used_count"] < limit
    return promotion["active"] and (ends_at is None or ctx.tx.now < ends_at) and is_left


# What orders do.


async def count_uses(ctx: Context, quote: Quote, order_id: str) -> bool:
    """Count a use of each promotion of the quote for an order, once; False if one has none left.

    The promotion's document is written, so of two orders at once that want its last use one is run again, and
    sees that it is gone.
    """
    wanted = [each["promotion_id"] for each in quote["discounts"] if each["amount"]]
    rows = await store.promotion_uses.find(ctx.db, {"order_id": order_id})
    counted = {row["promotion_id"] for row in rows}
    for promotion in await store.promotions.by_ids(ctx.db, sorted(set(wanted) - counted)):
        if not await _count(ctx, promotion, str(quote["owner_id"]), order_id):
            return False
    return True


async def _count(ctx: Context, promotion: Promotion, user_id: str, order_id: str) -> bool:
    limit, own_limit = promotion["usage_limit"], promotion["per_customer"]
    if limit is not None and promotion["used_count"] >= limit:
        return False
    if own_limit is not None:
        rows = await store.uses_of(ctx.db, [promotion["_id"]], user_id)
        if len(rows) >= own_limit:
            return False
    await ctx.tx.update(store.promotions, promotion["_id"], inc={"used_count": 1}, version=False)
    use = {"promotion_id": promotion["_id"], "user_id": user_id, "order_id": order_id}
    await ctx.tx.insert(
        store.promotion_uses, {"_id": ids.new_id("promotion_use"), **use, "created_at": ctx.tx.now}
    )
    details = {"order_id": order_id}
    act = Act("cart.promotion_used", "DATA_MODIFIED", "CART", promotion["_id"], details=details)
    await record(ctx, act)
    return True


async def give_back_uses(ctx: Context, order_id: str) -> None:
    """Give back the uses of an order that failed or was cancelled; idempotent."""
    for use in await store.promotion_uses.find(ctx.db, {"order_id": order_id}):
        await ctx.tx.delete(store.promotion_uses, use)
        await ctx.tx.update(store.promotions, use["promotion_id"], inc={"used_count": -1}, version=False)
