"""Products one by one and in bulk."""

import pytest

from core import ids
from core.context import Services
from jobs import catalog as jobs
from stores.catalog.roles import FULFILLMENT, SUPPORT
from tests.catalog.steps import found, names, on_sale, row, set_stock, staff, unique
from tests.conftest import Commands, NewPhone
from tests.phone import Phone

DETAIL = """query($by: ProductByInput!) { product(by: $by) {
  id slug version createdAt updatedAt status name brand description form category { name goal slug }
  goals purposes impactedBiomarkers allergens ingredientsText ingredients { name amount unit } directions
  servingSize
  servingsPerContainer dosage { amountPerServing unitPerServing recommendedUnits recommendedFrequency
    totalDailyAmount totalDailyUnit raw }
  schedule { timeslots raw } bundleLinks { kind goal subgoal confidence matchMethod matchedKeywords }
  images { id } labelImage { url altText } productUrl
  variants { id sku title attributes { name value } price { amount currencyCode }
    compareAtPrice { amount } barcodes availability { status remaining restockAt } maxPerOrder active
    product { id } }
  defaultVariant { id } priceRange { min { amount currencyCode } max { amount } }
  availability { status remaining restockAt checkedAt } ratingSummary { average count histogram }
  alternatives(limit: 3) { id } dataQuality issues sourceRowIndex
} }"""


CARDS = """{ searchProducts(first: 3) { edges { node {
  id name brand form servingsPerContainer availability { status remaining }
  priceRange { min { amount currencyCode } max { amount } } labelImage { thumbnailUrl altText }
  ratingSummary { average count }
} } pageInfo { hasNextPage } } }"""


async def test_detail_tells_everything(services: Services, admin: Phone, anonymous: Phone) -> None:
    raw = row(
        name=f"Magnesium Night {unique()}",
        size="120 capsules",
        compare_at_price="29,90 EUR",
        barcodes="4006381333931; not a code",
        purposes="Sleep; Relaxation",
        biomarkers="Serum magnesium",
        allergens="Milk; soya; lactose",
        dosage="2 capsules twice daily",
        schedule="With breakfast and before bed",
        url="https://example.com/magnesium",
        sku="nh-mag-120",
    )
    [made] = await on_sale(services, admin, raw)
    product = (await anonymous.run(DETAIL, by={"slug": made["slug"]}))["product"]
    assert product == (await anonymous.run(DETAIL, by={"id": made["id"]}))["product"]
    for name in ("id", "createdAt", "updatedAt", "slug"):
        assert product.pop(name)
    assert product.pop("availability").pop("checkedAt")
    [variant] = product.pop("variants")
    assert variant.pop("product")["id"] == made["id"]
    assert variant == {
        "id": made["variants"][0]["id"],
        "sku": "NH-MAG-120",
        "title": "120 capsules",
        "attributes": [{"name": "size", "value": "120 capsules"}],
        "price": {"amount": "24.90", "currencyCode": "EUR"},
        "compareAtPrice": {"amount": "29.90"},
        "barcodes": ["4006381333931", "not a code"],
        "availability": {"status": "IN_STOCK", "remaining": None, "restockAt": None},
        "maxPerOrder": 99,
        "active": True,
    }
    assert product.pop("alternatives") != [made["id"]]
    assert product == {
        "version": 1,
        "status": "ACTIVE",
        "name": raw["name"],
        "brand": "Nordic Harbor",
        "description": raw["description"],
        "form": "CAPSULE",
        "category": {
            "name": "Vitamins & Minerals",
            "goal": "Metabolic Health",
            "slug": "vitamins-minerals",
        },
        "goals": ["Metabolic Health", "Brain/Mood"],
        "purposes": ["Sleep", "Relaxation"],
        "impactedBiomarkers": ["Serum magnesium"],
        "allergens": ["SOY", "MILK"],
        "ingredientsText": "Magnesium glycinate 200 mg; Rice flour",
        "ingredients": [
            {"name": "Magnesium glycinate", "amount": "200", "unit": "mg"},
            {"name": "Rice flour", "amount": None, "unit": None},
        ],
        "directions": "2 capsules twice daily",
        "servingSize": "2 capsules",
        "servingsPerContainer": 60,
        "dosage": {
            "amountPerServing": "200",
            "unitPerServing": "mg",
            "recommendedUnits": "2 capsules",
            "recommendedFrequency": "twice daily",
            "totalDailyAmount": "400",
            "totalDailyUnit": "mg",
            "raw": "2 capsules twice daily",
        },
        "schedule": {"timeslots": ["WITH_BREAKFAST", "BEDTIME"], "raw": "With breakfast and before bed"},
        "bundleLinks": [
            {
                "kind": "GOAL",
                "goal": "Brain/Mood",
                "subgoal": None,
                "confidence": 0.95,
                "matchMethod": "KEYWORDS",
                "matchedKeywords": ["sleep", "calm", "relaxation"],
            }
        ],
        "images": [],
        "labelImage": None,
        "productUrl": "https://example.com/magnesium",
        "defaultVariant": {"id": made["variants"][0]["id"]},
        "priceRange": {"min": {"amount": "24.90", "currencyCode": "EUR"}, "max": {"amount": "24.90"}},
        "ratingSummary": {"average": 0.0, "count": 0, "histogram": [0, 0, 0, 0, 0]},
        "dataQuality": None,
        "issues": None,
        "sourceRowIndex": None,
    }
    seen_by_staff = (await admin.run(DETAIL, by={"id": made["id"]}))["product"]
    assert (seen_by_staff["dataQuality"], seen_by_staff["issues"]) == ("OK", [])
    assert seen_by_staff["sourceRowIndex"] == raw["rowIndex"]


