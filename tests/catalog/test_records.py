"""Audit records of staff, pictures of products, and search hits beyond those that are counted."""

from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from resolvers.catalog.entries import LISTED, SEPARATOR
from stores.catalog import stock
from stores.catalog.roles import INVENTORY_ADMIN
from tests.audit.steps import on_record, sensitive
from tests.catalog.steps import euros, found, import_rows, on_sale, refusal, row, staff, unique
from tests.conftest import Commands, NewPhone
from tests.phone import Phone


async def test_prices_stock_states_imports_and_judgements_are_on_record(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    [result] = await import_rows(admin, [row(stock="9")])
    product, variant = result["product"]["id"], result["product"]["variants"][0]["id"]
    await admin.do("setVariantPrice", "productVariant { id }", productVariantId=variant, price=euros("9.99"))
    level = {"inventoryLevelId": stock.level_id(variant), "delta": -2, "reason": "DAMAGE"}
    await admin.do("adjustInventory", "inventoryLevel { id }", **level)
    await admin.do("setProductStatus", "product { id }", productId=product, status="DISCONTINUED")
    await admin.do("updateProduct", "product { id }", productId=product, name="Renamed")
    author = await new_phone()
    review = await author.do("submitReview", "review { id }", productId=product, rating=1)
    id = review["review"]["id"]
    await admin.do("decideReview", "review { id }", reviewId=id, decision="REJECT", reason="Rude.")
    entries = await on_record(services, actor_id=admin.user_id, resource_type="CATALOG")
    told: list[Any] = [
        (entry["action"], entry["resource_id"], *map(entry["details"].get, ("before", "after")))
        for entry in entries[-6:]
    ]
    assert told[0] == ("catalog.imported", None, None, {"OK": 1})
    assert told[1] == ("catalog.price_set", variant, {"price": 2490}, {"price": 999})
    before, after = {"onHand": 9, "safetyStock": 0}, {"onHand": 7, "safetyStock": 0}
    assert told[2] == ("catalog.stock_adjusted", variant, before, after)
    assert told[3] == ("catalog.status_set", product, {"status": "ACTIVE"}, {"status": "DISCONTINUED"})
    assert told[4][:2] == ("catalog.product_updated", product)
    assert told[4][3]["name"] == "Renamed"
    assert told[5] == ("catalog.review_decided", id, {"status": "PENDING"}, {"status": "REJECTED"})
    assert await sensitive(services, entries[-1]) == {"reason": "Rude."}


async def picture(
    services: Services, owner: str, purpose: str = "PRODUCT_IMAGE", *, alt_text: str | None = "A label"
) -> str:
    id = ids.new_id("media")
    document = {
        "_id": id,
        "owner_id": owner,
        "purpose": purpose,
        "kind": "IMAGE",
        "mime": "image/webp",
        "size_bytes": 1,
        "source_bytes": 1,
        "sha256": "",
        "width": 640,
        "height": 800,
        "duration_ms": None,
        "alt_text": alt_text,
        "file_name": "label.webp",
        "folder": f"public/{id}",
        "main": "640.webp",
        "thumb": "160.webp",
        "variants": [
            {
                "name": f"{width}.webp",
                "width": width,
                "height": width * 5 // 4,
                "format": "WEBP",
                "size_bytes": 1,
            }
            for width in (160, 320, 640)
        ],
        "hls": None,
        "placeholder": None,
        "dominant_color": "#336699",
        "ref_count": 0,
        "touched_at": clock.now(),
        "created_at": clock.now(),
    }
    await services.db.write({"insert": "media", "documents": [document]})
    return id


async def test_only_who_edits_products_uploads_their_pictures(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    file = {"purpose": "PRODUCT_IMAGE", "fileName": "a.jpg", "mimeType": "image/jpeg", "sizeBytes": 11}
    buyer = await new_phone("Ada")
    counter = await staff(new_phone, services, INVENTORY_ADMIN, name="Grace")
    for phone in (buyer, counter):
        refused = await phone.do("createUpload", "upload { id }", **file)
        assert refused["errors"] == [refusal("FORBIDDEN", "Your account may not do this.")]
        assert await services.db.find("uploads", {"owner_id": phone.user_id}) == []
    made = await admin.do("createUpload", "upload { purpose }", **file)
    assert (made["upload"], made["errors"]) == ({"purpose": "PRODUCT_IMAGE"}, [])


@pytest.mark.usefixtures("compiled")
async def test_of_pictures_only_what_is_shown_is_read(
    services: Services, admin: Phone, anonymous: Phone, commands: Commands
) -> None:
    [made] = await on_sale(services, admin, row())
    label = await picture(services, admin.user_id, alt_text=None)
    changes = {"productId": made["id"], "imageIds": [label], "labelImageId": label}
    product = (await admin.do("updateProduct", "product { brand name }", **changes))["product"]
    named = f"{product['brand']} {product['name']} capsule"
    for field, asked, expected, read in (
        ("labelImage", "id", {"id": label}, {"_id"}),
        ("labelImage", "id altText", {"id": label, "altText": named}, {"_id", "alt_text"}),
        ("images", "id width", [{"id": label, "width": 640}], {"_id", "width"}),
        ("images", "altText", [{"altText": named}], {"_id", "alt_text"}),
    ):
        commands.reset()
        shown = await anonymous.run(
            f"query($id: ID!) {{ product(by: {{id: $id}}) {{ {field} {{ {asked} }} }} }}", id=made["id"]
        )
        assert shown == {"product": {field: expected}}
        assert commands.fields["media"] == read


async def test_pictures_come_at_fixed_widths_and_are_kept_while_they_are_shown(
    services: Services, admin: Phone, new_phone: NewPhone, anonymous: Phone
) -> None:
    [made] = await on_sale(services, admin, row())
    label, other = (
        await picture(services, admin.user_id),
        await picture(services, admin.user_id, alt_text=None),
    )
    fields: dict[str, Any] = {"productId": made["id"], "imageIds": [other], "labelImageId": label}
    done = await admin.do(
        "updateProduct", "product { brand name images { id altText } labelImage { id altText } }", **fields
    )
    product = done["product"]
    # One without words of its own is told by what it shows.
    assert product["images"] == [{"id": other, "altText": f"{product['brand']} {product['name']} capsule"}]
    assert product["labelImage"] == {"id": label, "altText": "A label"}
    asked = """query($id: ID!) { product(by: {id: $id}) {
      labelImage { altText thumbnailUrl small: url(width: 300) large: url(width: 640) } } }"""
    shown = (await anonymous.run(asked, id=made["id"]))["product"]["labelImage"]
    assert shown["altText"] == "A label"
    names = [shown[each].rpartition("/")[2] for each in ("thumbnailUrl", "small", "large")]
    assert names == ["160.webp", "320.webp", "640.webp"]

    async def uses() -> list[int]:
        rows = await services.db.find("media", {"_id": {"$in": [label, other]}})
        return [{each["_id"]: each["ref_count"] for each in rows}[id] for id in (label, other)]

    assert await uses() == [1, 1]
    await admin.do("updateProduct", "product { id }", productId=made["id"], imageIds=[])
    assert await uses() == [1, 0]
    cleared = await admin.do(
        "updateProduct", "product { labelImage { id } }", productId=made["id"], labelImageId=None
    )
    assert (cleared["product"]["labelImage"], await uses()) == (None, [0, 0])
    stranger = await new_phone()
    for bad in (
        await picture(services, stranger.user_id),
        await picture(services, admin.user_id, "AVATAR"),
        ids.new_id("media"),
    ):
        refused = await admin.do("updateProduct", "product { id }", productId=made["id"], imageIds=[bad])
        assert refused["errors"] == [refusal("NOT_FOUND", "This medium is not yours to show.", ["imageIds"])]
        refused = await admin.do("updateProduct", "product { id }", productId=made["id"], labelImageId=bad)
        assert [each["field"] for each in refused["errors"]] == [["labelImageId"]]


async def test_hits_are_counted_to_a_thousand(services: Services, admin: Phone, anonymous: Phone) -> None:
    word = unique("mass")
    [made] = await on_sale(services, admin, row(name=f"Real {word}"))
    [entry] = await services.db.find("product_entries", {"_id": made["id"]})
    fields = entry["row"].split(SEPARATOR)
    copies = []
    for _ in range(1_000):
        id = ids.new_id("product")
        copies.append({**entry, "_id": id, "row": SEPARATOR.join([id, *fields[1:]])})
    assert LISTED in entry["row"]
    await services.db.write({"insert": "product_entries", "documents": copies[:999]})
    try:
        exact = await found(anonymous, query=word, first=1)
        assert (exact["totalCount"], exact["totalIsLowerBound"]) == (1_000, False)
        browsed = await found(
            anonymous, filter={"brands": ["Nordic Harbor"], "goals": ["Brain/Mood"]}, first=1
        )
        assert browsed["totalCount"] == 1_000
        await services.db.write({"insert": "product_entries", "documents": copies[999:]})
        more = await found(anonymous, query=word, first=1)
        assert (more["totalCount"], more["totalIsLowerBound"]) == (1_000, True)
        # So many are not ordered here: an index gives the order.
        dense = await found(anonymous, filter={"brands": ["Nordic Harbor"]}, sort="NEWEST", first=1)
        assert (len(dense["edges"]), dense["totalIsLowerBound"]) == (1, True)
    finally:
        gone = {"q": {"_id": {"$in": [each["_id"] for each in copies]}}, "limit": 0}
        await services.db.write({"delete": "product_entries", "deletes": [gone]})
