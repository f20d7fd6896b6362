"""Product settings: one record for each person and product, sealed, synced to the owner's devices."""

from typing import Any

import orjson
import pytest

from core import ids
from core.context import Services
from tests.catalog.steps import on_sale, refusal, row
from tests.conftest import NewPhone
from tests.phone import Phone

SELECTION = """productSettings { id version autoRefill reorderThreshold lowStockAlert remindersEnabled
  notifications { push email local notifyDays } product { id } }"""
UNSET: dict[str, Any] = {
    "autoRefill": None,
    "reorderThreshold": None,
    "lowStockAlert": None,
    "remindersEnabled": None,
    "notifications": {"push": None, "email": None, "local": None, "notifyDays": None},
}
OWN = "query($id: ID!) { product(by: {id: $id}) { viewerSettings { id version autoRefill } } }"


@pytest.fixture
async def product(services: Services, admin: Phone) -> str:
    # In stock with the same ingredients, so that there is something to take instead.
    made = await on_sale(services, admin, row(), row())
    return str(made[0]["id"])


async def test_what_is_given_changes_and_the_rest_stays(new_phone: NewPhone, product: str) -> None:
    ada = await new_phone("Ada")
    assert (await ada.run(OWN, id=product))["product"] == {"viewerSettings": None}
    first = await ada.do("updateProductSettings", SELECTION, productId=product, autoRefill=True)
    settings = first["productSettings"]
    id = settings.pop("id")
    assert settings == {**UNSET, "autoRefill": True, "version": 1, "product": {"id": product}}
    second = await ada.do(
        "updateProductSettings",
        SELECTION,
        productId=product,
        reorderThreshold=0,
        notifications={"email": True, "notifyDays": [7, 1, 7]},
    )
    assert second["productSettings"] == {
        **settings,
        "id": id,
        "version": 2,
        "reorderThreshold": 0,
        "notifications": {"push": None, "email": True, "local": None, "notifyDays": [1, 7]},
    }
    third = await ada.do(
        "updateProductSettings",
        SELECTION,
        productId=product,
        autoRefill=None,
        notifications={"email": None, "notifyDays": [], "push": False},
    )
    assert third["productSettings"] == {
        **UNSET,
        "id": id,
        "version": 3,
        "product": {"id": product},
        "reorderThreshold": 0,
        "notifications": {"push": False, "email": None, "local": None, "notifyDays": []},
    }
    cleared = await ada.do("updateProductSettings", SELECTION, productId=product, notifications=None)
    assert cleared["productSettings"]["notifications"] == UNSET["notifications"]
    listed = await ada.run("{ viewer { productSettings(first: 5) { edges { node { id version } } } } }")
    assert listed["viewer"]["productSettings"]["edges"] == [{"node": {"id": id, "version": 4}}]


async def test_settings_edited_on_two_devices_conflict_with_the_current_record(
    new_phone: NewPhone, product: str
) -> None:
    """Failure case: settings edited on two devices."""
    ada = await new_phone("Ada")
    other = await new_phone(user_id=ada.user_id)
    fields: dict[str, Any] = {"productId": product, "expectedVersion": 0}
    done = await ada.do("updateProductSettings", SELECTION, **fields, reorderThreshold=20)
    assert done["productSettings"]["version"] == 1
    late = await other.do("updateProductSettings", SELECTION, **fields, reorderThreshold=5)
    assert late["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert late["productSettings"] == done["productSettings"]
    # Without a version the last write of each field wins.
    wins = await other.do("updateProductSettings", SELECTION, productId=product, lowStockAlert=False)
    winner = wins["productSettings"]
    assert (winner["reorderThreshold"], winner["lowStockAlert"]) == (20, False)


async def test_anonymous_readers_see_null_and_cannot_write(anonymous: Phone, product: str) -> None:
    """Failure case: anonymous asks `viewerSettings`."""
    asked = """query($id: ID!) { product(by: {id: $id}) {
      viewerSettings { id } viewerPrediction { stale } reviews { edges { cursor } } } }"""
    found = (await anonymous.run(asked, id=product))["product"]
    assert found == {"viewerSettings": None, "viewerPrediction": None, "reviews": {"edges": []}}
    answer = await anonymous.ask(
        """mutation($input: UpdateProductSettingsInput!) {
          updateProductSettings(input: $input) { errors { code } } }""",
        input={"idempotencyKey": "1", "productId": product},
    )
    assert answer.code == "UNAUTHENTICATED"


async def test_no_refills_of_what_is_no_longer_sold(admin: Phone, new_phone: NewPhone, product: str) -> None:
    await admin.do("setProductStatus", "product { id }", productId=product, status="DISCONTINUED")
    ada = await new_phone("Ada")
    selection = "productSettings { id } product { id status } alternatives { id }"
    refused = await ada.do("updateProductSettings", selection, productId=product, autoRefill=True)
    assert refused["errors"] == [
        refusal("PRODUCT_DISCONTINUED", "The product is no longer sold.", ["autoRefill"])
    ]
    assert refused["product"] == {"id": product, "status": "DISCONTINUED"}
    assert len(refused["alternatives"]) > 0
    assert refused["productSettings"] is None
    # Anything else can still be set up.
    done = await ada.do("updateProductSettings", SELECTION, productId=product, remindersEnabled=False)
    assert done["productSettings"]["remindersEnabled"] is False


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"reorderThreshold": -1}, "OUT_OF_RANGE", ["reorderThreshold"]),
        ({"reorderThreshold": 366}, "OUT_OF_RANGE", ["reorderThreshold"]),
        ({"notifications": {"notifyDays": [1, 2]}}, "OUT_OF_RANGE", ["notifications", "notifyDays"]),
        ({"productId": ids.new_id("product")}, "NOT_FOUND", ["productId"]),
    ],
)
async def test_settings_have_limits(
    input: dict[str, Any], code: str, field: list[str], new_phone: NewPhone, product: str
) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("updateProductSettings", SELECTION, **{"productId": product, **input})
    assert [(each["code"], each["field"]) for each in refused["errors"]] == [(code, field)]
    assert refused["productSettings"] is None


