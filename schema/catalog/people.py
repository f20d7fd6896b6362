"""Reviews, settings, predictions and telemetry, as clients see them."""

from datetime import datetime

from core.graphql import (
    Page,
    batched,
    called,
    connection,
    dated,
    extend,
    input_,
    local,
    node,
    personal,
    told,
    type_,
    visible,
)
from core.graphql.common import JSON, Entity
from core.ids import Id
from resolvers.catalog import predictions, product_settings, reviewing, roles
from schema.auth import Account
from schema.catalog.types import Product
from stores.catalog.kinds import CommerceRole, ReviewStatus

HIDDEN_PRODUCT = (
    "Products are not synced: one that is hidden or comes back shows when this is next told or read."
)


@node("review")
class Review(Entity):
    """What somebody thinks of a product."""

    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """The product; null when it is hidden from you."""
    author_name: str
    """Who wrote it, by the name they show."""
    rating: int
    """1 to 5 stars."""
    title: str
    """At most 120 characters; may be empty."""
    body: str
    """At most 4,000 characters; may be empty."""
    verified_purchase: bool
    """Whether its author bought the product here."""
    status: ReviewStatus
    """Whether others see it."""
    viewer_is_author: bool = personal(local(reviewing.is_own, "user_id"))
    """Whether you wrote the review."""


@type_
class NoticeChannels:
    """How and when one is told."""

    push: bool
    """By push."""
    email: bool
    """By mail."""
    local: bool
    """By the phone itself."""
    days_before: int
    """How many days before it runs out: 1, 3 or 7."""


@called("product setup", "product setups")
@node("product_settings")
class ProductSettings(Entity):
    """How you have a product set up; the same on all your devices."""

    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """The product; null when it is hidden from you."""
    auto_refill: bool
    """Whether it is ordered again by itself."""
    reorder_threshold: int
    """At how many servings left, 0 to 365."""
    low_stock_alert: bool
    """Whether you are told when it runs low."""
    reminders_enabled: bool
    """Whether you are reminded to take it."""
    notifications: NoticeChannels
    """How and when you are told."""


@type_
class ProductPrediction:
    """How long a product will last you."""

    product: Product | None = visible("product_id")
    """The product."""
    remaining_servings: int | None
    """How many servings are left; null when not known."""
    est_days: float | None
    """For how many days; null when not known."""
    confidence: float
    """How sure, 0 to 1."""
    last_predicted_at: datetime
    """When it was worked out."""
    stale: bool
    """Whether this is an older value, because it could not be worked out anew."""
    explanation: str
    """Why this estimate, in a sentence."""


@type_
class PrivacyChoices:
    """What you allow; everything until you say otherwise."""

    version: int
    """Version of the choices: rises with every change, 0 until the first one."""
    personalized_predictions: bool
    """Whether predictions are made for you."""
    tracking: bool
    """Whether what apps report of your use is kept."""


@extend(Account)
class CatalogOfAccount:
    commerce_roles: list[CommerceRole] = told(
        batched(roles.of_accounts, reads=["user_id", "roles"]), "commerce_roles"
    )
    """Roles in the shop that say what its owner may do there beyond buying."""


@extend(Product)
class OfPeople:
    reviews: Page[Review] = connection(reviewing.reviews, batched=True, reads=["_id"])
    """What buyers say: published reviews, and yours in its place."""
    viewer_prediction: ProductPrediction | None = personal(batched(predictions.prediction, reads=["_id"]))
    """How long it will last you; null when you do not take it, chose no predictions, or are anonymous."""
    viewer_settings: ProductSettings | None = personal(
        batched(product_settings.product_settings, reads=["_id"])
    )
    """How you have it set up; null until you changed something, and when anonymous."""


@input_
class TelemetryEventInput:
    """Something that happened in an app."""

    event_id: Id
    """Id of the event, minted by the app: the same event is taken once within a day."""
    type: str
    """SEARCH, VIEW, ADD_TO_CART, WISHLIST, REFILL_OPT_IN, PREDICTION_FEEDBACK, SCAN, REORDER or
    FAVORITE_TOGGLE; others are dropped."""
    at: datetime
    """When it happened."""
    properties: JSON | None
    """An object of what else is known, at most 2,000 bytes."""
