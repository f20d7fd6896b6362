"""Importing raw rows, and what staff do with products."""

from decimal import Decimal
from typing import Any

import pytest

from core.context import Services
from jobs import catalog as jobs
from resolvers.catalog import raw
from tests.catalog.steps import camel, found, import_rows, names, on_sale, refusal, row, unique
from tests.phone import Phone, key

PRODUCT = """query($id: ID!) { product(id: $id) { id version name status dataQuality issues
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
        ("ERROR", ["Unknown price."], False),
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
    fields: dict[str, Any] = {"clientMutationId": once, "rows": sent, "publish": True}
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
    assert refused["errors"] == [refusal("DATA_QUALITY_ERROR", "Servings per container must be 1 to 10,000.")]
    await import_rows(admin, [{**raw_row, "servings": "30"}])
    done = await admin.do("setProductStatus", "product { status dataQuality }", productId=id, status="ACTIVE")
    assert done["product"] == {"status": "ACTIVE", "dataQuality": "OK"}
    back = await admin.do("setProductStatus", "product { id }", productId=id, status="HIDDEN")
    assert back["errors"] == [refusal("INVALID_TRANSITION", "It is ACTIVE.", ["status"])]


async def test_an_import_has_500_rows_at_most(admin: Phone) -> None:
    import_ = "mutation($input: ImportProductsInput!) { importProducts(input: $input) { errors { code } } }"
    for rows in ([], [{"rowIndex": 1}] * 501):
        answer = await admin.ask(import_, input={"clientMutationId": key(), "rows": rows})
        assert answer.errors[0]["message"] == "An import has 1 to 500 rows."
        assert answer.code == "BAD_USER_INPUT"


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
    assert late["errors"] == [refusal("CONFLICT", "The product was changed meanwhile.")]
    assert late["product"] == {"name": f"Renamed {word}", "version": 2}
    for bad, field in (({"name": " "}, "name"), ({"description": "x" * 4001}, "description")):
        refused = await admin.do("updateProduct", "product { id }", productId=made["id"], **bad)
        assert [(each["code"], each["field"]) for each in refused["errors"]] == [("INVALID_INPUT", [field])]
    refused = await admin.do(
        "updateProduct",
        "product { id }",
        productId=made["id"],
        categoryId=made["id"].replace("product", "category"),
    )
    assert refused["errors"] == [refusal("NOT_FOUND", "There is no such category.", ["categoryId"])]


async def test_a_price_is_set_by_who_has_seen_the_product(
    admin: Phone, services: Services, anonymous: Phone
) -> None:
    [made] = await on_sale(services, admin, row())
    fields: dict[str, Any] = {"variantId": made["variants"][0]["id"], "expectedVersion": 1}
    done = await admin.do(
        "setVariantPrice", "variant { price { amount } } product { version }", **fields, price="17.05"
    )
    assert (done["variant"], done["product"]) == ({"price": {"amount": "17.05"}}, {"version": 2})
    late = await admin.do("setVariantPrice", "variant { id } product { version }", **fields, price="1.00")
    assert (late["variant"], late["product"]) == (None, {"version": 2})
    assert late["errors"] == [refusal("CONFLICT", "The product was changed meanwhile.")]
    for price in ("0", "-1", "1.001", "NaN", "1e9"):
        refused = await admin.do(
            "setVariantPrice", "variant { id }", variantId=fields["variantId"], price=price
        )
        assert [each["code"] for each in refused["errors"]] == ["INVALID_INPUT"], price
    await jobs.tell(services)
    [hit] = (await found(anonymous, query=made["slug"].split("-")[-2], filter={"priceMax": "18"}))["edges"]
    assert hit["node"]["id"] == made["id"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("€24.90", (2490, "EUR")),
        ("24,90 EUR", (2490, "EUR")),
        ("$1,299.00", (129900, "USD")),
        ("1.299,50 €", (129950, "EUR")),
        ("£5", (500, "GBP")),
        ("free", None),
        ("-5", None),
        ("0", None),
        ("1.2.3", None),
    ],
)
def test_prices_are_read_as_suppliers_write_them(text: str, expected: Any) -> None:
    assert raw.money(text) == expected


def test_ingredients_and_doses_are_read_as_labels_say_them() -> None:
    listed = raw.ingredients(
        "Vitamin D3 (cholecalciferol) 25 mcg; L. rhamnosus GG 5 billion CFU\nMCT oil; B12 1,000 µg"
    )
    assert [(each["name"], each["amount"], each["unit"]) for each in listed] == [
        ("Vitamin D3 (cholecalciferol)", "25", "mcg"),
        ("L. rhamnosus GG", "5", "billion CFU"),
        ("MCT oil", None, None),
        ("B12", "1000", "mcg"),
    ]
    dose = raw.dosage("1-2 softgels three times daily", listed)
    assert (dose["recommended_units"], dose["recommended_frequency"]) == ("1-2 softgels", "three times daily")
    assert Decimal(dose["total_daily_amount"]) == 75
    assert raw.dosage("as you like", listed)["recommended_units"] is None
    assert raw.schedule("On an empty stomach, and BEFORE BED")["timeslots"] == ["AM_BEFORE_FOOD", "BEDTIME"]
    assert raw.schedule("whenever")["timeslots"] == ["UNSPECIFIED"]
