"""Steps shared by the tests of the catalog: staff, imported rows, searches."""

import itertools
import uuid
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from core.context import Context, Services
from core.grants import GrantRole
from jobs import catalog as jobs
from resolvers.catalog import stock
from stores.catalog import products
from tests.conftest import NewPhone
from tests.phone import Phone, granted
from tests.phone import refusal as refusal

NUMBERS = itertools.count(1)
SEARCH = """query($filter: ProductFilterInput, $sort: ProductSort! = RELEVANCE,
  $first: Int, $after: String, $last: Int, $before: String) {
  searchProducts(filter: $filter, sort: $sort,
    first: $first, after: $after, last: $last, before: $before) {
    edges { cursor match { keywords method confidence reason } node { id name brand } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount totalIsLowerBound degraded
    facets {
      brands { value count selected } ingredients { value count selected } forms { form count selected }
      categories { category { name } count selected } prices { min below count }
    }
  }
}"""


def unique(word: str = "x") -> str:
    """Unique word, which no other product has."""
    return f"{word}{uuid.uuid4().hex[:10]}"


def row(**fields: str) -> dict[str, Any]:
    """A raw row that is fine."""
    number = next(NUMBERS)
    return {
        "rowIndex": number,
        "name": f"Magnesium Glycinate {unique('n')}",
        "brand": "Nordic Harbor",
        "price": "€24.90",
        "form": "capsules",
        "category": "Vitamins & Minerals",
        "description": "Gentle magnesium for calm evenings and better sleep.",
        "ingredients": "Magnesium glycinate 200 mg; Rice flour",
        "servings": "60",
        "serving_size": "2 capsules",
        "dosage": "2 capsules daily",
        "schedule": "Before bed",
        "stock": "40",
        **fields,
    }


def euros(amount: Any) -> dict[str, Any]:
    """Money of the shop's currency, as clients send it."""
    return {"amount": amount, "currencyCode": "EUR"}


def camel(fields: dict[str, Any]) -> dict[str, Any]:
    """The keys as clients write them."""
    return {to_camel_case(key): value for key, value in fields.items()}


async def staff(new_phone: NewPhone, services: Services, *roles: GrantRole, name: str = "Staff") -> Phone:
    phone = await new_phone(name)
    await granted(services, phone, *roles)
    return phone


async def import_rows(
    phone: Phone, rows: list[dict[str, Any]], *, publish: bool = True
) -> list[dict[str, Any]]:
    """Import these rows; the result of each."""
    made = await phone.do(
        "importProducts",
        "results { rowIndex dataQuality issues product { id version slug status variants { id sku } } }",
        rows=[camel(each) for each in rows],
        publish=publish,
    )
    assert made["errors"] == []
    results: list[dict[str, Any]] = made["results"]
    return results


async def on_sale(services: Services, phone: Phone, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Products of the rows, published and found; with their ids and variants."""
    results = await import_rows(phone, list(rows))
    await jobs.tell(services)
    return [each["product"] for each in results]


async def found(
    phone: Phone, *, query: str | None = None, filter: dict[str, Any] | None = None, **variables: Any
) -> dict[str, Any]:
    """The page of products that have these words and fit the filter."""
    given = {"query": query, **(filter or {})}
    return (await phone.run(SEARCH, filter=given, **variables))["searchProducts"]  # type: ignore[no-any-return]


def names(connection: dict[str, Any]) -> list[str]:
    return [edge["node"]["name"] for edge in connection["edges"]]


async def set_stock(services: Services, variant_id: str, on_hand: int) -> None:
    change = {"on_hand": on_hand, "available": on_hand, "reserved": 0, "dirty": True}
    update = {"q": {"variant_id": variant_id}, "u": {"$set": change}}
    await services.db.write({"update": "inventory", "updates": [update]})
    await jobs.tell(services)


async def within(services: Services, work: Any, *arguments: Any, **fields: Any) -> Any:
    """One of the functions for other systems, in a transaction of its own."""
    ctx = Context(services)
    return await ctx.unit(lambda: work(ctx, *arguments, **fields))


__all__ = ["products", "stock"]
