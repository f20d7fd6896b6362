"""Pictures made fit to show: turned upright, without metadata, in several sizes; in a process of its own."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import blurhash
from PIL import Image, ImageOps, features

from core.ports import Unreadable

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
HEIF = {"image/heic": "HEIF", "image/heif": "HEIF"}
"""What is decoded, and nothing else: each decoder is something to attack."""
SUFFIX = {"WEBP": "webp", "JPEG": "jpg", "PNG": "png"}
MIME = {"WEBP": "image/webp", "JPEG": "image/jpeg", "PNG": "image/png"}

MOST_PIXELS = 100_000_000
LONGEST_SIDE = 20_000
PLACEHOLDER_SIDE = 16


def develop(source: Path, folder: Path, widths: Sequence[int], mime: str) -> dict[str, Any]:
    """Write the variants of a picture; tells their names, sizes, a BlurHash and the main colour."""
    picture = _decoded(source, mime, max(widths))
    clear = _has_transparency(picture)
    formats = ("WEBP", "PNG") if clear else ("WEBP", "JPEG")
    picture = picture.convert("RGBA" if clear else "RGB")
    fitted = fitting(picture.width, widths)
    picture = resized(picture, fitted[-1])
    variants = []
    for width in fitted:
        scaled = resized(picture, width)
        variants += [save(scaled, folder, str(width), each) for each in formats]
    return {
        "width": picture.width,
        "height": picture.height,
        "variants": variants,
        "placeholder": placeholder(picture),
        "dominant_color": dominant(picture),
    }


def fitting(native: int, widths: Iterable[int]) -> list[int]:
    """The widths a picture is shown in: none is enlarged, and a small one keeps its own."""
    wanted = sorted(widths)
    return [each for each in wanted if each < native] + ([native] if native <= wanted[-1] else [])


def resized(picture: Image.Image, width: int) -> Image.Image:
    if width == picture.width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def save(picture: Image.Image, folder: Path, name: str, format: str, *, method: int = 4) -> dict[str, Any]:
    """Write one variant; nothing of the source's metadata comes along."""
    path = folder / f"{name}.{SUFFIX[format]}"
    options: dict[str, dict[str, Any]] = {
        "WEBP": {"quality": 80, "method": method},
        "JPEG": {"quality": 82, "optimize": True, "progressive": True},
        "PNG": {"optimize": True},
    }
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    bare.save(path, format, **options[format])
    size = path.stat().st_size
    return {
        "name": path.name,
        "width": picture.width,
        "height": picture.height,
        "format": format,
        "size_bytes": size,
    }


def placeholder(picture: Image.Image) -> str:
    """BlurHash of four by three parts."""
    small = picture.convert("RGB").resize((PLACEHOLDER_SIDE, PLACEHOLDER_SIDE))
    pixels = [[small.getpixel((x, y)) for x in range(PLACEHOLDER_SIDE)] for y in range(PLACEHOLDER_SIDE)]
    encoded: str = blurhash.encode(pixels, components_x=4, components_y=3)
    return encoded


def dominant(picture: Image.Image) -> str:
    colours = picture.convert("RGB").resize((32, 32)).quantize(4)
    palette = colours.getpalette() or []
    index = max(enumerate(colours.histogram()), key=lambda entry: entry[1])[0]
    red, green, blue = palette[index * 3 : index * 3 + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _decoded(source: Path, mime: str, widest: int) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    if mime in HEIF:
        _learn_heif()
    try:
        with Image.open(source, formats=[(FORMATS | HEIF)[mime]]) as opened:
            width, height = opened.size
            if not 0 < width * height <= MOST_PIXELS or max(width, height) > LONGEST_SIDE:
                raise Unreadable(f"{width} x {height} pixels")
            if opened.format == "JPEG":
                # Decodes a large photograph at the fraction of its size that is needed.
                opened.draft("RGB", (widest * 2, widest * 2))
            opened.load()
            return ImageOps.exif_transpose(opened)
    except Unreadable:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise Unreadable(f"{type(error).__name__}") from None


def _learn_heif() -> None:
    """Not before one is to be decoded: what is not loaded is not attacked."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def _has_transparency(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    least, _ = picture.convert("RGBA").getchannel("A").getextrema()
    return bool(least < 255)  # type: ignore[operator]


def main(source: str, folder: str, widths: str, mime: str) -> int:
    """Exit code 3 says that the picture is unreadable; anything else unexpected may be tried again."""
    if not features.check("webp"):
        return 4
    try:
        told = develop(Path(source), Path(folder), json.loads(widths), mime)
    except (Unreadable, MemoryError):
        return 3
    sys.stdout.write(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
