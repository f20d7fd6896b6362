"""Products, variants, categories, stock."""

from datetime import datetime
from decimal import Decimal

from core.graphql import batched, derived, key, money, node, one, restricted, type_, visible
from core.graphql.common import URL, Entity, Money, Node
from core.storage.loader import by_id
from resolvers.catalog import pictures, prices, reading
from schema.media import Media
from stores.catalog.kinds import (
    Allergen,
    AvailabilityStatus,
    BundleLinkKind,
    DataQuality,
    DosageForm,
    IntakeTimeslot,
    MatchMethod,
    ProductStatus,
)
from stores.catalog.products import categories
from stores.catalog.roles import CATALOG_STAFF


@node("category")
class Category(Node):
    """Category of products."""

    name: str
    """Name of the category, such as `Sleep Support`."""
    slug: str
    """Slug that names the category in URLs, such as `sleep-support`."""
    goal: str
    """Health goal that the products of this category serve, such as `Brain/Mood`."""
    product_count: int
    """Number of products on sale in this category, counted every 15 minutes."""


@type_
class Availability:
    """Public availability of a product or variant; exact stock is for staff."""

    status: AvailabilityStatus
    """Status of the stock that can be bought."""
    remaining: int | None
    """Number of units left, 1 to 5; null unless the status is LOW_STOCK."""
    restock_at: datetime | None
    """Time at which more is expected; null when it is unknown, or when some are left."""
    checked_at: datetime
    """Time at which this availability was computed."""


@type_
class PriceRange:
    """Range of prices over the variants on sale."""

    min: Money
    """Price of the cheapest variant."""
    max: Money
    """Price of the most expensive variant."""


@type_
class ProductAttribute:
    """Attribute in which a variant differs from the others of the product."""

    name: str
    """Name of the attribute, such as `size`."""
    value: str
    """Value that the variant has, such as `120 capsules`."""


@node("variant")
class ProductVariant(Node):
    """Variant of a product: what is priced, stocked and put into carts."""

    version: int = derived(prices.version, "version")
    """Version of the variant, raised when the price is set or an import changes it; send it as
    `expectedVersion`."""
    product: "Product | None" = visible("product_id")
    """Product that this is a variant of; null when it is hidden from you."""
    sku: str
    """SKU (stock-keeping unit) of the variant, unique in the shop."""
    title: str
    """Title that tells the variant from the others, such as `120 capsules`; `Standard` when the supplier gave
    none."""
    attributes: list[ProductAttribute]
    """Attributes that the title is made of, one of each name; empty for a standard variant."""
    price: Money = money("price")
    """Price of one unit at present."""
    compare_at_price: Money | None = money("compare_at_price")
    """Price before the current reduction; null when the variant is not reduced."""
    barcodes: list[str]
    """Barcodes (GTINs) printed on the package, as the supplier wrote them."""
    availability: Availability
    """Availability of this variant, without exact stock."""
    max_per_order: int
    """Largest quantity of the variant in one order."""
    active: bool
    """True if the variant is on sale; false when an import found no valid price."""


@type_
class Ingredient:
    """Ingredient of a product, with the amount in one serving."""

    name: str
    """Name of the ingredient as printed on the label."""
    amount: Decimal | None
    """Amount in one serving, in `unit`; null when the label gives none or it was not understood."""
    unit: str | None
    """Unit of the amount: `mg`, `mcg` or `IU`, for example; null when the amount is."""


@type_
class Dosage:
    """Recommended dosage, as parsed from the label; parts that were not understood are null."""

    amount_per_serving: Decimal | None
    """Amount of the main ingredient in one serving, in `unitPerServing`; null when no ingredient has an
    amount."""
    unit_per_serving: str | None
    """Unit of `amountPerServing`, such as `mg`; null when that is."""
    recommended_units: str | None
    """Number of units to take at a time, such as `2 capsules`; null when not understood."""
    recommended_frequency: str | None
    """Frequency of intake, such as `twice daily`; null when not understood."""
    total_daily_amount: Decimal | None
    """Amount of the main ingredient in a day, in `totalDailyUnit`; null unless the frequency is daily."""
    total_daily_unit: str | None
    """Unit of `totalDailyAmount`, such as `mg`; null when that is."""
    raw: str | None
    """Text of the label that the dosage was parsed from; null when there is none."""


@type_
class IntakeSchedule:
    """Recommended times of intake, as parsed from the label."""

    timeslots: list[IntakeTimeslot]
    """Times understood from the label; UNSPECIFIED alone when there are none."""
    raw: str | None
    """Text of the label that the times were parsed from; null when there is none."""


