"""Generated pictures: landscapes, soft shapes and waves for posts, initials for people."""

import base64
import colorsys
import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import pi, sin
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter, ImageFont, ImageOps

from devstack.demo.people import Person, plain
from providers import pictures

Colour = tuple[int, int, int]
Painter = Callable[[tuple[int, int], Random], Pillow.Image]

SIZES = ((1080, 1350), (1080, 1080), (1600, 900), (1080, 1350), (1350, 1080), (900, 1600))
PICTURES = {320: ["WEBP"], 640: ["WEBP"]}
WIDEST = ["WEBP", "JPEG"]
AVATAR = 512
AVATARS = {96: ["WEBP"], 256: ["WEBP"], 512: ["WEBP"]}
"""Formats of each width; fewer than of uploads, so that the demo is there soon."""
CROWD = 200
"""The first so many people each have a picture of their own."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture on disk: its folder in the media folder, and its variants there, narrowest first."""

    folder: str
    variants: list[dict[str, Any]]
    placeholder: str
    dominant_color: str

    def named(self, name: str) -> dict[str, Any]:
        return next(each for each in self.variants if each["name"] == name)


def write_images(media: Path, count: int, rng: Random) -> list[Image]:
    """Pictures for posts; those that are there already stay as they are."""
    return [_write_picture(media, number, rng.getrandbits(32)) for number in range(count)]


def write_avatars(media: Path, people: Iterable[Person]) -> list[Image]:
    """One round picture a person, in their order; of crowds, one for all who have the same initials."""
    faces: dict[str, Image] = {}
    shown = []
    for number, each in enumerate(people):
        initials = _initials(each)
        if number < CROWD or initials not in faces:
            name = f"avatar-{each.handle}"
            faces[initials] = write(media, name, (AVATAR, AVATAR), AVATARS, partial(_avatar, each))
        shown.append(faces[initials])
    return shown


def _write_picture(media: Path, number: int, seed: int) -> Image:
    rng = Random(seed)
    painter = PAINTERS[number % len(PAINTERS)]
    size = SIZES[rng.randrange(len(SIZES))]
    # The seed is in the name, so a picture that exists is the one this would write.
    return write(
        media,
        f"{painter.__name__}-{seed:08x}",
        size,
        {**PICTURES, size[0]: WIDEST},
        partial(painter, size, rng),
    )


def write(
    media: Path,
    name: str,
    size: tuple[int, int],
    kept: Mapping[int, Sequence[str]],
    paint: Callable[[], Pillow.Image],
    *,
    like: Image | None = None,
) -> Image:
    """`kept` are the formats of each width; a picture `like` another looks the same from afar."""
    token = base64.b32encode(hashlib.sha256(name.encode()).digest()[:16]).decode().rstrip("=").lower()
    folder = media / "public" / token
    if not folder.exists():
        # Renamed when whole: a run that was stopped leaves no half picture that the next one would keep.
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        picture = paint()
        for width in pictures.fitting(picture.width, kept):
            scaled = pictures.resized(picture, width)
            for format in kept[width]:
                pictures.save(scaled, part, str(width), format, method=1)
        part.rename(folder)
    widths = pictures.fitting(size[0], kept)
    variants = [_variant(folder, size, width, format) for width in widths for format in kept[width]]
    if like is not None:
        return Image(f"public/{token}", variants, like.placeholder, like.dominant_color)
    with Pillow.open(folder / variants[0]["name"]) as smallest:
        return Image(f"public/{token}", variants, pictures.placeholder(smallest), pictures.dominant(smallest))


def _variant(folder: Path, size: tuple[int, int], width: int, format: str) -> dict[str, Any]:
    name = f"{width}.{pictures.SUFFIX[format]}"
    return {
        "name": name,
        "width": width,
        "height": max(1, round(size[1] * width / size[0])),
        "format": format,
        "size_bytes": (folder / name).stat().st_size,
    }


def _hills(size: tuple[int, int], rng: Random) -> Pillow.Image:
    """Ridges in the haze, a low sun above them."""
    hue = rng.random()
    picture = _gradient(size, _colour(hue, 0.45, 0.75), _colour(hue + 0.1, 0.2, 1.0))
    _blend_disc(picture, _colour(hue + 0.1, 0.12, 1.0), rng)
    layers = rng.randint(4, 6)
    for layer in range(layers):
        near = layer / layers
        colour = _colour(hue + 0.03 * layer, 0.3 + 0.3 * near, 0.75 - 0.55 * near)
        _paint_below(picture, _ridge(size, 0.45 + 0.5 * near, 0.1 - 0.04 * near, rng), colour)
    return picture


