"""What a search and an import answer, as clients see it."""

from decimal import Decimal

from core.graphql import field, key, one, type_
from core.graphql.common import Connection, Edge
from core.storage.loader import by_id
from resolvers.catalog import search
from resolvers.catalog.facets import facets
from schema.catalog.types import Category, Product
from stores.catalog.kinds import DataQuality, DosageForm, MatchMethod
from stores.catalog.products import categories


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

    category: Category | None = one(by_id(categories), key="category_id")
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
    total_count: int = field(search.total_count)
    """How many were found, counted to 1,000."""
    total_is_lower_bound: bool = field(search.total_is_lower_bound)
    """Whether there are more than `totalCount`."""
    facets: SearchFacets | None = field(facets)
    """What to narrow the search by; null when degraded."""
    degraded: bool
    """Whether the search backend is down and this is a simpler search by the beginnings of words."""


@type_
class ImportedRow:
    """What came of a row."""

    row_index: int
    """Which row."""
    product: Product | None
    """The product; null when too little was there to keep."""
    data_quality: DataQuality
    """How good the row is."""
    issues: list[str]
    """What is wrong with it."""
