"""The same on disk and in a store that speaks S3: sending, working, fetching, erasing."""

import io
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from core import clock, jobs
from ports.media import MediaSettings
from tests.media import steps
from tests.media.conftest import Place
from tests.media.steps import PART


async def test_sent_in_parts_resumed_and_fetched_whole(place: Place) -> None:
    ada = await place.phone()
    body = steps.PDF + steps.noise(2 * PART)
    upload = await steps.created(ada, body, "application/pdf", fileName="Bericht März.pdf")
    sent = await steps.send(place.http, upload, body, [1, 3])
    resumed = await steps.read(ada, upload["id"])
    assert [part["received"] for part in resumed["parts"]] == [True, False, True]
    assert resumed["receivedBytes"] == len(body) - PART
    refused = await steps.complete(ada, upload, sent)
    assert ([each["code"] for each in refused["errors"]], refused["missingParts"]) == (
        ["UPLOAD_INCOMPLETE"],
        [2],
    )
    sent += await steps.send(place.http, resumed, body, [2])
    done = await steps.complete(ada, upload, sent, sha256=steps.sha256(body))
    assert done["errors"] == []
    await jobs.run_due(place.services)
    ready = await steps.read(ada, upload["id"])
    assert (ready["status"], ready["failure"]) == ("READY", None)
    medium = ready["processedMedia"]
    assert (medium["kind"], medium["originalFileName"], medium["sizeBytes"]) == (
        "FILE",
        "Bericht März.pdf",
        len(body),
    )
    status, headers, content = await steps.fetched(place.http, medium["url"])
    assert (status, steps.sha256(content)) == (200, steps.sha256(body))
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment; filename=")
    status, headers, content = await steps.fetched(place.http, medium["url"], headers={"Range": "bytes=5-11"})
    assert (status, content, headers["Content-Range"]) == (206, body[5:12], f"bytes 5-11/{len(body)}")
    assert await steps.stored(place.services, f"incoming/{upload['id']}") == []


async def test_a_picture_has_its_variants(place: Place) -> None:
    ada = await place.phone()
    ready = await steps.uploaded(ada, place.services, steps.picture((700, 500), "PNG"), "image/png")
    assert ready["status"] == "READY"
    assert ready["processedMedia"]["urlExpiresAt"] is not None
    for each in ready["processedMedia"]["renditions"]:
        status, headers, content = await steps.fetched(place.http, each["url"])
        assert (status, len(content)) == (200, each["sizeBytes"])
        assert headers["Content-Type"] == f"image/{each['format'].lower()}"


async def test_public_pictures_come_from_us_with_validators(place: Place) -> None:
    ada = await place.phone()
    ready = await steps.uploaded(
        ada, place.services, steps.picture((300, 300), "PNG"), "image/png", purpose="AVATAR"
    )
    medium = ready["processedMedia"]
    assert [each["width"] for each in medium["renditions"]] == [96, 96, 256, 256, 300, 300]
    assert (medium["urlExpiresAt"], urlsplit(medium["url"]).query) == (None, "")
    assert medium["url"].startswith(f"{place.address}/media/public/")
    status, headers, content = await steps.fetched(place.http, medium["url"])
    assert (status, len(content)) == (200, medium["sizeBytes"])
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    etag = headers["ETag"]
    status, headers, content = await steps.fetched(place.http, medium["url"], headers={"If-None-Match": etag})
    assert (status, content, headers["ETag"]) == (304, b"", etag)
    status, headers, part = await steps.fetched(place.http, medium["url"], headers={"Range": "bytes=-4"})
    assert (status, len(part)) == (206, 4)
    beyond = {"Range": f"bytes={medium['sizeBytes']}-"}
    status, headers, _ = await steps.fetched(place.http, medium["url"], headers=beyond)
    assert (status, headers["Content-Range"]) == (416, f"bytes */{medium['sizeBytes']}")
    async with place.http.head(medium["url"]) as response:
        assert (response.status, int(response.headers["Content-Length"])) == (200, medium["sizeBytes"])
    missing = medium["url"].rpartition("/")[0] + "/97.webp"
    assert (await steps.fetched(place.http, missing))[0] == 404


async def test_addresses_say_how_long_they_live(place: Place) -> None:
    ada = await place.phone()
    body = steps.picture((120, 90))
    upload = await steps.created(ada, body)
    [part] = upload["parts"]
    query = parse_qs(urlsplit(part["url"]).query)
    if place.kind == "s3":
        assert 895 <= int(query["X-Amz-Expires"][0]) <= 900
        assert part["url"].startswith(place.services.settings.s3_endpoint)
    else:
        assert 890 <= int(query["expires"][0]) - clock.timestamp() <= 901
    await steps.send(place.http, upload, body)
    await steps.complete(ada, upload)
    await jobs.run_due(place.services)
    url = (await steps.read(ada, upload["id"]))["processedMedia"]["url"]
    again = (await steps.read(ada, upload["id"]))["processedMedia"]["url"]
    if place.kind == "s3":
        assert 3600 <= int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0]) <= 3900
    else:
        # The same for five minutes, so that a phone finds it in its cache.
        assert url == again or int(clock.timestamp()) % 300 < 5
        clock.shift(timedelta(hours=1, minutes=5, seconds=1))
        assert (await steps.fetched(place.http, url))[0] == 404


