"""The scanners, and what the settings of storage may say."""

import asyncio
import io
import struct
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.context import Services
from core.settings import Settings
from core.sync.log_offset import Signer
from ports.media import MediaSettings, Scanner, TooLarge
from providers.objects import DiskObjects
from providers.scanner import ClamAV, Signatures
from providers.storage import storage
from resolvers.media import sniffing
from tests.conftest import NewPhone
from tests.media.steps import EICAR, archive, noise, uploaded


@asynccontextmanager
async def clamd(answer: bytes | None) -> AsyncIterator[tuple[ClamAV, list[bytes]]]:
    """Fake ClamAV daemon, which speaks INSTREAM: finds EICAR, or gives a set answer."""
    streams: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        stream = b""
        while size := struct.unpack("!I", await reader.readexactly(4))[0]:
            stream += await reader.readexactly(size)
        streams.append(stream)
        found = b"stream: Eicar-Test-Signature FOUND" if EICAR in stream else b"stream: OK"
        writer.write((answer or found) + b"\0")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield ClamAV("127.0.0.1", port), streams
    finally:
        server.close()
        await server.wait_closed()


async def test_clamav_is_sent_the_file_and_believed(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(noise(2_500_000))
    bad.write_bytes(b"x" * 1_500_000 + EICAR)
    async with clamd(None) as (scanner, streams):
        assert await scanner.threat(good) is None
        assert await scanner.threat(bad) == "Eicar-Test-Signature"
    assert streams == [good.read_bytes(), bad.read_bytes()]


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR", b"stream: Broken ERROR", b"?"])
async def test_what_was_not_scanned_is_not_taken_for_clean(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    async with clamd(answer) as (scanner, _):
        with pytest.raises(ConnectionError):
            await scanner.threat(path)


async def test_a_daemon_that_is_away_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    async with clamd(None) as (scanner, _):
        pass
    with pytest.raises(ConnectionRefusedError):
        await scanner.threat(path)


async def test_the_built_in_scanner_looks_into_archives(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    for content, found in [
        (archive(a=EICAR), "Eicar-Test-Signature"),
        (archive(a=b"fine"), None),
        (archive(a=EICAR)[:-5], None),
        (b"", None),
    ]:
        path.write_bytes(content)
        assert await Signatures().threat(path) == found


def of_zeros(name: str, codec: int, *, first: bytes = b"", mebibytes: int = 24) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", codec) as made, made.open(name, "w") as member:
        member.write(first)
        for _ in range(mebibytes):
            member.write(bytes(2**20))
    return out.getvalue()


def of_members(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a", b"")
    small = out.getvalue()
    at, end = small.index(b"PK\x01\x02"), small.index(b"PK\x05\x06")
    listed = small[at:end] * count
    sizes = struct.pack("<2H2L", count % 2**16, count % 2**16, len(listed), at)
    return small[:at] + listed + small[end : end + 8] + sizes + small[end + 20 :]


ODT = "application/vnd.oasis.opendocument.text"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(of_zeros("mimetype", zipfile.ZIP_DEFLATED, first=ODT.encode()), id="a long mimetype"),
        pytest.param(of_zeros("mimetype", zipfile.ZIP_BZIP2, first=ODT.encode()), id="a mimetype in bzip2"),
        pytest.param(of_zeros("a", zipfile.ZIP_BZIP2), id="a member in bzip2"),
        pytest.param(of_members(100_000), id="a list of 100,000 members"),
    ],
)
async def test_an_archive_takes_no_more_memory_than_it_may(tmp_path: Path, content: bytes) -> None:
    """One of 300 bytes took 444 MiB, and one of 150 KB took 323."""
    path = tmp_path / "file.odt"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        assert not sniffing.fits(path, ODT)
        assert await Signatures().threat(path) is None
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


async def test_a_member_that_is_not_unpacked_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a", b"fine", zipfile.ZIP_BZIP2)
        made.writestr("b", EICAR, zipfile.ZIP_DEFLATED)
    assert await Signatures().threat(path) == "Eicar-Test-Signature"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"media_store": "gs://bucket"}, "LANDFALL_MEDIA_STORE"),
        ({"media_store": "bucket"}, "LANDFALL_MEDIA_STORE"),
        ({"clamd": "localhost"}, "LANDFALL_CLAMD"),
        ({"clamd": ":3310"}, "LANDFALL_CLAMD"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(
    settings: Settings, changes: dict[str, str], name: str
) -> None:
    with pytest.raises(ValueError, match=name):
        storage(settings.model_copy(update=changes), Signer("x" * 32))


def test_settings_choose_scanner_and_films(settings: Settings) -> None:
    made = storage(settings.model_copy(update={"clamd": "127.0.0.1:3310", "video": "off"}), Signer("x" * 32))
    assert isinstance(made.scanner, ClamAV)
    assert made.scanner.largest == MediaSettings.beside(settings).clamd_max_bytes
    assert made.processor.films is False
    assert storage(settings.model_copy(update={"video": "on"}), Signer("x" * 32)).processor.films is True


async def test_keys_never_leave_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("secret")
    objects = DiskObjects(tmp_path / "media", "", Signer("x" * 32))
    await objects.put("private/a/b", b"x", mime="text/plain")
    for key in ("../secret", "private/../../secret", "/etc/passwd", "private/a/../../../secret"):
        assert objects.file(key) is None
        with pytest.raises((ValueError, FileNotFoundError)):
            [piece async for piece in objects.read(key)]
        with pytest.raises((ValueError, FileNotFoundError)):
            await objects.put(f"{key}/../x", b"y", mime="text/plain")
    assert outside.read_text() == "secret"
    for folder in ("..", "../secret", "", "private/.."):
        with pytest.raises(ValueError, match="no folder of the store"):
            await objects.erase(folder)
    await objects.erase("private/a")
    assert list((tmp_path / "media" / "private").iterdir()) == []


async def test_a_daemon_that_has_enough_says_so_and_hangs_up(tmp_path: Path) -> None:
    """Its limit is told in the middle of the stream: final, not tried five times."""
    path = tmp_path / "file"
    path.write_bytes(noise(6_000_000))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100_000)
        writer.write(b"INSTREAM size limit exceeded. ERROR\0")
        await writer.drain()
        writer.write_eof()
        # It reads no more; whoever sends finds the connection gone.
        await asyncio.sleep(0.05)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        scanner = ClamAV("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(TooLarge):
            await scanner.threat(path)
    finally:
        server.close()
        await server.wait_closed()


async def test_an_upload_that_the_scanner_refuses_is_rejected_at_once(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def threat(path: Path) -> str | None:
        raise TooLarge("INSTREAM size limit exceeded. ERROR")

    monkeypatch.setattr(services.get(Scanner), "threat", threat)
    found = await uploaded(await new_phone(), services, noise(100), "text/plain", fileName="a.txt")
    assert (found["status"], found["failure"]) == ("REJECTED", "TOO_LARGE")