def _waves(size: tuple[int, int], rng: Random) -> Pillow.Image:
    """Bands of neighbouring colours."""
    hue, step = rng.random(), rng.uniform(0.02, 0.06)
    picture = _gradient(size, _colour(hue, 0.3, 0.98), _colour(hue + step, 0.4, 0.9))
    for layer in range(1, 8):
        colour = _colour(hue + step * layer, 0.35 + 0.05 * layer, 0.95 - 0.07 * layer)
        _paint_below(picture, _ridge(size, 0.12 * layer, 0.05, rng), colour)
    return picture


def _lights(size: tuple[int, int], rng: Random) -> Pillow.Image:
    """Discs out of focus, as in a photograph of a street at night."""
    hue = rng.random()
    small = (size[0] // 4, size[1] // 4)
    picture = _gradient(small, _colour(hue, 0.7, 0.25), _colour(hue + 0.15, 0.6, 0.5))
    for _ in range(rng.randint(14, 26)):
        glow = Pillow.new("L", small, 0)
        x, y, radius = rng.randrange(small[0]), rng.randrange(small[1]), rng.randrange(8, small[0] // 5)
        ImageDraw.Draw(glow).ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=rng.randrange(40, 130)
        )
        picture.paste(_colour(hue + rng.uniform(-0.1, 0.25), 0.4, 1.0), mask=glow)
    return picture.filter(ImageFilter.GaussianBlur(3)).resize(size, Pillow.Resampling.BICUBIC)


def _paper(size: tuple[int, int], rng: Random) -> Pillow.Image:
    """Large flat shapes, slightly soft, like cut paper."""
    hue = rng.random()
    half = (size[0] // 2, size[1] // 2)
    picture = _gradient(half, _colour(hue, 0.12, 0.98), _colour(hue + 0.05, 0.2, 0.92))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(5, 9)):
        x, y, radius = rng.randrange(half[0]), rng.randrange(half[1]), rng.randrange(60, half[0] // 3)
        colour = _colour(
            hue + rng.choice((0, 0.08, 0.5, 0.58)), rng.uniform(0.3, 0.65), rng.uniform(0.7, 0.95)
        )
        draw.regular_polygon(
            (x, y, radius), rng.choice((3, 4, 6, 40)), rotation=rng.randrange(90), fill=colour
        )
    return picture.filter(ImageFilter.GaussianBlur(0.8)).resize(size, Pillow.Resampling.BICUBIC)


PAINTERS: tuple[Painter, ...] = (_hills, _lights, _waves, _paper)


def _avatar(person: Person) -> Pillow.Image:
    rng = Random(person.handle)
    hue, size = rng.random(), (AVATAR, AVATAR)
    picture = _gradient(size, _colour(hue, 0.5, 0.78), _colour(hue + 0.12, 0.7, 0.5))
    font = ImageFont.load_default(AVATAR * 0.4)
    centre = (AVATAR / 2, AVATAR / 2)
    ImageDraw.Draw(picture).text(centre, _initials(person), fill="white", font=font, anchor="mm")
    round_mask = Pillow.new("L", size, 0)
    ImageDraw.Draw(round_mask).ellipse((0, 0, AVATAR - 1, AVATAR - 1), fill=255)
    picture.putalpha(round_mask)
    return picture


def _initials(person: Person) -> str:
    # The built-in font has Latin letters only.
    letters = plain(person.first_name)[:1] + plain(person.last_name)[:1]
    return (letters or person.handle[:1]).upper()


def _gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Pillow.Image:
    return ImageOps.colorize(Pillow.linear_gradient("L").resize(size), top, bottom)


def _blend_disc(picture: Pillow.Image, colour: Colour, rng: Random) -> None:
    width, height = picture.size
    x, y, radius = (
        rng.randrange(width // 5, width * 4 // 5),
        rng.randrange(height // 6, height // 2),
        width // 11,
    )
    disc = Pillow.new("L", (width // 4, height // 4), 0)
    box = ((x - radius) // 4, (y - radius) // 4, (x + radius) // 4, (y + radius) // 4)
    ImageDraw.Draw(disc).ellipse(box, fill=230)
    picture.paste(colour, mask=disc.filter(ImageFilter.GaussianBlur(2)).resize(picture.size))


def _ridge(size: tuple[int, int], level: float, swing: float, rng: Random) -> list[tuple[float, float]]:
    """A line across the picture: `level` from its top and `swing` around it, both as parts of its height."""
    width, height = size
    tones = [(rng.uniform(0.5, 1.5) * 2**k, rng.uniform(0, 2 * pi), swing / 1.8**k) for k in range(4)]

    def at(x: float) -> float:
        return height * (level + sum(part * sin(x * rate * 2 * pi + phase) for rate, phase, part in tones))

    return [(width * step / 90, at(step / 90)) for step in range(91)]


def _paint_below(picture: Pillow.Image, line: list[tuple[float, float]], colour: Colour) -> None:
    width, height = picture.size
    ImageDraw.Draw(picture).polygon([*line, (width, height), (0, height)], fill=colour)


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(saturation, 1.0), min(value, 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)
