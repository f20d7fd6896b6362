"""Pictures made fit to show: turned upright, without metadata, in several sizes; in a process of its own."""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import blurhash
from PIL import Image, ImageChops, ImageCms, ImageOps, features

from ports.media import LONGEST_SIDE, MOST_PIXELS, Animation, Unreadable
from providers import animations

MOVING = ("image/gif", "image/webp", "image/png")
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
HEIF = {"image/heic": "HEIF", "image/heif": "HEIF"}
"""Formats that are decoded, and no others: each decoder is attack surface."""
SUFFIX = {"WEBP": "webp", "JPEG": "jpg", "PNG": "png"}
MIME = {"WEBP": "image/webp", "JPEG": "image/jpeg", "PNG": "image/png"}

TALLEST = 16_383
"""Largest width and height in WebP, in pixels."""
PLACEHOLDER_SIDE = 16
MOST_LOST = 16, 10
"""A JPEG without its end is repaired when at most so many lines are lost, or one in so many."""
GARBAGE = bytes(range(1, 250)) * 256
END_OF_JPEG = b"\xff\xd9"


def develop(source: Path, folder: Path, widths: Sequence[int], mime: str) -> dict[str, Any]:
    """Write the variants of a picture; return their names, sizes, a BlurHash and the main colour."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    if mime in HEIF:
        _learn_heif()
    picture = _decoded(source, mime, max(widths))
    clear = _has_transparency(picture)
    formats = ("WEBP", "PNG") if clear else ("WEBP", "JPEG")
    fitted = fitting(picture.width, widths, picture.height)
    film, animation = _moving(source, mime, fitted) if mime in MOVING else (None, Animation.NONE)
    if film is not None:
        fitted = [each for each in fitted if each <= film.frames[0].width]
    if picture.mode != "CMYK":
        picture = picture.convert("RGBA" if clear else "RGB")
    picture = in_srgb(resized(picture, fitted[-1]), clear=clear)
    variants = []
    for width in fitted:
        scaled = resized(picture, width)
        for each in formats:
            moving = film if each == "WEBP" else None
            variants.append(save(scaled, folder, str(width), each, film=moving))
    return {
        "width": picture.width,
        "height": picture.height,
        "variants": variants,
        "animation": animation,
        "placeholder": placeholder(picture),
        "dominant_color": dominant(picture),
    }


def _moving(source: Path, mime: str, fitted: Sequence[int]) -> tuple[animations.Film | None, Animation]:
    """The picture's frames in the widest size that can be kept, if it has several."""
    try:
        with Image.open(source, formats=[FORMATS[mime]]) as opened:
            frames = animations.frames_of(opened)
            if frames < 2:
                return None, Animation.NONE
            chosen = animations.affordable(fitted, opened.size, frames)
            if not chosen:
                return None, Animation.DROPPED
            profile = opened.info.get("icc_profile")

            def prepare(frame: Image.Image) -> Image.Image:
                frame = ImageOps.exif_transpose(frame)
                frame.info = {"icc_profile": profile} if profile else {}
                return in_srgb(resized(frame, chosen[-1]), clear=True)

            return animations.film(opened, frames, prepare), Animation.KEPT
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        # The first frame is there, or it would not have come so far.
        return None, Animation.DROPPED


def fitting(native: int, widths: Iterable[int], height: int = 1) -> list[int]:
    """The widths a picture is shown in: none is enlarged, a small one keeps its own, none is too tall."""
    wanted = sorted(widths)
    found = [each for each in wanted if each < native] + ([native] if native <= wanted[-1] else [])
    widest = max(1, native * TALLEST // height)
    return [each for each in found if each <= widest] + ([widest] if widest < found[-1] else [])


def resized(picture: Image.Image, width: int) -> Image.Image:
    if width == picture.width and picture.height <= TALLEST:
        return picture
    height = min(TALLEST, max(1, round(picture.height * width / picture.width)))
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def save(
    picture: Image.Image,
    folder: Path,
    name: str,
    format: str,
    *,
    method: int = 4,
    film: animations.Film | None = None,
) -> dict[str, Any]:
    """Write one variant, moving if it is a film; nothing of the source's metadata comes along."""
    path = folder / f"{name}.{SUFFIX[format]}"
    options: dict[str, dict[str, Any]] = {
        "WEBP": {"quality": 80, "method": method},
        "JPEG": {"quality": 82, "optimize": True, "progressive": True},
        "PNG": {"optimize": True},
    }
    if film is None:
        _bare(picture).save(path, format, **options[format])
    else:
        film.save(path, lambda frame: _bare(resized(frame, picture.width)))
    size = path.stat().st_size
    return {
        "name": path.name,
        "width": picture.width,
        "height": picture.height,
        "format": format,
        "size_bytes": size,
    }


def _bare(picture: Image.Image) -> Image.Image:
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    return bare


def in_srgb(picture: Image.Image, *, clear: bool) -> Image.Image:
    """The picture in the colours of screens: what its ICC profile says it means."""
    profile = picture.info.get("icc_profile")
    converted = _by_profile(picture, profile) if profile else None
    if converted is None:
        return picture.convert("RGBA" if clear else "RGB")
    if clear:
        converted.putalpha(picture.convert("RGBA").getchannel("A"))
    return converted


def _by_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """None for a profile that is damaged, or of another kind of picture."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
        if mode is None or (mode == "CMYK") != (picture.mode == "CMYK"):
            return None
        return ImageCms.profileToProfile(
            picture.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


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
    try:
        return _loaded(source, mime, widest)
    except Unreadable:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if mime == "image/jpeg" and "truncated" in str(error):
            return _repaired(source, widest)
        raise Unreadable(f"{type(error).__name__}") from None


def _loaded(source: Path | io.BytesIO, mime: str, widest: int, *, upright: bool = True) -> Image.Image:
    with Image.open(source, formats=[(FORMATS | HEIF)[mime]]) as opened:
        width, height = opened.size
        if not 0 < width * height <= MOST_PIXELS or max(width, height) > LONGEST_SIDE:
            raise Unreadable(f"{width} x {height} pixels")
        if opened.format == "JPEG":
            # Decodes a large photograph at the fraction of its size that is needed.
            opened.draft("RGB", (widest * 2, widest * 2))
        opened.load()
        return _of_eight_bits(ImageOps.exif_transpose(opened) if upright else opened.copy())


def _repaired(source: Path, widest: int) -> Image.Image:
    """A JPEG that ends too early, if hardly anything is missing: what depends on how it goes on is lost."""
    data = source.read_bytes().rstrip(b"\xff")
    try:
        grey, other = (
            _loaded(io.BytesIO(data + end), "image/jpeg", widest, upright=False)
            for end in (END_OF_JPEG, GARBAGE + END_OF_JPEG)
        )
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable(f"{type(error).__name__}") from None
    differs = ImageChops.difference(grey.convert("RGB"), other.convert("RGB")).getbbox()
    least, part = MOST_LOST
    if differs is not None and grey.height - differs[1] > max(least, grey.height // part):
        raise Unreadable("truncated")
    return ImageOps.exif_transpose(grey)


def _of_eight_bits(picture: Image.Image) -> Image.Image:
    """Sixteen bits of grey as eight: all shades, not the darkest alone."""
    if picture.mode.startswith("I"):
        picture.info.pop("transparency", None)
        profile = picture.info.get("icc_profile")
        picture = picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
        if profile:
            picture.info["icc_profile"] = profile
        return picture
    if picture.mode in ("RGB", "RGBA", "L", "CMYK"):
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


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
    """Exit code 3 says that the picture is unreadable; anything else unexpected may be retried."""
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
