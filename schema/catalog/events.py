"""Events of products that one watches, and signals of new predictions."""

from typing import Annotated

from core.graphql import Updated, type_, union
from core.graphql.common import Event, Money, ResyncRequired
from schema.catalog.types import Product, ProductVariant


@type_
class ProductPriceChanged(Event):
    """A variant costs something else; at most once a second for each."""

    variant: ProductVariant
    """Variant with the price that it has now."""
    previous_price: Money
    """Price of the variant that was told last."""


@type_
class ProductAvailabilityChanged(Event):
    """A variant can be had, or no longer; at most once a second for each."""

    variant: ProductVariant
    """Variant with the availability that it has now."""


ProductEvent = Annotated[
    Updated[Product] | ProductPriceChanged | ProductAvailabilityChanged | ResyncRequired,
    union("ProductEvent", "What happens to products that one watches."),
]


@type_
class ProductPredictionUpdated(Event):
    """A product will last you longer or shorter; at most once a minute for each."""

    product: Product
    """Product whose `viewerPrediction` is another, or is no longer made."""


PredictionEvent = Annotated[
    ProductPredictionUpdated | ResyncRequired,
    union("PredictionEvent", "Signals that predictions for your products changed."),
]
