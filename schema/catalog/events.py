"""Events of products that one watches, and signals of new predictions."""

from typing import Annotated

from core.graphql import Updated, type_, union
from core.graphql.common import Event, Money, ResyncRequired
from schema.catalog.types import Product, ProductVariant


@type_
class ProductPriceChanged(Event):
    """Change of a variant's price; told at most once a second for each variant."""

    variant: ProductVariant
    """Variant with the price that it has now."""
    previous_price: Money
    """Price of the variant before the change."""


@type_
class ProductAvailabilityChanged(Event):
    """Change of a variant's availability; told at most once a second for each variant."""

    variant: ProductVariant
    """Variant with the availability that it has now."""


ProductEvent = Annotated[
    Updated[Product] | ProductPriceChanged | ProductAvailabilityChanged | ResyncRequired,
    union("ProductEvent", "Event of a product that is watched."),
]


@type_
class ProductPredictionUpdated(Event):
    """Signal of a new run-out prediction for a product; sent at most once a minute for each product."""

    product: Product
    """Product whose `viewerPrediction` to read again; null there when predictions ended."""


PredictionEvent = Annotated[
    ProductPredictionUpdated | ResyncRequired,
    union("PredictionEvent", "Event of a run-out prediction for one of your products."),
]
