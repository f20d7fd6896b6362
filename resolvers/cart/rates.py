"""Rates of shipping and of taxes, as the shop's staff keep them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from core import ids, nodes
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.paging import NEWEST, PageArgs
from core.storage.loader import by_id
from core.values import money
from core.values.bounds import check_count, check_length
from core.values.currencies import COUNTRIES
from core.values.money import Money
from core.values.text import Line
from resolvers.cart.addresses import checked_country, checked_region
from resolvers.cart.managing import LONGEST_NAME, checked_percent
from stores.cart import promotions as store
from stores.cart.promotions import ShippingRate, TaxRate
from stores.catalog import CATALOG_ADMIN, categories

MOST_COUNTRIES = len(COUNTRIES)
MOST_CATEGORIES = 50
MOST_DAYS = 365

shipping_rates_for_staff = nodes.for_roles(store.shipping_rates, CATALOG_ADMIN, owner="created_by")
tax_rates_for_staff = nodes.for_roles(store.tax_rates, CATALOG_ADMIN, owner="created_by")


class ShippingRateChanges(TypedDict, total=False):
    name: Line
    country_codes: list[str]
    price: Money
    free_from: Money | None
    min_days: int
    max_days: int
    active: bool


class TaxRateChanges(TypedDict, total=False):
    name: Line
    region: Line | None
    category_ids: list[Id]
    rate: Decimal


class ShippingRateChanged(TypedDict):
    shipping_rate: ShippingRate


class ShippingRateCreated(ShippingRateChanged):
    shipping_rate_edge: dict[str, Any]


class TaxRateChanged(TypedDict):
    tax_rate: TaxRate


class TaxRateCreated(TaxRateChanged):
    tax_rate_edge: dict[str, Any]


class TaxRateDeleted(TypedDict):
    deleted_tax_rate_id: Id


async def shipping_rates(ctx: Context, *, args: PageArgs) -> dict[str, Any]:
    return await store.shipping_rates.page(ctx.db, {}, NEWEST, args)


async def tax_rates(ctx: Context, *, args: PageArgs) -> dict[str, Any]:
    return await store.tax_rates.page(ctx.db, {}, NEWEST, args)


async def create_shipping_rate(
    ctx: Context,
    *,
    id: Id | None = None,
    name: Line,
    country_codes: Sequence[str],
    price: Money,
    free_from: Money | None = None,
    min_days: int,
    max_days: int,
) -> ShippingRateCreated:
    given = {
        "name": name,
        "country_codes": list(country_codes),
        "price": price,
        "free_from": free_from,
        "min_days": min_days,
        "max_days": max_days,
    }
    stamps = {"created_by": ctx.viewer_id, "created_at": ctx.tx.now, "updated_at": ctx.tx.now}
    row = {"_id": ids.minted(id, "shipping_rate"), "active": True, **_shipping_fields(given), **stamps}
    made = await ctx.tx.insert(store.shipping_rates, row)
    return {"shipping_rate": made, "shipping_rate_edge": store.shipping_rates.edge({}, NEWEST, made)}


async def update_shipping_rate(
    ctx: Context,
    *,
    shipping_rate_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[ShippingRateChanges],
) -> ShippingRateChanged:
    rate = await nodes.for_update(ctx, store.shipping_rates, shipping_rate_id)
    check_version(expected_version, rate["version"], shipping_rate=rate)
    fields = _shipping_fields(changes, rate)
    return {"shipping_rate": await ctx.tx.edit(store.shipping_rates, rate, fields)}


def _shipping_fields(given: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields as they are kept; refused where they make no rate."""
    fields = {name: value for name, value in given.items() if name not in ("price", "free_from")}
    if "name" in given:
        check_length(given["name"], least=1, most=LONGEST_NAME, field="name")
    if "country_codes" in given:
        fields["country_codes"] = _countries(given["country_codes"])
    currency = given["price"]["currency_code"] if "price" in given else (before or {})["currency"]
    if "price" in given:
        fields |= {"price": _price(given["price"], currency), "currency": currency}
    if "free_from" in given:
        least = given["free_from"]
        fields["free_from"] = None if least is None else money.checked_money(least, currency, "free_from")
    elif before and before["free_from"] is not None and currency != before["currency"]:
        raise UserError("INVALID_INPUT", "It is in another currency.", field=["free_from"])
    whole = {**(before or {}), **fields}
    if not 0 <= whole["min_days"] <= whole["max_days"] <= MOST_DAYS:
        raise UserError("OUT_OF_RANGE", "0 to {limit} days.", field=["max_days"], limit=MOST_DAYS)
    return fields