async def test_settings_reach_ones_other_devices_and_nobody_else(new_phone: NewPhone, product: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    other = await new_phone(user_id=ada.user_id)
    watch = """subscription { changeEvents(types: [PRODUCT_SETTINGS]) { __typename
      ... on NodeChanged { node { ... on ProductSettings { reorderThreshold } } } } }"""
    changes = """{ viewer { changes(types: [PRODUCT_SETTINGS]) {
      nodes { ... on ProductSettings { id version reorderThreshold } } } } }"""
    async with other.watch(watch) as stream, grace.watch(watch) as stranger:
        done = await ada.do("updateProductSettings", SELECTION, productId=product, reorderThreshold=33)
        event = (await stream.next())["changeEvents"]
        assert event == {"__typename": "NodeChanged", "node": {"reorderThreshold": 33}}
        assert await stranger.nothing()
    node = {"id": done["productSettings"]["id"], "version": 1, "reorderThreshold": 33}
    assert (await other.run(changes))["viewer"]["changes"]["nodes"] == [node]
    asked = "query($id: ID!) { node(id: $id) { id } }"
    assert await grace.run(asked, id=node["id"]) == {"node": None}
    assert (await grace.run(OWN, id=product))["product"] == {"viewerSettings": None}


async def test_settings_are_kept_sealed(services: Services, new_phone: NewPhone, product: str) -> None:
    ada = await new_phone("Ada")
    done = await ada.do("updateProductSettings", SELECTION, productId=product, reorderThreshold=123)
    [row] = await services.db.find("product_settings", {"_id": done["productSettings"]["id"]})
    assert set(row) == {
        "_id",
        "user_id",
        "product_id",
        "sealed",
        "version",
        "created_at",
        "updated_at",
    }
    assert "123" not in row["sealed"].partition(".")[2] or "threshold" not in row["sealed"]
    # Copied to another person's record, it does not open.
    with pytest.raises(ValueError, match="another place"):
        services.crypto.open(row["sealed"], place="product_settings/another")
    receipts = await services.db.find("receipts", {"_id": {"$regex": f"^{ada.user_id}:"}})
    assert "reorder_threshold" not in str(receipts)


async def test_settings_of_earlier_versions_have_one_day(
    services: Services, new_phone: NewPhone, product: str
) -> None:
    ada = await new_phone("Ada")
    asked = {"productId": product, "notifications": {"push": True}}
    id = (await ada.do("updateProductSettings", SELECTION, **asked))["productSettings"]["id"]
    former = orjson.dumps({"notifications": {"push": True, "days_before": 3}}).decode()
    sealed = services.crypto.seal(former, place=f"product_settings/{id}")
    update = {"q": {"_id": id, "user_id": ada.user_id}, "u": {"$set": {"sealed": sealed}}}
    await services.db.write({"update": "product_settings", "updates": [update]})
    done = await ada.do("updateProductSettings", SELECTION, productId=product, reorderThreshold=5)
    assert done["productSettings"]["notifications"] == {
        **UNSET["notifications"],
        "push": True,
        "notifyDays": [3],
    }
