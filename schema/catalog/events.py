"""What is pushed of products."""

from typing import Annotated

from core.binding import type_, union
from core.binding.common import Event, Money, ResyncRequired
from core.ids import Id
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
