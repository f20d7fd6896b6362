"""Codes on a cart, and what promotions take off it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Services
from resolvers.cart import count_uses, give_back_uses
from stores.cart import promotions
from tests.cart.steps import CART, added, codes, euros, products, promotion, shown, variants
from tests.catalog.steps import unique, within
from tests.conftest import NewPhone
from tests.phone import Phone

pytestmark = pytest.mark.usefixtures("bare")

SUMS = (
    "discountTotal { amount } estimatedTotal { amount } discounts { code label amount { amount } } "
    "cartIssues { code blocking lineId message }"
)


def moment(**away: int) -> str:
    return f"{clock.now() + timedelta(**away):%Y-%m-%dT%H:%M:%SZ}"


async def applied(phone: Phone, code: str) -> Any:
    return await phone.do("applyPromotionCode", f"cart {{ {CART} {SUMS} }}", code=code)


async def sums(phone: Phone) -> Any:
    return (await phone.run(f"{{ viewer {{ cart {{ {SUMS} }} }} }}"))["viewer"]["cart"]


async def test_a_promotion_without_a_code_applies_by_itself(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.01")
    await added(ada, one)
    await added(ada, two)
    await promotion(admin)
    cart = await sums(ada)
    assert (cart["discountTotal"], cart["estimatedTotal"]) == ({"amount": "1.50"}, {"amount": "13.51"})
    assert cart["discounts"] == [{"code": None, "label": "Winter sale", "amount": {"amount": "1.50"}}]
    shares = [each["discount"]["amount"] for each in (await shown(ada))["lines"]]
    assert shares == ["0.50", "1.00"]


async def test_codes_are_compared_in_upper_case_and_removed(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    code = unique("c")
    made = await promotion(admin, code=code, percentOff="25")
    assert made["code"] == code.upper()
    payload = await applied(ada, f" {code.capitalize()} ")
    assert (payload["errors"], payload["cart"]["promotionCodes"]) == ([], [code.upper()])
    assert payload["cart"]["estimatedTotal"]["amount"] == "7.50"
    again = await applied(ada, code)
    assert again["cart"]["version"] == payload["cart"]["version"]
    gone = await ada.do("removePromotionCode", f"cart {{ {SUMS} }}", code=code)
    assert gone["cart"]["discounts"] == []
    taken = await admin.do(
        "createPromotion", "promotion { id }", name="Two", kind="PERCENT", percentOff="1", code=code
    )
    assert codes(taken) == [("PROMOTION_CODE_TAKEN", ["code"])]


async def test_a_code_that_is_over_used_up_unknown_or_does_not_go_with_others(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    over, used, alone, together = (unique("c") for _ in range(4))
    await promotion(admin, code=over, startsAt=moment(days=-2), endsAt=moment(days=-1))
    full = await promotion(admin, code=used, usageLimit=1)
    update = {"q": {"_id": full["id"]}, "u": {"$set": {"used_count": 1}}}
    await services.db.write({"update": "promotions", "updates": [update]})
    await promotion(admin, code=alone)
    await promotion(admin, code=together, stackable=True)
    before = await shown(ada)
    for code, refused in ((over, "EXPIRED"), (used, "EXPIRED"), (unique("c"), "NOT_FOUND")):
        assert codes(await applied(ada, code)) == [(refused, ["code"])]
    assert (await shown(ada))["version"] == before["version"]
    assert (await applied(ada, together))["errors"] == []
    assert codes(await applied(ada, alone)) == [("PROMOTION_NOT_STACKABLE", ["code"])]


async def test_at_most_3_codes_and_10_wrong_tries_an_hour(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    await added(ada, variant)
    good = [unique("c") for _ in range(4)]
    for code in good:
        await promotion(admin, code=code, stackable=True, percentOff="1")
    for code in good[:3]:
        assert (await applied(ada, code))["errors"] == []
    fourth = await applied(ada, good[3])
    assert [(each["code"], each["limit"]) for each in fourth["errors"]] == [("LIMIT_REACHED", 3)]
    await ada.do("removePromotionCode", "cart { id }", code=good[0])
    for _ in range(10):
        assert codes(await applied(ada, unique("wrong"))) == [("NOT_FOUND", ["code"])]
    limited = await applied(ada, good[3])
    [error] = limited["errors"]
    assert (error["code"], 3500 < error["retryAfterSeconds"] <= 3600) == ("RATE_LIMITED", True)
    clock.shift(timedelta(hours=1, seconds=1))
    ada = await new_phone(user_id=ada.user_id)
    assert (await applied(ada, good[3]))["errors"] == []


async def test_a_code_below_its_subtotal_stays_and_takes_nothing(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00")
    line = await added(ada, variant)
    code = unique("c")
    made = await promotion(
        admin, code=code, kind="FIXED", percentOff=None, amountOff=euros("5.00"), minSubtotal=euros("20.00")
    )
    payload = await applied(ada, code)
    assert (payload["errors"], payload["cart"]["discountTotal"]["amount"]) == ([], "0.00")
    words = f"The cart does not fulfill the conditions of the code {code.upper()}."
    assert payload["cart"]["cartIssues"] == [
        {"code": "PROMOTION_NOT_MET", "blocking": False, "lineId": None, "message": words}
    ]
    await ada.do("updateCartLine", "cart { id }", cartLineId=line["id"], quantity=2)
    assert (await sums(ada))["estimatedTotal"]["amount"] == "15.00"
    await admin.do("endPromotion", "promotion { active }", promotionId=made["id"])
    cart = await sums(ada)
    assert ([each["code"] for each in cart["cartIssues"]], cart["discountTotal"]["amount"]) == (
        ["PROMOTION_EXPIRED"],
        "0.00",
    )


async def test_a_use_is_counted_once_for_an_order_and_given_back(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    made = await promotion(admin, code=unique("c"), usageLimit=2, perCustomerCount=1)

    def quote(phone: Phone) -> Any:
        return {"owner_id": phone.user_id, "discounts": [{"promotion_id": made["id"], "amount": 100}]}

    async def used() -> int:
        found = await promotions.promotions.by_id(services.db, made["id"])
        assert found is not None
        return found["used_count"]

    first, second, third = (f"order_{number}" for number in range(3))
    assert await within(services, count_uses, quote(ada), first)
    assert await within(services, count_uses, quote(ada), first)
    assert await used() == 1
    assert not await within(services, count_uses, quote(ada), second)
    assert await within(services, count_uses, quote(grace), second)
    assert not await within(services, count_uses, quote(await new_phone("Hedy")), third)
    await within(services, give_back_uses, first)
    await within(services, give_back_uses, first)
    assert await used() == 1
    assert await within(services, count_uses, quote(ada), third)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"kind": "PERCENT"}, "REQUIRED", ["percentOff"]),
        ({"kind": "FIXED", "percentOff": "5"}, "INVALID_INPUT", ["percentOff"]),
        ({"kind": "PERCENT", "percentOff": "0"}, "OUT_OF_RANGE", ["percentOff"]),
        ({"kind": "PERCENT", "percentOff": "100.5"}, "OUT_OF_RANGE", ["percentOff"]),
        ({"kind": "FREE_SHIPPING", "usageLimit": 0}, "OUT_OF_RANGE", ["usageLimit"]),
        (
            {"kind": "FREE_SHIPPING", "startsAt": "2026-02-01T00:00:00Z", "endsAt": "2026-02-01T00:00:00Z"},
            "OUT_OF_RANGE",
            ["endsAt"],
        ),
    ],
)
async def test_what_makes_no_promotion_is_refused(
    admin: Phone, given: dict[str, Any], code: str, field: list[str]
) -> None:
    refused = await admin.do("createPromotion", "promotion { id }", name="Sale", **given)
    assert codes(refused) == [(code, field)]


async def test_staff_alone_keep_promotions(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    made = await promotion(admin)
    refused = await ada.do("endPromotion", "promotion { id }", promotionId=made["id"])
    assert codes(refused) == [("FORBIDDEN", None)]
    node = await ada.run("query($id: ID!) { node(id: $id) { id } }", id=made["id"])
    assert node == {"node": None}
    changed = await admin.do(
        "updatePromotion",
        "promotion { version percentOff name }",
        promotionId=made["id"],
        percentOff="15",
        expectedVersion=made["version"],
    )
    assert changed["promotion"] == {"version": 2, "percentOff": "15", "name": "Winter sale"}
    late = await admin.do(
        "updatePromotion", "promotion { version }", promotionId=made["id"], name="No", expectedVersion=1
    )
    assert codes(late) == [("CONFLICT", None)]
    listed = "{ promotions(filter: { active: true }) { edges { node { id } } } }"
    assert (await admin.run(listed))["promotions"]["edges"] == [{"node": {"id": made["id"]}}]
    assert (await ada.ask(listed)).code == "FORBIDDEN"


async def test_last_use_of_a_promotion_two_orders_at_once(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    made = await promotion(admin, code=unique("c"), usageLimit=1)
    people = [await new_phone(f"Person {number}") for number in range(4)]
    quotes: list[Any] = [
        {"owner_id": each.user_id, "discounts": [{"promotion_id": made["id"], "amount": 100}]}
        for each in people
    ]
    had = await asyncio.gather(
        *(within(services, count_uses, quote, f"order_{number}") for number, quote in enumerate(quotes))
    )
    assert sorted(had) == [False, False, False, True]
    found = await promotions.promotions.by_id(services.db, made["id"])
    assert found is not None
    assert found["used_count"] == 1


async def test_a_promotion_that_begins_is_told_once_to_those_who_like_its_products(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [product] = await products(services, admin, "€10.00")
    await ada.do("addFavorite", "favorite { id }", targetId=product["id"])
    notices = {"promotions": True}
    await ada.do("updateFavorite", "favorite { id }", targetId=product["id"], notices=notices)
    made = await promotion(admin, productIds=[product["id"]], startsAt=moment(hours=1))
    for hours, told in ((0, 0), (2, 1), (1, 1)):
        clock.shift(timedelta(hours=hours))
        ada = await new_phone(user_id=ada.user_id)
        await edited(new_phone, admin, made)
        while await jobs.run_due(services):
            continue
        inbox = (await ada.run("{ viewer { inbox { edges { node { id } } } } }"))["viewer"]["inbox"]
        assert len(inbox["edges"]) == told


async def edited(new_phone: NewPhone, admin: Phone, made: Any) -> None:
    """An edit plans the same job anew."""
    again = await new_phone(user_id=admin.user_id)
    done = await again.do("updatePromotion", "promotion { id }", promotionId=made["id"], percentOff="11")
    assert done["errors"] == []
