"""What is pushed of products."""

from typing import Annotated

from core.graphql import type_, union
from core.graphql.common import Event, Money, ResyncRequired
from core.ids import Id
from schema.catalog.people import ProductPrediction, ProductSettings
from schema.catalog.types import Availability, Product


@type_
class ProductUpdated(Event):
    """A product's description or state changed."""

    product: Product
    """The product as it is now."""


@type_
class ProductPriceChanged(Event):
    """A variant costs something else; at most once a second for each."""

    variant_id: Id
    """The variant."""
    old: Money
    """What was told last."""
    new: Money
    """What it costs now."""


@type_
class ProductAvailabilityChanged(Event):
    """A variant can be had, or no longer; at most once a second for each."""

    variant_id: Id
    """The variant."""
    availability: Availability
    """The hint now."""


ProductEvent = Annotated[
    ProductUpdated | ProductPriceChanged | ProductAvailabilityChanged | ResyncRequired,
    union("ProductEvent", "What happens to products that one watches."),
]


@type_
class PredictionUpdated(Event):
    """A product will last you longer or shorter; at most once a minute for each."""

    product_id: Id
    """The product."""
    prediction: ProductPrediction | None
    """The prediction now; null when it is no longer made."""


@type_
class ProductOrderUpdated(Event):
    """An order of yours of a product moved on."""

    product_id: Id
    """The product."""
    order_id: Id
    """The order."""
    status: str
    """Where the order is now."""


@type_
class ProductSettingsUpdated(Event):
    """You set up a product on one of your devices."""

    settings: ProductSettings
    """The settings now."""


ViewerProductEvent = Annotated[
    PredictionUpdated | ProductOrderUpdated | ProductSettingsUpdated | ResyncRequired,
    union("ViewerProductEvent", "What concerns you alone."),
]
