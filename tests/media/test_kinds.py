"""Kinds of files by what phones really send: each taken under each of its names, and nothing for another."""

import io
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.context import Services
from resolvers.media import sniffing
from resolvers.media.kinds import ALIASES, EXTENSIONS, canonical
from tests.conftest import NewPhone
from tests.media import steps
from tests.media.steps import PDF, mp3, picture


def tagged(size: int, body: bytes) -> bytes:
    """Behind an ID3v2 tag of so many bytes."""
    number = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + number + bytes(size) + body


def adts(frames: int = 3) -> bytes:
    size = 64
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC])
    return (head + bytes(size - len(head))) * frames


def container(brand: bytes, *more: bytes) -> bytes:
    """The first box of an ISO media file."""
    listed = b"".join(more)
    return (16 + len(listed)).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + listed + bytes(64)


WEBM = (
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
    + bytes(99)
)
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë Ångström\r\nEND:VCARD\r\n"
TABLE = "Größe;Preis\r\nklein;2,50 €\r\n"

TAKEN: list[tuple[str, str, bytes, str]] = [
    ("audio/mpeg", "a.mp3", mp3(), "MPEG 1, no tag"),
    ("audio/mpeg", "a.mp3", mp3("2"), "MPEG 2"),
    ("audio/mpeg", "a.mp3", mp3("2.5"), "MPEG 2.5"),
    ("audio/mpeg", "a.mp3", mp3().replace(b"\xff\xfb", b"\xff\xfa"), "MPEG 1 with checksums"),
    ("audio/mpeg", "a.mp3", mp3(frames=1) + b"TAG" + bytes(125), "one frame and a tag at the end"),
    ("audio/mpeg", "a.mp3", tagged(200, mp3()), "a small tag"),
    ("audio/mpeg", "a.mp3", tagged(300_000, mp3("2")), "a tag with a cover"),
    ("audio/mpeg", "a.mp3", tagged(20, tagged(9_000, mp3())), "two tags"),
    ("audio/mp3", "a.mp3", mp3(), "MP3 by another name"),
    ("audio/aac", "a.aac", adts(), "AAC"),
    ("audio/aac", "a.aac", tagged(70, adts()), "AAC behind a tag"),
    ("audio/x-aac", "a.aac", adts(), "AAC by another name"),
    ("audio/amr", "a.amr", b"#!AMR\n" + bytes(90), "AMR"),
    ("audio/amr", "a.awb", b"#!AMR-WB\n" + bytes(90), "wide AMR"),
    ("audio/webm", "a.weba", WEBM, "WebM sound"),
    ("audio/webm;codecs=opus", "a.webm", WEBM, "WebM sound with its codec"),
    *(
        ("audio/mp4", "a.m4a", container(brand), f"M4A of brand {brand.decode()}")
        for brand in (b"M4A ", b"M4B ", b"mp42", b"isom", b"iso5", b"dash", b"3gp4", b"M4V ")
    ),
    ("audio/x-m4a", "a.m4a", container(b"abcd", b"mp41", b"M4A "), "M4A among its other brands"),
    ("image/jpg", "a.jpg", picture((64, 48)), "image/jpg"),
    ("IMAGE/JPG; q=1", "a.jpg", picture((64, 48)), "image/jpg with a parameter"),
    ("text/markdown", "a.md", b"<p align=center>\n\n# Title\n", "Markdown that begins with <"),
    ("text/markdown", "a.md", b"<!-- a comment -->\n# Title\n", "Markdown that begins with a comment"),
    ("text/plain", "a.txt", b"<3 you\n", "a note that begins with <"),
    ("text/plain", "a.txt", "Grüße".encode("cp1252"), "text in Windows-1252"),
    ("text/csv", "a.csv", TABLE.encode("cp1252"), "CSV in Windows-1252"),
    ("text/csv", "a.csv", TABLE.encode("utf-16"), "CSV in UTF-16"),
    ("text/csv", "a.csv", b"\xfe\xff" + TABLE.encode("utf-16-be"), "CSV in UTF-16, the other way"),
    ("text/csv", "a.csv", TABLE.encode("utf-8-sig"), "CSV with a mark"),
    ("text/vcard", "a.vcf", CARD.encode(), "vCard"),
    ("text/x-vcard", "a.vcf", CARD.encode("cp1252"), "an old vCard"),
    ("application/pdf", "a.pdf", PDF + b"<script>", "a PDF that speaks of scripts"),
]
REFUSED: list[tuple[str, str, bytes, str]] = [
    ("audio/mpeg", "a.mp3", b"\xff\xfb\x90\x00" + bytes(900), "one frame's head and zeros"),
    ("audio/mpeg", "a.mp3", adts(), "AAC as MP3"),
    ("audio/mpeg", "a.mp3", picture((64, 48)), "JPEG as MP3"),
    ("audio/mpeg", "a.mp3", b"ID3\x04\xff\x00\0\0\0\0" + bytes(99), "no tag and no frame"),
    ("audio/aac", "a.aac", mp3(), "MP3 as AAC"),
    ("audio/amr", "a.amr", b"#!/bin/sh\n", "a script as AMR"),
    ("audio/webm", "a.weba", WEBM.replace(b"webm", b"mkv_"), "Matroska as WebM"),
    ("audio/mp4", "a.m4a", container(b"heic", b"mif1"), "HEIC as M4A"),
    ("text/markdown", "a.md", b"\xef\xbb\xbf \n<!DOCTYPE  html><p>", "a page as Markdown"),
    ("text/markdown", "a.md", "<script>".encode("utf-16"), "a script in UTF-16"),
    ("text/csv", "a.csv", b"<?xml version='1.0'?><svg/>", "SVG as CSV"),
    ("text/csv", "a.csv", "a\0b".encode("utf-16"), "zeros in UTF-16"),
    ("text/csv", "a.csv", b"\xff\xfe" + b"\x00\xd8", "half a letter in UTF-16"),
    ("text/csv", "a.csv", b"a,b\x00\n", "zeros in CSV"),
    ("text/vcard", "a.vcf", b"FN:Zoe\r\n", "text as vCard"),
    ("application/pdf", "a.pdf", b"x" + PDF, "a PDF that begins late"),
]


