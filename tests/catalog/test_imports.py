"""Importing raw rows, and what staff do with products."""

from decimal import Decimal
from typing import Any

import pytest

from core import ids
from core.context import Services
from jobs import catalog as jobs
from resolvers.catalog import supplier_parser
from tests.catalog.steps import camel, euros, found, import_rows, names, on_sale, refusal, row, unique
from tests.phone import Phone, key

PRODUCT = """query($id: ID!) { product(by: {id: $id}) { id version name status dataQuality issues
  servingsPerContainer form category { name } variants { id sku title price { amount } } } }"""


async def test_a_row_without_name_brand_price_or_form_is_an_error_and_others_are_saved(
    admin: Phone, services: Services
) -> None:
    """Failure case: import row without name, brand, price or form."""
    rows = [
        row(),
        row(name=""),
        row(brand=" "),
        row(price=""),
        row(price="on request"),
        row(form=""),
        row(form="suppository"),
        row(name="", brand="", price="", form=""),
        row(),
    ]
    results = await import_rows(admin, rows)
    assert [each["rowIndex"] for each in results] == [each["rowIndex"] for each in rows]
    assert [(each["dataQuality"], each["issues"], each["product"] is not None) for each in results] == [
        ("OK", [], True),
        ("ERROR", ["No name."], False),
        ("ERROR", ["No brand."], False),
        ("ERROR", ["No price."], False),
        ("ERROR", ["Unknown price."], True),
        ("ERROR", ["No form."], False),
        ("ERROR", ["Unknown form."], False),
        ("ERROR", ["No name.", "No brand.", "No price.", "No form."], False),
        ("OK", [], True),
    ]


async def test_what_is_missing_otherwise_is_a_warning(admin: Phone) -> None:
    [result] = await import_rows(
        admin, [row(ingredients="", servings="", dosage="", category="Gadgets 🎈", url="not a page")]
    )
    assert result["dataQuality"] == "WARN"
    assert result["issues"] == [
        "No ingredients.",
        "Unknown category 'Gadgets 🎈'.",
        "No servings per container: taken to be 30.",
        "No dosage.",
        "The address of its page is not one.",
    ]


async def test_a_row_lands_once_however_often_it_is_sent(admin: Phone, services: Services) -> None:
    rows = [row(), row()]
    first = await import_rows(admin, rows)
    again = await import_rows(admin, rows)
    assert again == first
    assert [each["product"]["version"] for each in again] == [1, 1]
    # Spelled otherwise it is the same product; what changed is changed.
    changed = {**rows[0], "brand": rows[0]["brand"].upper(), "servings": "90", "price": "19.90"}
    [result] = await import_rows(admin, [changed])
    assert result["product"]["id"] == first[0]["product"]["id"]
    product = (await admin.run(PRODUCT, id=result["product"]["id"]))["product"]
    assert (product["version"], product["servingsPerContainer"]) == (2, 90)
    assert [each["price"]["amount"] for each in product["variants"]] == ["19.90"]


async def test_the_same_request_twice_is_one_import(admin: Phone) -> None:
    once, sent = key(), [camel(row())]
    fields: dict[str, Any] = {"idempotencyKey": once, "rows": sent, "publish": True}
    selection = "results { rowIndex issues product { id version } }"
    first = await admin.do("importProducts", selection, **fields)
    again = await admin.do("importProducts", selection, **fields)
    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert again == first


async def test_rows_of_one_product_with_other_skus_are_its_variants(admin: Phone) -> None:
    sku = unique("S").upper()
    small = row(sku=f"{sku}-60", size="60 capsules")
    large = {**small, "sku": f"{sku}-120", "size": "120 capsules", "price": "39.90"}
    results = await import_rows(admin, [small, large, large])
    assert len({each["product"]["id"] for each in results}) == 1
    product = (await admin.run(PRODUCT, id=results[0]["product"]["id"]))["product"]
    assert [(each["sku"], each["title"], each["price"]["amount"]) for each in product["variants"]] == [
        (f"{sku}-60", "60 capsules", "24.90"),
        (f"{sku}-120", "120 capsules", "39.90"),
    ]
    [stolen] = await import_rows(admin, [row(sku=f"{sku}-60")])
    assert stolen["issues"] == [f"The SKU {sku}-60 belongs to another product."]
    assert stolen["product"]["variants"][0]["sku"].startswith("LF-")


