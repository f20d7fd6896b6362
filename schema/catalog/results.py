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
    """Reason for which a search found a product."""

    keywords: list[str]
    """Words of the product that match the query."""
    method: MatchMethod
    """Method by which the product was found."""
    confidence: float
    """Confidence that the product is what was meant, 0 to 1."""
    reason: str
    """Reason in one sentence, in English, naming where each word was found."""


@type_
class FacetValue:
    """Brand or ingredient by which the search can be narrowed."""

    value: str
    """Value to send in the filter, in `brands` or `ingredients`."""
    count: int
    """Number of products that the search finds with this value alone."""
    selected: bool
    """True if the filter already has the value."""


@type_
class FormFacet:
    """Dosage form by which the search can be narrowed."""

    form: DosageForm
    """Form to send in the filter, in `forms`."""
    count: int
    """Number of products that the search finds with this form alone."""
    selected: bool
    """True if the filter already has the form."""


@type_
class CategoryFacet:
    """Category by which the search can be narrowed."""

    category: Category | None = one(by_id(categories), key="category_id")
    """Category whose id to send in the filter, in `categoryIds`; null when the category is gone."""
    count: int
    """Number of products that the search finds with this category alone."""
    selected: bool
    """True if the filter already has the category."""


@type_
class PriceFacet:
    """Price band by which the search can be narrowed; a product is in the band of its cheapest variant."""

    min: Decimal
    """Lowest price in the band, in the shop's currency."""
    below: Decimal | None
    """Upper end of the band, in the shop's currency, itself excluded; null for the last band."""
    count: int
    """Number of products that the search finds in this band."""


@type_
class SearchFacets:
    """Facets of a search: values to narrow the list by, most frequent first, at most 50 of each.

    Each facet ignores its own filter. When nothing is found, they count the products without the filters.
    """

    brands: list[FacetValue]
    """Brands of the products that were found, at most 50, the most frequent first."""
    ingredients: list[FacetValue]
    """Ingredients of the products that were found, at most 50, the most frequent first."""
    forms: list[FormFacet]
    """Dosage forms of the products that were found, at most 50, the most frequent first."""
    categories: list[CategoryFacet]
    """Categories of the products that were found, at most 50, the most frequent first."""
    prices: list[PriceFacet]
    """Price bands of the products, at most 6, the cheapest first."""


@type_
class ProductSearchEdge(Edge):
    """A product that was found, and its place in the list."""

    node: Product
    """Product at this place in the list."""
    match: SearchMatch | None = key("match")
    """Reason for which the product was found; null when the filter has no `query`."""


@type_
class ProductSearchConnection(Connection):
    """A page of products that were found."""

    edges: list[ProductSearchEdge]
    """The products of this page."""
    total_count: int = field(search.total_count)
    """Number of products that were found, counted up to 1,000."""
    total_is_lower_bound: bool = field(search.total_is_lower_bound)
    """True if more products were found than `totalCount`."""
    facets: SearchFacets | None = field(facets)
    """Facets to narrow the search by; null while the search engine is down."""
    degraded: bool
    """True if the search engine is down, so that words were only compared with the beginnings of names and
    codes."""


@type_
class ImportedRow:
    """Result of importing one row of a supplier."""

    row_index: int
    """Index of the row, as sent."""
    product: Product | None
    """Product that the row was saved to; null when name, brand, price or form is missing or the form is
    unknown."""
    data_quality: DataQuality
    """Quality of the data in the row."""
    issues: list[str]
    """Issues found in the row, as sentences; errors come before warnings."""
