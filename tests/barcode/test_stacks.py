"""Stacks: made, filled, ordered and emptied, on all devices."""

from typing import Any

from core import ids
from core.context import Context, Services
from core.hooks import on
from resolvers.barcode import stacking
from tests.barcode.steps import codes_of, new_code, scanned, with_code
from tests.catalog.steps import on_sale, row
from tests.conftest import Commands, NewPhone
from tests.phone import Phone

STACK = "stack { id version name itemCount items { id position product { id } } }"
ITEM = """stackItem { id version position addedFrom timeslots variant { id } product { id }
  dosage { recommendedUnits recommendedFrequency totalDailyAmount } }"""
STACKS = """query { viewer { stacks(first: 20) { edges { cursor node {
  id name itemCount items { product { id } } } } } } }"""


async def stack_of(phone: Phone, name: str, *product_ids: str) -> dict[str, Any]:
    items = [{"productId": each, "addedFrom": "SEARCH"} for each in product_ids]
    made = await phone.do("createStack", f"{STACK} stackEdge {{ cursor }}", name=name, items=items)
    assert made["errors"] == []
    stack: dict[str, Any] = made["stack"]
    return stack


async def add(phone: Phone, target: dict[str, Any], product_id: str, **given: Any) -> Any:
    fields = {"target": target, "productId": product_id, "addedFrom": "SCAN", **given}
    return await phone.do("addStackItem", f"{STACK} {ITEM} alreadyExisted", **fields)


