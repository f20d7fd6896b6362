"""Predictions, through whoever makes them; choices; what apps report."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from core import clock, ids
from core.context import Context, Services
from core.erasure import EXPORTERS
from core.errors import UserError
from core.security.limits import Rate
from jobs.auth.deletion import delete_accounts
from resolvers import catalog
from resolvers.catalog import telemetry
from resolvers.catalog.predictions import ERROR, Prediction, Predictor
from tests.catalog.steps import on_sale, refusal, row, within
from tests.conftest import NewPhone
from tests.phone import Phone, key, sign_up_directly

FIELDS = "remainingServingCount estimatedDays confidence stale explanation product { id }"
ASKED = "query($id: ID!) { product(by: {id: $id}) { name viewerPrediction { %s } } }" % FIELDS  # noqa: UP031
MINE = """query($ids: [ID!]) { viewer {
  predictions(filter: {productIds: $ids}) { estimatedDays product { id } } } }"""


class Simple:
    """Predictor with set answers: the system that knows what people take is not there yet."""

    def __init__(self) -> None:
        self.known: dict[str, Prediction] = {}
        self.down = False
        self.corrections: list[tuple[str, Decimal | None, int | None]] = []

    async def predictions(
        self, ctx: Context, product_ids: Sequence[str] | None, limit: int
    ) -> Sequence[Prediction]:
        if self.down:
            raise ConnectionError("no predictor")
        wanted = self.known if product_ids is None else product_ids
        return [self.known[id] for id in wanted if id in self.known][:limit]

    async def refresh(self, ctx: Context, product_id: str) -> Prediction:
        if product_id not in self.known:
            raise UserError("MEDICATION_MISSING", "You do not take this product.")
        return self.known[product_id]

    async def correct(
        self, ctx: Context, product_id: str, usage_rate: Decimal | None, servings: int | None
    ) -> Prediction | None:
        self.corrections.append((product_id, usage_rate, servings))
        return self.known.get(product_id)


def made(product_id: str, days: float | None, servings: int = 10) -> Prediction:
    return {
        "product_id": product_id,
        "remaining_servings": servings,
        "est_days": days,
        "confidence": 0.8,
        "last_predicted_at": clock.now(),
        "stale": False,
        "explanation": "Two a day since Monday.",
    }


@pytest.fixture
def predictor(services: Services, monkeypatch: pytest.MonkeyPatch) -> Simple:
    source = Simple()
    monkeypatch.setitem(services.extra, Predictor, source)
    return source


@pytest.fixture
async def three(services: Services, admin: Phone) -> list[str]:
    return [each["id"] for each in await on_sale(services, admin, row(), row(), row())]


async def test_predictions_are_shown_to_who_takes_the_product(
    predictor: Simple, three: list[str], new_phone: NewPhone, anonymous: Phone
) -> None:
    ada = await new_phone("Ada")
    for id, days in zip(three, (9.5, None, 2.0), strict=True):
        predictor.known[id] = made(id, days)
    found = (await ada.run(ASKED, id=three[0]))["product"]["viewerPrediction"]
    assert found == {
        "remainingServingCount": 10,
        "estimatedDays": 9.5,
        "confidence": 0.8,
        "stale": False,
        "explanation": "Two a day since Monday.",
        "product": {"id": three[0]},
    }
    mine = (await ada.run(MINE))["viewer"]["predictions"]
    assert [each["product"]["id"] for each in mine] == [three[2], three[0], three[1]]
    some = (await ada.run(MINE, ids=three[:1]))["viewer"]["predictions"]
    assert [each["estimatedDays"] for each in some] == [9.5]
    assert (await anonymous.run(ASKED, id=three[0]))["product"]["viewerPrediction"] is None


async def test_with_the_predictor_down_the_last_value_is_stale_and_the_page_is_whole(
    predictor: Simple, three: list[str], new_phone: NewPhone, services: Services
) -> None:
    """Failure case: prediction service down."""
    ada = await new_phone("Ada")
    await within(services, catalog.predicted, ada.user_id, made(three[0], 4.0, 8))
    predictor.down = True
    product = (await ada.run(ASKED, id=three[0]))["product"]
    assert product["name"]
    assert (product["viewerPrediction"]["estimatedDays"], product["viewerPrediction"]["stale"]) == (4.0, True)
    assert (await ada.run(ASKED, id=three[1]))["product"]["viewerPrediction"] is None
    assert [each["estimatedDays"] for each in (await ada.run(MINE))["viewer"]["predictions"]] == [4.0]
    other = await new_phone("Grace")
    assert (await other.run(ASKED, id=three[0]))["product"]["viewerPrediction"] is None
    [row] = await services.db.find("last_predictions", {"user_id": ada.user_id})
    assert "Monday" not in str(row)


async def test_predictions_are_pushed_once_a_minute_and_only_when_they_moved(
    predictor: Simple, three: list[str], new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    watch = """subscription { predictionEvents { __typename
      ... on ProductPredictionUpdated { product { id viewerPrediction { estimatedDays } } } } }"""

    async def predict(days: float) -> None:
        predictor.known[three[0]] = made(three[0], days)
        await within(services, catalog.predicted, ada.user_id, predictor.known[three[0]])

    async with ada.watch(watch) as stream:
        await predict(9.0)
        product = {"id": three[0], "viewerPrediction": {"estimatedDays": 9.0}}
        event = {"__typename": "ProductPredictionUpdated", "product": product}
        assert (await stream.next())["predictionEvents"] == event
        await predict(5.0)
        clock.shift(timedelta(seconds=61))
        await predict(8.5)
        assert await stream.nothing()
        await predict(7.0)
        product["viewerPrediction"] = {"estimatedDays": 7.0}
        assert (await stream.next())["predictionEvents"] == event


async def test_predicting_anew_needs_a_medication(
    predictor: Simple, three: list[str], new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("refreshPrediction", "productPrediction { estimatedDays }", productId=three[0])
    assert refused["errors"] == [refusal("MEDICATION_MISSING", "You do not take this product.")]
    predictor.known[three[0]] = made(three[0], 3.0)
    done = await ada.do("refreshPrediction", "productPrediction { estimatedDays }", productId=three[0])
    assert done["productPrediction"] == {"estimatedDays": 3.0}


async def test_without_predictions_none_are_made_shown_or_kept(
    predictor: Simple, three: list[str], new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    predictor.known[three[0]] = made(three[0], 3.0)
    await within(services, catalog.predicted, ada.user_id, made(three[0], 4.0))
    done = await ada.do(
        "updatePrivacyChoices",
        "privacyChoices { personalizedPredictions tracking } viewer { privacyChoices { tracking } }",
        personalizedPredictions=False,
    )
    assert done["privacyChoices"] == {"personalizedPredictions": False, "tracking": True}
    assert done["viewer"] == {"privacyChoices": {"tracking": True}}
    assert await services.db.find("last_predictions", {"user_id": ada.user_id}) == []
    assert (await ada.run(ASKED, id=three[0]))["product"]["viewerPrediction"] is None
    assert (await ada.run(MINE))["viewer"]["predictions"] == []
    for mutation, fields in (("refreshPrediction", {}), ("recordPredictionFeedback", {"usageRate": "2"})):
        refused = await ada.do(mutation, "productPrediction { estimatedDays }", productId=three[0], **fields)
        assert refused["errors"] == [refusal("PERSONALIZATION_DISABLED", "Switch predictions on first.")]
    await ada.do("updatePrivacyChoices", "privacyChoices { tracking }", personalizedPredictions=True)
    assert (await ada.run(ASKED, id=three[0]))["product"]["viewerPrediction"]["estimatedDays"] == 3.0


async def test_corrections_are_taken_sealed_and_counted(
    predictor: Simple, three: list[str], new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    fields: dict[str, Any] = {"productId": three[0], "usageRate": "1.5", "servingsPerContainer": 57}
    shown = "productPrediction { estimatedDays }"
    done = await ada.do("recordPredictionFeedback", shown, **fields, note="half-full, it rattles")
    assert (done["errors"], done["productPrediction"]) == ([], None)
    assert predictor.corrections == [(three[0], Decimal("1.5"), 57)]
    [row] = await services.db.find("prediction_feedback", {"user_id": ada.user_id})
    assert "rattles" not in str(row)
    [report] = await services.db.find("product_quality_reports", {"product_id": three[0]})
    assert (report["servings"], report["count"]) == (57, 1)
    for bad, field in (
        ({}, "usageRate"),
        ({"usageRate": "0"}, "usageRate"),
        ({"usageRate": "NaN"}, "usageRate"),
        ({"usageRate": "1e-400"}, "usageRate"),
        ({"servingsPerContainer": 0}, "servingsPerContainer"),
        ({"servingsPerContainer": 5, "note": "x" * 501}, "note"),
    ):
        refused = await ada.do(
            "recordPredictionFeedback", "productPrediction { estimatedDays }", productId=three[0], **bad
        )
        assert [(each["kind"], each["field"]) for each in refused["errors"]] == [("INVALID", [field])]


async def test_how_far_off_predictions_are_is_measured(
    predictor: Simple, three: list[str], new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")

    def measured() -> tuple[float, float]:
        samples = {each.name: each.value for family in ERROR.collect() for each in family.samples}
        name = "landfall_catalog_prediction_error_ratio"
        return samples[f"{name}_count"], samples[f"{name}_sum"]

    before = measured()
    # Two servings a day, it was thought; it is four.
    await within(services, catalog.predicted, ada.user_id, made(three[0], 5.0, 10))
    for product_id in three[:2]:
        fields: dict[str, Any] = {"productId": product_id, "usageRate": "4"}
        done = await ada.do("recordPredictionFeedback", "productPrediction { estimatedDays }", **fields)
        assert done["errors"] == []
    after = measured()
    assert (after[0] - before[0], round(after[1] - before[1], 6)) == (1, 0.5)


# What apps report.


def event(kind: str = "VIEW", **fields: Any) -> dict[str, Any]:
    return {"eventId": key(), "kind": kind, "occurredAt": clock.now().isoformat(), **fields}


async def track(phone: Phone, events: list[dict[str, Any]], **fields: Any) -> tuple[int, int]:
    done = await phone.do("recordTelemetryEvents", "acceptedCount droppedCount", events=events, **fields)
    assert done["errors"] == []
    return done["acceptedCount"], done["droppedCount"]


async def test_events_are_taken_once_and_unknown_ones_dropped(
    new_phone: NewPhone, anonymous: Phone, services: Services
) -> None:
    ada = await new_phone("Ada")
    seen, old = event(properties={"productId": "x"}), event(occurredAt="2001-01-01T00:00:00Z")
    sent = [seen, event("SEARCH"), event("DANCING"), seen, old, event(properties={"x": "y" * 3000})]
    assert await track(ada, sent) == (2, 4)
    assert await track(ada, sent) == (0, 6)
    [row] = await services.db.find("telemetry", {"user_id": ada.user_id, "type": "VIEW"})
    assert row["properties"] == {"productId": "x"}
    assert await track(anonymous, [seen], deviceId="device_1") == (1, 0)
    document = """mutation($input: RecordTelemetryEventsInput!) {
      recordTelemetryEvents(input: $input) { acceptedCount } }"""
    answer = await anonymous.ask(document, input={"idempotencyKey": key(), "events": [seen]})
    assert answer.code == "UNAUTHENTICATED"
    for events in ([], [event()] * 51):
        answer = await ada.ask(document, input={"idempotencyKey": key(), "events": events})
        assert (answer.code, answer.errors[0]["message"]) == ("BAD_USER_INPUT", "1 to 50 events at a time.")


@pytest.mark.parametrize(
    "properties",
    [{"a\x00b": 1}, {"a": [[[1]] * 2_000]}, {"a": {"b": "x" * 2_000}}],
)
async def test_what_cannot_be_kept_is_dropped_alone(new_phone: NewPhone, properties: dict[str, Any]) -> None:
    ada = await new_phone("Ada")
    assert await track(ada, [event(properties=properties), event()]) == (1, 1)


async def test_a_number_that_no_database_holds_is_dropped_alone(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    events = ", ".join(
        f'{{eventId: "{key()}", kind: "VIEW", occurredAt: "{clock.now().isoformat()}", '
        f"properties: {{a: {number}}}}}"
        for number in (2**70, 2)
    )
    document = f'mutation {{ recordTelemetryEvents(input: {{idempotencyKey: "{key()}", events: [{events}]}}) '
    told = (await ada.run(document + "{ acceptedCount droppedCount } }"))["recordTelemetryEvents"]
    assert told == {"acceptedCount": 1, "droppedCount": 1}


async def test_keys_that_mean_something_to_the_database_mean_nothing(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    properties = {"$where": "1", "a.b": {"$ne": 1}}
    assert await track(ada, [event(properties=properties)]) == (1, 0)
    [row] = await services.db.find("telemetry", {"user_id": ada.user_id})
    assert row["properties"] == properties


async def test_an_address_with_many_devices_is_limited(
    anonymous: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.limits, "scale", 1.0)
    monkeypatch.setattr(telemetry, "ADDRESS_RATE", Rate(f"few-{key()}", 2, 60))
    codes = []
    for number in range(3):
        done = await anonymous.do(
            "recordTelemetryEvents", "acceptedCount", events=[event()], deviceId=f"device_{number}"
        )
        codes.append([each["code"] for each in done["errors"]])
    assert codes == [[], [], ["RATE_LIMITED"]]


@pytest.mark.parametrize("form", [str, str.upper, lambda id: ids.from_uuid(UUID(id), "device")])
async def test_a_device_is_the_same_in_every_form_of_its_id(
    anonymous: Phone, services: Services, form: Callable[[str], str]
) -> None:
    """Events sent under a plain UUID were in nobody's export, and stayed after the erasure."""
    id = str(uuid4())
    assert await track(anonymous, [event(properties={"said": id})], deviceId=form(id)) == (1, 0)
    ada = await sign_up_directly(services, Phone(anonymous.http, anonymous.url, device_id=id), "Ada")
    told = [row async for name, rows in EXPORTERS["catalog"](services, ada.user_id) for row in rows]
    assert [row["properties"] for row in told if "properties" in row] == [{"said": id}]
    change = {"$set": {"status": "DELETION_SCHEDULED", "deletion_due_at": clock.now()}}
    await services.db.write({"update": "users", "updates": [{"q": {"_id": ada.user_id}, "u": change}]})
    await delete_accounts(services)
    assert await services.db.find("telemetry", {"properties.said": id}) == []


async def test_who_does_not_want_it_is_not_tracked(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await ada.do("updatePrivacyChoices", "privacyChoices { tracking }", tracking=False)
    assert await track(ada, [event()]) == (0, 1)
    assert await services.db.find("telemetry", {"user_id": ada.user_id}) == []
