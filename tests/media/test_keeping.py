"""Life of uploads and media: linked, reported to their systems, retried, swept, erased, condemned."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from core.erasure import ERASERS
from core.errors import UserError
from core.hooks import Hook
from core.uploads import FINISHED, finished
from loaders.media import AttachmentStatusByUpload, MediaByUpload
from ports.media import MediaProcessor, Scanner
from resolvers.media import attach, keeping, processing
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.media import steps
from tests.phone import Phone

PURPOSE = "CHAT_ATTACHMENT"
JPEG = steps.picture((60, 40))


@pytest.fixture
def told() -> Iterator[list[tuple[str, str, str | None]]]:
    """Calls of a system's hook for the uploads that its records use."""
    heard: list[tuple[str, str, str | None]] = []

    async def hook(ctx: Context, upload: Any) -> None:
        assert ctx.viewer is None or ctx.viewer_id == upload["owner_id"]
        heard.append((upload["record_id"], upload["status"], upload["failure"]))

    before = FINISHED.pop(PURPOSE, Hook(PURPOSE))
    finished(PURPOSE).add(hook)
    yield heard
    FINISHED[PURPOSE] = before


async def finish_sending(phone: Phone, upload: dict[str, Any], body: bytes = JPEG) -> None:
    await steps.send(phone.http, upload, body)
    assert (await steps.complete(phone, upload))["errors"] == []


async def attachment_status(services: Services, upload_id: str) -> tuple[str, Any]:
    ctx = Context(services)
    status, found = await asyncio.gather(
        ctx.load(AttachmentStatusByUpload, upload_id), ctx.load(MediaByUpload, upload_id)
    )
    return status, found and found["_id"]


async def test_linked_before_it_has_arrived(new_phone: NewPhone, services: Services, told: list[Any]) -> None:
    """Row: attachments may be linked before processing ends; whoever shows them is told."""
    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    record = ids.new_id("post")
    await steps.used(services, upload["id"], ada, record, PURPOSE)
    assert await attachment_status(services, upload["id"]) == ("PENDING", None)
    await finish_sending(ada, upload)
    assert await attachment_status(services, upload["id"]) == ("PROCESSING", None)
    assert told == []
    await jobs.run_due(services)
    ready = await steps.read(ada, upload["id"])
    assert (ready["status"], ready["keptUntil"]) == ("READY", None)
    assert told == [(record, "READY", None)]
    assert await attachment_status(services, upload["id"]) == ("READY", ready["processedMedia"]["id"])


async def test_both_are_told_of_a_rejection(new_phone: NewPhone, services: Services, told: list[Any]) -> None:
    """Row: bytes do not match declared type: attachment REJECTED, both sides told."""
    ada = await new_phone("Ada")
    body = steps.picture((60, 40), "PNG")
    upload = await steps.created(ada, body)
    record = ids.new_id("post")
    await steps.used(services, upload["id"], ada, record, PURPOSE)
    await finish_sending(ada, upload, body)
    await jobs.run_due(services)
    assert told == [(record, "REJECTED", "TYPE_MISMATCH")]
    assert await attachment_status(services, upload["id"]) == ("REJECTED", None)


@pytest.mark.parametrize("how", ["abort", "expire"])
async def test_what_never_arrives_is_told_too(
    new_phone: NewPhone, services: Services, told: list[Any], how: str
) -> None:
    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    record = ids.new_id("post")
    await steps.used(services, upload["id"], ada, record, PURPOSE)
    if how == "abort":
        await ada.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
    else:
        clock.shift(timedelta(hours=25))
        await jobs.TASKS["media.sweep"](services)
    # A sweep finds what other tests left, too.
    assert [each for each in told if each[0] == record] == [
        (record, "CANCELED" if how == "abort" else "EXPIRED", None)
    ]
    assert (await attachment_status(services, upload["id"]))[0] == "EXPIRED"


async def test_an_upload_is_used_once_by_its_owner_for_its_purpose(
    new_phone: NewPhone, services: Services
) -> None:
    ada, eve = await new_phone("Ada"), await new_phone("Eve")
    upload = await steps.created(ada, JPEG)
    rejected = await steps.uploaded(ada, services, b"no picture")

    async def refusal(phone: Phone, id: str, purpose: str = PURPOSE) -> str:
        with pytest.raises(UserError) as raised:
            await steps.used(services, id, phone, ids.new_id("post"), purpose)
        return raised.value.code

    assert await refusal(eve, upload["id"]) == "NOT_FOUND"
    assert await refusal(ada, upload["id"], "AVATAR") == "NOT_FOUND"
    assert await refusal(ada, ids.new_id("upload")) == "NOT_FOUND"
    assert await refusal(ada, rejected["id"]) == "UPLOAD_REJECTED"
    await steps.used(services, upload["id"], ada, ids.new_id("post"), PURPOSE)
    assert await refusal(ada, upload["id"]) == "NOT_FOUND"


