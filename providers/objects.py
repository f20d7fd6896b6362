"""Files in an object store, by obstore: a folder on disk by default, S3 and what speaks its protocol."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, S3Store

from core import clock
from core.ports import Stored
from core.sync.log_offset import Signer

PIECE = 256 * 1024
"""Bytes in memory per transfer."""
S3_PIECE = 8 * 1024 * 1024
"""S3 takes no smaller parts than five."""


class Kept:
    """Base of both object store drivers."""

    piece = PIECE
    local = False
    _store: LocalStore | S3Store

    async def put(
        self,
        key: str,
        body: Path | bytes | AsyncIterator[bytes],
        *,
        mime: str,
        disposition: str | None = None,
    ) -> str:
        stored = await obstore.put_async(
            self._store,
            key,
            body,
            chunk_size=self.piece,
            max_concurrency=2,
            **self._attributes(mime, disposition),
        )
        return _etag(stored)

    async def put_once(self, key: str, body: bytes, *, mime: str) -> None:
        try:
            await obstore.put_async(self._store, key, body, mode="create", **self._attributes(mime, None))
        except AlreadyExistsError:
            raise FileExistsError(key) from None

    def _attributes(self, mime: str, disposition: str | None) -> dict[str, Any]:
        return {}

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        bounds: dict[str, Any] = {}
        if end is not None:
            bounds = {"options": {"range": (start, end)}}
        elif start:
            bounds = {"options": {"range": {"offset": start}}}
        found = await obstore.get_async(self._store, key, **bounds)
        async for piece in found.stream(min_chunk_size=PIECE):
            yield bytes(piece)

    async def stat(self, key: str) -> Stored | None:
        try:
            return _stored(await obstore.head_async(self._store, key))
        except FileNotFoundError:
            return None

    async def under(self, folder: str) -> list[Stored]:
        found: list[Stored] = []
        async for batch in obstore.list(self._store, folder):
            found += [_stored(each) for each in batch]
        return found

    async def copy(self, key: str, to: str) -> None:
        await obstore.copy_async(self._store, key, to)

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            with contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, key)

    async def erase(self, folder: str) -> None:
        await self.delete([each.key for each in await self.under(folder)])


class DiskObjects(Kept):
    """Implements `core.ports.ObjectStore` in a folder; our own server takes and gives the files."""

    local = True

    def __init__(self, folder: Path, public_url: str, signer: Signer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(folder)
        self._folder = folder.resolve()
        self._public_url = public_url.rstrip("/")
        self._signer = signer

    def upload_url(self, key: str, *, size: int, expires_at: datetime, origin: str) -> str:
        expires = round(expires_at.timestamp())
        signature = self._signer.link("put", key, size, expires)
        query = f"size={size}&expires={expires}&signature={signature}"
        return f"{self._public_url or origin}/uploads/{quote(key)}?{query}"

    def direct_url(self, key: str, *, expires_at: datetime) -> str | None:
        return None

    def file(self, key: str) -> Path | None:
        path = self._folder / key
        # A link, or a key that climbs, resolves elsewhere.
        inside = path.resolve() == path and path.is_relative_to(self._folder)
        return path if inside and path.is_file() else None

    async def erase(self, folder: str) -> None:
        path = (self._folder / folder).resolve()
        if path == self._folder or not path.is_relative_to(self._folder):
            raise ValueError(f"{folder!r} is no folder of the store.")
        # Files that a killed process left half written are there too, though the store lists them not.
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


class S3Objects(Kept):
    """Implements `core.ports.ObjectStore` in a bucket; clients speak with it directly."""

    piece = S3_PIECE

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        endpoint: str,
        region: str,
        key_id: str,
        secret: str,
        locks: bool = False,
    ) -> None:
        options: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        if locks:
            # A bucket with object lock takes nothing without one.
            options["checksum_algorithm"] = "SHA256"
        # Without keys of ours: those of the machine or container.
        if key_id:
            options |= {"access_key_id": key_id, "secret_access_key": secret}
        self._store = self._bucket = S3Store(
            bucket,
            prefix=prefix or None,
            region=region,
            client_options={
                "timeout": "60s",
                "connect_timeout": "5s",
                "allow_http": endpoint[:5] == "http:",
            },
            retry_config={"max_retries": 3},
            **options,
        )

    def _attributes(self, mime: str, disposition: str | None) -> dict[str, Any]:
        given = {"Content-Type": mime, "Cache-Control": "private, max-age=3600"}
        return {"attributes": given | ({"Content-Disposition": disposition} if disposition else {})}

    def upload_url(self, key: str, *, size: int, expires_at: datetime, origin: str) -> str:
        return obstore.sign(self._bucket, "PUT", key, expires_at - clock.now())

    def direct_url(self, key: str, *, expires_at: datetime) -> str | None:
        return obstore.sign(self._bucket, "GET", key, expires_at - clock.now())

    def file(self, key: str) -> Path | None:
        return None


def _stored(meta: Any) -> Stored:
    return Stored(meta["path"], meta["size"], _etag(meta))


def _etag(meta: Any) -> str:
    return str(meta["e_tag"] or "").strip('"')
