"""Mappings: of the catalog's codes, by the staff, and what follows on devices and in histories."""

from typing import Any

from core import jobs
from core.context import Services
from jobs import barcode as barcode_jobs
from resolvers.barcode.normal_form import check_digit
from tests.barcode.steps import codes_of, gtin_of, looked_up, new_code, scan_of, scanned, settled, with_code
from tests.catalog.steps import import_rows, on_sale, row
from tests.conftest import NewPhone
from tests.phone import Phone, deleted_ids

MAPPING = "barcodeMapping { id version status gtin mappingSource variant { id } }"
REJECTS = "query { barcodeRejects(first: 100) { edges { node { barcode rejectReason variant { id } } } } }"
DELTA = """query($since: SyncToken) { viewer { changes(since: $since, types: [BARCODE_MAPPING]) {
  nodes { id ... on BarcodeMapping { gtin version } } deleted { id typename } token } } }"""
WARMUP = """query($first: Int, $after: String, $filter: WarmupFilterInput) { viewer { scanner {
  warmup(first: $first, after: $after, filter: $filter) {
    edges { node { gtin product { id } } } pageInfo { hasNextPage endCursor } } } } }"""


async def set_mapping(admin: Phone, code: str, product: dict[str, Any], **given: Any) -> dict[str, Any]:
    variant = product["variants"][0]["id"]
    payload: dict[str, Any] = await admin.do(
        "setBarcodeMapping", MAPPING, code=code, productVariantId=variant, **given
    )
    return payload


async def warmup(phone: Phone, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await phone.run(WARMUP, **variables))["viewer"]["scanner"]["warmup"]
    return found


async def rejects(admin: Phone, variant_id: str) -> list[tuple[str, str]]:
    edges = (await admin.run(REJECTS))["barcodeRejects"]["edges"]
    nodes = [edge["node"] for edge in edges]
    return sorted(
        (each["barcode"], each["rejectReason"]) for each in nodes if each["variant"]["id"] == variant_id
    )


