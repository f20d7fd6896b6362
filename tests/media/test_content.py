"""Content of files: of the declared type, without location data; each hostile kind is refused."""

import asyncio
import io
import zipfile
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from PIL import Image

from core import clock, jobs
from core.context import Services
from ports.media import MediaProcessor
from providers import media_processor
from tests.conftest import NewPhone
from tests.media import steps
from tests.media.steps import EICAR, PDF, archive, noise, picture
from tests.phone import Phone

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCUMENT = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
JPEG, PNG = picture((64, 48)), picture((64, 48), "PNG")


def commented(size: int) -> bytes:
    """An archive whose end stands as far before the file's as it can."""
    out = io.BytesIO(archive(a=b"x"))
    with zipfile.ZipFile(out, "a") as made:
        made.comment = b"c" * size
    return out.getvalue()


async def outcome(
    phone: Any, services: Services, body: bytes, mime: str, name: str
) -> tuple[str, str | None]:
    found = await steps.uploaded(phone, services, body, mime, fileName=name)
    assert (found["processedMedia"] is None) == (found["status"] != "READY")
    return found["status"], found["failure"]


@pytest.mark.parametrize(
    ("mime", "name", "body"),
    [
        pytest.param("image/jpeg", "a.jpg", PNG, id="a PNG that says JPEG"),
        pytest.param("image/png", "a.png", JPEG, id="a JPEG that says PNG"),
        pytest.param("image/jpeg", "a.jpg", SVG, id="SVG with a script as JPEG"),
        pytest.param("image/png", "a.png", HTML, id="HTML as PNG"),
        pytest.param("image/jpeg", "a.jpg", PDF, id="PDF as JPEG"),
        pytest.param("image/jpeg", "a.jpg", b"MZ\x90\x00" + noise(200), id="a Windows program as JPEG"),
        pytest.param("image/gif", "a.gif", b"GIF89a=1;alert(1)//" + archive(a=b"x"), id="GIF and archive"),
        pytest.param("image/jpeg", "a.jpg", JPEG + archive(**{"A.class": b"x"}), id="JPEG and Java archive"),
        pytest.param(
            "image/jpeg", "a.jpg", JPEG + commented(65_535), id="JPEG and archive with a long comment"
        ),
        pytest.param(
            "application/pdf", "a.pdf", PDF + commented(60_000), id="PDF and archive with a comment"
        ),
        pytest.param("audio/mpeg", "a.mp3", steps.mp3() + commented(65_535), id="sound and archive"),
        pytest.param("image/png", "a.png", PNG[:8] + PDF + PNG[8:], id="PNG and PDF"),
        pytest.param("application/pdf", "a.pdf", JPEG, id="JPEG as PDF"),
        pytest.param("application/pdf", "a.pdf", PDF + archive(a=b"x"), id="PDF and archive"),
        pytest.param("application/pdf", "a.pdf", b"<script>1</script>" + PDF, id="PDF behind a script"),
        pytest.param("text/plain", "a.txt", HTML, id="HTML as text"),
        pytest.param("text/plain", "a.txt", SVG, id="SVG as text"),
        pytest.param("text/plain", "a.txt", b"#!/bin/sh\nrm -r /", id="a script as text"),
        pytest.param("text/plain", "a.txt", b"\x7fELF\x02\x01\x00", id="a program as text"),
        pytest.param("text/csv", "a.csv", b"\x81\x8d,1", id="text in no encoding"),
        pytest.param("application/zip", "a.zip", b"MZ" + noise(100) + archive(a=b"x"), id="self-extracting"),
        pytest.param("application/zip", "a.zip", noise(500), id="noise as archive"),
        pytest.param(DOCX, "a.docx", archive(a=b"x"), id="an archive as document"),
        pytest.param(XLSX, "a.xlsx", archive(**DOCUMENT), id="a document as table"),
        pytest.param("audio/mpeg", "a.mp3", PNG, id="PNG as sound"),
        pytest.param("video/webm", "a.webm", PNG, id="PNG as film"),
    ],
)
async def test_bytes_do_not_match_declared_type(
    new_phone: NewPhone, services: Services, mime: str, name: str, body: bytes
) -> None:
    """Row: REJECTED TYPE_MISMATCH."""
    ada = await new_phone("Ada")
    assert await outcome(ada, services, body, mime, name) == ("REJECTED", "TYPE_MISMATCH")