@type_
class BundleLink:
    """Link from a product to a health goal that its name, description or purposes mention."""

    kind: BundleLinkKind = key("type")
    """Kind of thing that is linked to."""
    goal: str
    """Name of the health goal, such as `Cardiovascular`."""
    subgoal: str | None
    """Name of a more specific goal within the goal; null when there is none."""
    confidence: float
    """Confidence that the product serves the goal, 0 to 1."""
    match_method: MatchMethod
    """Method by which the goal was matched."""
    matched_keywords: list[str]
    """Keywords of the goal that the product's texts contain."""


@type_
class RatingSummary:
    """Summary of a product's published ratings."""

    average: float
    """Average of the ratings in stars, 1 to 5; 0 when there are none."""
    count: int
    """Number of ratings that are published."""
    histogram: list[int]
    """Numbers of ratings with 1, 2, 3, 4 and 5 stars, in this order."""


@node("product")
class Product(Entity):
    """Dietary supplement of the catalog, with one variant or several to buy."""

    slug: str
    """Slug that names the product in URLs, made of brand, name and form; unique, and kept for good."""
    status: ProductStatus
    """Life-cycle status, which says whether the product is on sale."""
    name: str
    """Name of the product, at most 200 characters."""
    brand: str
    """Brand under which the product is sold."""
    description: str
    """Description of the product in a paragraph, at most 4,000 characters; may be empty."""
    form: DosageForm
    """Dosage form, such as capsules or powder."""
    category: Category = one(by_id(categories), key="category_id")
    """Category that the product is in."""
    goals: list[str]
    """Health goals that the product serves, the goal of its category first."""
    purposes: list[str]
    """Purposes for which the product is taken, at most 30; empty when none are known."""
    impacted_biomarkers: list[str]
    """Biomarkers that the product may change in a blood test, at most 30."""
    allergens: list[Allergen] | None
    """Allergens that the product contains; empty when it has none, and null when that is not known."""
    ingredients_text: str
    """Text of the ingredients as printed on the label; may be empty."""
    ingredients: list[Ingredient]
    """Ingredients with the amounts in a serving, at most 60."""
    directions: str
    """Directions for use from the label, at most 4,000 characters; may be empty."""
    serving_size: str | None
    """Size of one serving, such as `2 capsules`; null when the label does not say."""
    servings_per_container: int
    """Number of servings in one container; 30 when the supplier gave none."""
    dosage: Dosage
    """Dosage that the label recommends."""
    schedule: IntakeSchedule
    """Times of intake that the label recommends."""
    bundle_links: list[BundleLink]
    """Links to health goals that the product's texts mention, at most one for each goal."""
    images: list[Media] = batched(pictures.images, reads=["image_ids", *pictures.NAMING])
    """Pictures of the product, at most 10, each with an `altText`."""
    label_image: Media | None = batched(pictures.label_images, reads=["label_image_id", *pictures.NAMING])
    """Picture of the label, with an `altText`; null when there is none."""
    product_url: URL | None
    """URL of the product's page at the manufacturer; null when not known."""
    variants: list[ProductVariant] = derived(reading.active_variants, "variants")
    """Variants on sale, one for each SKU; all of them when none is on sale."""
    default_variant: ProductVariant = derived(reading.default_variant, "variants")
    """Variant to offer first: the cheapest in stock, else the cheapest on sale."""
    price_range: PriceRange = derived(prices.price_range, "min_price", "max_price", "currency")
    """Lowest and highest price of the variants on sale."""
    availability: Availability
    """Availability of the product: the best among its variants."""
    rating_summary: RatingSummary
    """Average, number and histogram of the published ratings."""
    alternatives: list["Product"] = batched(
        reading.alternatives, limit="Largest number of products, 1 to 20."
    )
    """Products in stock with ingredients in common, the most similar first."""
    data_quality: DataQuality | None = restricted("data_quality", CATALOG_STAFF)
    """Quality of the imported data; null for everybody but staff."""
    issues: list[str] | None = restricted("issues", CATALOG_STAFF)
    """Issues found in the imported data, as sentences; null for everybody but staff."""
    source_row_index: int | None = restricted("source_row_index", CATALOG_STAFF)
    """Index of the supplier's row that the product was last imported from; null for everybody but staff."""


@node("inventory")
class InventoryLevel(Node):
    """Exact stock level of a variant; for staff."""

    variant: ProductVariant | None = visible("variant_id")
    """Variant whose stock this is; null when it is hidden from you."""
    sku: str
    """SKU (stock-keeping unit) of the variant."""
    on_hand: int
    """Number of units in the warehouse, reserved ones included."""
    reserved: int
    """Number of units reserved for carts and orders."""
    sold: int
    """Number of units sold since the beginning."""
    safety_stock: int
    """Number of units kept back from sale."""
    available: int
    """Number of units that can be sold: `onHand - reserved - safetyStock`; negative when too many are kept
    back."""
    restock_at: datetime | None
    """Time at which more is expected; null when not known."""
    version: int
    """Version of the stock level, raised by every change; send it as `expectedVersion`."""
    updated_at: datetime
    """Time of the last change of this stock level."""
