"""Run-out predictions: how long a product lasts a person. The last answer is kept encrypted as fallback.

Nothing is predicted until a system that knows what people take says how (`Predictor`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypedDict, Unpack

import structlog
from prometheus_client import Histogram

from core import ids, viewers
from core.context import Context
from core.errors import BadUserInput, ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.nodes import for_update
from core.security.limits import Rate
from core.storage.loader import by_id
from core.sync.changes import Entry, user_scope
from core.values.bounds import check_length
from loaders.catalog import LastPredictionOfViewer
from stores.catalog import people as store
from stores.catalog.products import products

logger = structlog.get_logger(__name__)

error_codes(
    ErrorKind.WRONG_STATUS,
    MEDICATION_MISSING="You do not take this product.",
    PERSONALIZATION_DISABLED="You chose not to have predictions.",
)

LONGEST_NOTE = 500
MOST_SERVINGS = 10_000
LEAST_RATE = Decimal("0.001")
"""Servings a day: one in three years."""
MOST_PREDICTED = 100
EVENT_EVERY = timedelta(seconds=60)
TOLD_CHANGE = 1
FEEDBACK_RATE = Rate("prediction-feedback", 60, 3600)

ERROR = Histogram(
    "landfall_catalog_prediction_error_ratio",
    "How far the predicted rate of use was from what its user says, as a part of the latter.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)

Document = Mapping[str, Any]


class Prediction(TypedDict):
    """Prediction; `stale` if the predictor could not be asked."""

    product_id: str
    remaining_servings: int | None
    est_days: float | None
    confidence: float
    last_predicted_at: datetime
    stale: bool
    explanation: str


class Predictor(Protocol):
    """Predictor: the system that knows what people take and how fast. Registered in `services.extra`."""

    async def predictions(
        self, ctx: Context, product_ids: Sequence[str] | None, limit: int
    ) -> Sequence[Prediction]:
        """The viewer's predictions of these products, of all they take when None."""
        ...

    async def refresh(self, ctx: Context, product_id: str) -> Prediction:
        """Request a new prediction; raises MEDICATION_MISSING and RATE_LIMITED."""
        ...

    async def correct(
        self, ctx: Context, product_id: str, usage_rate: Decimal | None, servings: int | None
    ) -> Prediction | None:
        """Apply a correction from now on."""
        ...


class Predicted(TypedDict):
    product_prediction: Prediction | None


def predictor(ctx: Context) -> Predictor | None:
    found: Predictor | None = ctx.services.extra.get(Predictor)
    return found


async def prediction(ctx: Context, wanted: Sequence[Document]) -> list[Prediction | None]:
    """The viewer's prediction of a product, None where there is none; a page never fails for it."""
    if ctx.viewer is None or predictor(ctx) is None or not await _wanted(ctx):
        return [None for _ in wanted]
    ids_ = [product["_id"] for product in wanted]
    found = {each["product_id"]: each for each in await _asked(ctx, ids_, len(ids_))}
    return [found.get(id) for id in ids_]


class ProductPredictionFilter(TypedDict, total=False):
    """Filter of the predictions."""

    product_ids: list[Id] | None
    """Ids of products that the predictions are for, at most 100; all that you take when left out."""


async def viewer_predictions(
    ctx: Context, viewer: Document, *, filter: ProductPredictionFilter | None = None, limit: int = 20
) -> list[Prediction]:
    """Predictions for the viewer's products, soonest to run out first."""
    product_ids = (filter or {}).get("product_ids")
    if not 1 <= limit <= MOST_PREDICTED or len(product_ids or ()) > MOST_PREDICTED:
        raise BadUserInput(f"At most {MOST_PREDICTED}.")
    wanted = None if product_ids is None else [id for id in product_ids if ids.well_formed(id, "product")]
    if ctx.viewer is None or predictor(ctx) is None or not await _wanted(ctx):
        return []
    found = await _asked(ctx, wanted, MOST_PREDICTED)
    never = float("inf")
    return sorted(found, key=lambda each: (_days(each, never), each["product_id"]))[:limit]


