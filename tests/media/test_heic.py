"""Pictures as iPhones take them, where the library for them is installed."""

import io
from typing import Any

import aiohttp
import pillow_heif
import pytest
from PIL import Image

from core.context import Services
from ports.media import MediaProcessor
from providers.media_processor import LocalMediaProcessor as Workshop
from tests.conftest import NewPhone
from tests.media import steps

UPRIGHT_TURNED_RIGHT = 6
"""EXIF's word for a phone that was held upright."""


def heic(size: tuple[int, int] = (640, 480), **options: Any) -> bytes:
    picture = Image.open(io.BytesIO(steps.picture(size, "PNG")))
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=60, **options)
    return out.getvalue()


PLAIN = heic()


@pytest.mark.parametrize(("mime", "name"), [("image/heic", "IMG_0001.HEIC"), ("image/heif", "a.heif")])
async def test_a_heic_picture_becomes_webp_and_jpeg(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession, mime: str, name: str
) -> None:
    ada = await new_phone("Ada")
    exif = Image.Exif()
    exif[0x0112] = UPRIGHT_TURNED_RIGHT
    exif[0x010F] = "Secret maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (54.0, 40.0, 48.0)})
    body = heic(exif=exif.tobytes())
    assert b"Secret maker" in body
    ready = await steps.uploaded(ada, services, body, mime, fileName=name)
    assert (ready["status"], ready["failure"]) == ("READY", None)
    medium = ready["processedMedia"]
    # Upright.
    assert (medium["kind"], medium["width"], medium["height"]) == ("IMAGE", 480, 640)
    assert {each["format"] for each in medium["renditions"]} == {"WEBP", "JPEG"}
    for each in medium["renditions"]:
        status, _, content = await steps.fetched(http, each["url"])
        assert (status, b"Secret" in content) == (200, False)
        with Image.open(io.BytesIO(content)) as shown:
            assert (shown.format, dict(shown.getexif())) == (each["format"], {})


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        pytest.param(steps.picture((64, 48)), "TYPE_MISMATCH", id="a JPEG that says HEIC"),
        pytest.param(PLAIN.replace(b"heic", b"avif"), "TYPE_MISMATCH", id="AVIF"),
        pytest.param(b"\x00\x00\x00\x14ftypisom" + bytes(8) + PLAIN[20:], "TYPE_MISMATCH", id="a film"),
        pytest.param(PLAIN + steps.archive(a=b"x"), "TYPE_MISMATCH", id="HEIC and archive"),
        pytest.param(PLAIN[: len(PLAIN) // 2], "UNREADABLE", id="truncated"),
        pytest.param(PLAIN[:64] + steps.noise(500), "UNREADABLE", id="noise behind a head"),
    ],
)
async def test_what_is_no_heic_picture(
    new_phone: NewPhone, services: Services, body: bytes, failure: str
) -> None:
    ada = await new_phone("Ada")
    found = await steps.uploaded(ada, services, body, "image/heic", fileName="a.heic")
    assert (found["status"], found["failure"], found["processedMedia"]) == ("REJECTED", failure, None)


async def test_heic_is_refused_where_nothing_decodes_it(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent, so that the app can make a JPEG of it."""
    monkeypatch.setattr(services.get(MediaProcessor), "_heic", False)
    ada = await new_phone("Ada")
    asked = {"purpose": "CHAT_ATTACHMENT", "fileName": "a.heic", "mimeType": "image/heic", "sizeBytes": 1000}
    refused = await ada.do("createUpload", "upload { id }", **asked)
    assert refused["upload"] is None
    assert [(each["code"], each["message"], each["field"]) for each in refused["errors"]] == [
        ("MIME_NOT_ALLOWED", "This server takes no HEIC pictures: send a JPEG.", ["mimeType"])
    ]


def test_the_library_is_found() -> None:
    assert Workshop(films=False).heic is True
