"""Graceful shutdown: `landfall serve` gets SIGTERM under load."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from devstack.process import free_port
from devstack.servers import Servers
from tests.commands import LANDFALL, environment
from tests.server.conftest import eventually
from tests.server.test_hostile_documents import SHAPES

LADDER = SHAPES["a ladder of fragments that each spread the next twice"](26)
"""It kept a process busy for minutes."""
DOCUMENTS = [LADDER, *(shape(64) for shape in SHAPES.values())]
SENDERS = 8
START_SECONDS = 90.0
MOST_SECONDS = 8.0
"""From the signal to the end of the process, with a document of each sender to be read, on any machine."""


@pytest.fixture
async def port(servers: Servers, tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A process of its own that is ready, and its port."""
    port = free_port()
    settings = {
        "ENV": "test",
        "MONGO_URL": servers.mongo_url,
        "REDIS_URL": servers.redis_url,
        "MONGO_DATABASE": "stopping",
        "DATA_DIR": str(tmp_path),
        "START_TIMEOUT": str(START_SECONDS),
        "LOG_LEVEL": "WARNING",
        "PORT": str(port),
    }
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            LANDFALL, "serve", env=environment(**settings), stdout=log, stderr=log
        )
    try:
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_process_heard_no_sigterm_while_it_read_hostile_documents(
    port: tuple[asyncio.subprocess.Process, int], http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    process, number = port
    address = f"http://127.0.0.1:{number}"
    await _ready(http, process, address)
    answered: Counter[str] = Counter()
    documents = itertools.cycle(DOCUMENTS)
    sending = [asyncio.create_task(_send(http, address, documents, answered)) for _ in range(SENDERS)]
    try:
        await eventually(lambda: _all(answered), seconds=60)
        started = time.monotonic()
        process.terminate()
        async with asyncio.timeout(30):
            code = await process.wait()
        took = time.monotonic() - started
    finally:
        for each in sending:
            each.cancel()
        ends = await asyncio.gather(*sending, return_exceptions=True)
    said = (tmp_path / "log").read_text()
    assert [each for each in ends if not isinstance(each, asyncio.CancelledError)] == []
    assert code == 0, said
    assert took < MOST_SECONDS
    assert "Traceback" not in said
    assert '"level": "error"' not in said


async def _all(answered: Counter[str]) -> bool:
    return len(answered) == len(set(DOCUMENTS))


async def _ready(http: aiohttp.ClientSession, process: asyncio.subprocess.Process, address: str) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            assert process.returncode is None, "It ended before it was ready."
            try:
                async with http.get(f"{address}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def _send(http: aiohttp.ClientSession, address: str, documents: Any, answered: Counter[str]) -> None:
    """Send one document after another, without a pause, until the server takes no more."""
    for query in documents:
        try:
            async with http.post(f"{address}/graphql", json={"query": query}) as response:
                assert response.status != 500
                await response.read()
        except aiohttp.ClientError:
            await asyncio.sleep(0.01)
        else:
            answered[query] += 1