async def test_one_key_finds_a_product(anonymous: Phone) -> None:
    id = ids.new_id("product")
    for by in ({}, {"id": id, "slug": "one"}, {"id": None}):
        assert (await anonymous.ask(DETAIL, by=by)).code == "BAD_USER_INPUT"
    assert await anonymous.run(DETAIL, by={"id": id}) == {"product": None}
    assert await anonymous.run(DETAIL, by={"slug": "no-such-thing"}) == {"product": None}
    assert (await anonymous.ask(DETAIL, by={"id": "cart_1"})).code == "BAD_USER_INPUT"


async def test_a_hidden_product_is_staffs_alone(
    services: Services, admin: Phone, new_phone: NewPhone, anonymous: Phone
) -> None:
    from tests.catalog.steps import import_rows

    [result] = await import_rows(admin, [row()], publish=False)
    await jobs.tell(services)
    made = result["product"]
    assert made["status"] == "HIDDEN"
    support = await staff(new_phone, services, SUPPORT)
    packer = await staff(new_phone, services, FULFILLMENT)
    asked = """query($id: ID!, $v: ID!) {
      product(by: {id: $id}) { id } products(ids: [$id]) { id } node(id: $v) { id } }"""
    variant = made["variants"][0]["id"]
    for phone in (anonymous, packer, await new_phone()):
        unseen = {"product": None, "products": [None], "node": None}
        assert await phone.run(asked, id=made["id"], v=variant) == unseen
    for phone in (admin, support):
        assert (await phone.run(asked, id=made["id"], v=variant))["product"] == {"id": made["id"]}
    assert names(await found(anonymous, query=made["slug"].split("-")[-2])) == []


async def test_bulk_keeps_the_order_of_ids_null_for_unknown_ones_in_few_commands(
    services: Services, admin: Phone, anonymous: Phone, commands: Commands
) -> None:
    made = await on_sale(services, admin, *(row() for _ in range(5)))
    wanted = [made[3]["id"], ids.new_id("product"), made[0]["id"], made[3]["id"]]
    asked = """query($ids: [ID!]!) { products(ids: $ids) {
      id version name category { name } variants { price { amount } availability { status } } } }"""
    commands.reset()
    read = (await anonymous.run(asked, ids=wanted))["products"]
    assert commands.counts == {"find": 2}
    assert [each and each["id"] for each in read] == [wanted[0], None, wanted[2], wanted[0]]
    assert [each["version"] for each in read if each] == [1, 1, 1]
    answer = await anonymous.ask(asked, ids=[ids.new_id("product")] * 101)
    assert (answer.code, answer.errors[0]["message"]) == ("BAD_USER_INPUT", "At most 100 ids.")


@pytest.mark.usefixtures("compiled")
async def test_of_a_page_only_what_is_asked_for_is_read(
    services: Services, admin: Phone, anonymous: Phone, commands: Commands
) -> None:
    await on_sale(services, admin, row())
    await anonymous.run(CARDS)
    card = {"_id", "name", "brand", "form", "servings_per_container", "availability", "rating_summary"}
    assert commands.fields["products"] == card | {"currency", "min_price", "max_price", "label_image_id"}


async def test_what_a_page_costs_does_not_depend_on_its_length(
    services: Services, admin: Phone, anonymous: Phone, commands: Commands
) -> None:
    word = unique()
    await on_sale(services, admin, *(row(name=f"{word} {number}") for number in range(8)))
    search = """query($f: ProductFilterInput, $first: Int) {
      searchProducts(filter: $f, first: $first) { edges {
      match { reason }
      node { name brand form availability { status } priceRange { min { amount } } category { name }
        labelImage { url } } } totalCount facets { brands { value count } } } }"""
    costs = []
    for query in (word, None):
        for first in (1, 8):
            await services.redis.flushdb()
            commands.reset()
            # What is hot is worked out beforehand: something else must be counted.
            await anonymous.run(search, f={"query": query} if query else {"inStock": True}, first=first)
            costs.append(dict(commands.counts))
    # Rows, products, categories, generation, names of categories; browsing counts and reads rows for facets.
    assert costs[0] == costs[1] == {"aggregate": 1, "find": 4}
    assert costs[2] == costs[3] == {"aggregate": 1, "count": 1, "find": 4}


