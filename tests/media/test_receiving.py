"""Upload addresses of parts: signed, of exact size, bounded, with a time-out."""

import asyncio
import gzip
import io
import tracemalloc
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from core import jobs
from core.context import Services
from routes import media as files
from tests.conftest import NewPhone
from tests.media import steps
from tests.phone import Phone

JPEG = steps.picture((64, 48))


async def part_of(phone: Phone, body: bytes = JPEG) -> tuple[dict[str, Any], str]:
    upload = await steps.created(phone, body)
    return upload, upload["parts"][0]["url"]


async def put(http: aiohttp.ClientSession, url: str, body: Any, **options: Any) -> int:
    async with http.put(
        url, data=io.BytesIO(body) if isinstance(body, bytes) else body, **options
    ) as response:
        await response.read()
        return response.status


async def test_an_address_that_was_tampered_with_is_refused(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    upload, url = await part_of(ada)
    other, _ = await part_of(ada)
    key = f"incoming/{upload['id']}/1"
    forged = [
        url.partition("?")[0],
        url.replace(upload["id"], other["id"]),
        url.replace("/1?", "/2?"),
        url.replace(f"size={len(JPEG)}", f"size={len(JPEG) + 1}"),
        url.replace("expires=", "expires=9"),
        url[:-1] + ("A" if url[-1] != "A" else "B"),
        url.replace("signature=", "signature="[:-1] + "=x"),
        url.replace("/uploads/", "/uploads/../"),
    ]
    for each in forged:
        assert await put(http, each, JPEG) in (403, 404, 405), each
    assert await steps.stored(services, f"incoming/{upload['id']}") == []
    # Signed by us, but for no part of an upload: the media folder stays out of reach.
    for target in ("public/x/y.webp", "incoming/upload_x/1", "incoming/../signing-key.pem", f"{key}/1"):
        ours = services.signer.link("put", target, len(JPEG), 9_999_999_999)
        address = f"{url.partition('/uploads/')[0]}/uploads/{target}"
        query = f"size={len(JPEG)}&expires=9999999999&signature={ours}"
        assert await put(http, f"{address}?{query}", JPEG) in (403, 404)


async def test_exactly_what_was_announced(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    ada = await new_phone("Ada")
    upload, url = await part_of(ada)
    assert await put(http, url, JPEG + b"x") == 400
    assert await put(http, url, JPEG[:-1]) == 400
    packed = gzip.compress(JPEG)
    _, other = await part_of(ada, packed)
    assert await put(http, other, packed, headers={"Content-Encoding": "gzip"}) == 400
    reader, writer = await raw_put(url, "Transfer-Encoding: chunked")
    assert b" 411 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    async with http.post(url, data=io.BytesIO(JPEG)) as response:
        assert response.status == 405
    async with http.get(url) as response:
        assert response.status == 405
    assert await steps.stored(services, f"incoming/{upload['id']}") == []
    assert await put(http, url, JPEG) == 200
    # Sent again after a lost answer.
    assert await put(http, url, JPEG) == 200
    assert len(await steps.stored(services, f"incoming/{upload['id']}")) == 1


async def raw_put(url: str, length: int | str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A PUT whose body is still to come."""
    parts = urlsplit(url)
    if isinstance(length, int):
        length = f"Content-Length: {length}"
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(
        f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{length}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    return reader, writer


async def test_who_is_cut_off_leaves_nothing(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    body = steps.PDF + steps.noise(3_000_000)
    upload = await steps.created(ada, body, "application/pdf", fileName="a.pdf")
    _, writer = await raw_put(upload["parts"][0]["url"], len(body))
    writer.write(body[:2_000_000])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.2)
    assert await steps.stored(services, f"incoming/{upload['id']}") == []
    assert (await steps.read(ada, upload["id"]))["status"] == "PENDING"
    folder = services.settings.media_dir / "incoming" / upload["id"]
    assert list(folder.rglob("*")) == []
    # What a killed process leaves half written goes with the rest.
    (folder / "1#1").write_bytes(b"half")
    await ada.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
    await jobs.run_due(services)
    assert not folder.exists()


async def test_who_falls_silent_is_sent_away(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SILENCE_SECONDS", 0.1)
    ada = await new_phone("Ada")
    upload, url = await part_of(ada)
    reader, writer = await raw_put(url, len(JPEG))
    writer.write(JPEG[:100])
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert await steps.stored(services, f"incoming/{upload['id']}") == []


async def test_who_drips_is_sent_away(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PART_SECONDS", 0.3)
    ada = await new_phone("Ada")
    upload, url = await part_of(ada)
    reader, writer = await raw_put(url, len(JPEG))

    async def drip() -> None:
        for each in JPEG:
            writer.write(bytes([each]))
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
    dripping.cancel()
    writer.close()
    assert await steps.stored(services, f"incoming/{upload['id']}") == []


async def test_too_many_at_once_try_again(
    new_phone: NewPhone, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_AT_ONCE", 0)
    ada = await new_phone("Ada")
    _, url = await part_of(ada)
    async with http.put(url, data=io.BytesIO(JPEG)) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "2")


async def test_a_part_is_never_whole_in_memory(new_phone: NewPhone, services: Services) -> None:
    """Eight parts of eight mebibytes at once: what the process holds of them stays small."""
    ada = await new_phone("Ada")
    size = steps.PART
    upload = await steps.created(ada, 8 * size, "video/mp4", fileName="a.mp4")
    tracemalloc.start()
    try:
        piece = bytes(64 * 1024)

        async def one(url: str) -> bytes:
            reader, writer = await raw_put(url, size)
            for _ in range(size // len(piece)):
                writer.write(piece)
                await writer.drain()
            answer = await reader.readline()
            writer.close()
            return answer

        answers = await asyncio.gather(*(one(part["url"]) for part in upload["parts"]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(b" 200 " in each for each in answers)
    assert peak < 3 * size, f"{peak:,} bytes"
    print(f"\nEight parts of 8 MiB at once: {peak / 2**20:.1f} MiB of Python memory at most")