def _days(prediction: Prediction, never: float) -> float:
    return never if prediction["est_days"] is None else prediction["est_days"]


async def _asked(ctx: Context, product_ids: Sequence[str] | None, limit: int) -> Sequence[Prediction]:
    source = predictor(ctx)
    assert source is not None
    try:
        return await source.predictions(ctx, product_ids, limit)
    except Exception as error:
        # Whatever is wrong over there, this page is answered.
        logger.warning("predictor down", error=type(error).__name__)
    rows = await ctx.load(LastPredictionOfViewer, ctx.viewer_id)
    wanted = None if product_ids is None else set(product_ids)
    kept = [opened(ctx, row) for row in rows if wanted is None or row["product_id"] in wanted]
    return [{**each, "stale": True} for each in kept[:limit]]


def opened(ctx: Context, row: Document) -> Prediction:
    values = ctx.services.crypto.open_values(row["sealed"], place=_place(row["_id"]))
    values["last_predicted_at"] = datetime.fromisoformat(values["last_predicted_at"])
    found: Prediction = values
    return found


def _place(id: str) -> str:
    return f"predictions/{id}"


async def predicted(ctx: Context, user_id: str, made: Prediction) -> None:
    """Store a new value of the predictor, within its unit of work, and push it if it is news."""
    id = f"{user_id}|{made['product_id']}"
    own = {"_id": id, "user_id": user_id, "product_id": made["product_id"]}
    row = await store.last_predictions.by_id(ctx.db, own)
    sealed = ctx.services.crypto.seal_values(made, place=_place(id))
    if row is None:
        moments = {"created_at": ctx.tx.now, "told_at": ctx.tx.now}
        await ctx.tx.insert(store.last_predictions, {**own, "sealed": sealed, **moments})
        ctx.tx.notice(note(user_id, made["product_id"]), scopes=[user_scope(user_id)])
        return
    news = is_news(opened(ctx, row), made) and ctx.tx.now - row["told_at"] >= EVENT_EVERY
    told = {"told_at": ctx.tx.now} if news else {}
    # News is measured against the value pushed last, so small steps add up.
    if news or not is_news(opened(ctx, row), made):
        await ctx.tx.update(store.last_predictions, row, set={"sealed": sealed, **told})
    if news:
        ctx.tx.notice(note(user_id, made["product_id"]), scopes=[user_scope(user_id)])


def note(user_id: str, product_id: str) -> str:
    return f"prediction:{user_id}:{product_id}"


def product_of_note(entry: Entry) -> str | None:
    """Product of a log entry about a new prediction, or None."""
    name, _, rest = entry["_id"].partition(":")
    return rest.rpartition(":")[2] if name == "prediction" else None


def is_news(before: Prediction, now: Prediction) -> bool:
    """True if days or servings moved by one or more."""
    pairs = (
        (before["est_days"], now["est_days"]),
        (before["remaining_servings"], now["remaining_servings"]),
    )
    return any(
        (one is None) != (other is None)
        or (one is not None and other is not None and abs(one - other) >= TOLD_CHANGE)
        for one, other in pairs
    )


async def refresh_prediction(ctx: Context, *, product_id: Id) -> Predicted:
    """Request a new prediction; the quota is the predictor's."""
    await for_update(ctx, products, product_id)
    if not await _wanted(ctx):
        raise UserError("PERSONALIZATION_DISABLED", "Switch predictions on first.")
    source = predictor(ctx)
    if source is None:
        raise UserError("MEDICATION_MISSING", "You do not take this product.", field=["productId"])
    return {"product_prediction": await source.refresh(ctx, product_id)}


