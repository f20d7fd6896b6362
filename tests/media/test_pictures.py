"""Colours, depths, sizes and movement: what a picture showed is what is shown."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.context import Services
from ports.media import Scanner
from providers import animations, pictures
from tests.conftest import NewPhone
from tests.media import steps
from tests.media.steps import DISPLAY_P3, picture
from tests.phone import Phone

NEAR = 2
"""Tolerance of a grey value, for lossy encoders."""


async def variants(
    phone: Phone, services: Services, body: bytes, mime: str, name: str
) -> tuple[dict[str, Any], dict[str, Image.Image]]:
    """The medium, and its variants by format and width."""
    found = await steps.uploaded(phone, services, body, mime, fileName=name)
    assert (found["status"], found["failure"]) == ("READY", None)
    shown = {}
    for each in found["processedMedia"]["renditions"]:
        _, _, content = await steps.fetched(phone.http, each["url"])
        shown[f"{each['format']} {each['width']}"] = Image.open(io.BytesIO(content))
        assert shown[f"{each['format']} {each['width']}"].size == (each["width"], each["height"])
    return found["processedMedia"], shown


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "colour", "format", "mime"),
    [
        ("RGB", (200, 60, 60), "JPEG", "image/jpeg"),
        ("RGB", (200, 60, 60), "PNG", "image/png"),
        ("RGB", (200, 60, 60), "WEBP", "image/webp"),
        ("RGBA", (200, 60, 60, 254), "PNG", "image/png"),
        ("P", (200, 60, 60), "PNG", "image/png"),
    ],
)
async def test_display_p3_red_is_that_red_in_srgb(
    mode: str, colour: Any, format: str, mime: str, new_phone: NewPhone, services: Services
) -> None:
    image = Image.new("RGB" if mode == "P" else mode, (64, 48), colour)
    options: dict[str, Any] = {"quality": 95} if format in ("JPEG", "WEBP") else {}
    body = saved(image.quantize(4) if mode == "P" else image, format, icc_profile=DISPLAY_P3, **options)
    _, shown = await variants(await new_phone(), services, body, mime, f"a.{format.lower()}")
    for each in shown.values():
        assert "icc_profile" not in each.info
        red, green, blue = each.convert("RGB").getpixel((30, 20))  # type: ignore[misc]
        assert (abs(red - 219), abs(green - 37), abs(blue - 49)) < (4, 4, 4), (red, green, blue)


async def test_sixteen_bits_of_grey_keep_their_ramp(new_phone: NewPhone, services: Services) -> None:
    line = b"".join((value * 257).to_bytes(2, "little") for value in range(256))
    body = saved(Image.frombytes("I;16", (256, 32), line * 32), "PNG")
    _, shown = await variants(await new_phone(), services, body, "image/png", "ramp.png")
    for each in shown.values():
        if each.width == 256:
            ramp = [each.convert("L").getpixel((x, 16)) for x in range(256)]
            assert all(abs(value - x) <= NEAR for x, value in enumerate(ramp)), ramp  # type: ignore[operator]


@pytest.mark.parametrize("size", [(320, 20_000), (1, 20_000), (40_000, 60)])
async def test_a_picture_beyond_webps_limits_is_scaled(
    size: tuple[int, int], new_phone: NewPhone, services: Services
) -> None:
    body = saved(Image.new("RGB", size, (10, 120, 200)), "PNG")
    medium, shown = await variants(await new_phone(), services, body, "image/png", "long.png")
    assert max(medium["width"], medium["height"]) <= 16_383
    whole = max(shown.values(), key=lambda each: each.width)
    if size[0] > 1:
        assert abs(whole.height - size[1] * whole.width / size[0]) <= 1
    assert all(
        abs(one - other) < 8
        for one, other in zip(whole.convert("RGB").getpixel((0, 0)), (10, 120, 200), strict=True)
    )  # type: ignore[arg-type]


async def test_a_panorama_of_fifty_megapixels_is_taken(new_phone: NewPhone, services: Services) -> None:
    body = saved(Image.new("L", (25_000, 2_000), 90), "JPEG", quality=30)
    medium, _ = await variants(await new_phone(), services, body, "image/jpeg", "panorama.jpg")
    assert (medium["width"], medium["height"]) == (1600, 128)


FRAMES = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue", "lime")]
OPTIONS: dict[str, Any] = {"save_all": True, "append_images": FRAMES[1:], "duration": [50, 200, 400]}


@pytest.mark.parametrize(
    ("format", "mime", "options", "loop"),
    [
        pytest.param("GIF", "image/gif", {"loop": 0}, 0, id="GIF for ever"),
        pytest.param("GIF", "image/gif", {}, 1, id="GIF once"),
        pytest.param("GIF", "image/gif", {"loop": 2}, 3, id="GIF twice again"),
        pytest.param("WEBP", "image/webp", {"loop": 5, "lossless": True}, 5, id="WebP"),
        pytest.param("PNG", "image/png", {"loop": 2}, 2, id="APNG"),
        pytest.param("PNG", "image/png", {"default_image": True}, 0, id="APNG with a picture of its own"),
    ],
)
async def test_animated_pictures_keep_moving(
    format: str, mime: str, options: dict[str, Any], loop: int, new_phone: NewPhone, services: Services
) -> None:
    first = FRAMES[0]
    frames = {**OPTIONS, **options}
    if "default_image" in options:
        frames = {**frames, "append_images": FRAMES, "duration": OPTIONS["duration"]}
        first = Image.new("RGB", (60, 40), "yellow")
    body = saved(first, format, **frames)
    name = f"a.{format.lower()}"
    medium, shown = await variants(await new_phone(), services, body, mime, name)
    assert (medium["animation"], medium["mimeType"]) == ("KEPT", "image/webp")
    moving = shown["WEBP 60"]
    assert (moving.n_frames, moving.info["loop"]) == (3, loop)  # type: ignore[attr-defined]
    colours, durations = [], []
    for number in range(3):
        moving.seek(number)
        moving.load()
        colours.append(moving.convert("RGB").getpixel((30, 20)))
        durations.append(moving.info["duration"])
    expected = [(255, 0, 0), (0, 0, 255), (0, 255, 0)]
    assert durations == [50, 200, 400]
    for found, wanted in zip(colours, expected, strict=True):
        assert all(abs(one - other) < 12 for one, other in zip(found, wanted, strict=True)), colours  # type: ignore[arg-type]
    assert getattr(shown["JPEG 60"], "n_frames", 1) == 1


async def test_a_picture_of_one_frame_says_that_it_does_not_move(
    new_phone: NewPhone, services: Services
) -> None:
    medium, shown = await variants(
        await new_phone(), services, picture((60, 40), "GIF"), "image/gif", "a.gif"
    )
    assert medium["animation"] == "NONE"
    assert getattr(shown["WEBP 60"], "n_frames", 1) == 1


async def test_an_animation_that_is_too_long_is_told(new_phone: NewPhone, services: Services) -> None:
    frames = [Image.new("L", (8, 8), number % 250) for number in range(animations.MOST_FRAMES + 1)]
    body = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20)
    medium, shown = await variants(await new_phone(), services, body, "image/gif", "long.gif")
    assert medium["animation"] == "DROPPED"
    assert getattr(shown["WEBP 8"], "n_frames", 1) == 1


@pytest.mark.parametrize(
    ("size", "frames", "kept"),
    [
        ((480, 270), 60, [96, 320, 480]),
        ((1600, 1200), 60, [96, 320, 640]),
        ((800, 600), 240, [96, 320]),
        ((1600, 1200), 63, []),
        ((5000, 5000), 100, []),
        ((8, 8), animations.MOST_FRAMES + 1, []),
    ],
)
def test_long_animations_are_kept_small(size: tuple[int, int], frames: int, kept: list[int]) -> None:
    widths = [
        each
        for each in (96, 320, 480, 640, 1080, 1600)
        if (each <= size[0] and each != 480) or each == size[0]
    ]
    assert animations.affordable(widths, size, frames) == kept


def test_an_animation_that_takes_too_long_to_decode_shows_its_first_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(animations, "MOST_SECONDS", 0)
    (tmp_path / "source").write_bytes(saved(FRAMES[0], "GIF", **OPTIONS))
    told = pictures.develop(tmp_path / "source", tmp_path, [60], "image/gif")
    assert told["animation"] == "DROPPED"
    with Image.open(tmp_path / "60.webp") as shown:
        assert getattr(shown, "n_frames", 1) == 1


@pytest.mark.parametrize("cut", [1, 2, 40, 300])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
async def test_a_jpeg_without_its_last_bytes_is_repaired(
    cut: int, progressive: bool, new_phone: NewPhone, services: Services
) -> None:
    whole = picture((640, 480), progressive=progressive, quality=90)
    _, shown = await variants(await new_phone(), services, whole[:-cut], "image/jpeg", "cut.jpg")
    expected = Image.open(io.BytesIO(whole)).convert("RGB")
    for place in ((5, 5), (320, 240), (600, 420)):
        found, wanted = shown["JPEG 640"].getpixel(place), expected.getpixel(place)
        assert all(abs(one - other) < 12 for one, other in zip(found, wanted, strict=True)), place  # type: ignore[arg-type]


async def test_half_a_jpeg_is_not(new_phone: NewPhone, services: Services) -> None:
    phone = await new_phone()
    for progressive in (False, True):
        whole = picture((640, 480), progressive=progressive)
        half = await steps.uploaded(phone, services, whole[: len(whole) // 2], fileName="half.jpg")
        assert (half["status"], half["failure"]) == ("REJECTED", "UNREADABLE")


async def test_a_photo_whose_metadata_speak_of_svg_is_a_photo(
    new_phone: NewPhone, services: Services
) -> None:
    for words in (b"<svg onload=x>", b"<?xml version='1.0'?><html>", b"made with <script"):
        body = picture((64, 48), comment=words)
        assert words in body[:1024]
        await variants(await new_phone(), services, body, "image/jpeg", "a.jpg")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"width": 20_000, "height": 20_000}, True),
        ({"width": 70_000, "height": 10}, True),
        ({"height": 70_000}, True),
        ({"width": 10_000, "height": 10_000}, False),
        ({"width": 4_000}, False),
    ],
)
async def test_a_picture_that_is_too_large_is_told_before_it_is_sent(
    fields: dict[str, int], refused: bool, new_phone: NewPhone
) -> None:
    made = await steps.create(await new_phone(), 1_000, **fields)
    assert [each["code"] for each in made["errors"]] == (["TOO_LARGE"] if refused else [])
    assert (made["upload"] is None) == refused


async def test_a_file_that_the_scanner_cannot_take_is_told_before_it_is_sent(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.get(Scanner), "largest", 5 * 2**20)
    phone = await new_phone()
    made = await steps.create(phone, 5 * 2**20 + 1, "application/pdf", fileName="a.pdf")
    assert [(each["code"], each["message"], each["field"]) for each in made["errors"]] == [
        ("TOO_LARGE", "At most 5 MiB.", ["sizeBytes"])
    ]
    assert (await steps.create(phone, 5 * 2**20, "application/pdf", fileName="a.pdf"))["errors"] == []
