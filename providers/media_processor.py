"""Pictures and films worked on in processes of their own: a decoder that swells takes only itself along."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ports.media import Unreadable

PICTURE_SECONDS = 60.0
PROBE_SECONDS = 30.0
FILM_SECONDS = 1_800.0
PICTURE_MEMORY = 2 * 1024**3
FILM_MEMORY = 4 * 1024**3
LONGEST_OUTPUT = 1024 * 1024
LONGEST_FILM = 4 * 3600
MOST_FILM_PIXELS = 8_192 * 4_320
"""8K: a frame of more is no film of a phone."""
NICENESS = 10
"""CPU niceness: requests that wait for an answer go first."""
HEIGHTS = (240, 480, 720)
SEGMENT_SECONDS = 4
KEY_FRAMES = f"expr:gte(t,n_forced*{SEGMENT_SECONDS})"
RATES = {240: ("400k", "64k"), 480: ("1200k", "96k"), 720: ("2800k", "128k")}
"""Bits per second of picture and sound by height."""
CODECS = {"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "h263", "mjpeg", "prores", "mpeg2video"}
DEMUXERS = {"video/mp4": "mov", "video/quicktime": "mov", "video/webm": "matroska"}
UNREADABLE = 3
MOST_PICTURES, MOST_FILMS = 2, 1
LAUNCHER = """
import os, resource, sys
niceness, memory, seconds = map(int, sys.argv[1:4])
os.nice(niceness)
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.execvp(sys.argv[4], sys.argv[4:])
"""
"""Sets the limits on itself before it becomes the program."""
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "LANG": "C.UTF-8",
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
}
"""All they need of ours: no keys and no addresses."""


class LocalMediaProcessor:
    """Implements `ports.media.MediaProcessor`."""

    def __init__(self, *, films: bool) -> None:
        self._films = films
        self._heic = find_spec("pillow_heif") is not None
        # A worker shares its machine; and no picture waits for a film.
        self._pictures = asyncio.Semaphore(MOST_PICTURES)
        self._reels = asyncio.Semaphore(MOST_FILMS)

    @property
    def films(self) -> bool:
        return self._films

    @property
    def heic(self) -> bool:
        return self._heic

    @property
    def full(self) -> bool:
        return self._reels.locked()

    async def picture(self, source: Path, folder: Path, widths: Sequence[int], mime: str) -> dict[str, Any]:
        arguments = [str(source), str(folder), json.dumps(list(widths)), mime]
        command = [sys.executable, "-m", "providers.pictures", *arguments]
        async with self._pictures:
            told = await _run(
                command, seconds=PICTURE_SECONDS, memory=PICTURE_MEMORY, unreadable=(UNREADABLE,)
            )
        return dict(json.loads(told))

    async def film(self, source: Path, folder: Path, mime: str) -> dict[str, Any]:
        async with self._reels:
            stream = await self._probe(source, mime)
            suffix = "webm" if mime == "video/webm" else "mp4"
            bare = folder / f"film.{suffix}"
            await _ffmpeg(
                mime, source, "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", *BARE, *FAST[suffix], str(bare)
            )
            poster = folder / "poster.png"
            at = min(stream["duration"] / 10, 3.0)
            await _ffmpeg(mime, source, "-frames:v", "1", *BARE, str(poster), seek=at)
            await self._segments(source, folder / "hls", mime, stream)
        return {
            "main": bare.name,
            "hls": "hls/index.m3u8",
            "poster": poster,
            "width": stream["width"],
            "height": stream["height"],
            "duration_ms": round(stream["duration"] * 1000),
        }

    async def _probe(self, source: Path, mime: str) -> dict[str, Any]:
        command = [
            "ffprobe",
            "-v",
            "error",
            *_input(mime),
            "-of",
            "json",
            "-show_format",
            "-show_streams",
            str(source),
        ]
        told = json.loads(await _run(command, seconds=PROBE_SECONDS, memory=FILM_MEMORY))
        streams = [each for each in told.get("streams", []) if each.get("codec_type") == "video"]
        if not streams or streams[0].get("codec_name") not in CODECS:
            raise Unreadable("no picture that can be decoded")
        return _measures(streams[0], told.get("format", {}), any_sound(told))

    async def _segments(self, source: Path, folder: Path, mime: str, stream: Mapping[str, Any]) -> None:
        """A rendition per height that the film reaches, the lowest in any case, and the list of them."""
        heights = [each for each in HEIGHTS if each <= stream["short"]] or [HEIGHTS[0]]
        listed = ["#EXTM3U", "#EXT-X-VERSION:3"]
        for height in heights:
            rendition = folder / str(height)
            rendition.mkdir(parents=True)
            picture, sound = RATES[height]
            size = f"scale='if(gt(iw,ih),-2,{height})':'if(gt(iw,ih),{height},-2)'"
            await _ffmpeg(
                mime, source, "-map", "0:v:0", "-map", "0:a:0?", "-vf", size, "-c:v", "libx264",
                "-preset", "veryfast", "-profile:v", "main", "-pix_fmt", "yuv420p", "-b:v", picture,
                "-maxrate", picture, "-bufsize", picture, "-force_key_frames", KEY_FRAMES,
                "-c:a", "aac", "-b:a", sound, "-ac", "2", *BARE, "-f", "hls",
                "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod",
                "-hls_segment_filename", str(rendition / "%04d.ts"),
                str(rendition / "index.m3u8"),
            )  # fmt: skip
            wide, high = _scaled(stream, height)
            bits = _bits(picture) + (_bits(sound) if stream["sound"] else 0)
            listed += [f"#EXT-X-STREAM-INF:BANDWIDTH={bits},RESOLUTION={wide}x{high}", f"{height}/index.m3u8"]
        (folder / "index.m3u8").write_text("\n".join(listed) + "\n")


BARE = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn")
"""Nothing but picture and sound: phones write where they were."""
FAST = {"mp4": ("-movflags", "+faststart", "-f", "mp4"), "webm": ("-f", "webm")}


def any_sound(told: Mapping[str, Any]) -> bool:
    return any(each.get("codec_type") == "audio" for each in told.get("streams", []))


def _measures(stream: Mapping[str, Any], container: Mapping[str, Any], sound: bool) -> dict[str, Any]:
    """Size as it is shown, upright, and length."""
    try:
        width, height = int(stream["width"]), int(stream["height"])
        duration = float(container.get("duration") or stream.get("duration") or 0)
    except (KeyError, ValueError):
        raise Unreadable("no size or length") from None
    if not 0 < width * height <= MOST_FILM_PIXELS or not 0 < duration <= LONGEST_FILM:
        raise Unreadable("too large, too long or empty")
    turned = any(abs(int(each.get("rotation", 0))) % 180 == 90 for each in stream.get("side_data_list", []))
    if turned:
        width, height = height, width
    return {
        "width": width,
        "height": height,
        "short": min(width, height),
        "duration": duration,
        "sound": sound,
    }


def _scaled(stream: Mapping[str, Any], short: int) -> tuple[int, int]:
    other = round(max(stream["width"], stream["height"]) * short / stream["short"] / 2) * 2
    return (other, short) if stream["width"] > stream["height"] else (short, other)


def _bits(rate: str) -> int:
    return int(rate.removesuffix("k")) * 1000


def _input(mime: str) -> list[str]:
    # One container format and files alone: a playlist in disguise must not make us fetch addresses.
    return ["-protocol_whitelist", "file", "-f", DEMUXERS[mime]]


async def _ffmpeg(mime: str, source: Path, *output: str, seek: float = 0.0) -> None:
    start = ["-ss", f"{seek:.3f}"] if seek else []
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-y",
        "-threads",
        "2",
        *start,
        *_input(mime),
        "-i",
        str(source),
    ]
    await _run([*command, *output], seconds=FILM_SECONDS, memory=FILM_MEMORY)


async def _run(
    command: Sequence[str], *, seconds: float, memory: int, unreadable: Sequence[int] | None = None
) -> bytes:
    """Run a command and return its output.

    Unreadable when it takes too long, or exits with one of these codes (any failure, when none are named).
    """

    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(NICENESS), str(memory), str(int(seconds) * 2)]
    process = await asyncio.create_subprocess_exec(
        *launcher,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LONGEST_OUTPUT,
        env=ENVIRONMENT,
    )
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
    except TimeoutError:
        raise Unreadable("took too long") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return output
    if unreadable is None or process.returncode in unreadable or (process.returncode or 0) < 0:
        raise Unreadable(f"{Path(command[0]).name} ended with {process.returncode}")
    raise RuntimeError(f"{Path(command[0]).name} ended with {process.returncode}")


def ffmpeg_found() -> bool:
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None
