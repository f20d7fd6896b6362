"""Reviews, product settings and predictions of people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core.storage.counters import counters
from core.storage.indexes import A_TEXT
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, Sealed, collection, entity, index
from core.storage.unit import Unit
from stores.catalog.kinds import ReviewSort, ReviewStatus, TelemetryType


class Review(Row):
    """Review; `user_id` is None after the account was deleted."""

    product_id: str
    user_id: str | None
    author_name: str
    rating: int
    title: str
    body: str
    verified_purchase: bool
    status: ReviewStatus
    decided_reason: str | None


class ProductSettings(Row):
    """One person's settings of one product; `sealed` is health-related and encrypted."""

    user_id: str
    product_id: str
    sealed: Any


class Feedback(TypedDict):
    """A correction of a prediction, waiting to be used; `sealed` is health-related and encrypted."""

    _id: str
    user_id: str
    product_id: str
    sealed: Any
    created_at: datetime


class LastPrediction(TypedDict):
    """The last prediction, a fallback for when the predictor is down; `_id` is `user|product`."""

    _id: str
    user_id: str
    product_id: str
    sealed: Any
    created_at: datetime
    told_at: datetime


class QualityReport(TypedDict):
    """Number of people who reported this many servings for a product's container, without their names."""

    _id: str
    product_id: str
    servings: int
    count: int


class PrivacyChoices(TypedDict):
    """`_id` is the person's id."""

    _id: str
    personalized_predictions: bool
    tracking: bool
    version: int
    updated_at: datetime


class Telemetry(TypedDict):
    """`_id` is `sender|event id`, so that a repeated event is stored once."""

    _id: str
    type: TelemetryType
    user_id: str | None
    device_id: str | None
    at: datetime
    properties: dict[str, Any]
    received_at: datetime
    expires_at: datetime


REVIEW_SORTS: dict[ReviewSort, list[tuple[str, int]]] = {
    ReviewSort.NEWEST: [("created_at", -1), ("_id", -1)],
    ReviewSort.RATING_DESC: [("rating", -1), ("_id", -1)],
    ReviewSort.RATING_ASC: [("rating", 1), ("_id", -1)],
}
SETTINGS_SORT = [("updated_at", -1), ("_id", -1)]

reviews = entity(
    "reviews",
    Review,
    prefix="review",
    owner="user_id",
    indexes=[
        index(
            "product_id",
            "user_id",
            unique=True,
            partialFilterExpression={"user_id": A_TEXT},
            serves={"product_id": "x", "user_id": "x"},
        ),
        index("product_id", "status", "-created_at", "-_id"),
        index("product_id", "status", "-rating", "-_id"),
        index("product_id", "status", "rating", "-_id"),
        index("status", "created_at", "_id"),
        index("user_id", "_id"),
    ],
    shard_key="product_id",
    moves=Moves(
        {
            ReviewStatus.PENDING: {ReviewStatus.PUBLISHED, ReviewStatus.REJECTED},
            ReviewStatus.PUBLISHED: {ReviewStatus.REJECTED, ReviewStatus.PENDING},
            ReviewStatus.REJECTED: {ReviewStatus.PUBLISHED, ReviewStatus.PENDING},
        }
    ),
)
settings = entity(
    "product_settings",
    ProductSettings,
    prefix="product_settings",
    owner="user_id",
    indexes=[
        index("user_id", "product_id", unique=True),
        index("user_id", "-updated_at", "-_id"),
        index("user_id", "_id"),
    ],
    shard_key="user_id",
    sealed=[Sealed("sealed", "product_settings/{_id}")],
)
feedback = collection(
    "prediction_feedback",
    Feedback,
    indexes=[index("user_id", "created_at")],
    shard_key="user_id",
    sealed=[Sealed("sealed", "feedback/{_id}")],
)
last_predictions = collection(
    "last_predictions",
    LastPrediction,
    indexes=[index("user_id")],
    shard_key="user_id",
    sealed=[Sealed("sealed", "predictions/{_id}")],
)
quality_reports = collection(
    "product_quality_reports", QualityReport, indexes=[index("product_id", "-count")]
)
privacy = collection("privacy_choices", PrivacyChoices, versioned=True)
telemetry = collection(
    "telemetry", Telemetry, indexes=[index("expires_at", expireAfterSeconds=0), index("user_id")]
)


MOST_REPORTS = 20
SERVINGS_SAID = counters(quality_reports)


async def report_servings(tx: Unit, product_id: str, servings: int) -> None:
    """Count one more person's report of the servings; staff look at widely reported ones."""
    said = {"product_id": product_id, "servings": servings}
    await tx.count(SERVINGS_SAID, f"{product_id}|{servings}", {"count": 1}, initial=said)


async def reports_of(db: Database, product_id: str) -> list[QualityReport]:
    query = {"product_id": product_id}
    return await quality_reports.find(db, query, sort=[("count", -1)], limit=MOST_REPORTS)


async def forget_predictions(db: Database, user_id: str) -> None:
    await last_predictions.delete_all(db, {"user_id": user_id})


async def keep_events(db: Database, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert events that are not stored yet; return how many were new."""
    if not rows:
        return 0
    command = {"insert": telemetry.name, "documents": list(rows), "ordered": False}
    # Those that are there already are refused one by one, and the others inserted.
    return int((await db.command(command))["n"])


async def settings_of(db: Database, user_id: str, product_ids: Sequence[str]) -> list[ProductSettings]:
    return await settings.find(db, {"user_id": user_id, "product_id": {"$in": list(product_ids)}})


async def review_by(db: Database, product_id: str, user_id: str) -> Review | None:
    return await reviews.first(db, {"product_id": product_id, "user_id": user_id})


async def ratings(db: Database, product_id: str) -> list[int]:
    """Numbers of published reviews of the product with 1 to 5 stars, in that order."""
    rows = await db.aggregate(
        reviews.name,
        [
            {"$match": {"product_id": product_id, "status": ReviewStatus.PUBLISHED}},
            {"$group": {"_id": "$rating", "count": {"$sum": 1}}},
        ],
    )
    counts = {row["_id"]: row["count"] for row in rows}
    return [counts.get(stars, 0) for stars in range(1, 6)]