def named(cases: list[tuple[str, str, bytes, str]]) -> list[Any]:
    return [pytest.param(mime, name, body, id=told) for mime, name, body, told in cases]


@pytest.mark.parametrize(("mime", "name", "body"), named(TAKEN))
def test_what_phones_send_is_known(mime: str, name: str, body: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(body)
    assert canonical(mime) in EXTENSIONS
    assert name.rpartition(".")[2] in EXTENSIONS[canonical(mime)]
    assert sniffing.fits(file, canonical(mime))


@pytest.mark.parametrize(("mime", "name", "body"), named(REFUSED))
def test_what_is_something_else_is_not(mime: str, name: str, body: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(body)
    assert not sniffing.fits(file, mime)


@pytest.mark.parametrize(
    ("mime", "name", "body"),
    named([each for each in TAKEN if each[3] in ("MPEG 2", "AAC", "AMR", "vCard", "WebM sound with its codec",
           "image/jpg with a parameter", "CSV in UTF-16", "Markdown that begins with <")]),
)  # fmt: skip
async def test_what_phones_send_is_taken(
    mime: str, name: str, body: bytes, new_phone: NewPhone, services: Services
) -> None:
    found = await steps.uploaded(await new_phone(), services, body, mime, fileName=name)
    assert (found["status"], found["failure"]) == ("READY", None)
    if canonical(mime) != "image/jpeg":
        assert found["processedMedia"]["mimeType"] == canonical(mime)


def test_every_other_name_is_of_a_kind_that_is_taken() -> None:
    assert set(ALIASES.values()) <= set(EXTENSIONS)
    assert not set(ALIASES) & set(EXTENSIONS)


@cache
def sound(*options: str, suffix: str) -> bytes:
    """A second of sound by a real encoder."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", *options, "-f", suffix, "-"]
    return subprocess.run(command, check=True, timeout=60, capture_output=True).stdout


@pytest.mark.parametrize(
    ("mime", "options", "suffix"),
    [
        ("audio/mpeg", ("-ar", "44100"), "mp3"),
        ("audio/mpeg", ("-ar", "22050", "-id3v2_version", "0", "-write_xing", "0"), "mp3"),
        ("audio/mpeg", ("-ar", "8000", "-id3v2_version", "0"), "mp3"),
        ("audio/mpeg", ("-c:a", "mp2", "-ar", "48000"), "mp2"),
        ("audio/aac", (), "adts"),
        ("audio/webm", ("-c:a", "libopus"), "webm"),
        ("audio/ogg", ("-c:a", "libopus"), "ogg"),
        ("audio/wav", (), "wav"),
    ],
)
def test_what_real_encoders_write_is_known(
    mime: str, options: tuple[str, ...], suffix: str, tmp_path: Path
) -> None:
    steps.need_ffmpeg()
    file = tmp_path / "file"
    file.write_bytes(sound(*options, suffix=suffix))
    assert sniffing.fits(file, mime)


def test_a_photo_is_no_other_photo(tmp_path: Path) -> None:
    """Each kind of picture is known for itself alone."""
    file = tmp_path / "file"
    kinds = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
    for format in kinds:
        out = io.BytesIO()
        Image.new("RGB", (4, 4)).save(out, format)
        file.write_bytes(out.getvalue())
        assert [mime for mime in kinds.values() if sniffing.fits(file, mime)] == [kinds[format]]