async def record_prediction_feedback(
    ctx: Context,
    *,
    product_id: Id,
    usage_rate: Decimal | None = None,
    servings_per_container: int | None = None,
    note: str | None = None,
) -> Predicted:
    """Correct one's rate of use of a product, or the servings in it."""
    await ctx.limit(FEEDBACK_RATE)
    await for_update(ctx, products, product_id)
    _check(usage_rate, servings_per_container, note)
    if not await _wanted(ctx):
        raise UserError("PERSONALIZATION_DISABLED", "Switch predictions on first.")
    id = ids.new_id("feedback")
    said = {"usage_rate": str(usage_rate) if usage_rate else None, "servings": servings_per_container}
    sealed = ctx.services.crypto.seal_values({**said, "note": note}, place=f"feedback/{id}")
    own = {"_id": id, "user_id": ctx.viewer_id, "product_id": product_id, "sealed": sealed}
    await ctx.tx.insert(store.feedback, {**own, "created_at": ctx.tx.now})
    if servings_per_container is not None:
        await store.report_servings(ctx.tx, product_id, servings_per_container)
    if usage_rate is not None:
        await _measure(ctx, product_id, usage_rate)
    source = predictor(ctx)
    made = await source.correct(ctx, product_id, usage_rate, servings_per_container) if source else None
    return {"product_prediction": made}


async def _measure(ctx: Context, product_id: str, usage_rate: Decimal) -> None:
    """Record the error of the last prediction as an anonymous metric for operators."""
    rows = await ctx.load(LastPredictionOfViewer, ctx.viewer_id)
    last = next((opened(ctx, row) for row in rows if row["product_id"] == product_id), None)
    if last is None or not last["est_days"] or last["remaining_servings"] is None:
        return
    error = abs(last["remaining_servings"] / last["est_days"] / float(usage_rate) - 1)

    async def observe() -> None:
        ERROR.observe(error)

    ctx.tx.after_commit(observe)


def _check(usage_rate: Decimal | None, servings: int | None, note: str | None) -> None:
    if usage_rate is None and servings is None:
        raise UserError("REQUIRED", "Correct the rate or the servings.", field=["usageRate"])
    if usage_rate is not None and not (usage_rate.is_finite() and LEAST_RATE <= usage_rate <= MOST_SERVINGS):
        raise UserError(
            "OUT_OF_RANGE",
            "From {least} to {limit} servings a day.",
            field=["usageRate"],
            limit=MOST_SERVINGS,
            values={"least": float(LEAST_RATE)},
        )
    if servings is not None and not 0 < servings <= MOST_SERVINGS:
        raise UserError(
            "OUT_OF_RANGE", "1 to {limit} servings.", field=["servingsPerContainer"], limit=MOST_SERVINGS
        )
    check_length(note or "", most=LONGEST_NOTE, field="note")


# What a person allows.


async def _wanted(ctx: Context) -> bool:
    choices = await ctx.load(by_id(store.privacy), ctx.viewer_id)
    return choices is None or choices["personalized_predictions"]


async def privacy_choices(ctx: Context, viewer: Document) -> dict[str, Any]:
    return _choices(await ctx.load(by_id(store.privacy), ctx.viewer_id))


def _choices(kept: store.PrivacyChoices | None) -> dict[str, Any]:
    """Choices as their owner sees them: everything is allowed until it is refused."""
    return {
        "version": kept["version"] if kept else 0,
        "personalized_predictions": kept is None or kept["personalized_predictions"],
        "tracking": kept is None or kept["tracking"],
    }


class PrivacyChanges(TypedDict, total=False):
    personalized_predictions: bool
    tracking: bool


async def update_privacy_choices(
    ctx: Context, *, expected_version: int | None = None, **changes: Unpack[PrivacyChanges]
) -> dict[str, Any]:
    """Update privacy choices. Turning predictions off erases the stored ones."""
    before = await privacy_choices(ctx, {})
    check_version(expected_version, before["version"], privacy_choices=before)
    del before["version"]
    choices = _choices(await ctx.tx.put(store.privacy, ctx.viewer_id, {**before, **changes}))
    if not choices["personalized_predictions"]:
        await store.forget_predictions(ctx.db, ctx.viewer_id)
    ctx.refresh()
    return {"viewer": viewers.document(ctx), "privacy_choices": choices}
