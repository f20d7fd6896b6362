"""Animated pictures kept moving: GIF, WebP and APNG as animated WebP, within limits on frames and pixels."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

MOST_FRAMES = 1_000
MOST_DECODED = 120_000_000
"""Pixels of all frames as they come."""
MOST_SECONDS = 5
"""Of work to decode them: decoders differ, and so do machines."""
MOST_ENCODED = 40_000_000
"""Pixels of all frames of all widths: two or three seconds of work."""
SHORTEST_FRAME, USUAL_FRAME = 20, 100
"""Milliseconds: what is shorter, browsers show for as long as the latter."""

Prepare = Callable[[Image.Image], Image.Image]


class TooSlow(ValueError):
    """Decoding the frames takes longer than it may."""


@dataclass(frozen=True, slots=True)
class Film:
    """Frames in the widest size that is kept, with how long each is shown."""

    frames: Sequence[Image.Image]
    durations: Sequence[int]
    loop: int

    def save(self, path: Path, scale: Prepare) -> None:
        first, *rest = [scale(frame) for frame in self.frames]
        first.save(
            path,
            "WEBP",
            save_all=True,
            append_images=rest,
            duration=list(self.durations),
            loop=self.loop,
            quality=70,
            method=2,
        )


def frames_of(opened: Image.Image) -> int:
    """Number of frames to show; no more are counted than may be kept."""
    found = getattr(opened, "n_frames", 1)
    return int(found) - bool(opened.info.get("default_image"))


def affordable(widths: Sequence[int], size: tuple[int, int], frames: int) -> list[int]:
    """The widths, narrowest first, in which so many frames can be kept; none when it is too much."""
    width, height = size
    if frames > MOST_FRAMES or frames * width * height > MOST_DECODED:
        return []
    chosen, spent = [], 0
    for each in sorted(widths):
        spent += frames * each * max(1, round(height * each / width))
        if spent > MOST_ENCODED:
            break
        chosen.append(each)
    return chosen


def film(opened: Image.Image, frames: int, prepare: Prepare) -> Film:
    """All frames, made fit to show and scaled."""
    first = 1 if opened.info.get("default_image") else 0
    shown, durations, most = [], [], time.process_time() + MOST_SECONDS
    for number in range(first, first + frames):
        opened.seek(number)
        shown.append(prepare(opened.convert("RGBA")))
        durations.append(_duration(opened.info))
        if time.process_time() > most:
            raise TooSlow(f"{number} of {frames} frames")
    return Film(shown, durations, _loop(opened))


def _duration(info: dict[Any, Any]) -> int:
    told = round(float(info.get("duration") or 0))
    return told if told >= SHORTEST_FRAME else USUAL_FRAME


def _loop(opened: Image.Image) -> int:
    """Number of plays, 0 for ever: a GIF stores the number of repeats, or nothing for one play."""
    told = opened.info.get("loop")
    if opened.format == "GIF":
        return 1 if told is None else int(told) + 1 if told else 0
    return int(told or 0)
