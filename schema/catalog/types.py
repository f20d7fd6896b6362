"""Products, variants, categories, stock."""

from datetime import datetime
from decimal import Decimal

from core.graphql import batched, derived, node, one, restricted, type_, visible
from core.graphql.common import URL, Entity, Money, Node
from core.storage.loader import by_id
from resolvers.catalog import pictures, prices, reading
from resolvers.catalog.access import CATALOG_STAFF
from schema.media import Media
from stores.catalog.kinds import (
    AvailabilityStatus,
    DataQuality,
    DosageForm,
    IntakeTimeslot,
    MatchMethod,
    ProductStatus,
)
from stores.catalog.products import categories


@node("category")
class Category(Node):
    """A kind of products."""

    name: str
    """What it is called."""
    slug: str
    """Its name in addresses."""
    goal: str
    """The health goal it serves."""
    product_count: int
    """How many of its products are on sale, as of the last count."""


@type_
class Availability:
    """Whether something can be had; exact stock is told to staff only."""

    status: AvailabilityStatus
    """The hint."""
    remaining: int | None
    """How many are left, 1 to 5; null unless LOW_STOCK."""
    restock_at: datetime | None
    """When more is expected; null when not known."""
    checked_at: datetime
    """When this was worked out."""


@type_
class PriceRange:
    """From the cheapest to the dearest variant."""

    min: Money
    """The cheapest."""
    max: Money
    """The dearest."""


@type_
class ProductAttribute:
    """What sets a variant apart."""

    name: str
    """Of what: `size`."""
    value: str
    """Which: `120 capsules`."""


@node("variant")
class ProductVariant(Node):
    """One way to buy a product."""

    version: int = derived(prices.version, "version")
    """Version of the variant: rises when its price or an import changes it; send it as `expectedVersion`."""
    product: "Product | None" = visible("product_id")
    """The product; null when it is hidden from you."""
    sku: str
    """Stock-keeping unit, unique."""
    title: str
    """What sets it apart: `120 capsules`."""
    attributes: list[ProductAttribute]
    """The same in parts."""
    price: Money = derived(prices.price, "price", "currency")
    """What it costs now."""
    compare_at_price: Money | None = derived(prices.compare_at_price, "compare_at_price", "currency")
    """What it cost before; null unless reduced."""
    barcodes: list[str]
    """GTINs on its package."""
    availability: Availability
    """Whether it can be had."""
    max_per_order: int
    """The most one order may have of it."""
    active: bool
    """Whether it is sold."""


@type_
class Ingredient:
    """What is in a serving."""

    name: str
    """Its name as on the label."""
    amount: Decimal | None
    """How much; null when the label does not say."""
    unit: str | None
    """Of what unit: `mg`."""


@type_
class Dosage:
    """How much one takes, as read from the label; null parts were not understood."""

    amount_per_serving: Decimal | None
    """Of the main ingredient in a serving."""
    unit_per_serving: str | None
    """Its unit."""
    recommended_units: str | None
    """What one takes at a time: `2 capsules`."""
    recommended_frequency: str | None
    """How often: `twice daily`."""
    total_daily_amount: Decimal | None
    """Of the main ingredient a day."""
    total_daily_unit: str | None
    """Its unit."""
    raw: str | None
    """The label's words."""


@type_
class IntakeSchedule:
    """When one takes it."""

    timeslots: list[IntakeTimeslot]
    """Times understood from the label."""
    raw: str | None
    """The label's words."""


@type_
class BundleLink:
    """A health goal that a product's words speak of."""

    type: str
    """What it links to: `GOAL`."""
    goal: str
    """The goal."""
    subgoal: str | None
    """A part of it."""
    confidence: float
    """How sure, 0 to 1."""
    match_method: MatchMethod
    """How it was found."""
    matched_keywords: list[str]
    """The words that say so."""


@type_
class RatingSummary:
    """Published ratings, counted."""

    average: float
    """Of 1 to 5 stars; 0 when there is none."""
    count: int
    """How many."""
    histogram: list[int]
    """How many of 1, 2, 3, 4 and 5 stars."""


@node("product")
class Product(Entity):
    """A dietary supplement."""

    slug: str
    """Its name in addresses."""
    status: ProductStatus
    """Where it is in its life."""
    name: str
    """What it is called."""
    brand: str
    """Who makes it."""
    description: str
    """What it is, in a paragraph."""
    form: DosageForm
    """What one takes."""
    category: Category = one(by_id(categories), key="category_id")
    """What kind of product it is."""
    goals: list[str]
    """Health goals it serves, its category's first."""
    purposes: list[str]
    """What it is taken for."""
    impacted_biomarkers: list[str]
    """What a blood test may show of it."""
    ingredients_text: str
    """Ingredients in the label's words."""
    ingredients: list[Ingredient]
    """Ingredients with their amounts."""
    directions: str
    """How to take it."""
    serving_size: str | None
    """What one serving is: `2 capsules`."""
    servings_per_container: int
    """How many servings are in it."""
    dosage: Dosage
    """How much one takes."""
    schedule: IntakeSchedule
    """When one takes it."""
    bundle_links: list[BundleLink]
    """Health goals its words speak of."""
    images: list[Media] = batched(pictures.images, reads=["image_ids", *pictures.NAMING])
    """Pictures of it, each with an `altText`; at most 10."""
    label_image: Media | None = batched(pictures.label_images, reads=["label_image_id", *pictures.NAMING])
    """Its label, with an `altText`."""
    product_url: URL | None
    """Its maker's page."""
    variants: list[ProductVariant] = derived(reading.active_variants, "variants")
    """Ways to buy it, at least one."""
    default_variant: ProductVariant = derived(reading.default_variant, "variants")
    """The one to offer first: the cheapest that can be had."""
    price_range: PriceRange = derived(prices.price_range, "min_price", "max_price", "currency")
    """What it costs."""
    availability: Availability
    """Whether it can be had: the best of its variants."""
    rating_summary: RatingSummary
    """What buyers think, in numbers."""
    alternatives: list["Product"] = batched(
        reading.alternatives, limit="Largest number of products, 1 to 20."
    )
    """Products in stock that could take its place, the most alike first."""
    data_quality: DataQuality | None = restricted("data_quality", CATALOG_STAFF)
    """How good its data are; null for who is not staff."""
    issues: list[str] | None = restricted("issues", CATALOG_STAFF)
    """What is wrong with its data; null for who is not staff."""
    source_row_index: int | None = restricted("source_row_index", CATALOG_STAFF)
    """The row it was imported from; null for who is not staff."""


@node("inventory")
class InventoryLevel(Node):
    """What is in stock of a variant; for staff."""

    variant: ProductVariant | None = visible("variant_id")
    """The variant."""
    sku: str
    """Its stock-keeping unit."""
    on_hand: int
    """How many are there, held ones included."""
    reserved: int
    """How many are held for carts and orders."""
    sold: int
    """How many were ever sold."""
    safety_stock: int
    """How many are kept back."""
    available: int
    """How many can be sold: `onHand - reserved - safetyStock`."""
    restock_at: datetime | None
    """When more is expected."""
    version: int
    """Rises with every change."""
    updated_at: datetime
    """When it last changed."""
