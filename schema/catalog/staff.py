"""What staff do, and what they are answered."""

from datetime import datetime
from decimal import Decimal

from core.binding import input_, type_
from core.binding.common import URL, MutationInput, Payload
from core.ids import Id
from core.text import Line
from schema.catalog.types import InventoryLevel, Product, ProductVariant
from stores.catalog.kinds import CommerceRole, DataQuality, ProductStatus, StockReason


@input_
class ProductRowInput:
    """A row as the supplier wrote it; what is missing or not understood is told in the result."""

    row_index: int
    """Which row it is."""
    name: Line | None
    """Needed."""
    brand: str | None
    """Needed."""
    price: str | None
    """Needed: `€24.90`, `24,90 EUR`, `CHF 1'250.00`; a number alone is in the shop's currency, and a sign
    that several currencies share is that of the shop's country. What is not one price, or may be two
    (`1.299 €`), is "Unknown price": the product is kept as a draft, HIDDEN, until it is imported with one."""
    form: str | None
    """Needed: `capsules`, `softgel`."""
    category: str | None
    """`Sleep Support`."""
    size: str | None
    """What sets this variant apart: `120 capsules`."""
    sku: str | None
    """Rows of one product with different SKUs become its variants."""
    compare_at_price: str | None
    """The price before a reduction."""
    barcodes: str | None
    """GTINs, separated by semicolons."""
    description: str | None
    """A paragraph."""
    ingredients: str | None
    """`Vitamin D3 25 mcg; MCT oil`."""
    directions: str | None
    """How to take it."""
    serving_size: str | None
    """`2 capsules`."""
    servings: str | None
    """Servings per container."""
    dosage: str | None
    """`2 capsules twice daily`."""
    schedule: str | None
    """`Morning with food`."""
    purposes: str | None
    """What it is taken for, separated by semicolons."""
    biomarkers: str | None
    """What a blood test may show of it, separated by semicolons."""
    url: str | None
    """Its maker's page."""
    stock: str | None
    """How many there are of a variant that is new."""


@input_
class ImportProductsInput(MutationInput):
    """Rows to import, at most 500; each is saved on its own, by brand, name and form."""

    rows: list[ProductRowInput]
    """The rows."""
    publish: bool = False
    """Whether new products without errors go on sale at once; else they are HIDDEN."""


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


@type_
class ImportProductsPayload(Payload):
    """What came of the rows."""

    results: list[ImportedRow] | None
    """A result for each row, in their order."""


@input_
class UpdateProductInput(MutationInput):
    """Changes to a product; what is left out stays."""

    product_id: Id
    """The product."""
    expected_version: int | None
    """The version you edited; CONFLICT if it has changed since."""
    name: Line | None
    """At most 200 characters."""
    description: str | None
    """At most 4,000 characters."""
    directions: str | None
    """At most 4,000 characters."""
    product_url: URL | None
    """Its maker's page."""
    purposes: list[str] | None
    """What it is taken for."""
    impacted_biomarkers: list[str] | None
    """What a blood test may show of it."""
    category_id: Id | None
    """Its category."""
    image_ids: list[Id] | None
    """Pictures, at most 10."""
    label_image_id: Id | None
    """Its label."""


@type_
class UpdateProductPayload(Payload):
    """The changed product."""

    product: Product | None
    """The product as it is now; on CONFLICT as it is without your change."""


@input_
class SetVariantPriceInput(MutationInput):
    """A new price."""

    variant_id: Id
    """The variant."""
    price: Decimal
    """In the variant's currency."""
    expected_version: int | None
    """The product's version you saw; CONFLICT if it has changed since."""


@type_
class SetVariantPricePayload(Payload):
    """The variant with its new price."""

    variant: ProductVariant | None
    """The variant; null when refused."""
    product: Product | None
    """Its product; on CONFLICT as it is without your change."""


@input_
class SetProductStatusInput(MutationInput):
    """Where a product goes in its life."""

    product_id: Id
    """The product."""
    status: ProductStatus
    """HIDDEN to ACTIVE, ACTIVE to DISCONTINUED and back."""
    expected_version: int | None
    """The version you saw; CONFLICT if it has changed since."""


@type_
class SetProductStatusPayload(Payload):
    """The product in its new state."""

    product: Product | None
    """The product as it is now."""


@input_
class AdjustInventoryInput(MutationInput):
    """A change of stock by hand."""

    variant_id: Id
    """The variant."""
    delta: int
    """How many more, or fewer when negative; 0 to change the rest alone."""
    reason: StockReason
    """Why."""
    expected_version: int | None
    """The level's version you saw; CONFLICT if it has changed since."""
    safety_stock: int | None
    """How many to keep back from now on."""
    restock_at: datetime | None
    """When more is expected."""


@type_
class AdjustInventoryPayload(Payload):
    """The level as it is now."""

    inventory_level: InventoryLevel | None
    """The level; on CONFLICT as it is without your change."""


@input_
class CommerceRoleInput(MutationInput):
    user_id: Id
    """The person."""
    role: CommerceRole
    """The role."""


@input_
class GrantCommerceRoleInput(CommerceRoleInput):
    """Whom to give which role."""


@input_
class RevokeCommerceRoleInput(CommerceRoleInput):
    """From whom to take which role."""


@type_
class GrantCommerceRolePayload(Payload):
    """The person's roles now."""

    user_id: Id | None
    """The person."""
    roles: list[CommerceRole] | None
    """All their roles in the shop."""


@type_
class RevokeCommerceRolePayload(Payload):
    """The person's roles now."""

    user_id: Id | None
    """The person."""
    roles: list[CommerceRole] | None
    """All their roles in the shop."""
