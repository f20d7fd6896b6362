"""Photos of submissions: taken through uploads, read for the reviewer, private and for a short time."""

import io
from datetime import timedelta

import pytest
import zxingcpp
from PIL import Image

from core import clock, ids
from core.context import Services
from jobs import barcode as barcode_jobs
from tests.barcode.steps import (
    case_of,
    codes_of,
    decided,
    gtin_of,
    new_code,
    settled,
    submission_of,
    submitted,
)
from tests.conftest import NewPhone
from tests.media.steps import complete, created, send
from tests.phone import Phone


def picture_of(code: str) -> bytes:
    """A photo of a package: a PNG that shows the code as a scanner sees it."""
    symbol = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.EAN13).to_image(scale=4)
    height, width = symbol.shape[:2]
    bars = Image.frombytes("L", (width, height), memoryview(symbol).tobytes())
    page = Image.new("RGB", (width + 200, height + 200), "white")
    page.paste(bars.convert("RGB"), (100, 100))
    kept = io.BytesIO()
    page.save(kept, "PNG")
    return kept.getvalue()


async def photo(phone: Phone, services: Services, body: bytes, *, mime: str = "image/png") -> str:
    """An upload that is completed, and processed."""
    upload = await created(phone, body, mime, purpose="BARCODE_PHOTO", fileName="package.png")
    await complete(phone, upload, await send(phone.http, upload, body))
    return str(upload["id"])


async def test_a_photo_is_shown_to_its_person_and_reviewers_and_its_codes_are_read(
    services: Services, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    upload = await photo(ada, services, picture_of(code))
    made = await submitted(ada, code, uploadIds=[upload])
    assert made["images"] == []
    await settled(services)
    shown = await submission_of(ada, made["id"])
    assert len(shown["images"]) == 1
    case = await case_of(reviewer, code)
    assert (case["photoCodes"], case["photoCodesDiffer"]) == ([gtin_of(code)], False)
    query = "query($id: ID!) { media(id: $id) { urlExpiresAt } }"
    id = shown["images"][0]["id"]
    ends = (await reviewer.run(query, id=id))["media"]["urlExpiresAt"]
    assert clock.moment(ends) <= clock.now() + timedelta(minutes=5)
    assert await (await new_phone("Grace")).run(query, id=id) == {"media": None}


async def test_a_code_that_differs_from_the_submitted_is_marked(
    services: Services, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code, other = await new_phone("Ada"), new_code(), new_code()
    await submitted(ada, code, uploadIds=[await photo(ada, services, picture_of(other))])
    await settled(services)
    case = await case_of(reviewer, code)
    assert (case["photoCodes"], case["photoCodesDiffer"]) == ([gtin_of(other)], True)


async def test_photo_declared_jpeg_but_a_script_is_removed_and_needs_info(
    services: Services, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    body = b"#!/bin/sh\necho it is no picture\n"
    upload = await created(ada, body, "image/jpeg", purpose="BARCODE_PHOTO", fileName="package.jpg")
    await complete(ada, upload, await send(ada.http, upload, body))
    made = await submitted(ada, code, uploadIds=[upload["id"]])
    await settled(services)
    after = await submission_of(ada, made["id"])
    assert (after["status"], after["images"]) == ("NEEDS_INFO", [])


async def test_an_upload_that_is_on_its_way_is_repeatable(services: Services, new_phone: NewPhone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    body = picture_of(code)
    upload = await created(ada, body, "image/png", purpose="BARCODE_PHOTO", fileName="package.png")
    given = {"idempotencyKey": "photo first", "code": code, "uploadIds": [upload["id"]]}
    refused = await ada.do("submitBarcode", "barcodeSubmission { id }", **given)
    assert codes_of(refused) == [("UPLOAD_NOT_READY", ["uploadIds"])]
    await complete(ada, upload, await send(ada.http, upload, body))
    done = await ada.do("submitBarcode", "barcodeSubmission { status }", **given)
    assert (done["errors"], done["replayed"]) == ([], False)


async def test_photos_are_exchanged_and_go_with_their_submission(
    services: Services, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    one, two = [await photo(ada, services, picture_of(new_code())) for _ in range(2)]
    made = await submitted(ada, code, uploadIds=[one])
    await settled(services)
    [first] = (await submission_of(ada, made["id"]))["images"]
    changed = await ada.do(
        "updateBarcodeSubmission",
        "barcodeSubmission { images { id } }",
        barcodeSubmissionId=made["id"],
        uploadIds=[two],
    )
    assert changed["errors"] == []
    await settled(services)
    [second] = (await submission_of(ada, made["id"]))["images"]
    assert second["id"] != first["id"]
    done = await ada.do(
        "deleteBarcodeSubmission", "deletedBarcodeSubmissionId", barcodeSubmissionId=made["id"]
    )
    assert done["errors"] == []
    await settled(services)
    assert await services.db.find("media_links", {"record_id": made["id"]}) == []


@pytest.mark.parametrize(
    ("mime", "name"), [("image/webp", "a.webp"), ("video/mp4", "a.mp4"), ("text/plain", "a.txt")]
)
async def test_other_files_are_not_taken(new_phone: NewPhone, mime: str, name: str) -> None:
    ada = await new_phone("Ada")
    given = {"purpose": "BARCODE_PHOTO", "fileName": name, "mimeType": mime, "sizeBytes": 1_000}
    refused = await ada.do("createUpload", "upload { id }", **given)
    assert codes_of(refused) == [("MIME_NOT_ALLOWED", ["mimeType"])]


async def test_three_photos_of_10_mb_at_most(services: Services, new_phone: NewPhone) -> None:
    ada, code = await new_phone("Ada"), new_code()
    given = {"purpose": "BARCODE_PHOTO", "fileName": "a.png", "mimeType": "image/png"}
    refused = await ada.do("createUpload", "upload { id }", **given, sizeBytes=10 * 1024 * 1024 + 1)
    assert codes_of(refused) == [("TOO_LARGE", ["sizeBytes"])]
    four = [ids.new_id("upload") for _ in range(4)]
    refused = await ada.do("submitBarcode", "barcodeSubmission { id }", code=code, uploadIds=four)
    assert codes_of(refused) == [("TOO_MANY", ["uploadIds"])]
    refused = await ada.do("submitBarcode", "barcodeSubmission { id }", code=code, uploadIds=four[:1])
    assert codes_of(refused) == [("NOT_FOUND", ["uploadIds"])]


async def test_photos_are_kept_for_180_days_after_the_decision(
    services: Services, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    made = await submitted(ada, code, uploadIds=[await photo(ada, services, picture_of(code))])
    await settled(services)
    await decided(reviewer, await case_of(reviewer, code), "REJECT", reason="A toy")
    await settled(services)
    assert len((await submission_of(ada, made["id"]))["images"]) == 1
    clock.shift(timedelta(days=181))
    await barcode_jobs.retain(services)
    clock.reset()
    after = await submission_of(ada, made["id"])
    assert (after["images"], after["status"]) == ([], "REJECTED")