async def test_codes_of_the_catalog_are_mapped_on_each_import_and_withdrawn_when_they_go(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    one, two = new_code(), new_code()
    given = row(barcodes=one)
    [product] = await on_sale(services, admin, given)
    await settled(services)
    assert (await looked_up(anonymous, one))["product"]["id"] == product["id"]
    await import_rows(admin, [{**given, "barcodes": two}])
    await settled(services)
    assert (await looked_up(anonymous, one))["status"] == "UNMATCHED"
    assert (await looked_up(anonymous, two))["product"]["id"] == product["id"]
    await import_rows(admin, [{**given, "barcodes": one}])
    await settled(services)
    again = await looked_up(anonymous, one)
    assert (again["status"], again["mappingVersion"]) == ("MATCHED", 3)


async def test_what_is_no_code_or_taken_is_listed(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    taken, code = new_code(), new_code()
    await with_code(services, admin, taken)
    wrong = f"{code[:-1]}{(int(code[-1]) + 1) % 10}"
    restricted = "2112345678" + "90"
    restricted += check_digit(restricted)
    product = await with_code(services, admin, code, wrong, "12345", restricted, taken)
    variant = product["variants"][0]["id"]
    expected = [(wrong, "CHECK_DIGIT"), ("12345", "LENGTH"), (restricted, "RESTRICTED"), (taken, "TAKEN")]
    assert await rejects(admin, variant) == sorted(expected)
    ada = await new_phone("Ada")
    assert (await ada.ask(REJECTS)).code == "FORBIDDEN"


async def test_the_whole_catalog_is_gone_through_and_what_was_taken_is_mapped_when_it_is_free(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    code = new_code()
    given = row(barcodes=code)
    await on_sale(services, admin, given)
    await settled(services)
    other = await with_code(services, admin, code)
    assert await rejects(admin, other["variants"][0]["id"]) == [(code, "TAKEN")]
    await import_rows(admin, [{**given, "barcodes": new_code()}])
    await settled(services)
    await barcode_jobs.map_catalog(services)
    assert (await looked_up(anonymous, code))["product"]["id"] == other["id"]
    assert await rejects(admin, other["variants"][0]["id"]) == []


async def test_the_staff_sets_withdraws_and_sets_again(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    product = await with_code(services, admin, new_code())
    scan = (await scanned(ada, code))["scanRecord"]
    made = await set_mapping(admin, f"https://example.com/01/{gtin_of(code)}", product)
    mapping = made["barcodeMapping"]
    assert (mapping["gtin"], mapping["status"], mapping["mappingSource"]) == (
        gtin_of(code),
        "ACTIVE",
        "REVIEW",
    )
    await settled(services)
    assert (await scan_of(ada, scan["id"]))["product"] == {"id": product["id"]}
    named = {"barcodeMappingId": mapping["id"], "expectedVersion": 1}
    done = await admin.do("withdrawBarcodeMapping", MAPPING, **named)
    assert (done["errors"], done["barcodeMapping"]["status"]) == ([], "WITHDRAWN")
    late = await admin.do("withdrawBarcodeMapping", MAPPING, **named)
    assert (codes_of(late), late["barcodeMapping"]["version"]) == ([("CONFLICT", None)], 2)
    await settled(services)
    after = await scan_of(ada, scan["id"])
    assert (after["status"], after["product"], after["matchedAt"]) == ("UNMATCHED", None, None)
    again = await set_mapping(admin, code, product, expectedVersion=2)
    assert (again["barcodeMapping"]["id"], again["barcodeMapping"]["version"]) == (mapping["id"], 3)
    await settled(services)
    assert (await scan_of(ada, scan["id"]))["status"] == "MATCHED"


async def test_what_the_staff_withdrew_stays_so_whatever_the_catalog_lists(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    code = new_code()
    await with_code(services, admin, code)
    query = "query($code: String!) { barcodeLookup(code: $code) { variant { id } } }"
    variant = (await anonymous.run(query, code=code))["barcodeLookup"]["variant"]["id"]
    rows = await services.db.find("barcode_mappings", {"variant_id": variant})
    done = await admin.do("withdrawBarcodeMapping", MAPPING, barcodeMappingId=rows[0]["_id"])
    assert done["errors"] == []
    await barcode_jobs.map_catalog(services)
    assert (await looked_up(anonymous, code))["status"] == "UNMATCHED"


async def test_a_number_of_one_shop_is_never_mapped(services: Services, admin: Phone) -> None:
    product = await with_code(services, admin, new_code())
    refused = await set_mapping(admin, "2012345678903", product)
    assert codes_of(refused) == [("BARCODE_RESTRICTED", ["code"])]
    refused = await set_mapping(admin, "4006381333932", product)
    assert codes_of(refused) == [("INVALID_FORMAT", ["code"])]


async def test_mappings_are_for_catalog_administrators_to_set(
    services: Services, admin: Phone, reviewer: Phone
) -> None:
    product = await with_code(services, admin, new_code())
    assert codes_of(await set_mapping(reviewer, new_code(), product)) == [("FORBIDDEN", None)]


async def test_scans_follow_a_mapping_that_moves_to_another_product(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    one, two = [await with_code(services, admin, new_code()) for _ in range(2)]
    mapping = (await set_mapping(admin, code, one))["barcodeMapping"]
    scan = (await scanned(ada, code))["scanRecord"]
    await admin.do("withdrawBarcodeMapping", MAPPING, barcodeMappingId=mapping["id"])
    await set_mapping(admin, code, two)
    await settled(services)
    assert (await scan_of(ada, scan["id"]))["product"] == {"id": two["id"]}


async def test_devices_keep_the_mappings_of_what_was_scanned_and_stacked_and_forget_withdrawn_ones(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    seen, taken, other = new_code(), new_code(), new_code()
    await with_code(services, admin, seen)
    product = await with_code(services, admin, taken)
    await with_code(services, admin, other)
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    await scanned(ada, seen)
    item = {"productId": product["id"], "addedFrom": "SEARCH"}
    await ada.do("createStack", "stack { id }", name="One", items=[item])
    await barcode_jobs.rebuild_warmup(services, user_id=ada.user_id)
    delta = (await ada.run(DELTA, since=token))["viewer"]["changes"]
    assert {each["gtin"] for each in delta["nodes"]} == {gtin_of(seen), gtin_of(taken)}
    fresh = (await ada.run(DELTA))["viewer"]["changes"]
    assert {each["gtin"] for each in fresh["nodes"]} == {gtin_of(seen), gtin_of(taken)}
    assert (await grace.run(DELTA))["viewer"]["changes"]["nodes"] == []
    [id] = [each["id"] for each in fresh["nodes"] if each["gtin"] == gtin_of(seen)]
    await admin.do("withdrawBarcodeMapping", MAPPING, barcodeMappingId=id)
    after = (await ada.run(DELTA, since=fresh["token"]))["viewer"]["changes"]
    assert (deleted_ids(after), after["nodes"]) == ([id], [])


async def test_the_warm_up_list_has_what_is_taken_by_number(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    codes = sorted(new_code() for _ in range(3))
    products = [await with_code(services, admin, code) for code in codes]
    items = [{"productId": each["id"], "addedFrom": "SEARCH"} for each in products]
    await ada.do("createStack", "stack { id }", name="One", items=items)
    for built in (False, True):
        if built:
            await barcode_jobs.rebuild_warmup(services, user_id=ada.user_id)
        page = (await ada.run(WARMUP, first=2))["viewer"]["scanner"]["warmup"]
        rest = (await ada.run(WARMUP, first=2, after=page["pageInfo"]["endCursor"]))["viewer"]["scanner"][
            "warmup"
        ]
        shown = [edge["node"]["gtin"] for edge in (*page["edges"], *rest["edges"])]
        assert shown == [gtin_of(code) for code in codes]
        assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    later = {"updatedFrom": "2100-01-01T00:00:00Z"}
    assert (await warmup(ada, filter=later))["edges"] == []


async def test_the_warm_up_list_has_what_is_on_the_wishlist(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    code = new_code()
    product = await with_code(services, admin, code)
    done = await ada.do("addFavorite", "favorite { id }", targetId=product["id"])
    assert done["errors"] == []
    waiting = await services.db.find(jobs.queue.name, {"_id": f"barcode.rebuild_warmup:{ada.user_id}"})
    assert len(waiting) == 1
    await barcode_jobs.rebuild_warmup(services, user_id=ada.user_id)
    assert [edge["node"]["gtin"] for edge in (await warmup(ada))["edges"]] == [gtin_of(code)]
    await ada.do("removeFavorite", "deletedFavoriteId", targetId=product["id"])
    await barcode_jobs.rebuild_warmup(services, user_id=ada.user_id)
    assert (await warmup(ada))["edges"] == []


async def test_a_set_is_rebuilt_once_in_an_hour_however_often_it_changes(
    services: Services, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    for _ in range(3):
        await scanned(ada, new_code())
    waiting = await services.db.find(jobs.queue.name, {"_id": f"barcode.rebuild_warmup:{ada.user_id}"})
    assert len(waiting) == 1
    assert waiting[0]["due_at"] > waiting[0]["created_at"]
