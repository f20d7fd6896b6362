"""More acts that change what synced nodes are made of: scans, mappings, submissions and stacks."""

from typing import Any

from core import clock
from jobs import barcode as barcode_jobs
from stores.catalog.roles import BARCODE_REVIEWER, CATALOG_ADMIN
from tests.barcode.steps import batch_item, case_of, new_code, scan_input
from tests.catalog.steps import on_sale, row, staff
from tests.engine.freshness_acts import act
from tests.engine.freshness_payments import ACTS as ACTS
from tests.engine.freshness_world import World, done
from tests.media.steps import picture, uploaded
from tests.phone import Phone

MAPPING = "barcodeMapping { id }"


async def _shop(w: World) -> Phone:
    return await staff(w.new_phone, w.services, CATALOG_ADMIN, BARCODE_REVIEWER, name="Shop")


async def _product(w: World, shop: Phone, code: str) -> dict[str, Any]:
    [product] = await on_sale(w.services, shop, row(barcodes=code))
    return product


async def _kept(w: World, what: str) -> None:
    """Ada's devices keep the mappings of what she scanned and takes."""
    await barcode_jobs.rebuild_warmup(w.services, user_id=w.ada.user_id)
    await w.check(what)


@act("scans")
async def ada_scans_a_code_that_is_mapped_and_withdrawn(w: World) -> None:
    shop, code = await _shop(w), new_code()
    product = await _product(w, shop, new_code())
    await done(w.ada, "recordScan", **scan_input(code))
    await w.check("scanned")
    mapped = {"code": code, "productVariantId": product["variants"][0]["id"]}
    mapping = (await done(shop, "setBarcodeMapping", MAPPING, **mapped))["barcodeMapping"]
    await w.check("mapped")
    await done(shop, "withdrawBarcodeMapping", barcodeMappingId=mapping["id"])
    await w.check("withdrawn")
    items = [batch_item(new_code()) for _ in range(3)]
    await done(w.ada, "recordScans", scans=items)
    await w.check("a batch")
    await done(w.ada, "deleteScanRecord", scanRecordId=items[0]["id"])
    await w.check("one deleted")
    await done(w.ada, "deleteScanHistory", to=clock.now().isoformat())


@act("barcode_mappings")
async def a_mapping_that_ada_keeps_is_set_and_withdrawn(w: World) -> None:
    shop, code = await _shop(w), new_code()
    product = await _product(w, shop, code)
    await w.check("in the catalog")
    await done(w.ada, "recordScan", **scan_input(code))
    await _kept(w, "kept")
    mapped = {"code": code, "productVariantId": product["variants"][0]["id"]}
    mapping = (await done(shop, "setBarcodeMapping", MAPPING, **mapped))["barcodeMapping"]
    await w.check("set by the staff")
    await done(shop, "withdrawBarcodeMapping", barcodeMappingId=mapping["id"])
    await w.check("withdrawn")
    await done(shop, "setBarcodeMapping", MAPPING, **mapped)
    await w.check("set again")
    await done(w.ada, "deleteScanHistory", to=clock.now().isoformat())
    await _kept(w, "kept no more")


@act("barcode_submissions")
async def ada_submits_a_code_that_is_asked_about_and_matched(w: World) -> None:
    shop, code = await _shop(w), new_code()
    product = await _product(w, shop, new_code())
    made = await done(w.ada, "submitBarcode", "barcodeSubmission { id }", code=code)
    named = {"barcodeSubmissionId": made["barcodeSubmission"]["id"]}
    await w.check("submitted")
    case = {"reviewCaseId": (await case_of(shop, code))["id"]}
    await done(shop, "decideReviewCase", **case, decision="NEEDS_INFO", reason="Which flavor?")
    await w.check("asked")
    upload = await uploaded(w.ada, w.services, picture(seed=29), purpose="BARCODE_PHOTO")
    await done(w.ada, "updateBarcodeSubmission", **named, context="Lime", uploadIds=[upload["id"]])
    await w.check("answered")
    variant = product["variants"][0]["id"]
    await done(shop, "decideReviewCase", **case, decision="MATCH", productVariantId=variant)
    await w.check("matched")
    await done(w.ada, "deleteBarcodeSubmission", **named)


@act("stacks", "stack_items")
async def ada_fills_orders_and_empties_a_stack(w: World) -> None:
    shop = await _shop(w)
    one, two = await on_sale(w.services, shop, row(), row())
    first = [{"productId": one["id"], "addedFrom": "SEARCH"}]
    made = await done(w.ada, "createStack", "stack { id items { id } }", name="Morning", items=first)
    stack, item = made["stack"]["id"], made["stack"]["items"][0]["id"]
    await w.check("made")
    target = {"target": {"stackId": stack}, "productId": two["id"], "addedFrom": "SCAN"}
    await done(w.ada, "addStackItem", **target)
    await w.check("added")
    await done(w.ada, "moveStackItem", stackItemId=item, index=1)
    await w.check("moved")
    parts = ("unitPerServing", "recommendedUnits", "recommendedFrequency", "totalDailyUnit", "raw")
    amounts = {"amountPerServing": "3", "totalDailyAmount": "9"}
    dosage = {**dict.fromkeys(parts, "other"), **amounts}
    await done(w.ada, "updateStackItem", stackItemId=item, dosage=dosage, timeslots=["LUNCH"])
    await w.check("taken otherwise")
    await done(w.ada, "updateStack", stackId=stack, name="Evening")
    await w.check("renamed")
    await done(w.ada, "removeStackItem", stackItemId=item)
    await w.check("removed")
    await done(w.ada, "deleteStack", stackId=stack)
