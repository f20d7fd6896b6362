"""Local servers that speak as the providers do."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    form: dict[str, str]
    json: Any = None

    @property
    def login(self) -> tuple[str, str]:
        kind, _, encoded = self.headers["Authorization"].partition(" ")
        assert kind == "Basic"
        login, _, password = base64.b64decode(encoded).decode().partition(":")
        return login, password


@dataclass
class Gateway:
    """Records requests, and gives set answers."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, Callable[[Asked], Awaitable[web.StreamResponse] | web.StreamResponse]] = field(
        default_factory=dict
    )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else None
        form = {} if is_json else {name: str(value) for name, value in (await request.post()).items()}
        asked = Asked(request.path, dict(request.headers), form, body)
        self.asked.append(asked)
        answer = self.answers[request.path](asked)
        return answer if isinstance(answer, web.StreamResponse) else await answer


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    served = Gateway()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        await runner.cleanup()
