"""Sending files: in one piece, in parts, interrupted, resumed, given up."""

import asyncio
import io
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from core import clock, ids, jobs
from core.context import Services
from ports.media import MediaProcessor
from tests.conftest import NewPhone
from tests.media import steps
from tests.phone import Phone, deleted_ids


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(each["code"], each["field"]) for each in payload["errors"]]


async def test_a_picture_is_sent_in_one_piece_and_becomes_a_medium(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    body = steps.picture((1200, 900))
    upload = await steps.created(ada, body, sha256=steps.sha256(body))
    assert (upload["status"], upload["method"], upload["partCount"]) == ("PENDING", "SINGLE", 1)
    [part] = upload["parts"]
    assert (part["received"], part["etag"]) == (False, None)
    etag = await steps.put(http, part, body)
    sending = await steps.read(ada, upload["id"])
    arrived = (sending["receivedBytes"], sending["progressPercent"])
    assert (sending["status"], arrived) == ("UPLOADING", (len(body), 100))
    done = await steps.complete(ada, upload, [{"number": 1, "etag": etag}])
    assert (done["errors"], done["upload"]["status"]) == ([], "UPLOADED")
    await jobs.run_due(services)
    ready = await steps.read(ada, upload["id"])
    assert (ready["status"], ready["failure"], ready["parts"]) == ("READY", None, [])
    medium = ready["processedMedia"]
    shape = (medium["kind"], medium["mimeType"], medium["width"], medium["height"])
    assert shape == ("IMAGE", "image/webp", 1200, 900)
    assert [each["width"] for each in medium["renditions"]] == [
        96,
        96,
        320,
        320,
        640,
        640,
        1080,
        1080,
        1200,
        1200,
    ]
    for variant in medium["renditions"]:
        status, headers, content = await steps.fetched(http, variant["url"])
        assert (status, len(content)) == (200, variant["sizeBytes"])
        assert headers["Content-Type"] == f"image/{variant['format'].lower()}"
    assert await steps.stored(services, f"incoming/{upload['id']}") == []


async def test_app_killed_between_parts_resumes_with_what_is_missing(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    """Row: App killed at part 7 of 20 (here 3 of 4): upload(id) lists those received."""
    ada = await new_phone("Ada")
    body = steps.PDF + steps.noise(3 * steps.PART + 1000)
    upload = await steps.created(ada, body, "application/pdf", fileName="big.pdf")
    assert (upload["method"], upload["partSizeBytes"], upload["partCount"]) == ("MULTIPART", steps.PART, 4)
    await steps.send(http, upload, body, [1, 2])
    # The app starts anew and knows the id alone.
    resumed = await steps.read(ada, upload["id"])
    assert resumed["status"] == "UPLOADING"
    assert [part["received"] for part in resumed["parts"]] == [True, True, False, False]
    assert (resumed["receivedBytes"], resumed["progressPercent"]) == (2 * steps.PART, 66)
    pending = (await ada.run(steps.PENDING, id=upload["id"]))["upload"]
    assert [part["number"] for part in pending["parts"]] == [3, 4]
    short = await steps.complete(ada, upload)
    assert codes(short) == [("UPLOAD_INCOMPLETE", ["parts"])]
    assert (short["missingParts"], short["upload"]["status"]) == ([3, 4], "UPLOADING")
    await steps.send(http, resumed, body, [3, 4])
    done = await steps.complete(ada, upload, sha256=steps.sha256(body))
    assert done["errors"] == []
    await jobs.run_due(services)
    ready = await steps.read(ada, upload["id"])
    assert ready["status"] == "READY"
    _, _, content = await steps.fetched(http, ready["processedMedia"]["url"])
    assert steps.sha256(content) == steps.sha256(body)


async def test_presigned_url_expired_mid_upload(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    """Row: the store refuses; requestUploadPartUrls gives fresh URLs; received parts are kept."""
    ada = await new_phone("Ada")
    body = steps.PDF + steps.noise(steps.PART)
    upload = await steps.created(ada, body, "application/pdf", fileName="two.pdf")
    await steps.send(http, upload, body, [1])
    clock.shift(timedelta(minutes=15, seconds=1))
    late = upload["parts"][1]
    status, _, text = await put_raw(http, late["url"], body[steps.PART :])
    assert (status, b"expired" in text) == (403, True)
    signed = await ada.do(
        "requestUploadPartUrls", f"upload {{ {steps.UPLOAD} }}", uploadId=upload["id"], partNumbers=[2]
    )
    assert signed["errors"] == []
    first, second = signed["upload"]["parts"]
    assert (first["received"], first["url"], second["received"]) == (True, None, False)
    assert second["urlExpiresAt"] > late["urlExpiresAt"]
    await steps.put(http, second, body[steps.PART :])
    assert (await steps.complete(ada, upload))["errors"] == []


async def put_raw(
    http: aiohttp.ClientSession, url: str, body: bytes, **options: Any
) -> tuple[int, Any, bytes]:
    async with http.put(url, data=io.BytesIO(body), **options) as response:
        return response.status, response.headers, await response.read()


async def test_more_than_twenty_parts_are_signed_as_they_are_needed(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    upload = await steps.created(ada, 22 * steps.PART, "video/mp4", fileName="long.mp4")
    assert [part["url"] is not None for part in upload["parts"]] == [True] * 20 + [False] * 2
    asked = "upload { parts { number url } }"
    signed = await ada.do("requestUploadPartUrls", asked, uploadId=upload["id"], partNumbers=[22, 21])
    given = [part["number"] for part in signed["upload"]["parts"] if part["url"]]
    assert given == [21, 22]
    wrong = await ada.ask(
        "mutation($input: RequestUploadPartUrlsInput!) { requestUploadPartUrls(input: $input) { replayed } }",
        input={"idempotencyKey": "x1", "uploadId": upload["id"], "partNumbers": [23]},
    )
    assert wrong.code == "BAD_USER_INPUT"


async def test_an_etag_tells_what_arrived_last(new_phone: NewPhone, http: aiohttp.ClientSession) -> None:
    ada = await new_phone("Ada")
    body = steps.picture()
    upload = await steps.created(ada, body)
    await steps.send(http, upload, body)
    refused = await steps.complete(ada, upload, [{"number": 1, "etag": '"another"'}])
    assert codes(refused) == [("UPLOAD_INCOMPLETE", ["parts"])]
    assert refused["missingParts"] == [1]


async def test_aborted_is_gone_and_takes_nothing_any_more(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    body = steps.picture()
    upload = await steps.created(ada, body)
    await steps.send(http, upload, body)
    gone = await ada.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
    assert (gone["errors"], gone["deletedUploadId"]) == ([], upload["id"])
    again = await ada.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
    assert again["deletedUploadId"] == upload["id"]
    await jobs.run_due(services)
    assert await steps.stored(services, f"incoming/{upload['id']}") == []
    assert await ada.run(steps.READ, id=upload["id"]) == {"upload": None}
    status, _, _ = await put_raw(http, upload["parts"][0]["url"], body)
    assert status == 409
    assert codes(await steps.complete(ada, upload)) == [("UPLOAD_CLOSED", None)]
    signed = await ada.do("requestUploadPartUrls", "upload { id }", uploadId=upload["id"], partNumbers=[1])
    assert (codes(signed), signed["upload"]) == ([("UPLOAD_CLOSED", None)], None)


async def test_what_is_complete_is_not_given_up(new_phone: NewPhone, http: aiohttp.ClientSession) -> None:
    ada = await new_phone("Ada")
    body = steps.picture()
    upload = await steps.created(ada, body)
    await steps.send(http, upload, body)
    assert (await steps.complete(ada, upload))["errors"] == []
    again = await steps.complete(ada, upload)
    assert (again["errors"], again["upload"]["status"]) == ([], "UPLOADED")
    refused = await ada.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
    assert codes(refused) == [("UPLOAD_CLOSED", ["uploadId"])]


async def test_an_unfinished_upload_expires_after_a_day(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    body = steps.picture()
    upload = await steps.created(ada, body)
    await steps.send(http, upload, body)
    clock.shift(timedelta(hours=24, minutes=1))
    await jobs.TASKS["media.sweep"](services)
    await jobs.run_due(services)
    assert (await steps.read_directly(services, upload["id"]))["status"] == "EXPIRED"
    assert await steps.stored(services, f"incoming/{upload['id']}") == []


async def test_others_neither_see_nor_touch_an_upload(
    new_phone: NewPhone, http: aiohttp.ClientSession
) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    body = steps.picture()
    upload = await steps.created(ada, body)
    assert await eve.run(steps.READ, id=upload["id"]) == {"upload": None}
    assert await eve.run("query($id: ID!) { node(id: $id) { id } }", id=upload["id"]) == {"node": None}
    for mutation, fields in [
        ("completeUpload", {"uploadId": upload["id"], "parts": []}),
        ("cancelUpload", {"uploadId": upload["id"]}),
        ("requestUploadPartUrls", {"uploadId": upload["id"], "partNumbers": [1]}),
    ]:
        refused = await eve.do(mutation, "__typename", **fields)
        assert codes(refused) == [("NOT_FOUND", ["uploadId"])]
    listed = (await eve.run("{ viewer { uploads { edges { node { id } } } } }"))["viewer"]["uploads"]
    assert listed["edges"] == []


async def test_uploads_are_listed_latest_first_and_by_status(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    made = [(await steps.created(ada, 100 + each))["id"] for each in range(3)]
    query = """query($filter: UploadFilterInput) { viewer { uploads(first: 2, filter: $filter) {
      edges { node { id } } pageInfo { hasNextPage } } } }"""
    listed = (await ada.run(query))["viewer"]["uploads"]
    assert [each["node"]["id"] for each in listed["edges"]] == [made[2], made[1]]
    assert listed["pageInfo"]["hasNextPage"] is True
    none = (await ada.run(query, filter={"statuses": ["READY", "REJECTED"]}))["viewer"]["uploads"]
    assert none["edges"] == []


async def test_own_uploads_reach_the_other_devices(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone("Ada", user_id=ada.user_id)
    changes = """query($since: SyncToken) { viewer { changes(since: $since, types: [UPLOAD]) {
      nodes { id ... on Upload { status } } deleted { id } token } } }"""
    before = (await tablet.run(changes))["viewer"]["changes"]
    upload = await steps.created(ada, steps.picture())
    after = (await tablet.run(changes, since=before["token"]))["viewer"]["changes"]
    assert after["nodes"] == [{"id": upload["id"], "status": "PENDING"}]
    await ada.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
    gone = (await tablet.run(changes, since=after["token"]))["viewer"]["changes"]
    assert (gone["nodes"], deleted_ids(gone)) == ([], [upload["id"]])


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"mimeType": "image/svg+xml", "fileName": "x.svg"}, "MIME_NOT_ALLOWED", "mimeType"),
        ({"mimeType": "text/html", "fileName": "x.html"}, "MIME_NOT_ALLOWED", "mimeType"),
        ({"mimeType": "application/x-msdownload", "fileName": "x.exe"}, "MIME_NOT_ALLOWED", "mimeType"),
        (
            {"mimeType": "application/pdf", "fileName": "x.pdf", "purpose": "POST_MEDIA"},
            "MIME_NOT_ALLOWED",
            "mimeType",
        ),
        ({"mimeType": "image/jpeg", "fileName": "photo.exe"}, "MIME_NOT_ALLOWED", "fileName"),
        ({"mimeType": "image/jpeg", "fileName": "photo.pdf"}, "MIME_NOT_ALLOWED", "fileName"),
        ({"sizeBytes": 25 * 2**20 + 1}, "TOO_LARGE", "sizeBytes"),
        ({"sizeBytes": 524_288_001, "mimeType": "video/mp4", "fileName": "x.mp4"}, "TOO_LARGE", "sizeBytes"),
        (
            {"sizeBytes": 100 * 2**20 + 1, "mimeType": "application/pdf", "fileName": "x.pdf"},
            "TOO_LARGE",
            "sizeBytes",
        ),
        ({"sizeBytes": 10 * 2**20 + 1, "purpose": "AVATAR"}, "TOO_LARGE", "sizeBytes"),
        ({"sizeBytes": 0}, "OUT_OF_RANGE", "sizeBytes"),
        ({"sizeBytes": -1}, "OUT_OF_RANGE", "sizeBytes"),
        ({"fileName": " "}, "REQUIRED", "fileName"),
        ({"fileName": "\u200b"}, "REQUIRED", "fileName"),
        ({"fileName": "../.."}, "REQUIRED", "fileName"),
        ({"fileName": "x" * 256}, "TOO_LONG", "fileName"),
        ({"sha256": "abc"}, "INVALID_FORMAT", "sha256"),
    ],
)
async def test_what_is_not_taken_is_said_before_it_is_sent(
    new_phone: NewPhone, services: Services, fields: dict[str, Any], code: str, field: str
) -> None:
    ada = await new_phone("Ada")
    refused = await steps.create(ada, 1000, **fields)
    assert (codes(refused), refused["upload"]) == ([(code, [field])], None)
    assert await services.db.find("uploads", {"owner_id": ada.user_id}) == []


async def test_films_are_refused_where_there_is_no_ffmpeg(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.get(MediaProcessor), "_films", False)
    ada = await new_phone("Ada")
    refused = await steps.create(ada, 1000, "video/mp4", fileName="x.mp4")
    assert codes(refused) == [("MIME_NOT_ALLOWED", ["mimeType"])]
    assert "ffmpeg" in refused["errors"][0]["message"]


async def test_sixty_uploads_an_hour(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    found: list[dict[str, Any]] = []
    for start in range(0, 61, 20):
        names = range(start, min(61, start + 20))
        body = "".join(_create(each) for each in names)
        answer = await ada.run(f"mutation {{ {body} }}")
        found += [answer[f"m{each}"] for each in names]
    assert [each["errors"] for each in found[:60]] == [[]] * 60
    [error] = found[60]["errors"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert error["retryAfterSeconds"] >= 1


def _create(number: int) -> str:
    return (
        f'm{number}: createUpload(input: {{idempotencyKey: "u{number}", purpose: CHAT_ATTACHMENT, '
        f'fileName: "a.jpg", mimeType: "image/jpeg", sizeBytes: 10}}) '
        "{ errors { code retryable retryAfterSeconds } } "
    )


async def test_five_gibibytes_a_day(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    for _ in range(10):
        await steps.created(ada, 500 * 2**20, "video/mp4", fileName="x.mp4")
    await steps.created(ada, 100 * 2**20, "video/mp4", fileName="x.mp4")
    refused = await steps.create(ada, 100 * 2**20, "video/mp4", fileName="x.mp4")
    assert codes(refused) == [("QUOTA_EXCEEDED", ["sizeBytes"])]
    [error] = refused["errors"]
    assert (error["retryable"], 86_000 < error["retryAfterSeconds"] <= 86_400) == (True, True)
    clock.shift(timedelta(days=1, seconds=1))
    fresh = await new_phone("Ada", user_id=ada.user_id)
    await steps.created(fresh, 100 * 2**20, "video/mp4", fileName="x.mp4")


async def test_two_devices_share_one_quota(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    for _ in range(10):
        await steps.created(ada, 500 * 2**20, "video/mp4", fileName="x.mp4")
    both = await asyncio.gather(
        *(steps.create(phone, 100 * 2**20, "video/mp4", fileName="x.mp4") for phone in (ada, tablet))
    )
    assert sorted(codes(each) for each in both) == [[], [("QUOTA_EXCEEDED", ["sizeBytes"])]]


async def test_an_equal_file_is_not_sent_twice(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    body = steps.picture((300, 200))
    digest = steps.sha256(body)
    first = await steps.uploaded(ada, services, body, sha256=digest)
    again = await steps.created(ada, body, sha256=digest)
    assert (again["status"], again["partCount"], again["parts"]) == ("READY", 0, [])
    assert again["processedMedia"]["id"] == first["processedMedia"]["id"]
    assert again["id"] != first["id"]
    # Another purpose, another size, another person: sent like any other.
    assert (await steps.created(ada, body, sha256=digest, purpose="POST_MEDIA"))["status"] == "PENDING"
    assert (await steps.created(ada, len(body) + 1, sha256=digest))["status"] == "PENDING"
    assert (await steps.created(eve, body, sha256=digest))["status"] == "PENDING"


async def test_a_retry_of_createupload_makes_one(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    id = ids.new_id("upload")
    fields = {"id": id, "idempotencyKey": "once"}
    first = await steps.create(ada, 100, **fields)
    second = await steps.create(ada, 100, **fields)
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert second["upload"]["id"] == id
    assert second["upload"]["parts"][0]["url"]
    taken = await steps.create(await new_phone("Eve"), 100, id=id)
    assert codes(taken) == [("ID_TAKEN", ["id"])]


async def test_declared_checksums_must_agree(new_phone: NewPhone, http: aiohttp.ClientSession) -> None:
    ada = await new_phone("Ada")
    body = steps.picture()
    upload = await steps.created(ada, body, sha256=steps.sha256(body))
    await steps.send(http, upload, body)
    refused = await steps.complete(ada, upload, sha256=steps.sha256(b"other"))
    assert codes(refused) == [("CHECKSUM_MISMATCH", ["sha256"])]
    assert (await steps.read(ada, upload["id"]))["status"] == "UPLOADING"


async def test_two_completions_at_once_start_one_job(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    body = steps.picture((200, 200))
    upload = await steps.created(ada, body)
    await steps.send(http, upload, body)
    both = await asyncio.gather(*(steps.complete(ada, upload) for _ in range(4)))
    assert [each["errors"] for each in both] == [[]] * 4
    waiting = await services.db.find("jobs", {"task": "media.process", "arguments.upload_id": upload["id"]})
    assert len(waiting) == 1


async def test_anonymous_people_upload_nothing(anonymous: Phone) -> None:
    answer = await anonymous.ask(
        "mutation($input: CreateUploadInput!) { createUpload(input: $input) { errors { code } } }",
        input={
            "idempotencyKey": "a",
            "purpose": "AVATAR",
            "fileName": "a.png",
            "mimeType": "image/png",
            "sizeBytes": 1,
        },
    )
    assert answer.code == "UNAUTHENTICATED"
