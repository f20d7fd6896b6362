"""Scans: recorded once within ten seconds, corrected by the server, kept encrypted for their owner alone."""

from datetime import timedelta

import pytest

from core import clock, ids
from core.context import Services
from core.storage.store import COLLECTIONS
from resolvers.barcode.normal_form import check_digit
from tests.barcode.steps import (
    HISTORY,
    RECORDED,
    codes_of,
    gtin_of,
    history,
    looked_up,
    new_code,
    scan_input,
    scan_of,
    scanned,
    with_code,
)
from tests.conftest import Commands, NewPhone
from tests.phone import Phone, key

DELETE_ALL = "deletedCount"
MOMENTS = ("00.000", "09.999", "10.000", "19.999")


async def test_a_scan_is_matched_by_the_server_and_comes_with_its_edge(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    product = await with_code(services, admin, code, brand="Nordic Harbor")
    made = await scanned(ada, code, matchedFrom="MANUAL")
    scan = made["scanRecord"]
    assert (made["deduplicated"], made["corrected"], made["deletedScanRecordId"]) == (False, False, None)
    assert made["lookup"] == {"status": "MATCHED", "product": {"id": product["id"]}}
    assert (scan["gtin"], scan["status"], scan["matchedFrom"]) == (gtin_of(code), "MATCHED", "MANUAL")
    assert (scan["product"]["id"], scan["deviceId"]) == (product["id"], ada.device_id)
    assert scan["productName"].startswith("Nordic Harbor Magnesium Glycinate")
    assert scan["version"] == 1
    [edge] = (await ada.run(HISTORY))["viewer"]["scanner"]["scans"]["edges"]
    assert edge["node"] == scan
    assert await scan_of(await new_phone("Grace"), scan["id"]) is None


async def test_b8_the_window_begins_with_the_first_record_and_ends_before_ten_seconds(
    new_phone: NewPhone,
) -> None:
    """Same code at 10.000 s after the first; UPC-A once, EAN-13 once."""
    ada = await new_phone("Ada")
    body = f"1{new_code()[1:11]}"
    upc_a = body + check_digit(body)
    begin = (clock.now() - timedelta(minutes=5)).replace(second=0, microsecond=0)
    found = []
    for moment, code in zip(MOMENTS, (upc_a, f"0{upc_a}", upc_a, f"0{upc_a}"), strict=True):
        at = begin + timedelta(seconds=float(moment))
        found.append(await scanned(ada, code, at))
    first, again, second, last = found
    assert [each["deduplicated"] for each in found] == [False, True, False, True]
    assert again["scanRecord"]["id"] == first["scanRecord"]["id"]
    assert last["scanRecord"]["id"] == second["scanRecord"]["id"] != first["scanRecord"]["id"]
    assert len(await history(ada)) == 2


async def test_code_read_5_times_in_3_s_is_one_record(new_phone: NewPhone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    begin, sent = clock.now() - timedelta(minutes=1), [ids.new_id("scan_record") for _ in range(5)]
    found = [
        await scanned(ada, code, begin + timedelta(seconds=0.7 * place), id=id)
        for place, id in enumerate(sent)
    ]
    assert [each["deduplicated"] for each in found] == [False, True, True, True, True]
    assert [each["deletedScanRecordId"] for each in found] == [None, *sent[1:]]
    assert {each["scanRecord"]["id"] for each in found} == {sent[0]}
    [kept] = await history(ada)
    assert kept["id"] == sent[0]


async def test_another_device_or_code_is_another_scan_and_an_earlier_one_that_comes_late(
    new_phone: NewPhone,
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    at = clock.now() - timedelta(minutes=5)
    await scanned(ada, code, at)
    assert not (await scanned(ada, code, at, deviceId=ids.new_id("device")))["deduplicated"]
    assert not (await scanned(ada, new_code(), at))["deduplicated"]
    # Earlier than what is there: its own window, in which it is repeated.
    assert not (await scanned(ada, code, at - timedelta(seconds=5)))["deduplicated"]
    assert (await scanned(ada, code, at - timedelta(seconds=1)))["deduplicated"]
    assert len(await history(ada)) == 4


async def test_a_repeat_of_a_scan_that_was_deleted_is_a_scan(new_phone: NewPhone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    at = clock.now() - timedelta(minutes=1)
    first = (await scanned(ada, code, at))["scanRecord"]
    done = await ada.do("deleteScanRecord", "deletedScanRecordId", scanRecordId=first["id"])
    assert (done["errors"], done["deletedScanRecordId"]) == ([], first["id"])
    assert not (await scanned(ada, code, at + timedelta(seconds=1)))["deduplicated"]


async def test_cached_product_replaced_since_is_corrected(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    product = await with_code(services, admin, code)
    other = await with_code(services, admin, new_code())
    made = await scanned(ada, code, productId=other["id"])
    assert (made["corrected"], made["scanRecord"]["product"]["id"]) == (True, product["id"])
    made = await scanned(ada, new_code(), productId=product["id"])
    assert (made["corrected"], made["scanRecord"]["status"]) == (True, "UNMATCHED")


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"code": "4006381333932"}, ("INVALID_FORMAT", ["code"])),
        ({"code": "01095060001343531720122510ABC"}, ("INVALID_FORMAT", ["code"])),
        ({"code": "https://id.gs1.org/8004/0950600012345678"}, ("BARCODE_UNSUPPORTED", ["code"])),
        ({"code": "1" * 201}, ("TOO_LONG", ["code"])),
        ({"scannedAt": "2020-01-01T00:00:00Z"}, ("OUT_OF_RANGE", ["scannedAt"])),
        ({"timeZone": "Mars/Olympus"}, ("INVALID_FORMAT", ["timeZone"])),
    ],
)
async def test_bad_check_digit_also_in_ai_01_is_refused_and_nothing_stored(
    new_phone: NewPhone, given: dict[str, str], refusal: tuple[str, list[str]]
) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("recordScan", RECORDED, **{**scan_input(new_code()), **given})
    assert (codes_of(refused), refused["scanRecord"]) == ([refusal], None)
    assert await history(ada) == []


async def test_a_clock_that_is_ahead_is_set_to_now(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    early = await scanned(ada, new_code(), clock.now() + timedelta(minutes=4))
    assert early["scanRecord"]["scannedAt"] > early["scanRecord"]["receivedAt"]
    late = await scanned(ada, new_code(), clock.now() + timedelta(minutes=6))
    assert late["scanRecord"]["scannedAt"] == late["scanRecord"]["receivedAt"]


async def test_shops_own_number_is_recorded_and_restricted(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    made = await scanned(ada, "2012345678903")
    assert (made["scanRecord"]["status"], made["lookup"]["status"]) == ("RESTRICTED", "RESTRICTED")
    refused = await ada.do("submitBarcode", "barcodeSubmission { id }", code="2012345678903")
    assert codes_of(refused) == [("BARCODE_RESTRICTED", ["code"])]


async def test_anonymous_record_scan_is_unauthenticated(anonymous: Phone) -> None:
    document = "mutation($input: RecordScanInput!) { recordScan(input: $input) { replayed } }"
    given = {"idempotencyKey": key(), **scan_input(new_code())}
    assert (await anonymous.ask(document, input=given)).code == "UNAUTHENTICATED"


async def test_a_retry_under_its_key_shows_the_scan_and_its_lookup_again(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await with_code(services, admin, code)
    given = {"idempotencyKey": key(), **scan_input(code)}
    first = await ada.do("recordScan", RECORDED, **given)
    again = await ada.do("recordScan", RECORDED, **given)
    assert {**again, "replayed": False} == first
    [receipt] = await services.db.find("receipts", {"_id": f"{ada.user_id}:{given['idempotencyKey']}"})
    assert code not in str(receipt)


async def test_several_products_of_a_code_are_chosen_from_for_oneself(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, grace, code = await new_phone("Ada"), await new_phone("Grace"), new_code()
    one = await with_code(services, admin, code)
    two = await with_code(services, admin, new_code())
    chosen = two["variants"][0]["id"]
    done = await admin.do(
        "setBarcodeMapping", "barcodeMapping { id }", code=code, productVariantId=chosen, allowMultiple=True
    )
    assert done["errors"] == []
    scan = (await scanned(ada, code))["scanRecord"]
    assert (scan["status"], scan["product"]) == ("AMBIGUOUS", None)
    found = await looked_up(ada, code)
    assert {each["product"]["id"] for each in found["candidates"]} == {one["id"], two["id"]}
    assert found["note"] == "Several products have this code: choose yours."
    given = {"scanRecordId": scan["id"], "productVariantId": chosen, "expectedVersion": 1}
    stranger = await with_code(services, admin, new_code())
    wrong = {**given, "productVariantId": stranger["variants"][0]["id"]}
    refused = await ada.do("setScanProduct", "scanRecord { id }", **wrong)
    assert codes_of(refused) == [("INVALID_INPUT", ["productVariantId"])]
    done = await ada.do("setScanProduct", "scanRecord { version status product { id } }", **given)
    assert done["errors"] == []
    assert done["scanRecord"] == {"version": 2, "status": "MATCHED", "product": {"id": two["id"]}}
    late = await ada.do("setScanProduct", "scanRecord { version }", **given)
    assert (codes_of(late), late["scanRecord"]) == ([("CONFLICT", None)], {"version": 2})
    mine, theirs = await looked_up(ada, code), await looked_up(grace, code)
    assert (mine["status"], mine["source"], mine["product"]["id"]) == ("MATCHED", "USER_CHOICE", two["id"])
    assert theirs["status"] == "AMBIGUOUS"
    # Chosen with the scan itself.
    at_once = await scanned(grace, code, productVariantId=one["variants"][0]["id"])
    assert at_once["scanRecord"]["product"]["id"] == one["id"]


async def test_a_scan_without_candidates_has_nothing_to_choose(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    product = await with_code(services, admin, code)
    scan = (await scanned(ada, code))["scanRecord"]
    given = {"scanRecordId": scan["id"], "productVariantId": product["variants"][0]["id"]}
    refused = await ada.do("setScanProduct", "scanRecord { id }", **given)
    assert codes_of(refused) == [("WRONG_STATUS", None)]


async def test_the_history_is_paged_filtered_and_searched(
    services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await with_code(services, admin, code, name="Blue Zinc", brand="Farum")
    now = clock.now()
    for minutes in range(4):
        await scanned(ada, new_code(), now - timedelta(minutes=minutes + 1))
    named = (await scanned(ada, code, now - timedelta(minutes=10)))["scanRecord"]
    every = await history(ada)
    assert [each["scannedAt"] for each in every] == sorted((e["scannedAt"] for e in every), reverse=True)
    page = (await ada.run(HISTORY, first=3))["viewer"]["scanner"]["scans"]
    rest = await history(ada, first=3, after=page["pageInfo"]["endCursor"])
    assert [*(edge["node"] for edge in page["edges"]), *rest] == every
    assert await history(ada, filter={"statuses": ["MATCHED"]}) == [named]
    assert await history(ada, filter={"query": "blue z"}) == [named]
    assert await history(ada, filter={"query": code[-6:]}) == [named]
    assert await history(ada, filter={"query": "nothing"}) == []
    span = {"from": named["scannedAt"], "to": every[3]["scannedAt"]}
    assert await history(ada, filter=span) == [named]


async def test_history_is_deleted_all_or_before_a_time_and_that_is_on_record(
    services: Services, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    now = clock.now()
    for minutes in (1, 2, 3):
        await scanned(ada, new_code(), now - timedelta(minutes=minutes))
    bound = (now - timedelta(seconds=90)).isoformat().replace("+00:00", "Z")
    done = await ada.do("deleteScanHistory", DELETE_ALL, to=bound)
    assert (done["errors"], done["deletedCount"]) == ([], 2)
    assert len(await history(ada)) == 1
    done = await ada.do("deleteScanHistory", DELETE_ALL)
    assert done["deletedCount"] == 1
    acts = await services.db.find(
        "audit_entries", {"actor_id": ada.user_id, "action": "barcode.history_cleared"}
    )
    assert len(acts) == 2


async def test_the_database_does_not_tell_what_was_scanned(services: Services, new_phone: NewPhone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await scanned(ada, code)
    for name in COLLECTIONS:
        rows = await services.db.find(name, {}, limit=10_000)
        assert not [row for row in rows if gtin_of(code) in str(row) or code in str(row)], name


async def test_a_scan_costs_so_many_commands(
    services: Services, admin: Phone, new_phone: NewPhone, commands: Commands
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await with_code(services, admin, code)
    await scanned(ada, new_code())
    commands.reset()
    document = "mutation($input: RecordScanInput!) { recordScan(input: $input) { scanRecord { id status } } }"
    await ada.run(document, input={"idempotencyKey": key(), **scan_input(code)})
    assert commands.sent <= 10, commands.names
