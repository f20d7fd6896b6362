"""Codes in pictures, read by ZXing in a thread: its decoder is native, and lets others run."""

import asyncio
import io
from collections.abc import Sequence

import zxingcpp
from PIL import Image

MOST_PIXELS = 4_000_000
"""Of pictures that are looked at; renditions of uploads have fewer."""


class PictureCodes:
    """Implements `ports.barcode.CodeReader`."""

    async def codes(self, picture: bytes) -> Sequence[str]:
        return await asyncio.to_thread(read, picture)


def read(picture: bytes) -> list[str]:
    try:
        with Image.open(io.BytesIO(picture)) as image:
            if image.width * image.height > MOST_PIXELS:
                return []
            found = zxingcpp.read_barcodes(image.convert("L"), text_mode=zxingcpp.TextMode.Plain)
    except (OSError, ValueError, Image.DecompressionBombError):
        return []
    return [each.text for each in found]
