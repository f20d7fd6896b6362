"""Audio sniffing: frame headers of each codec, behind a tag of any size or none."""

from collections.abc import Callable
from pathlib import Path

FrameLength = Callable[[bytes], int | None]

TAG_HEAD = 10
MOST_TAGS = 4
WINDOW = 16_384
"""Bytes searched: more than two frames of any codec."""
MPEG_VERSIONS = {0: "2.5", 2: "2", 3: "1"}
RATES = {"1": (44_100, 48_000, 32_000), "2": (22_050, 24_000, 16_000), "2.5": (11_025, 12_000, 8_000)}
"""Samples per second by version."""
KILOBITS = {
    ("1", 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    ("1", 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    ("1", 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    ("2", 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    ("2", 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    ("2", 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
AMR = (b"#!AMR\n", b"#!AMR-WB\n", b"#!AMR_MC1.0\n", b"#!AMR-WB_MC1.0\n")
EBML = b"\x1a\x45\xdf\xa3"
M4A_BRANDS = {
    *(b"M4A ", b"M4B ", b"M4P ", b"M4V ", b"F4A ", b"F4B ", b"mp41", b"mp42", b"isom", b"iso2", b"iso4"),
    *(b"iso5", b"iso6", b"dash", b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3g2a", b"qt  "),
}


def is_mp3(path: Path) -> bool:
    """A tag, or two MPEG audio frames in a row; the second may be the file's end."""
    start, window = _after_tags(path)
    return start > 0 or _two_frames(window, _mpeg_frame)


def is_aac(path: Path) -> bool:
    """Two ADTS frames in a row, behind a tag or not; or ADIF."""
    _, window = _after_tags(path)
    return window.startswith(b"ADIF") or _two_frames(window, _adts_frame)


def is_amr(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16).startswith(AMR)


def is_webm(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(64)
    return head.startswith(EBML) and b"webm" in head


def is_m4a(brands: set[bytes]) -> bool:
    return bool(brands & M4A_BRANDS)


def _after_tags(path: Path) -> tuple[int, bytes]:
    """Offset and first bytes of the sound behind ID3v2 tags, however long they are."""
    start = 0
    with path.open("rb") as file:
        for _ in range(MOST_TAGS):
            file.seek(start)
            size = _tag_size(file.read(TAG_HEAD))
            if size is None:
                break
            start += size
        file.seek(start)
        return start, file.read(WINDOW)


def _tag_size(head: bytes) -> int | None:
    """Size of an ID3v2 tag with its head and foot; None if there is none."""
    if len(head) < TAG_HEAD or head[:3] != b"ID3" or 0xFF in head[3:5] or max(head[6:10]) > 0x7F:
        return None
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    foot = TAG_HEAD if head[5] & 0x10 else 0
    return TAG_HEAD + size + foot


def _two_frames(window: bytes, length: FrameLength) -> bool:
    first = length(window)
    if first is None:
        return False
    rest = window[first:]
    return not rest or length(rest) is not None or rest[:3] == b"TAG"


def _mpeg_frame(head: bytes) -> int | None:
    """Size in bytes of an MPEG-1, 2 or 2.5 frame of any layer; None if none begins here."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version = MPEG_VERSIONS.get(head[1] >> 3 & 3)
    layer, bits, rate = 4 - (head[1] >> 1 & 3), head[2] >> 4, head[2] >> 2 & 3
    if version is None or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    kilobits = KILOBITS["1" if version == "1" else "2", layer][bits - 1]
    samples, padding = RATES[version][rate], head[2] >> 1 & 1
    if layer == 1:
        return (12_000 * kilobits // samples + padding) * 4
    per_bit = 72_000 if layer == 3 and version != "1" else 144_000
    return per_bit * kilobits // samples + padding


def _adts_frame(head: bytes) -> int | None:
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or (head[2] >> 2 & 15) > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else None
