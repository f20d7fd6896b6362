"""The real graphql-ws and graphql-sse clients through a restart of the server: nothing missed or repeated."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.context import Services
from core.settings import Settings
from devstack.process import free_port
from server import lifespan, process
from tests.chat.steps import CHAT_EVENTS, say, talk
from tests.clients.test_clients import CLIENTS, installed
from tests.conftest import NewPhone
from tests.phone import Phone

__all__ = ["installed"]

PATIENCE = 30.0


class Watcher:
    """clients/live/watch.js or sse.js, line by line."""

    def __init__(self, program: asyncio.subprocess.Process) -> None:
        self._program = program

    async def line(self) -> dict[str, Any]:
        assert self._program.stdout is not None
        async with asyncio.timeout(PATIENCE):
            raw = await self._program.stdout.readline()
        assert raw, "the client has ended"
        found: dict[str, Any] = json.loads(raw)
        return found

    async def until(self, **wanted: Any) -> dict[str, Any]:
        """The next line that says so; what comes before it is passed over."""
        while True:
            line = await self.line()
            if wanted.items() <= line.items():
                return line

    async def texts(self, count: int) -> list[str]:
        """Texts of the next messages; an event that comes again keeps its id, and counts once."""
        seen: dict[str, str] = {}
        while len(seen) < count:
            line = await self.line()
            assert "errors" not in line
            assert "failed" not in line
            if line.get("__typename") == "MessageCreated":
                seen[line["eventId"]] = line["messageEdge"]["node"]["text"]
        return list(seen.values())


@asynccontextmanager
async def watching(program: str, phone: Phone, port: int, chat_id: str) -> AsyncIterator[Watcher]:
    scheme = "ws" if program == "watch" else "http"
    running = await asyncio.create_subprocess_exec(
        "node",
        f"live/{program}.js",
        "chatEvents",
        CHAT_EVENTS,
        json.dumps({"id": chat_id}),
        cwd=CLIENTS,
        env={
            **os.environ,
            "LANDFALL_URL": f"{scheme}://127.0.0.1:{port}/graphql",
            "LANDFALL_TOKEN": phone.token or "",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Watcher(running)
    finally:
        running.kill()
        await running.wait()


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Services]:
    """A second Landfall on a port that stays the same over restarts."""
    own = settings.model_copy(update={"port": free_port()})
    async with lifespan.services(own) as services:
        yield services


CONNECTED = {"watch": {"socket": "connected"}, "sse": {"stream": "connected"}}
# Service restart, or an answer that breaks off: clients come again at once.
CUT = {"watch": {"socket": "closed", "code": 1012}, "sse": {"stream": "cut"}}


@pytest.mark.parametrize("program", ["watch", "sse"])
async def test_a_stream_goes_on_through_a_restart(
    installed: str, program: str, new_phone: NewPhone, other: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat_id, _ = await talk(ada, grace)
    port = other.settings.port
    async with watching(program, grace, port, chat_id) as watcher:
        async with process.listening(other):
            await watcher.until(**CONNECTED[program])
            # The protocol has no word for "listening now".
            await asyncio.sleep(0.5)
            await say(ada, chat_id, "Before")
            assert await watcher.texts(1) == ["Before"]
        await watcher.until(**CUT[program])
        # Said while that server is down, through another.
        for number in range(3):
            await say(ada, chat_id, f"Meanwhile {number}")
        async with process.listening(other):
            await watcher.until(**CONNECTED[program])
            await asyncio.sleep(0.5)
            await say(ada, chat_id, "After")
            texts = await watcher.texts(4)
            # What lies close before the position may come again.
            while "After" not in texts:
                texts += await watcher.texts(1)
            new = [text for text in texts if text not in ("Message 1", "Before")]
            assert new == ["Meanwhile 0", "Meanwhile 1", "Meanwhile 2", "After"]