async def test_attachments_are_at_most_ten(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    ctx = steps.acting(services, ada)
    record = ids.new_id("post")

    async def attaching(count: int) -> Any:
        wanted = [{"upload_id": upload["id"], "alt_text": "  A lake "}] * count
        return await ctx.unit(lambda: attach(ctx, wanted, purpose=PURPOSE, record_id=record))

    with pytest.raises(UserError) as raised:
        await attaching(11)
    assert raised.value.code == "TOO_MANY"
    with pytest.raises(UserError) as raised:
        await attaching(2)
    assert raised.value.code == "NOT_FOUND"
    [made] = await attaching(1)
    assert (made["upload_id"], "_id" in made) == (upload["id"], False)
    assert (made["kind"], made["file_name"], made["alt_text"]) == ("IMAGE", "photo.jpg", "A lake")


async def test_two_records_race_for_one_upload(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    tries = [steps.used(services, upload["id"], ada, ids.new_id("post"), PURPOSE) for _ in range(5)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    lost = [each for each in outcomes if isinstance(each, BaseException)]
    assert [getattr(each, "code", each) for each in lost] == ["NOT_FOUND"] * 4


async def test_what_nothing_shows_is_erased(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    digest = steps.sha256(JPEG)
    first = await steps.uploaded(ada, services, JPEG, sha256=digest)
    second = await steps.created(ada, JPEG, sha256=digest)
    records = [ids.new_id("post"), ids.new_id("post")]
    for upload, record in zip((first, second), records, strict=True):
        await steps.used(services, upload["id"], ada, record, PURPOSE)
    url = first["processedMedia"]["url"]
    await steps.released(services, records[0])
    await jobs.run_due(services)
    assert (await steps.fetched(http, url))[0] == 200
    await steps.released(services, records[1])
    await jobs.run_due(services)
    assert (await steps.fetched(http, url))[0] == 404
    assert await services.db.find("media", {"_id": first["processedMedia"]["id"]}) == []
    assert await services.db.find("uploads", {"owner_id": ada.user_id}) == []


async def test_what_is_used_again_before_it_is_erased_stays(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    digest = steps.sha256(JPEG)
    first = await steps.uploaded(ada, services, JPEG, sha256=digest)
    record = ids.new_id("post")
    await steps.used(services, first["id"], ada, record, PURPOSE)
    await steps.released(services, record)
    clock.shift(timedelta(seconds=1))
    again = await steps.created(ada, JPEG, sha256=digest)
    assert again["status"] == "READY"
    await jobs.run_due(services)
    assert (await steps.fetched(http, first["processedMedia"]["url"]))[0] == 200
    await steps.used(services, again["id"], ada, ids.new_id("post"), PURPOSE)


async def test_unused_media_are_swept_after_a_week(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    unused = await steps.uploaded(ada, services, JPEG)
    used = await steps.uploaded(ada, services, steps.picture((50, 50)))
    await steps.used(services, used["id"], ada, ids.new_id("post"), PURPOSE)

    async def sweep() -> set[str]:
        await jobs.TASKS["media.sweep"](services)
        await jobs.run_due(services)
        return {row["_id"] for row in await services.db.find("media", {"owner_id": ada.user_id})}

    clock.shift(timedelta(days=6, hours=23))
    assert await sweep() == {unused["processedMedia"]["id"], used["processedMedia"]["id"]}
    clock.shift(timedelta(hours=2))
    assert await sweep() == {used["processedMedia"]["id"]}
    left = await services.db.find("uploads", {"owner_id": ada.user_id})
    assert [row["_id"] for row in left] == [used["id"]]
    row = (await services.db.find("media", {"owner_id": ada.user_id}))[0]
    assert len(await steps.stored(services, row["folder"])) > 0


async def test_five_tries_and_then_unreadable(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs: 5 tries, 5 s x 3^n apart, then REJECTED UNREADABLE."""
    tries: list[float] = []

    async def broken(path: Any) -> None:
        tries.append(clock.timestamp())
        raise ConnectionError("The scanner is away.")

    monkeypatch.setattr(services.get(Scanner), "threat", broken)
    monkeypatch.setattr(processing.logger, "exception", lambda *args, **kwargs: None)
    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    await finish_sending(ada, upload)
    await jobs.run_due(services)
    for wait in (5, 15, 45, 135):
        assert (await steps.read_directly(services, upload["id"]))["status"] == "SCANNING"
        seen = len(tries)
        clock.shift(timedelta(seconds=wait - 2))
        await jobs.run_due(services)
        assert len(tries) == seen
        clock.shift(timedelta(seconds=2))
        await jobs.run_due(services)
    row = await steps.read_directly(services, upload["id"])
    assert (row["status"], row["failure"], len(tries)) == ("REJECTED", "UNREADABLE", 5)


async def test_a_try_that_fails_is_made_good(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that the first attempt stored are erased; those of the second are shown."""
    put, puts = services.objects.put, []

    async def failing(key: str, *args: Any, **kwargs: Any) -> str:
        puts.append(key)
        if len(puts) == 2:
            raise ConnectionError("The store is away.")
        return await put(key, *args, **kwargs)

    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    await finish_sending(ada, upload)
    monkeypatch.setattr(services.objects, "put", failing)
    monkeypatch.setattr(processing.logger, "exception", lambda *args, **kwargs: None)
    await jobs.run_due(services)
    first = "/".join(puts[0].split("/")[:2])
    assert len(await steps.stored(services, first)) == 1
    clock.shift(timedelta(seconds=5))
    await jobs.run_due(services)
    ready = await steps.read(ada, upload["id"])
    assert ready["status"] == "READY"
    assert await steps.stored(services, first) == []


async def test_two_workers_with_one_upload_make_one_medium(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    await finish_sending(ada, upload)
    await asyncio.gather(*(processing.process(Context(services), upload["id"]) for _ in range(3)))
    await jobs.run_due(services)
    rows = await services.db.find("media", {"owner_id": ada.user_id})
    assert [row["_id"] for row in rows] == [(await steps.read(ada, upload["id"]))["processedMedia"]["id"]]


async def test_work_that_nobody_ended_is_given_up(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    change = {"$set": {"status": "PROCESSING"}}
    await services.db.write({"update": "uploads", "updates": [{"q": {"_id": upload["id"]}, "u": change}]})
    clock.shift(timedelta(hours=25))
    await jobs.TASKS["media.sweep"](services)
    row = await steps.read_directly(services, upload["id"])
    assert (row["status"], row["failure"]) == ("REJECTED", "UNREADABLE")


async def test_malware_found_after_sending(
    new_phone: NewPhone,
    services: Services,
    http: aiohttp.ClientSession,
    told: list[Any],
) -> None:
    """Row: object quarantined, attachment REJECTED, URL dies within a minute (here: at once)."""
    ada = await new_phone("Ada")
    upload = await steps.uploaded(ada, services, JPEG)
    record = ids.new_id("post")
    await steps.used(services, upload["id"], ada, record, PURPOSE)
    url, id = upload["processedMedia"]["url"], upload["processedMedia"]["id"]
    assert (await steps.fetched(http, url))[0] == 200
    await jobs.TASKS["media.condemn"](services, media_id=id)
    assert (await steps.fetched(http, url))[0] == 404
    assert told == [(record, "REJECTED", "MALWARE")]
    assert await attachment_status(services, upload["id"]) == ("REJECTED", None)
    assert await ada.run("query($id: ID!) { media(id: $id) { id } }", id=id) == {"media": None}
    folder = url.split("/private/")[1].split("/")[0]
    assert len(await steps.stored(services, f"quarantine/{folder}")) == 2
    [entry] = await on_record(services, action="media.condemned", resource_id=id)
    assert (entry["subject_id"], entry["actor_type"]) == (ada.user_id, "SYSTEM")
    assert await keeping.condemn(Context(services), id) is False


async def test_rejections_are_on_record(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    upload = await steps.uploaded(ada, services, steps.EICAR, "text/plain", fileName="a.txt")
    [entry] = await on_record(services, action="media.upload_rejected", resource_id=upload["id"])
    assert (entry["subject_id"], entry["outcome"], entry["details"]) == (
        ada.user_id,
        "FAILED",
        {"failure": "MALWARE"},
    )


async def test_a_deleted_person_leaves_no_files(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    mine = await steps.uploaded(ada, services, JPEG, purpose="AVATAR")
    hers = await steps.uploaded(grace, services, JPEG, purpose="AVATAR")
    await steps.used(services, mine["id"], ada, ada.user_id, "AVATAR")
    half = await steps.created(ada, JPEG)
    await steps.send(http, half, JPEG)
    for _ in range(2):
        await ERASERS["media"](services, ada.user_id)
        await jobs.run_due(services)
    assert (await steps.fetched(http, mine["processedMedia"]["url"]))[0] == 404
    assert (await steps.fetched(http, hers["processedMedia"]["url"]))[0] == 200
    for name in ("media", "uploads"):
        assert await services.db.find(name, {"owner_id": ada.user_id}) == []
    assert await services.db.find("media_links", {"record_id": ada.user_id}) == []
    assert await steps.stored(services, f"incoming/{half['id']}") == []


async def test_a_worker_that_dies_at_work_is_followed_by_another(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, began = services.get(MediaProcessor).picture, asyncio.Event()

    async def hanging(*args: Any) -> dict[str, Any]:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError("never")

    ada = await new_phone("Ada")
    upload = await steps.created(ada, JPEG)
    await finish_sending(ada, upload)
    monkeypatch.setattr(services.get(MediaProcessor), "picture", hanging)
    working = asyncio.create_task(jobs.run_due(services))
    await asyncio.wait_for(began.wait(), 20)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert (await steps.read(ada, upload["id"]))["status"] == "PROCESSING"
    monkeypatch.setattr(services.get(MediaProcessor), "picture", picture)
    clock.shift(jobs.running.LEASE + timedelta(seconds=1))
    await jobs.run_due(services)
    assert (await steps.read(ada, upload["id"]))["status"] == "READY"