@pytest.mark.parametrize(
    ("mime", "name", "body"),
    [
        pytest.param("image/jpeg", "a.jpg", JPEG, id="JPEG"),
        pytest.param("image/png", "a.png", PNG, id="PNG"),
        pytest.param("image/webp", "a.webp", picture((64, 48), "WEBP"), id="WebP"),
        pytest.param("image/gif", "a.gif", picture((64, 48), "GIF"), id="GIF"),
        pytest.param("application/pdf", "a.pdf", PDF, id="PDF"),
        pytest.param("text/plain", "notes.md", "Grüße\n# Titel\n".encode(), id="text"),
        pytest.param("text/csv", "a.csv", b"a,b\n1,2\n", id="table as text"),
        pytest.param("application/zip", "a.zip", archive(a=b"x"), id="archive"),
        pytest.param(DOCX, "a.docx", archive(**DOCUMENT), id="document"),
        pytest.param("audio/mpeg", "a.mp3", b"ID3\x03\x00" + bytes(100), id="sound"),
    ],
)
async def test_what_is_what_it_says_is_taken(
    new_phone: NewPhone, services: Services, mime: str, name: str, body: bytes
) -> None:
    ada = await new_phone("Ada")
    assert await outcome(ada, services, body, mime, name) == ("READY", None)


