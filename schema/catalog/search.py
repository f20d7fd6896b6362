"""Searching, as clients see it."""

from decimal import Decimal

from core.binding import field, input_, key, one, type_
from core.binding.common import Connection, Edge
from core.ids import Id
from loaders.catalog import CategoryById
from resolvers import catalog
from schema.catalog.types import Category, InventoryLevel, Product
from stores.catalog.kinds import DosageForm, MatchMethod


@input_
class ProductFilterInput:
    """Narrows a search: any value within one filter, all filters together; at most 20 values each."""

    category_ids: list[Id] | None
    """Of these categories."""
    brands: list[str] | None
    """Of these brands, however they are spelled."""
    ingredients: list[str] | None
    """With any of these ingredients."""
    forms: list[DosageForm] | None
    """In these forms."""
    goals: list[str] | None
    """Serving any of these goals."""
    price_min: Decimal | None
    """At least so expensive, in the shop's currency and with no more decimals than it has."""
    price_max: Decimal | None
    """At most so expensive, likewise."""
    in_stock: bool | None
    """Only what can be had now."""


@input_
class InventoryFilterInput:
    """Narrows a list of stock."""

    skus: list[str] | None
    """Of these SKUs, at most 100."""
    below_safety: bool | None
    """Only what has nothing left to sell beyond its safety stock, scarcest first."""


@type_
class SearchMatch:
    """Why a product was found."""

    keywords: list[str]
    """The product's words that match."""
    method: MatchMethod
    """How it was found."""
    confidence: float
    """How well it fits, 0 to 1."""
    reason: str
    """The same in a sentence."""


@type_
class FacetValue:
    """A value one could narrow the search to."""

    value: str
    """Send it in the filter."""
    count: int
    """How many products it would leave."""
    selected: bool
    """Whether the filter has it."""


@type_
class FormFacet:
    """A form one could narrow the search to."""

    form: DosageForm
    """Send it in the filter."""
    count: int
    """How many products it would leave."""
    selected: bool
    """Whether the filter has it."""


@type_
class CategoryFacet:
    """A category one could narrow the search to."""

    category: Category | None = one(CategoryById, key="category_id")
    """Send its id in the filter."""
    count: int
    """How many products it would leave."""
    selected: bool
    """Whether the filter has it."""


@type_
class PriceFacet:
    """A band of prices, by the cheapest variant."""

    min: Decimal
    """From this price on."""
    below: Decimal | None
    """Up to below this price; null for the last band."""
    count: int
    """How many products it would leave."""


@type_
class SearchFacets:
    """What one could narrow the search by, most frequent first, at most 50 of each; each ignores its filter.

    When nothing is found, they tell what there is without the filters.
    """

    brands: list[FacetValue]
    """Brands."""
    ingredients: list[FacetValue]
    """Ingredients."""
    forms: list[FormFacet]
    """Forms."""
    categories: list[CategoryFacet]
    """Categories."""
    prices: list[PriceFacet]
    """Price bands, cheapest first."""


@type_
class ProductSearchEdge(Edge):
    """A product that was found."""

    node: Product
    """The product."""
    match: SearchMatch | None = key("match")
    """Why it was found; null when browsing."""


@type_
class ProductSearchConnection(Connection):
    """A page of products that were found."""

    edges: list[ProductSearchEdge]
    """The products of this page."""
    total_count: int = field(catalog.total_count)
    """How many were found, counted to 1,000."""
    total_is_lower_bound: bool = field(catalog.total_is_lower_bound)
    """Whether there are more than `totalCount`."""
    facets: SearchFacets | None = field(catalog.facets)
    """What to narrow the search by; null when degraded."""
    degraded: bool
    """Whether the search backend is down and this is a simpler search by the beginnings of words."""


@type_
class InventoryLevelEdge(Edge):
    """A level and its place in the list."""

    node: InventoryLevel
    """The level."""


@type_
class InventoryLevelConnection(Connection):
    """A page of stock."""

    edges: list[InventoryLevelEdge]
    """The levels of this page."""
