"""Steps shared by the tests of the barcode scanner: codes, products that have them, scans."""

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

from core import clock, ids, jobs
from core.context import Services
from resolvers.barcode.normal_form import check_digit
from tests.catalog.steps import on_sale, row
from tests.phone import Phone
from tests.phone import refusal as refusal

NUMBERS = itertools.count(random.randrange(10**8))
LOOKUP = """code gtin format status product { id name } variant { id } confidence source note mappingVersion
  elements { batch serial expiresOn netWeightKilograms }
  candidates { product { id } variant { id } confidence packaging }"""
FIND = f"""query($code: String!, $format: BarcodeFormat) {{
  barcodeLookup(code: $code, format: $format) {{ {LOOKUP} }} }}"""
SCAN = """id version barcode gtin status product { id } variant { id } productName matchedFrom deviceId
  scannedAt receivedAt matchedAt timeZone elements { batch }"""
RECORDED = f"""scanRecord {{ {SCAN} }} lookup {{ status product {{ id }} }}
  deduplicated corrected deletedScanRecordId"""
SUBMISSION = """id version barcode gtin status context decisionReason product { id } submittedAt decidedAt
  images { id }"""
HISTORY = f"""query($filter: ScanFilterInput, $first: Int, $after: String) {{ viewer {{ scanner {{
  scans(filter: $filter, first: $first, after: $after) {{
    edges {{ cursor node {{ {SCAN} }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
CASE = """id version gtin status submissionCount scanCount photoCodes photoCodesDiffer leasedUntil
  decisionReason assignee { id } variant { id }"""
QUEUE = f"query {{ barcodeReviewQueue(first: 100) {{ edges {{ node {{ {CASE} }} }} }} }}"


def new_code() -> str:
    """A valid EAN-13 that no other test uses."""
    body = f"40{next(NUMBERS) % 10**10:010d}"
    return body + check_digit(body)


def gtin_of(code: str) -> str:
    return code.zfill(14)


async def settled(services: Services) -> None:
    """All jobs that are due have run."""
    while await jobs.run_due(services):
        continue


async def with_code(services: Services, admin: Phone, *codes: str, **fields: str) -> dict[str, Any]:
    """A product on sale whose variant has the codes, mapped."""
    [product] = await on_sale(services, admin, row(barcodes="; ".join(codes), **fields))
    await settled(services)
    return product


async def looked_up(phone: Phone, code: str, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await phone.run(FIND, code=code, **given))["barcodeLookup"]
    return found


def scan_input(code: str, at: datetime | None = None, **given: Any) -> dict[str, Any]:
    """Input of a scan that was just made."""
    moment = (at or clock.now()).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    scan = {"code": code, "matchedFrom": "CATALOG_API", "scannedAt": moment, "timeZone": "Europe/Vienna"}
    return {**scan, **given}


async def scanned(phone: Phone, code: str, at: datetime | None = None, **given: Any) -> dict[str, Any]:
    """The payload of a scan that is not refused."""
    payload: dict[str, Any] = await phone.do("recordScan", RECORDED, **scan_input(code, at, **given))
    assert payload["errors"] == []
    return payload


def batch_item(code: str, at: datetime | None = None, **given: Any) -> dict[str, Any]:
    return {"id": ids.new_id("scan_record"), **scan_input(code, at, **given)}


RESULTS = f"""results {{ itemId status replayed errors {{ code field }} scanRecord {{ {SCAN} }}
  scanRecordEdge {{ cursor }} lookup {{ status product {{ id }} }} }}"""


async def batch(phone: Phone, *items: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    """Results of a batch that is not refused."""
    payload = await phone.do("recordScans", RESULTS, scans=list(items), **given)
    assert payload["errors"] == []
    results: list[dict[str, Any]] = payload["results"]
    return results


async def history(phone: Phone, **variables: Any) -> list[dict[str, Any]]:
    found = (await phone.run(HISTORY, **variables))["viewer"]["scanner"]["scans"]["edges"]
    return [edge["node"] for edge in found]


async def submitted(phone: Phone, code: str, **given: Any) -> dict[str, Any]:
    """A submission that is not refused."""
    payload = await phone.do("submitBarcode", f"barcodeSubmission {{ {SUBMISSION} }}", code=code, **given)
    assert payload["errors"] == []
    submission: dict[str, Any] = payload["barcodeSubmission"]
    return submission


async def submission_of(phone: Phone, id: str) -> dict[str, Any]:
    query = f"query($id: ID!) {{ barcodeSubmission(id: $id) {{ {SUBMISSION} }} }}"
    found: dict[str, Any] = (await phone.run(query, id=id))["barcodeSubmission"]
    return found


async def scan_of(phone: Phone, id: str) -> Any:
    return (await phone.run(f"query($id: ID!) {{ scanRecord(id: $id) {{ {SCAN} }} }}", id=id))["scanRecord"]


async def case_of(reviewer: Phone, code: str) -> dict[str, Any]:
    """The open case of a code, in the queue."""
    edges = (await reviewer.run(QUEUE))["barcodeReviewQueue"]["edges"]
    [case] = [edge["node"] for edge in edges if edge["node"]["gtin"] == gtin_of(code)]
    return dict(case)


async def decided(reviewer: Phone, case: dict[str, Any], decision: str, **given: Any) -> dict[str, Any]:
    payload: dict[str, Any] = await reviewer.do(
        "decideReviewCase",
        f"reviewCase {{ {CASE} }} product {{ id }}",
        reviewCaseId=case["id"],
        decision=decision,
        **given,
    )
    return payload


def codes_of(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(each["code"], each["field"]) for each in payload["errors"]]


def later(seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)