def _price(given: Money, currency: str) -> int:
    """A price, which may be nothing."""
    return 0 if given["amount"] == 0 else money.checked_money(given, currency, "price")


def _countries(codes: Sequence[str]) -> list[str]:
    check_count(codes, least=1, most=MOST_COUNTRIES, field="country_codes")
    return list(dict.fromkeys(checked_country(code, "country_codes") for code in codes))


async def create_tax_rate(
    ctx: Context,
    *,
    id: Id | None = None,
    name: Line,
    country_code: Line,
    region: Line | None = None,
    category_ids: Sequence[Id] = (),
    rate: Decimal,
    included: bool,
) -> TaxRateCreated:
    country = checked_country(country_code, "country_code")
    given = {"name": name, "region": region, "category_ids": list(category_ids), "rate": rate}
    fields = await _tax_fields(ctx, country, given)
    others = await store.taxes_of(ctx.db, country)
    if any(each["included"] != included for each in others):
        raise UserError("INVALID_INPUT", "The country's other rates say otherwise.", field=["included"])
    stamps = {"created_by": ctx.viewer_id, "created_at": ctx.tx.now, "updated_at": ctx.tx.now}
    named = {"_id": ids.minted(id, "tax_rate"), "country_code": country, "included": included}
    made = await ctx.tx.insert(store.tax_rates, {**named, **fields, **stamps})
    return {"tax_rate": made, "tax_rate_edge": store.tax_rates.edge({}, NEWEST, made)}


async def update_tax_rate(
    ctx: Context, *, tax_rate_id: Id, expected_version: int | None = None, **changes: Unpack[TaxRateChanges]
) -> TaxRateChanged:
    found = await nodes.for_update(ctx, store.tax_rates, tax_rate_id)
    check_version(expected_version, found["version"], tax_rate=found)
    fields = await _tax_fields(ctx, found["country_code"], changes)
    return {"tax_rate": await ctx.tx.edit(store.tax_rates, found, fields)}


async def delete_tax_rate(ctx: Context, *, tax_rate_id: Id) -> TaxRateDeleted:
    found = await nodes.for_update(ctx, store.tax_rates, tax_rate_id)
    await ctx.tx.delete(store.tax_rates, found)
    return {"deleted_tax_rate_id": tax_rate_id}


async def _tax_fields(ctx: Context, country: str, given: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "name" in given:
        check_length(given["name"], least=1, most=LONGEST_NAME, field="name")
        fields["name"] = given["name"]
    if "rate" in given:
        fields["rate"] = checked_percent(given["rate"], "rate")
    if "region" in given:
        fields["region"] = checked_region(given["region"], country)
    if "category_ids" in given:
        check_count(given["category_ids"], most=MOST_CATEGORIES, field="category_ids")
        wanted = [ids.checked(id, "category") for id in dict.fromkeys(given["category_ids"])]
        found = [await ctx.load(by_id(categories), each) for each in wanted]
        if not all(found):
            raise UserError("NOT_FOUND", "There is no such category.", field=["category_ids"])
        fields["category_ids"] = wanted
    return fields


# Fields of rates.


def percentage(rate: Mapping[str, Any]) -> Decimal:
    return Decimal(rate["rate"])