async def test_a_discontinued_product_is_found_by_id_and_not_by_searching(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    word = unique()
    [made] = await on_sale(services, admin, row(name=f"Gone {word}"))
    assert len(names(await found(anonymous, query=word))) == 1
    done = await admin.do(
        "setProductStatus", "product { status version }", productId=made["id"], status="DISCONTINUED"
    )
    assert done["product"] == {"status": "DISCONTINUED", "version": 2}
    # At once, even before its entry is gone.
    assert names(await found(anonymous, query=word)) == []
    await jobs.tell(services)
    assert (await found(anonymous, query=word))["totalCount"] == 0
    product = (await anonymous.run(DETAIL, by={"id": made["id"]}))["product"]
    assert product["status"] == "DISCONTINUED"
    assert product["availability"]["status"] == "DISCONTINUED"
    back = await admin.do("setProductStatus", "product { status }", productId=made["id"], status="ACTIVE")
    assert back["product"] == {"status": "ACTIVE"}
    await jobs.tell(services)
    assert len(names(await found(anonymous, query=word))) == 1


async def test_alternatives_are_in_stock_and_alike(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    word = unique("herb")
    made = await on_sale(
        services,
        admin,
        row(name=f"Wanted {word}", ingredients=f"{word} 5 mg; {word}x 1 mg", stock="0"),
        row(name=f"Twin {word}", ingredients=f"{word} 9 mg; {word}x 2 mg"),
        row(name=f"Cousin {word}", ingredients=f"{word} 9 mg; Zinc 2 mg", form="tablets"),
        row(name=f"Empty {word}", ingredients=f"{word} 5 mg; {word}x 1 mg", stock="0"),
    )
    asked = """query($id: ID!) { product(by: {id: $id}) {
      availability { status } alternatives(limit: 2) { name } } }"""
    product = (await anonymous.run(asked, id=made[0]["id"]))["product"]
    assert product["availability"] == {"status": "OUT_OF_STOCK"}
    assert [each["name"].split()[0] for each in product["alternatives"]] == ["Twin", "Cousin"]


async def test_stock_is_told_as_a_hint(services: Services, admin: Phone, anonymous: Phone) -> None:
    [made] = await on_sale(services, admin, row())
    hint = "query($id: ID!) { product(by: {id: $id}) { availability { status remaining } } }"
    for left, expected in (
        (6, {"status": "IN_STOCK", "remaining": None}),
        (5, {"status": "LOW_STOCK", "remaining": 5}),
        (1, {"status": "LOW_STOCK", "remaining": 1}),
        (0, {"status": "OUT_OF_STOCK", "remaining": None}),
    ):
        await set_stock(services, made["variants"][0]["id"], left)
        assert (await anonymous.run(hint, id=made["id"]))["product"]["availability"] == expected
    levels = '{ inventoryLevels(filter: {skus: ["%s"]}) { edges { node { onHand reserved available } } } }'
    answer = await anonymous.ask(levels % made["variants"][0]["sku"])
    assert answer.code == "UNAUTHENTICATED"


async def test_best_sellers_and_counts_are_worked_out(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    word = unique("cat")
    made = await on_sale(
        services, admin, *(row(name=f"{word} {number}", category=f"{word} things") for number in range(3))
    )
    for number, product in enumerate(made):
        update = {"q": {"product_id": product["id"]}, "u": {"$set": {"sold": 10 + number}}}
        await services.db.write({"update": "inventory", "updates": [update]})
    asked = """query($f: TopSellerFilterInput) { topSellers(filter: $f, limit: 2) { id }
      categories { id name goal productCount } }"""
    [category] = [
        each for each in (await anonymous.run(asked))["categories"] if each["name"] == f"{word} things"
    ]
    assert category["goal"] == "General Health"
    await jobs.rebuild_hot(services)
    read = await anonymous.run(asked, f={"categoryIds": [category["id"]]})
    assert [each["id"] for each in read["topSellers"]] == [made[2]["id"], made[1]["id"]]
    assert {**category, "productCount": 3} in read["categories"]
    await jobs.tell(services)
    best = await found(anonymous, query=word, sort="TOP_SELLING")
    assert [name[-1] for name in names(best)] == ["2", "1", "0"]
    assert (await anonymous.ask("{ topSellers(limit: 0) { id } }")).code == "BAD_USER_INPUT"


async def test_what_is_found_nowhere_shows_facets_that_were_counted_beforehand(
    services: Services, admin: Phone, anonymous: Phone, commands: Commands
) -> None:
    """Counting everything is the dearest there is, and nothing found is what anybody can ask for."""
    await on_sale(services, admin, row())
    await jobs.rebuild_hot(services)
    search = """query($q: String) {
      searchProducts(filter: {query: $q}, first: 5) { totalCount facets { forms { count } } } }"""
    shown = (await anonymous.run(search))["searchProducts"]["facets"]
    await services.redis.flushdb()
    commands.reset()
    nothing = (await anonymous.run(search, q=unique("nothing")))["searchProducts"]
    assert nothing == {"totalCount": 0, "facets": shown}
    # Rows of the search itself; its generation, the list worked out beforehand, names of categories.
    assert commands.counts == {"aggregate": 1, "find": 3}