async def test_a_product_with_errors_is_not_published(admin: Phone, services: Services) -> None:
    raw_row = row(servings="0")
    [result] = await import_rows(admin, [raw_row])
    assert (result["dataQuality"], result["product"]["status"]) == ("ERROR", "HIDDEN")
    id = result["product"]["id"]
    refused = await admin.do("setProductStatus", "product { id }", productId=id, status="ACTIVE")
    assert refused["product"] is None
    assert refused["errors"] == [
        refusal("DATA_QUALITY_ERROR", "Its data have errors: Servings per container must be 1 to 10,000.")
    ]
    await import_rows(admin, [{**raw_row, "servings": "30"}])
    done = await admin.do("setProductStatus", "product { status dataQuality }", productId=id, status="ACTIVE")
    assert done["product"] == {"status": "ACTIVE", "dataQuality": "OK"}
    back = await admin.do("setProductStatus", "product { id }", productId=id, status="HIDDEN")
    assert back["errors"] == [refusal("WRONG_STATUS", "It is ACTIVE.", ["status"])]


async def test_an_import_has_500_rows_at_most(admin: Phone) -> None:
    import_ = "mutation($input: ImportProductsInput!) { importProducts(input: $input) { errors { code } } }"
    for rows in ([], [{"rowIndex": 1}] * 501):
        answer = await admin.ask(import_, input={"idempotencyKey": key(), "rows": rows})
        assert answer.errors[0]["message"] == "An import has 1 to 500 rows."
        assert answer.code == "BAD_USER_INPUT"


async def test_allergens_are_known_none_or_not_known(admin: Phone, services: Services) -> None:
    given = [row(), row(allergens="none"), row(allergens="Peanuts; milk"), row(allergens="milk; moon dust")]
    results = await import_rows(admin, given)
    products = [each["product"]["id"] for each in results]
    selection = "product { allergens }"

    async def shown() -> list[Any]:
        asked = "query($ids: [ID!]!) { products(ids: $ids) { allergens } }"
        return [each["allergens"] for each in (await admin.run(asked, ids=products))["products"]]

    known = [None, [], ["PEANUTS", "MILK"], None]
    assert await shown() == known
    assert results[3]["issues"] == ["Unknown allergen 'moon dust'."]
    # A row that does not say leaves what is known.
    await import_rows(admin, [{**each, "allergens": None} for each in given])
    assert await shown() == known
    for allergens, told in ((["SESAME", "FISH", "SESAME"], ["FISH", "SESAME"]), ([], [])):
        done = await admin.do("updateProduct", selection, productId=products[0], allergens=allergens)
        assert done["product"] == {"allergens": told}


