"""Content sniffing: true type of a file, against polyglots. Reads files: run it in a thread."""

from pathlib import Path

import puremagic

from core import archives
from resolvers.media import sounds, texts
from resolvers.media.kinds import HEIC, OFFICE, VIDEOS

HEAD, TAIL = 4_096, 65_557
"""Bytes read from both ends; the end of a ZIP archive lies within the second."""
TEXTS = ("text/plain", "text/csv", "text/markdown", "text/vcard")
ZIPS = (
    "application/zip",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
)
INSIDE = {
    f"{OFFICE}.wordprocessingml.document": "word/document.xml",
    f"{OFFICE}.spreadsheetml.sheet": "xl/workbook.xml",
    f"{OFFICE}.presentationml.presentation": "ppt/presentation.xml",
}
BLANKS = b"\xef\xbb\xbf \t\r\n\f\0"
ZIP_END = b"PK\x05\x06"
SCRIPTS = (b"<script", b"<svg", b"<html", b"<!doctype html", b"<?php", b"<?xml", b"#!/")
"""Beginnings of executable content. Further in they are words: of a photo's metadata, or of a song's."""
SOUNDS = {
    "audio/mpeg": sounds.is_mp3,
    "audio/aac": sounds.is_aac,
    "audio/amr": sounds.is_amr,
    "audio/webm": sounds.is_webm,
}
HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}
"""Brands of still pictures; others in the same container are videos, or of other codecs."""
ALIKE = {
    "audio/wav": {"audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/wave"},
    "audio/ogg": {"audio/ogg", "application/ogg", "audio/opus", "video/ogg"},
    "video/mp4": {"video/mp4", "video/x-m4v"},
}


def fits(path: Path, mime: str) -> bool:
    """True if the bytes are of the declared type and of no other that another program might take them for."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read()
    if mime in TEXTS:
        return texts.is_text(path, mime)
    zipped = mime in ZIPS or mime in INSIDE
    if ZIP_END in tail and not zipped:
        return False
    if b"%PDF-" in head[:1024] and mime != "application/pdf":
        return False
    if head.lstrip(BLANKS).lower().startswith(SCRIPTS):
        return False
    if zipped:
        return _is_archive(path, mime)
    if mime in SOUNDS:
        return SOUNDS[mime](path)
    return _by_signature(head, mime)


def _by_signature(head: bytes, mime: str) -> bool:
    if mime in VIDEOS and head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        # One container under many brands: which it is, ffprobe tells.
        return True
    if mime in HEIC:
        return bool(_brands(head) & HEVC_BRANDS)
    if mime == "audio/mp4":
        return sounds.is_m4a(_brands(head))
    if mime == "application/pdf":
        return head.lstrip(BLANKS).startswith(b"%PDF-")
    try:
        found = {each.mime_type for each in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return False
    return bool(found & ALIKE.get(mime, {mime}))


def _brands(head: bytes) -> set[bytes]:
    """Brands that an ISO media file declares."""
    size = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp" or not 16 <= size <= len(head):
        return set()
    return {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}


def _is_archive(path: Path, mime: str) -> bool:
    """True if it is an archive from its first byte to its last, with the entry its type requires."""
    with path.open("rb") as file:
        if file.read(4) not in (b"PK\x03\x04", ZIP_END):
            return False
    try:
        with archives.opened(path) as archive:
            names = set(archive.namelist())
            if mime in INSIDE:
                return {"[Content_Types].xml", INSIDE[mime]} <= names
            if mime.startswith("application/vnd.oasis"):
                return "mimetype" in names and archives.begins(archive, "mimetype", 200) == mime.encode()
    except archives.UNREADABLE:
        return False
    return True
