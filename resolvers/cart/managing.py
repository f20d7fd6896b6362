"""Promotions, as the shop's staff keep them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from core import ids, jobs, nodes
from core.context import Context
from core.errors import ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.paging import NEWEST, PageArgs
from core.values import money
from core.values.bounds import check_count, check_length
from core.values.money import Money
from core.values.text import Line
from loaders.catalog import ProductById
from resolvers.cart.promoting import normalized
from resolvers.favorite import PRODUCT, FavoriteTargetEventKind, target_event
from stores.cart import promotions as store
from stores.cart.kinds import PromotionKind
from stores.cart.promotions import MOST_AUTOMATIC, Promotion
from stores.catalog import CATALOG_ADMIN

error_codes(
    ErrorKind.INVALID,
    PROMOTION_CODE_TAKEN="Another promotion has this code: choose another.",
)

LONGEST_NAME = 100
MOST_PRODUCTS = 100
MOST_USES = 1_000_000
BEGIN_TASK = "cart.begin_promotion"

promotions_for_staff = nodes.for_roles(store.promotions, CATALOG_ADMIN, owner="created_by")


class PromotionFilter(TypedDict, total=False):
    """Filter of the list of promotions."""

    active: bool | None
    """True to list only promotions that were not ended, false only those that were."""


class PromotionChanges(TypedDict, total=False):
    name: Line
    percent_off: Decimal | None
    amount_off: Money | None
    min_subtotal: Money | None
    starts_at: datetime
    ends_at: datetime | None
    usage_limit: int | None
    per_customer_count: int | None
    product_ids: list[Id]
    stackable: bool


class Changed(TypedDict):
    promotion: Promotion


class Created(Changed):
    promotion_edge: dict[str, Any]


async def promotions(
    ctx: Context, *, filter: PromotionFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of promotions, newest first."""
    active = (filter or {}).get("active")
    query = {} if active is None else {"active": active}
    return await store.promotions.page(ctx.db, query, NEWEST, args)


async def create_promotion(
    ctx: Context,
    *,
    id: Id | None = None,
    name: Line,
    kind: PromotionKind,
    code: Line | None = None,
    percent_off: Decimal | None = None,
    amount_off: Money | None = None,
    min_subtotal: Money | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    usage_limit: int | None = None,
    per_customer_count: int | None = None,
    product_ids: Sequence[Id] = (),
    stackable: bool = False,
) -> Created:
    """Create a promotion, which begins at once where no time is named."""
    given = {
        "name": name,
        "percent_off": percent_off,
        "amount_off": amount_off,
        "min_subtotal": min_subtotal,
        "starts_at": starts_at or ctx.tx.now,
        "ends_at": ends_at,
        "usage_limit": usage_limit,
        "per_customer_count": per_customer_count,
        "product_ids": list(product_ids),
        "stackable": stackable,
    }
    fields = await _fields(ctx, kind, given)
    wanted = normalized(code) if code else None
    await _check_code(ctx, wanted)
    row = {
        "_id": ids.minted(id, "promotion"),
        "code": wanted,
        "kind": kind,
        "used_count": 0,
        "active": True,
        "told": False,
        "created_by": ctx.viewer_id,
        "created_at": ctx.tx.now,
        "updated_at": ctx.tx.now,
        **fields,
    }
    made = await ctx.tx.insert(store.promotions, row)
    await _plan(ctx, made)
    return {"promotion": made, "promotion_edge": store.promotions.edge({}, NEWEST, made)}


async def update_promotion(
    ctx: Context,
    *,
    promotion_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[PromotionChanges],
) -> Changed:
    """Update a promotion; carts show it at their next read."""
    promotion = await nodes.for_update(ctx, store.promotions, promotion_id)
    check_version(expected_version, promotion["version"], promotion=promotion)
    fields = await _fields(ctx, PromotionKind(promotion["kind"]), changes, promotion)
    changed = await ctx.tx.edit(store.promotions, promotion, fields, expected_version=expected_version)
    await _plan(ctx, changed)
    return {"promotion": changed}


async def end_promotion(ctx: Context, *, promotion_id: Id) -> Changed:
    """End a promotion for good; one that has ended stays so."""
    promotion = await nodes.for_update(ctx, store.promotions, promotion_id)
    if not promotion["active"]:
        return {"promotion": promotion}
    await jobs.cancel(ctx.tx, BEGIN_TASK, key=promotion_id)
    return {"promotion": await ctx.tx.edit(store.promotions, promotion, {"active": False})}