async def test_what_was_declared_larger_or_smaller_has_not_arrived(place: Place) -> None:
    """A store that cannot know the size takes anything; completing does not."""
    ada = await place.phone()
    body = steps.picture((100, 100))
    upload = await steps.created(ada, len(body) + 1)
    [part] = upload["parts"]
    async with place.http.put(part["url"], data=io.BytesIO(body)) as response:
        assert response.status == (200 if place.kind == "s3" else 400)
    refused = await steps.complete(ada, upload)
    assert [each["code"] for each in refused["errors"]] == ["UPLOAD_INCOMPLETE"]


async def test_parts_written_after_completing_change_nothing(place: Place) -> None:
    """A client may go on writing where it was sent to: what was scanned is what is shown."""
    ada = await place.phone()
    good, bad = steps.PDF + b"good", steps.PDF + b"evil"
    upload = await steps.created(ada, good, "application/pdf", fileName="a.pdf")
    [part] = upload["parts"]
    await steps.put(place.http, part, good)
    await steps.complete(ada, upload)
    await jobs.run_due(place.services)
    async with place.http.put(part["url"], data=io.BytesIO(bad)) as response:
        assert response.status == (200 if place.kind == "s3" else 409)
    medium = (await steps.read(ada, upload["id"]))["processedMedia"]
    assert (await steps.fetched(place.http, medium["url"]))[2] == good
    clock.shift(timedelta(minutes=17))
    await jobs.run_due(place.services)
    assert await steps.stored(place.services, f"incoming/{upload['id']}") == []


async def test_malware_is_quarantined(place: Place) -> None:
    ada = await place.phone()
    rejected = await steps.uploaded(ada, place.services, steps.EICAR, "text/plain", fileName="a.txt")
    assert (rejected["status"], rejected["failure"], rejected["processedMedia"]) == (
        "REJECTED",
        "MALWARE",
        None,
    )
    key = f"quarantine/{rejected['id']}"
    assert key in await steps.stored(place.services, "quarantine")
    assert await steps.stored(place.services, f"incoming/{rejected['id']}") == []
    for target in (f"/media/{key}", f"/media/public/../{key}"):
        assert (await steps.fetched(place.http, place.address + target))[0] == 404


async def test_a_film_plays_from_its_playlist(place: Place) -> None:
    steps.need_ffmpeg()
    ada = await place.phone()
    ready = await steps.uploaded(ada, place.services, steps.film(), "video/mp4", fileName="a.mp4")
    assert (ready["status"], ready["failure"]) == ("READY", None)
    medium = ready["processedMedia"]
    assert (medium["kind"], medium["mimeType"], medium["width"], medium["height"]) == (
        "VIDEO",
        "video/mp4",
        640,
        360,
    )
    assert 5900 <= medium["durationMs"] <= 6200
    status, headers, content = await steps.fetched(place.http, medium["url"])
    assert (status, headers["Content-Type"]) == (200, "video/mp4")
    assert b"Secret" not in content
    assert b"+54.68" not in content
    for url in (medium["posterUrl"], medium["thumbnailUrl"]):
        status, headers, _ = await steps.fetched(place.http, url)
        assert (status, headers["Content-Type"]) == (200, "image/webp")
    status, headers, listed = await steps.fetched(place.http, medium["hlsUrl"])
    assert (status, headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
    renditions = [line for line in listed.decode().splitlines() if not line.startswith("#")]
    assert renditions == ["240/index.m3u8"]
    assert "RESOLUTION=426x240" in listed.decode()
    base = medium["hlsUrl"].rpartition("/")[0]
    status, _, playlist = await steps.fetched(place.http, f"{base}/240/index.m3u8")
    segments = [line for line in playlist.decode().splitlines() if not line.startswith("#")]
    assert (status, segments) == (200, ["0000.ts", "0001.ts"])
    assert "#EXTINF:4.0" in playlist.decode()
    status, headers, segment = await steps.fetched(place.http, f"{base}/240/{segments[0]}")
    assert (status, headers["Content-Type"], segment[:1]) == (200, "video/mp2t", b"G")


@pytest.mark.parametrize(("change", "failure"), [(b"more", "TOO_LARGE"), (b"", "UNREADABLE")])
async def test_a_part_exchanged_between_completing_and_checking(
    bucket_place: Place, change: bytes, failure: str
) -> None:
    """Only a store that takes anything from who has a URL lets this happen."""
    place = bucket_place
    ada = await place.phone()
    upload = await steps.created(ada, steps.PDF, "application/pdf", fileName="a.pdf")
    [part] = upload["parts"]
    await steps.put(place.http, part, steps.PDF)
    assert (await steps.complete(ada, upload))["errors"] == []
    await steps.put(place.http, part, steps.PDF + change if change else steps.PDF[:-5])
    await jobs.run_due(place.services)
    found = await steps.read(ada, upload["id"])
    assert (found["status"], found["failure"]) == ("REJECTED", failure)


async def test_public_media_come_from_the_cdn_that_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await place.phone()
    named = MediaSettings(media_url="https://cdn.example/m/")
    monkeypatch.setitem(place.services.extra, MediaSettings, named)
    body = steps.picture((96, 96))
    public = (await steps.uploaded(ada, place.services, body, purpose="AVATAR"))["processedMedia"]
    private = (await steps.uploaded(ada, place.services, body))["processedMedia"]
    assert public["url"].startswith("https://cdn.example/m/public/")
    assert not private["url"].startswith("https://cdn.example")