async def test_a_stack_is_made_with_products_renamed_and_deleted(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    one, two = await on_sale(services, admin, row(), row())
    made = await stack_of(ada, " Morning ", one["id"], two["id"])
    assert (made["name"], made["itemCount"]) == ("Morning", 2)
    assert [each["product"]["id"] for each in made["items"]] == [one["id"], two["id"]]
    [edge] = (await ada.run(STACKS))["viewer"]["stacks"]["edges"]
    assert edge["node"]["items"] == [{"product": {"id": one["id"]}}, {"product": {"id": two["id"]}}]
    renamed = await ada.do("updateStack", STACK, stackId=made["id"], name="Evening", expectedVersion=1)
    assert (renamed["stack"]["name"], renamed["stack"]["version"]) == ("Evening", 2)
    late = await ada.do("updateStack", STACK, stackId=made["id"], name="Late", expectedVersion=1)
    assert (codes_of(late), late["stack"]["name"]) == ([("CONFLICT", None)], "Evening")
    theirs = await grace.do("deleteStack", "deletedStackId", stackId=made["id"])
    assert codes_of(theirs) == [("NOT_FOUND", ["stackId"])]
    gone = await ada.do("deleteStack", "deletedStackId", stackId=made["id"])
    assert gone["deletedStackId"] == made["id"]
    assert (await ada.run(STACKS))["viewer"]["stacks"]["edges"] == []
    assert await services.db.find("stack_items", {"user_id": ada.user_id}) == []
    refused = await add(ada, {"stackId": made["id"]}, one["id"])
    assert codes_of(refused) == [("NOT_FOUND", ["target"])]


async def test_a_scanned_product_goes_into_a_new_stack_in_one_call_with_its_labels_dosage(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    product = await with_code(services, admin, code)
    scan = (await scanned(ada, code))["scanRecord"]
    id, item = ids.new_id("stack"), ids.new_id("stack_item")
    target = {"newStack": {"id": id, "name": "Sleep"}}
    done = await add(ada, target, product["id"], id=item, scanRecordId=scan["id"])
    assert (done["errors"], done["alreadyExisted"], done["stack"]["id"]) == ([], False, id)
    shown = done["stackItem"]
    assert (shown["id"], shown["addedFrom"], shown["timeslots"]) == (item, "SCAN", ["BEDTIME"])
    assert shown["dosage"]["recommendedUnits"] == "2 capsules"
    again = await add(ada, {"stackId": id}, product["id"])
    assert (again["alreadyExisted"], again["stackItem"]["id"], again["stack"]["itemCount"]) == (True, item, 1)


async def test_how_much_is_taken_and_when_is_changed_in_part(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [product] = await on_sale(services, admin, row())
    [item] = (await stack_of(ada, "One", product["id"]))["items"]
    named = {"stackItemId": item["id"], "expectedVersion": 1}
    dosage = {"recommendedUnits": "3 capsules", "totalDailyAmount": "600.50"}
    changed = await ada.do("updateStackItem", ITEM, **named, dosage=dosage, timeslots=["LUNCH", "LUNCH"])
    shown = changed["stackItem"]
    assert (shown["version"], shown["timeslots"]) == (2, ["LUNCH"])
    assert (shown["dosage"]["recommendedUnits"], shown["dosage"]["totalDailyAmount"]) == (
        "3 capsules",
        "600.5",
    )
    assert shown["dosage"]["recommendedFrequency"] == "daily"
    late = await ada.do("updateStackItem", ITEM, **named, timeslots=[])
    assert (codes_of(late), late["stackItem"]["timeslots"]) == ([("CONFLICT", None)], ["LUNCH"])
    variant = product["variants"][0]["id"]
    changed = await ada.do("updateStackItem", ITEM, stackItemId=item["id"], productVariantId=variant)
    assert changed["stackItem"]["variant"] == {"id": variant}
    for given, refusal in (
        ({"dosage": {"totalDailyAmount": "-1"}}, ("OUT_OF_RANGE", ["dosage", "totalDailyAmount"])),
        ({"dosage": {"raw": "x" * 101}}, ("TOO_LONG", ["dosage", "raw"])),
        ({"timeslots": ["LUNCH"] * 14}, ("TOO_MANY", ["timeslots"])),
        ({"productVariantId": ids.new_id("variant")}, ("NOT_FOUND", ["productVariantId"])),
    ):
        refused = await ada.do("updateStackItem", ITEM, stackItemId=item["id"], **given)
        assert codes_of(refused) == [refusal]


async def test_a_product_is_moved_between_others_and_removed(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    products = await on_sale(services, admin, row(), row(), row())
    a, b, c = [each["id"] for each in products]
    stack = await stack_of(ada, "Order", a, b, c)
    by_product = {each["product"]["id"]: each["id"] for each in stack["items"]}
    for moved, index, order in ((c, 0, [c, a, b]), (c, 2, [a, b, c]), (a, 1, [b, a, c])):
        done = await ada.do("moveStackItem", STACK, stackItemId=by_product[moved], index=index)
        assert [each["product"]["id"] for each in done["stack"]["items"]] == order
    # Between the first two there is room for ten halvings, then all get new places.
    for _ in range(12):
        for moved in (c, a):
            done = await ada.do("moveStackItem", STACK, stackItemId=by_product[moved], index=1)
    assert [each["product"]["id"] for each in done["stack"]["items"]][1] == a
    refused = await ada.do("moveStackItem", STACK, stackItemId=by_product[a], index=3)
    assert codes_of(refused) == [("OUT_OF_RANGE", ["index"])]
    gone = await ada.do("removeStackItem", f"{STACK} deletedStackItemId", stackItemId=by_product[a])
    assert (gone["deletedStackItemId"], gone["stack"]["itemCount"]) == (by_product[a], 2)


async def test_a_person_has_20_stacks_of_100_products_with_names_of_their_own(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [product] = await on_sale(services, admin, row())
    first = await stack_of(ada, "Stack 0")
    for refused_name, code in (("STACK 0", "NAME_TAKEN"), (" ", "REQUIRED"), ("x" * 61, "TOO_LONG")):
        refused = await ada.do("createStack", STACK, name=refused_name, items=[])
        assert codes_of(refused) == [(code, ["name"])]
    twice = [{"productId": product["id"], "addedFrom": "SCAN"}] * 2
    refused = await ada.do("createStack", STACK, name="Twice", items=twice)
    assert codes_of(refused) == [("INVALID_INPUT", ["items", "productId"])]
    for number in range(1, 20):
        await stack_of(ada, f"Stack {number}")
    refused = await ada.do("createStack", STACK, name="Stack 20", items=[])
    assert codes_of(refused) == [("LIMIT_REACHED", ["name"])]
    same = await ada.do("updateStack", STACK, stackId=first["id"], name="Stack 19")
    assert codes_of(same) == [("NAME_TAKEN", ["name"])]
    filled = [
        {"_id": ids.new_id("stack_item"), "user_id": ada.user_id, "stack_id": first["id"]} for _ in range(100)
    ]
    rows = [{**each, "product_id": str(place), "position": place} for place, each in enumerate(filled)]
    await services.db.write({"insert": "stack_items", "documents": rows})
    refused = await add(ada, {"stackId": first["id"]}, product["id"])
    assert codes_of(refused) == [("LIMIT_REACHED", ["target"])]
    await services.db.write(
        {"delete": "stack_items", "deletes": [{"q": {"stack_id": first["id"]}, "limit": 0}]}
    )


async def test_a_hidden_product_is_unavailable(services: Services, admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    [product] = await on_sale(services, admin, row(price="?"))
    refused = await add(ada, {"newStack": {"name": "One"}}, product["id"])
    assert codes_of(refused) == [("NOT_FOUND", ["productId"])]
    assert (await ada.run(STACKS))["viewer"]["stacks"]["edges"] == []


async def test_systems_above_are_told_of_a_stack_that_is_deleted(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, told = await new_phone("Ada"), []
    [product] = await on_sale(services, admin, row())
    stack = await stack_of(ada, "One", product["id"])

    async def tell_stack(ctx: Context, id: str) -> None:
        told.append(id)

    for hook in (stacking.stack_deleted, stacking.item_removed):
        on(hook)(tell_stack)
    try:
        await ada.do("deleteStack", "deletedStackId", stackId=stack["id"])
    finally:
        for hook in (stacking.stack_deleted, stacking.item_removed):
            hook.listeners.remove(tell_stack)
    assert told == [stack["id"], stack["items"][0]["id"]]


async def test_stacks_with_their_products_are_read_together(
    services: Services, admin: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    products = await on_sale(services, admin, row(), row())
    for name in ("One", "Two", "Three"):
        await stack_of(ada, name, *(each["id"] for each in products))
    commands.reset()
    await ada.run(STACKS)
    assert commands.counts["find"] <= 3
