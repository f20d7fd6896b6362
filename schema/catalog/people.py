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
    key,
    local,
    node,
    personal,
    type_,
    visible,
)
from core.graphql.common import JSON, Entity
from core.ids import Id
from resolvers.catalog import predictions, product_settings, reviewing
from schema.catalog.types import Product
from stores.catalog.kinds import ReviewStatus

HIDDEN_PRODUCT = (
    "Products are not synced: one that is hidden or comes back shows when this is next told or read."
)


@node("review")
class Review(Entity):
    """Review of a product: a rating in stars, with or without a text."""

    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """Product that the review is about; null when it is hidden from you."""
    author_name: str
    """Name of the author, as it was when the review was last submitted."""
    rating: int
    """Rating of the product in stars, 1 to 5."""
    title: str
    """Title of the review, at most 120 characters; may be empty."""
    body: str
    """Text of the review, at most 4,000 characters; may be empty."""
    verified_purchase: bool
    """True if the author bought the product in this shop."""
    status: ReviewStatus
    """Moderation status, which says who sees the review."""
    viewer_is_author: bool = personal(local(reviewing.is_own, "user_id"))
    """True if you wrote the review."""


@type_
class NoticeChannels:
    """Notification channels for a product that runs out, and their timing."""

    push: bool | None
    """True if push notifications are sent; null when not set."""
    email: bool | None
    """True if emails are sent to the account's address; null when not set."""
    local: bool | None
    """True if the app shows local notifications that it schedules itself; null when not set."""
    notify_days: list[int] | None
    """Numbers of days before the product runs out, of 1, 3 and 7, ascending; null when not set."""


@called("product's settings", "product settings")
@node("product_settings")
class ProductSettings(Entity):
    """Settings of a person for one product: refills, alerts and reminders.

    Only the owner sees them, on all devices. What is null is not set: what applies to all products of the
    person applies.
    """

    product: Product | None = dated(visible("product_id"), HIDDEN_PRODUCT)
    """Product that the settings are for; null when it is hidden from you."""
    auto_refill: bool | None
    """True if the product is ordered again automatically; null when not set."""
    reorder_threshold: int | None
    """Number of servings left at which to order again, 0 to 365; null when not set."""
    low_stock_alert: bool | None
    """True if you are alerted when the product runs low; null when not set."""
    reminders_enabled: bool | None
    """True if you are reminded to take the product; null when not set."""
    notifications: NoticeChannels
    """Notification channels that are used, and when."""


@type_
class ProductPrediction:
    """Run-out prediction: an estimate of how long a product will last you."""

    product: Product | None = visible("product_id")
    """Product that the prediction is about; null when it is hidden from you."""
    remaining_serving_count: int | None = key("remaining_servings")
    """Number of servings that are left; null when not known."""
    estimated_days: float | None = key("est_days")
    """Estimated number of days until the product runs out; null when not known."""
    confidence: float
    """Confidence in the estimate, 0 to 1."""
    last_predicted_at: datetime
    """Time at which the estimate was made."""
    stale: bool
    """True if the estimate is an older one, because no new one could be made."""
    explanation: str
    """Explanation of the estimate in a sentence."""


@type_
class PrivacyChoices:
    """Privacy choices of the viewer; everything is allowed until it is refused."""

    version: int
    """Version of the choices: rises with every change, 0 until the first one."""
    personalized_predictions: bool
    """True if run-out predictions are made for you."""
    tracking: bool
    """True if usage events that apps report about you are stored."""


@extend(Product)
class OfPeople:
    reviews: Page[Review] = connection(reviewing.reviews, batched=True, reads=["_id"])
    """Reviews of the product that are published, and your own whatever its status."""
    viewer_prediction: ProductPrediction | None = personal(batched(predictions.prediction, reads=["_id"]))
    """Run-out prediction for you; null when you do not take the product, refused predictions or are
    anonymous."""
    viewer_settings: ProductSettings | None = personal(
        batched(product_settings.product_settings, reads=["_id"])
    )
    """Settings that you made for the product; null until you change one, and when anonymous."""


@input_
class TelemetryEventInput:
    """Usage event that happened in an app."""

    event_id: Id
    """Id of the event, minted by the app, at most 128 characters; an event that is sent again is dropped."""
    kind: str
    """Kind of the event: SEARCH, VIEW, ADD_TO_CART, WISHLIST, REFILL_OPT_IN, PREDICTION_FEEDBACK, SCAN,
    REORDER or FAVORITE_TOGGLE; others are dropped."""
    occurred_at: datetime
    """Time of the event by the phone's clock; dropped when over 7 days ago, or over 24 hours ahead."""
    properties: JSON | None
    """Object with further properties, at most 2,000 bytes as JSON; larger ones are dropped with the event."""