@pytest.mark.parametrize(
    ("mime", "name", "body"),
    [
        pytest.param("image/jpeg", "a.jpg", picture((640, 480))[:-2000], id="truncated JPEG"),
        pytest.param("image/png", "a.png", PNG[: len(PNG) // 2], id="truncated PNG"),
        pytest.param("image/png", "a.png", steps.png_claiming(60_000, 60_000), id="decompression bomb"),
        pytest.param("image/png", "a.png", steps.png_claiming(9_999, 9_999), id="large claim, little data"),
        pytest.param("image/png", "a.png", steps.png_claiming(1, 2**31 - 1), id="a very long line"),
        pytest.param("image/jpeg", "a.jpg", JPEG[:20] + noise(300), id="noise behind a JPEG's head"),
    ],
)
async def test_what_cannot_be_decoded_is_unreadable(
    new_phone: NewPhone, services: Services, mime: str, name: str, body: bytes
) -> None:
    ada = await new_phone("Ada")
    assert await outcome(ada, services, body, mime, name) == ("REJECTED", "UNREADABLE")


async def test_a_large_flat_picture_is_worked_on_apart(new_phone: NewPhone, services: Services) -> None:
    """Twelve million pixels in a few kilobytes swell in a process of their own, within its limits."""
    flat = io.BytesIO()
    Image.new("1", (4_000, 3_000)).save(flat, "PNG", optimize=True)
    assert len(flat.getvalue()) < 20_000
    ada = await new_phone("Ada")
    assert await outcome(ada, services, flat.getvalue(), "image/png", "flat.png") == ("READY", None)


async def test_work_that_takes_too_long_is_ended(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_processor, "PICTURE_SECONDS", 0.01)
    ada = await new_phone("Ada")
    assert await outcome(ada, services, JPEG, "image/jpeg", "a.jpg") == ("REJECTED", "UNREADABLE")


async def test_work_that_swells_is_ended(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_processor, "PICTURE_MEMORY", 400 * 2**20)
    flat = io.BytesIO()
    Image.new("L", (9_900, 9_900)).save(flat, "PNG", compress_level=1)
    ada = await new_phone("Ada")
    assert await outcome(ada, services, flat.getvalue(), "image/png", "flat.png") == (
        "REJECTED",
        "UNREADABLE",
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(EICAR, id="alone"),
        pytest.param(b"x" * 1_048_540 + EICAR + b"x" * 100, id="across two pieces"),
    ],
)
async def test_malware_is_found_in_text(new_phone: NewPhone, services: Services, body: bytes) -> None:
    ada = await new_phone("Ada")
    assert await outcome(ada, services, body, "text/plain", "a.txt") == ("REJECTED", "MALWARE")


async def test_malware_is_found_in_archives_and_documents(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    packed = archive(**{"deep/virus.com": EICAR})
    assert await outcome(ada, services, packed, "application/zip", "a.zip") == ("REJECTED", "MALWARE")
    document = archive(**DOCUMENT, **{"word/media/x.bin": EICAR})
    assert await outcome(ada, services, document, DOCX, "a.docx") == ("REJECTED", "MALWARE")


async def test_an_archive_that_unpacks_to_gigabytes_does_not_hold_us_up(
    new_phone: NewPhone, services: Services
) -> None:
    bomb = archive(**{f"{each}": bytes(30 * 2**20) for each in range(12)})
    ada = await new_phone("Ada")
    assert await outcome(ada, services, bomb, "application/zip", "bomb.zip") == ("READY", None)


async def test_damaged_on_its_way(new_phone: NewPhone, services: Services) -> None:
    """CHECKSUM_MISMATCH: what arrived is not what was declared."""
    ada = await new_phone("Ada")
    found = await steps.uploaded(ada, services, JPEG, sha256=steps.sha256(PNG))
    assert (found["status"], found["failure"]) == ("REJECTED", "CHECKSUM_MISMATCH")


async def test_nothing_of_where_it_was_made_comes_along(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    """Position, camera, comments and profiles stay behind; the picture stands upright."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SecretCamera", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (54.0, 40.0, 48.0), 3: "E", 4: (13.0, 25.0, 48.0)})
    body = picture(
        (400, 200), exif=exif.tobytes(), comment=b"SecretComment", icc_profile=b"SecretProfile" * 20
    )
    assert b"SecretCamera" in body
    ada = await new_phone("Ada")
    found = await steps.uploaded(ada, services, body)
    medium = found["processedMedia"]
    assert (medium["width"], medium["height"]) == (200, 400)
    for each in medium["renditions"]:
        _, _, content = await steps.fetched(http, each["url"])
        assert b"Secret" not in content
        with Image.open(io.BytesIO(content)) as opened:
            assert dict(opened.getexif()) == {}
            assert not {"exif", "icc_profile", "comment", "xmp"} & set(opened.info)


async def test_transparent_pictures_stay_so(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (120, 80), (255, 0, 0, 0)).save(out, "PNG")
    ada = await new_phone("Ada")
    medium = (await steps.uploaded(ada, services, out.getvalue(), "image/png"))["processedMedia"]
    assert {each["format"] for each in medium["renditions"]} == {"WEBP", "PNG"}
    for each in medium["renditions"]:
        _, _, content = await steps.fetched(http, each["url"])
        with Image.open(io.BytesIO(content)) as opened:
            assert opened.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]


async def test_a_placeholder_and_a_colour_come_with_every_picture(
    new_phone: NewPhone, services: Services
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), (0, 128, 255)).save(out, "PNG")
    ada = await new_phone("Ada")
    medium = (await steps.uploaded(ada, services, out.getvalue(), "image/png"))["processedMedia"]
    assert len(medium["placeholder"]) == 4 + 2 * 4 * 3
    assert medium["dominantColor"] == "#0080ff"


@pytest.mark.parametrize(
    ("mime", "name", "suffix", "size", "renditions"),
    [
        pytest.param("video/mp4", "a.mp4", "mp4", "854x480", [240, 480], id="MP4"),
        pytest.param("video/webm", "a.webm", "webm", "320x180", [240], id="small WebM"),
    ],
)
async def test_films_of_each_container(
    new_phone: NewPhone,
    services: Services,
    mime: str,
    name: str,
    suffix: str,
    size: str,
    renditions: list[int],
) -> None:
    steps.need_ffmpeg()
    ada = await new_phone("Ada")
    found = await steps.uploaded(ada, services, steps.film(2, size, suffix), mime, fileName=name)
    assert (found["status"], found["failure"]) == ("READY", None)
    medium = found["processedMedia"]
    assert (medium["mimeType"], f"{medium['width']}x{medium['height']}") == (mime, size)
    _, _, listed = await steps.fetched(ada.http, medium["hlsUrl"])
    playlists = [line for line in listed.decode().splitlines() if line[0] != "#"]
    assert playlists == [f"{height}/index.m3u8" for height in renditions]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + noise(500), id="noise"),
        pytest.param("truncated", id="truncated"),
        pytest.param("a playlist", id="a playlist that names other files"),
    ],
)
async def test_films_that_cannot_be_read(new_phone: NewPhone, services: Services, body: Any) -> None:
    steps.need_ffmpeg()
    if body == "truncated":
        whole = steps.film()
        body = whole[: len(whole) // 3]
    if body == "a playlist":
        body = b"\0\0\0\x08ftyp#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\nhttp://127.0.0.1:1/x\n"
    ada = await new_phone("Ada")
    assert await outcome(ada, services, body, "video/mp4", "a.mp4") == ("REJECTED", "UNREADABLE")


async def test_no_picture_waits_for_a_film_nor_a_worker_for_two(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.need_ffmpeg()
    probe, began, go = services.get(MediaProcessor)._probe, asyncio.Event(), asyncio.Event()  # type: ignore[attr-defined]

    async def slow(*args: Any) -> Any:
        began.set()
        await go.wait()
        return await probe(*args)

    monkeypatch.setattr(services.get(MediaProcessor), "_probe", slow)
    ada = await new_phone("Ada")
    films = [await sent(ada, steps.film(2, "320x180"), "video/mp4", "a.mp4")]
    working = asyncio.create_task(jobs.run_due(services))
    await asyncio.wait_for(began.wait(), 20)
    films.append(await sent(ada, steps.film(2, "320x180"), "video/mp4", "a.mp4"))
    picture_id = await sent(ada, JPEG, "image/jpeg", "a.jpg")
    await asyncio.wait_for(jobs.run_due(services), 20)
    states = [(await steps.read(ada, each))["status"] for each in (*films, picture_id)]
    assert states == ["PROCESSING", "UPLOADED", "READY"]
    go.set()
    await working
    clock.shift(timedelta(seconds=5))
    await jobs.run_due(services)
    assert [(await steps.read(ada, each))["status"] for each in films] == ["READY", "READY"]


async def sent(phone: Phone, body: bytes, mime: str, name: str) -> str:
    upload = await steps.created(phone, body, mime, fileName=name)
    assert (await steps.complete(phone, upload, await steps.send(phone.http, upload, body)))["errors"] == []
    return str(upload["id"])