async def test_staff_edit_what_they_have_seen(admin: Phone, services: Services, anonymous: Phone) -> None:
    word = unique()
    [made] = await on_sale(services, admin, row())
    fields: dict[str, Any] = {"productId": made["id"], "expectedVersion": 1}
    done = await admin.do(
        "updateProduct",
        "product { name version purposes }",
        **fields,
        name=f"Renamed {word}",
        purposes=["Calm"],
    )
    assert done["product"] == {"name": f"Renamed {word}", "version": 2, "purposes": ["Calm"]}
    await jobs.tell(services)
    assert names(await found(anonymous, query=word)) == [f"Renamed {word}"]
    late = await admin.do("updateProduct", "product { name version }", **fields, name="Too late")
    assert late["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert late["product"] == {"name": f"Renamed {word}", "version": 2}
    for bad, field in (({"name": " "}, "name"), ({"description": "x" * 4001}, "description")):
        refused = await admin.do("updateProduct", "product { id }", productId=made["id"], **bad)
        assert [(each["kind"], each["field"]) for each in refused["errors"]] == [("INVALID", [field])]
    refused = await admin.do(
        "updateProduct",
        "product { id }",
        productId=made["id"],
        categoryId=made["id"].replace("product", "category"),
    )
    assert refused["errors"] == [refusal("NOT_FOUND", "There is no such category.", ["categoryId"])]


PRICED = "productVariant { version price { amount } }"


async def test_a_price_is_set_by_who_has_seen_the_variant(
    admin: Phone, services: Services, anonymous: Phone
) -> None:
    [made] = await on_sale(services, admin, row())
    fields: dict[str, Any] = {"productVariantId": made["variants"][0]["id"], "expectedVersion": 1}
    done = await admin.do(
        "setVariantPrice", f"{PRICED} product {{ version }}", **fields, price=euros("17.05")
    )
    priced = {"version": 2, "price": {"amount": "17.05"}}
    assert (done["productVariant"], done["product"]) == (priced, {"version": 2})
    late = await admin.do("setVariantPrice", f"{PRICED} product {{ version }}", **fields, price=euros("1.00"))
    assert (late["productVariant"], late["product"]) == (priced, {"version": 2})
    assert late["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    for price in ("0", "-1", "1.001", "NaN", "1e9"):
        refused = await admin.do(
            "setVariantPrice", PRICED, **{**fields, "expectedVersion": 2, "price": euros(price)}
        )
        assert [(each["code"], each["field"]) for each in refused["errors"]] == [
            ("OUT_OF_RANGE", ["price", "amount"])
        ], price
    dollars = {"amount": "17", "currencyCode": "USD"}
    refused = await admin.do("setVariantPrice", PRICED, **{**fields, "expectedVersion": 2, "price": dollars})
    assert refused["errors"] == [refusal("INVALID_INPUT", "It is priced in EUR.", ["price", "currencyCode"])]
    await jobs.tell(services)
    [hit] = (await found(anonymous, query=made["slug"].split("-")[-2], filter={"priceMax": euros("18")}))[
        "edges"
    ]
    assert hit["node"]["id"] == made["id"]


def texts(**fields: str) -> dict[str, str | None]:
    """A raw row as it is read, without its number."""
    return {
        name: value for name, value in row(**fields).items() if name != "row_index" and name != "rowIndex"
    }


def test_ingredients_and_doses_are_read_as_labels_say_them() -> None:
    listed = supplier_parser.ingredients(
        "Vitamin D3 (cholecalciferol) 25 mcg; L. rhamnosus GG 5 billion CFU\nMCT oil; B12 1,000 µg"
    )
    assert [(each["name"], each["amount"], each["unit"]) for each in listed] == [
        ("Vitamin D3 (cholecalciferol)", "25", "mcg"),
        ("L. rhamnosus GG", "5", "billion CFU"),
        ("MCT oil", None, None),
        ("B12", "1000", "mcg"),
    ]
    dose = supplier_parser.dosage("1-2 softgels three times daily", listed)
    assert (dose["recommended_units"], dose["recommended_frequency"]) == ("1-2 softgels", "three times daily")
    assert Decimal(dose["total_daily_amount"]) == 75
    assert supplier_parser.dosage("as you like", listed)["recommended_units"] is None
    assert supplier_parser.schedule("On an empty stomach, and BEFORE BED")["timeslots"] == [
        "AM_BEFORE_FOOD",
        "BEDTIME",
    ]
    assert supplier_parser.schedule("whenever")["timeslots"] == ["UNSPECIFIED"]


@pytest.mark.parametrize(
    ("text", "name", "amount", "unit"),
    [
        ("Vitamin B12 2,5 mcg", "Vitamin B12", "2.5", "mcg"),
        ("Calcium 1.400,5 mg", "Calcium", "1400.5", "mg"),
        ("Calcium: 1 234,5 mg", "Calcium", "1234.5", "mg"),
        ("Magnésium 1\u202f250 mg", "Magnésium", "1250", "mg"),
        ("Vitamin C 1 000 mg", "Vitamin C", "1000", "mg"),
        ("Zink ,5 mg", "Zink", "0.5", "mg"),
        ("\u0641\u064a\u062a\u0627\u0645\u064a\u0646 \u0662\u066b\u0665 mg",
         "\u0641\u064a\u062a\u0627\u0645\u064a\u0646", "2.5", "mg"),
        ("Omega 3 6 9 500 mg", "Omega 3 6 9", "500", "mg"),
        ("Vitamin B 6 2,5 mg", "Vitamin B 6", "2.5", "mg"),
        # What may be two amounts is none.
        ("Calcium 1.299 mg", "Calcium 1.299 mg", None, None),
        ("Calcium 1,299 mg", "Calcium 1,299 mg", None, None),
        ("Omega 3 500 mg", "Omega 3 500 mg", None, None),
        ("Vitamin B 12 500 mcg", "Vitamin B 12 500 mcg", None, None),
        ("Zinc 5-10 mg", "Zinc 5-10 mg", None, None),
        ("Iron 1.2.3 mg", "Iron 1.2.3 mg", None, None),
    ],
)  # fmt: skip
def test_2_comma_5_mcg_is_not_25(text: str, name: str, amount: str | None, unit: str | None) -> None:
    assert supplier_parser.ingredients(text) == [{"name": name, "amount": amount, "unit": unit}]


def test_what_may_be_two_amounts_is_told_to_staff() -> None:
    read = supplier_parser.read(texts(ingredients="Calcium 1.299 mg; Zinc 5 mg", dosage="1,5 tablets daily"))
    assert read.warnings == ["Unknown amount: 'Calcium 1.299 mg'."]
    dose = read.fields["dosage"]
    assert (dose["recommended_units"], dose["total_daily_amount"]) == ("1.5 tablets", "5")


@pytest.mark.parametrize(
    ("field", "text", "expected", "warnings"),
    [
        ("servings", "1,200 capsules", 1200, []),
        ("servings", "\u0666\u0660", 60, []),
        ("servings", "2.5", 30, ["No servings per container: taken to be 30."]),
        ("stock", "1.200", 1200, []),
        ("stock", "40 pcs", 40, []),
        ("stock", "-5", 0, ["Unknown stock: taken to be 0."]),
        ("stock", "many", 0, ["Unknown stock: taken to be 0."]),
    ],
)
def test_counts_are_read_whole(field: str, text: str, expected: int, warnings: list[str]) -> None:
    read = supplier_parser.read(texts(**{field: text}))
    found = read.variant["stock"] if field == "stock" else read.fields["servings_per_container"]
    assert (found, read.warnings) == (expected, warnings)


def test_barcodes_are_kept_as_they_were_given() -> None:
    given = ["4 006381 333931", "978-3-16-148410-0", "\uff11\uff12\uff13", "\u00b2\u00b2", "n/a"]
    assert supplier_parser.read(texts(barcodes="; ".join(given))).variant["barcodes"] == given


@pytest.mark.parametrize("price", ["\u00a51500", "2 for \u20ac5.00", "1.299 \u20ac", "$24.90", "24.90 each"])
async def test_a_price_that_nobody_understands_leaves_a_draft(admin: Phone, price: str) -> None:
    [result] = await import_rows(admin, [row(price=price)])
    assert (result["dataQuality"], result["issues"]) == ("ERROR", ["Unknown price."])
    id = result["product"]["id"]
    assert result["product"]["status"] == "HIDDEN"
    refused = await admin.do("setProductStatus", "product { id }", productId=id, status="ACTIVE")
    assert refused["errors"] == [refusal("DATA_QUALITY_ERROR", "Its data have errors: Unknown price.")]
    variant = result["product"]["variants"][0]["id"]
    unpriced = await admin.do(
        "setVariantPrice", "productVariant { id }", productVariantId=variant, price=euros("5")
    )
    message = "Its currency is unknown: import it again with one."
    assert unpriced["errors"] == [refusal("INVALID_INPUT", message, ["price"])]


async def test_a_draft_goes_on_sale_once_its_price_is_understood(admin: Phone, services: Services) -> None:
    raw_row = row(price="on request")
    [draft] = await import_rows(admin, [raw_row])
    [result] = await import_rows(admin, [{**raw_row, "price": "1.250 KWD"}])
    assert (result["dataQuality"], result["product"]["id"]) == ("OK", draft["product"]["id"])
    id = result["product"]["id"]
    await admin.do("setProductStatus", "product { id }", productId=id, status="ACTIVE")
    asked = "query($id: ID!) { product(by: {id: $id}) { variants { active price { amount currencyCode } } } }"
    variants = (await admin.run(asked, id=id))["product"]["variants"]
    assert variants == [{"active": True, "price": {"amount": "1.250", "currencyCode": "KWD"}}]


async def test_what_is_sold_keeps_its_price_when_a_row_has_none(admin: Phone, services: Services) -> None:
    raw_row = row(price="CHF 24.90")
    await on_sale(services, admin, raw_row)
    [result] = await import_rows(admin, [{**raw_row, "price": "1.299 CHF"}])
    assert (result["dataQuality"], result["issues"]) == ("ERROR", ["Unknown price."])
    asked = """query($id: ID!) { product(by: {id: $id}) {
      status variants { active price { amount currencyCode } } } }"""
    price = {"amount": "24.90", "currencyCode": "CHF"}
    found = (await admin.run(asked, id=result["product"]["id"]))["product"]
    assert found == {"status": "ACTIVE", "variants": [{"active": True, "price": price}]}


async def test_a_product_is_sold_in_one_currency(admin: Phone, services: Services) -> None:
    sku = unique("S").upper()
    euros = row(sku=f"{sku}-1", size="60 capsules")
    await on_sale(services, admin, euros)
    [result] = await import_rows(admin, [{**euros, "sku": f"{sku}-2", "size": "90", "price": "\u00a35"}])
    assert result["issues"] == ["Its currency is not that of the product's other variants."]
    asked = """query($id: ID!) { product(by: {id: $id}) { variants { sku active }
      priceRange { min { amount currencyCode } max { amount } } } }"""
    found = (await admin.run(asked, id=result["product"]["id"]))["product"]
    assert {each["sku"]: each["active"] for each in found["variants"]} == {f"{sku}-1": True}
    assert found["priceRange"] == {
        "min": {"amount": "24.90", "currencyCode": "EUR"},
        "max": {"amount": "24.90"},
    }


@pytest.mark.parametrize(
    "price", ["1,5", "1_000", "\uff11\uff12", "", "0x10", "1.2.3", True, [0, [1], 0], "1" * 50]
)
async def test_what_is_no_decimal_is_no_price(admin: Phone, price: Any) -> None:
    asked = "mutation($input: SetVariantPriceInput!) { setVariantPrice(input: $input) { errors { code } } }"
    given = {
        "idempotencyKey": key(),
        "productVariantId": ids.new_id("variant"),
        "price": {"amount": price, "currencyCode": "EUR"},
    }
    answer = await admin.ask(asked, input=given)
    assert answer.code == "BAD_USER_INPUT"
    assert "Expected a decimal number" in answer.errors[0]["message"]


@pytest.mark.parametrize(
    ("price", "shown"), [("17.05", "17.05"), (" 17 ", "17.00"), (17.1, "17.10"), (3, "3.00")]
)
async def test_a_decimal_may_be_a_number(admin: Phone, services: Services, price: Any, shown: str) -> None:
    [made] = await on_sale(services, admin, row())
    fields: dict[str, Any] = {"productVariantId": made["variants"][0]["id"], "price": euros(price)}
    done = await admin.do("setVariantPrice", "productVariant { price { amount } }", **fields)
    assert done["productVariant"] == {"price": {"amount": shown}}
