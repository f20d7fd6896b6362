"""Replay of what an app did offline: in order, each once."""

from typing import Any

from core.context import Services
from tests.cart.steps import CART, LINE, QUOTE, added, euros, line_id, products, shown, stored, variants
from tests.conftest import NewPhone
from tests.phone import Phone, key

SYNCED = (
    f"results {{ itemId status cartLine {{ {LINE} }} alternatives {{ id }} errors {{ code field }} }} "
    f"cart {{ {CART} }} checkoutQuote {{ {QUOTE} }}"
)


def operation(**act: Any) -> dict[str, Any]:
    return {"operationId": key(), "act": act}


def adding(variant: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return operation(add={"item": {"productVariantId": variant}, "quantity": quantity, **more})


async def synced(phone: Phone, *operations: dict[str, Any], **more: Any) -> Any:
    payload = await phone.do("syncCart", SYNCED, operations=list(operations), **more)
    assert payload["errors"] == []
    return payload


def statuses(payload: Any) -> list[str]:
    return [each["status"] for each in payload["results"]]


async def test_operations_are_replayed_in_order_and_once(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00")
    first, second = line_id(), line_id()
    queue = [
        adding(one, 2, id=first),
        operation(update={"cartLineId": first, "quantity": 4}),
        adding(two, 1, id=second),
        operation(remove={"cartLineId": second}),
    ]
    payload = await synced(ada, *queue)
    assert statuses(payload) == ["APPLIED"] * 4
    assert [each["itemId"] for each in payload["results"]] == [each["operationId"] for each in queue]
    assert [(each["id"], each["quantity"]) for each in payload["cart"]["lines"]] == [(first, 4)]
    assert (payload["checkoutQuote"]["valid"], payload["checkoutQuote"]["token"]) == (True, None)
    again = await synced(ada, *queue, validate=False)
    assert (statuses(again), again["checkoutQuote"]) == (["DUPLICATE"] * 4, None)
    assert again["cart"] == payload["cart"]
    # The app was installed anew: other keys, the same line.
    anew = await synced(ada, adding(one, 2, id=first))
    assert (statuses(anew), anew["cart"]) == (["DUPLICATE"], payload["cart"])


async def test_offline_add_of_a_product_since_discontinued(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    kept, gone = await products(services, admin, "€10.00", "€5.00")
    await admin.do("setProductStatus", "product { id }", productId=gone["id"], status="DISCONTINUED")
    payload = await synced(ada, adding(gone["variant"]), adding(kept["variant"], seenUnitPrice=euros("9.00")))
    assert statuses(payload) == ["REJECTED", "APPLIED"]
    refused, _ = payload["results"]
    field = ["act", "add", "item", "productVariantId"]
    assert refused["errors"] == [{"code": "PRODUCT_DISCONTINUED", "field": field}]
    assert refused["alternatives"]
    assert payload["checkoutQuote"]["valid"] is False
    assert [each["code"] for each in payload["checkoutQuote"]["cartIssues"]] == ["PRICE_CHANGED"]


async def test_a_conflict_and_a_bad_operation_stop_no_other(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    line = await added(ada, variant)
    await ada.do("updateCartLine", "cart { id }", cartLineId=line["id"], quantity=2)
    payload = await synced(
        ada,
        operation(update={"cartLineId": line["id"], "quantity": 9, "expectedVersion": 1}),
        adding(variant, 0),
        operation(update={"cartLineId": line_id(), "quantity": 1}),
        operation(update={"cartLineId": line["id"], "quantity": 3, "expectedVersion": 2}),
    )
    assert statuses(payload) == ["CONFLICT", "REJECTED", "REJECTED", "APPLIED"]
    codes = [error["code"] for each in payload["results"] for error in each["errors"]]
    assert codes == ["CONFLICT", "INVALID_INPUT", "NOT_FOUND"]
    assert payload["cart"]["itemCount"] == 3


async def test_a_transient_refusal_defers_the_rest_and_the_quote(
    services: Services, admin: Phone, new_phone: NewPhone, monkeypatch: Any
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    monkeypatch.setattr(services.limits, "scale", 1 / 60)
    queue = [adding(variant) for _ in range(3)]
    payload = await synced(ada, *queue)
    assert (statuses(payload), payload["checkoutQuote"]) == (["APPLIED", "DEFERRED", "DEFERRED"], None)
    codes = [error["code"] for each in payload["results"] for error in each["errors"]]
    assert codes == ["RATE_LIMITED", "DEFERRED"]
    monkeypatch.setattr(services.limits, "scale", 1000.0)
    again = await synced(ada, *queue)
    assert statuses(again) == ["DUPLICATE", "APPLIED", "APPLIED"]
    assert again["cart"]["itemCount"] == 3


async def test_clearing_offline_leaves_what_another_device_added_since(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    other = await new_phone(user_id=ada.user_id)
    one, two = await variants(services, admin, "€10.00", "€5.00")
    await added(ada, one)
    seen = (await shown(ada))["version"]
    unseen = await added(other, two)
    payload = await synced(ada, operation(clear={"expectedVersion": seen}), adding(one, 2))
    assert statuses(payload) == ["APPLIED", "APPLIED"]
    assert [each["quantity"] for each in payload["cart"]["lines"]] == [2, 1]
    assert payload["cart"]["lines"][1]["id"] == unseen["id"]


async def test_at_most_50_operations(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await shown(ada)
    many = [operation(clear={}) for _ in range(51)]
    refused = await ada.do("syncCart", "results { itemId }", operations=many)
    assert [(each["code"], each["limit"]) for each in refused["errors"]] == [("TOO_MANY", 50)]
    assert (await stored(services, ada))["version"] == 1
