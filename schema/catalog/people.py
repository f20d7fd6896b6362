"""Reviews, settings, predictions and telemetry, as clients see them."""

from datetime import datetime
from decimal import Decimal

from core.binding import connection, dated, extend, field, input_, local, node, personal, type_
from core.binding.common import JSON, Connection, Edge, Entity, MutationInput, Payload, Viewer
from core.ids import Id
from core.text import Line
from resolvers import catalog
from schema.catalog.types import Product
from stores.catalog.kinds import ReviewDecision, ReviewStatus

HIDDEN_PRODUCT = (
    "Products are not synced: one that is hidden or comes back shows when this is next told or read."
)


@node("review")
class Review(Entity):
    """What somebody thinks of a product."""

    product: Product | None = dated(
        field(catalog.review_product, together=catalog.review_products), HIDDEN_PRODUCT
    )
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
    own: bool = personal(local(catalog.is_own, "user_id"))
    """Whether it is yours."""


@type_
class ReviewEdge(Edge):
    """A review and its place in the list."""

    node: Review
    """The review."""


@type_
class ReviewConnection(Connection):
    """A page of reviews."""

    edges: list[ReviewEdge]
    """The reviews of this page."""


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


@node("product_settings")
class ProductSettings(Entity):
    """How you have a product set up; the same on all your devices."""

    product: Product | None = dated(
        field(catalog.settings_product, together=catalog.settings_products), HIDDEN_PRODUCT
    )
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
class ProductSettingsEdge(Edge):
    """Settings and their place in the list."""

    node: ProductSettings
    """The settings."""


@type_
class ProductSettingsConnection(Connection):
    """A page of settings."""

    edges: list[ProductSettingsEdge]
    """The settings of this page."""


@type_
class ProductPrediction:
    """How long a product will last you."""

    product: Product | None = field(catalog.prediction_product, together=catalog.prediction_products)
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

    personalized_predictions: bool
    """Whether predictions are made for you."""
    tracking: bool
    """Whether what apps report of your use is kept."""


@extend(Product)
class OfPeople:
    reviews: ReviewConnection = connection(
        catalog.reviews, together=catalog.reviews_of_many, first=10, sort="How they are ordered."
    )
    """What buyers say: published reviews, and yours in its place."""
    prediction: ProductPrediction | None = personal(
        field(catalog.prediction, together=catalog.predictions_of_many)
    )
    """How long it will last you; null when you do not take it, chose no predictions, or are anonymous."""
    settings: ProductSettings | None = personal(
        field(catalog.product_settings, together=catalog.product_settings_of_many)
    )
    """How you have it set up; null until you changed something, and when anonymous."""


@input_
class SubmitReviewInput(MutationInput):
    """Your review of a product; a second one changes the first."""

    id: Id | None
    """The review's id, if you mint one; ignored when you have reviewed the product before."""
    product_id: Id
    """The product."""
    rating: int
    """1 to 5 stars."""
    title: Line = Line("")
    """At most 120 characters."""
    body: str = ""
    """At most 4,000 characters."""


@type_
class SubmitReviewPayload(Payload):
    """Your review; a moderator sees it before others do."""

    review: Review | None
    """The review; null when refused."""
    review_edge: ReviewEdge | None
    """Its place among the product's reviews, newest first."""


@input_
class DeleteReviewInput(MutationInput):
    """A review of yours to delete."""

    review_id: Id
    """The review."""


@type_
class DeleteReviewPayload(Payload):
    """The review is gone."""

    deleted_review_id: Id | None
    """Take it out of your lists."""


@input_
class ModerateReviewInput(MutationInput):
    """What becomes of a review."""

    review_id: Id
    """The review."""
    decision: ReviewDecision
    """Show it or not."""
    reason: str | None
    """Why, for the record; at most 500 characters."""


@type_
class ModerateReviewPayload(Payload):
    """The judged review."""

    review: Review | None
    """The review as it is now."""


@input_
class NoticeChannelsInput:
    """How and when to be told; what is left out stays."""

    push: bool | None
    """By push."""
    email: bool | None
    """By mail."""
    local: bool | None
    """By the phone itself."""
    days_before: int | None
    """1, 3 or 7 days before it runs out."""


@input_
class UpdateProductSettingsInput(MutationInput):
    """How to have a product set up; what is left out stays."""

    product_id: Id
    """The product."""
    expected_version: int | None
    """The version you edited, 0 when there was none; CONFLICT if it has changed since. Left out: you win."""
    auto_refill: bool | None
    """Whether to order it again by itself."""
    reorder_threshold: int | None
    """At how many servings left, 0 to 365."""
    low_stock_alert: bool | None
    """Whether to be told when it runs low."""
    reminders_enabled: bool | None
    """Whether to be reminded to take it."""
    notifications: NoticeChannelsInput | None
    """How and when to be told."""


@type_
class UpdateProductSettingsPayload(Payload):
    """How the product is set up now."""

    settings: ProductSettings | None
    """The settings as they are now; on CONFLICT as they are without your change."""
    product: Product | None
    """The product, when it is no longer sold."""
    alternatives: list[Product] | None
    """What to take instead, when it is no longer sold."""


@input_
class RefreshPredictionInput(MutationInput):
    """What to predict anew."""

    product_id: Id
    """The product."""


@type_
class RefreshPredictionPayload(Payload):
    """The prediction that is worked out."""

    prediction: ProductPrediction | None
    """The prediction as it is known now."""


@input_
class SubmitPredictionFeedbackInput(MutationInput):
    """A correction of a prediction: at least one of rate and servings."""

    product_id: Id
    """The product."""
    usage_rate: Decimal | None
    """Servings a day, more than 0."""
    servings_per_container: int | None
    """How many servings a container really holds, more than 0."""
    note: str | None
    """At most 500 characters."""


@type_
class SubmitPredictionFeedbackPayload(Payload):
    """The correction is taken."""

    prediction: ProductPrediction | None
    """The prediction as it is known now; null while there is none."""


@input_
class UpdatePrivacyChoicesInput(MutationInput):
    """What you allow; what is left out stays."""

    personalized_predictions: bool | None
    """Whether predictions are made for you; without, those that are kept are forgotten."""
    tracking: bool | None
    """Whether what apps report of your use is kept."""


@type_
class UpdatePrivacyChoicesPayload(Payload):
    """What you allow now."""

    viewer: Viewer | None
    """You."""
    privacy_choices: PrivacyChoices | None
    """Your choices now."""


@input_
class TelemetryEventInput:
    """Something that happened in an app."""

    id: Id
    """Made by the app; the same event is taken once within a day."""
    type: str
    """SEARCH, VIEW, ADD_TO_CART, WISHLIST, REFILL_OPT_IN, PREDICTION_FEEDBACK, SCAN, REORDER or
    FAVORITE_TOGGLE; others are dropped."""
    at: datetime
    """When it happened."""
    properties: JSON | None
    """An object of what else is known, at most 2,000 bytes."""


@input_
class TrackEventsInput(MutationInput):
    """Events to report, at most 50."""

    events: list[TelemetryEventInput]
    """The events."""
    device_id: Id | None
    """The device, when nobody is signed in."""


@type_
class TrackEventsPayload(Payload):
    """How many were taken."""

    accepted: int | None
    """New ones that were kept."""
    dropped: int | None
    """Repeated, unknown, unsound or unwanted ones."""