async def _check_code(ctx: Context, code: str | None) -> None:
    if code is None:
        rows = await store.promotions.find(
            ctx.db, {"code": None, "active": True}, limit=MOST_AUTOMATIC, fields=("_id",)
        )
        if len(rows) >= MOST_AUTOMATIC:
            raise UserError("LIMIT_REACHED", "At most {limit} without a code.", limit=MOST_AUTOMATIC)
    elif await store.promotions.first(ctx.db, {"code": code}) is not None:
        raise UserError("PROMOTION_CODE_TAKEN", "This code is taken.", field=["code"])


async def _plan(ctx: Context, promotion: Promotion) -> None:
    """Have those who like its products told when it begins, unless it has a code."""
    if promotion["code"] is None and promotion["active"] and not promotion["told"]:
        due_at, id = promotion["starts_at"], promotion["_id"]
        await jobs.enqueue(ctx.tx, BEGIN_TASK, due_at=due_at, key=id, promotion_id=id)


async def begin(ctx: Context, promotion_id: str) -> None:
    """Tell those who like a promotion's products that it began, once."""
    promotion = await store.promotions.by_id(ctx.db, promotion_id)
    if promotion is None or promotion["told"] or not promotion["active"]:
        return
    await ctx.tx.update(store.promotions, promotion, set={"told": True}, version=False, touch=False)
    for id in promotion["product_ids"]:
        await target_event(ctx, PRODUCT.name, id, FavoriteTargetEventKind.PROMOTION)


async def _fields(
    ctx: Context, kind: PromotionKind, given: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The fields as they are kept; refused where they make no promotion."""
    fields: dict[str, Any] = {
        name: given[name] for name in ("starts_at", "ends_at", "stackable") if name in given
    }
    if "name" in given:
        check_length(given["name"], least=1, most=LONGEST_NAME, field="name")
        fields["name"] = given["name"]
    for name, kept in (("usage_limit", "usage_limit"), ("per_customer_count", "per_customer")):
        if name in given:
            fields[kept] = _count(given[name], name)
    if "product_ids" in given:
        fields["product_ids"] = await _products(ctx, given["product_ids"])
    fields |= _amounts(given, before)
    whole = {**(before or {}), **fields}
    _check_kind(kind, whole)
    if whole["ends_at"] is not None and whole["ends_at"] <= whole["starts_at"]:
        raise UserError("OUT_OF_RANGE", "It ends before it begins.", field=["ends_at"])
    return fields


def _count(value: int | None, field: str) -> int | None:
    if value is not None and not 1 <= value <= MOST_USES:
        raise UserError("OUT_OF_RANGE", "1 to {limit}.", field=[field], limit=MOST_USES)
    return value


async def _products(ctx: Context, product_ids: Sequence[str]) -> list[str]:
    check_count(product_ids, most=MOST_PRODUCTS, field="product_ids")
    wanted = [ids.checked(id, "product") for id in dict.fromkeys(product_ids)]
    found = await ctx.load_many(ProductById, wanted)
    if not all(found):
        raise UserError("NOT_FOUND", "There is no such product.", field=["product_ids"])
    return wanted


def _amounts(given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "percent_off" in given:
        percent = given["percent_off"]
        fields["percent_off"] = None if percent is None else checked_percent(percent, "percent_off")
    amounts = {name: given[name] for name in ("amount_off", "min_subtotal") if name in given}
    kept = [before[name] for name in ("amount_off", "min_subtotal") if before and name not in amounts]
    currency = before["currency"] if before and any(each is not None for each in kept) else None
    for name, amount in amounts.items():
        if amount is None:
            fields[name] = None
            continue
        currency = currency or amount["currency_code"]
        fields[name] = money.checked_money(amount, currency, name)
    return {**fields, "currency": currency} if amounts else fields


def checked_percent(percent: Decimal, field: str) -> str:
    """A percentage as it is kept: above 0, at most 100, with at most four decimals."""
    if not percent.is_finite() or not 0 < percent <= 100 or percent != round(percent, 4):
        raise UserError("OUT_OF_RANGE", "Above 0 and at most {limit}.", field=[field], limit=100)
    return f"{percent.normalize():f}"


def _check_kind(kind: PromotionKind, whole: Mapping[str, Any]) -> None:
    """A kind has its own amount, and no other's."""
    wanted = {PromotionKind.PERCENT: "percent_off", PromotionKind.FIXED: "amount_off"}
    for each, field in wanted.items():
        if (whole[field] is not None) != (each is kind):
            code = "REQUIRED" if each is kind else "INVALID_INPUT"
            raise UserError(code, "It does not fit the kind.", field=[field])


# Fields of promotions.


def percent_off(promotion: Mapping[str, Any]) -> Decimal | None:
    percent = promotion["percent_off"]
    return None if percent is None else Decimal(percent)
