"""Generated labels of products: brand, name, form and size on the colour of their category."""

import colorsys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import Any

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from devstack.demo.images import Image, write

SIZE = (240, 300)
KEPT = {240: ["WEBP"]}
"""One small size: there are hundreds, and the demo is to be there soon."""
HUES = {
    "Fish Oil & Omegas": 0.56,
    "Vitamins & Minerals": 0.10,
    "Probiotics & Prebiotics": 0.36,
    "Mushrooms & Adaptogens": 0.06,
    "Herbal & Botanical": 0.27,
    "Sleep Support": 0.70,
    "Joint & Mobility": 0.95,
}
LETTERS_A_LINE, MOST_LINES = 17, 4

Label = Mapping[str, Any]


def write_labels(media: Path, labels: Sequence[Label]) -> list[Image]:
    """A label each, in their order: of `slug`, `brand`, `name`, `form`, `size` and `category`."""
    firsts: dict[str, Image] = {}
    for label in labels:
        if label["category"] not in firsts:
            firsts[label["category"]] = _write_label(media, None, label)
    with ThreadPoolExecutor(2) as painters:
        alike = [firsts[label["category"]] for label in labels]
        return list(painters.map(partial(_write_label, media), alike, labels))


def _write_label(media: Path, like: Image | None, label: Label) -> Image:
    return write(media, f"label-{label['slug']}", SIZE, KEPT, partial(_paint, label), like=like)


def _paint(label: Label) -> Pillow.Image:
    hue = HUES.get(label["category"], 0.5)
    dark, light = _colour(hue, 0.65, 0.45), _colour(hue, 0.10, 0.98)
    picture = Pillow.new("RGB", SIZE, light)
    draw = ImageDraw.Draw(picture)
    width, height = SIZE
    draw.rectangle((0, 0, width, 62), fill=dark)
    draw.rectangle((0, height - 54, width, height), fill=_colour(hue, 0.45, 0.75))
    draw.ellipse((width / 2 - 16, 46, width / 2 + 16, 78), fill=light, outline=dark, width=2)
    middle = width / 2
    draw.text((middle, 28), label["brand"].upper(), fill="white", font=_font(15), anchor="mm")
    lines = wrap(label["name"], LETTERS_A_LINE)[:MOST_LINES]
    top = 162 - 14 * (len(lines) - 1)
    for number, line in enumerate(lines):
        draw.text((middle, top + 28 * number), line, fill=dark, font=_font(23), anchor="mm")
    draw.text((middle, height - 35), label["size"], fill="white", font=_font(16), anchor="mm")
    draw.text((middle, height - 15), "Dietary supplement", fill="white", font=_font(11), anchor="mm")
    return picture


_FONTS: dict[int, Any] = {}


def _font(size: int) -> Any:
    if size not in _FONTS:
        _FONTS[size] = ImageFont.load_default(size)
    return _FONTS[size]


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)
