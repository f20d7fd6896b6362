"""Callbacks of the gateway that pretends: signed as Stripe does, late, doubled or out of order when told."""

import asyncio
import copy
import hmac
import random
from hashlib import sha256
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from core import clock, ids
from devstack.gateway.cards import SECRET

TIMEOUT = ClientTimeout(total=5)
TRIES = 5
PAUSE = 1.0


def signed(body: bytes, secret: str = SECRET) -> str:
    """The header `Stripe-Signature` of a body."""
    at = int(clock.timestamp())
    signature = hmac.digest(secret.encode(), f"{at}.".encode() + body, sha256).hex()
    return f"t={at},v1={signature}"


class Events:
    """Events that wait to be delivered to `url`, if there is one."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.waiting: list[dict[str, Any]] = []
        self.held = False
        """True to deliver nothing by oneself."""
        self.doubled = False
        self.shuffled: random.Random | None = None
        self._news = asyncio.Event()

    def add(self, type: str, changed: dict[str, Any]) -> None:
        """An object has changed: what is told is how it is now."""
        event = {
            "id": f"evt_{ids.new_id('x')[2:]}",
            "object": "event",
            "type": type,
            "created": int(clock.timestamp()),
            "data": {"object": copy.deepcopy(changed)},
        }
        if self.url:
            self.waiting.append(event)
            self._news.set()

    async def deliver(self, http: ClientSession) -> int:
        """Deliver all that wait; how many were sent."""
        batch, self.waiting = self.waiting, []
        if self.doubled:
            batch = [*batch, *batch]
        if self.shuffled is not None:
            self.shuffled.shuffle(batch)
        for event in batch:
            await self.send(http, event)
        return len(batch)

    async def send(self, http: ClientSession, event: dict[str, Any]) -> int:
        """HTTP status with which an event was taken; 0 when nobody answered."""
        body = orjson.dumps(event)
        headers = {"Stripe-Signature": signed(body), "Content-Type": "application/json"}
        try:
            async with http.post(self.url, data=body, headers=headers, timeout=TIMEOUT) as response:
                return response.status
        except (ClientError, TimeoutError, OSError):
            return 0

    async def run(self, http: ClientSession) -> None:
        """Deliver events as they come, for ever; one that nobody takes is tried a few times."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self.waiting and not self.held:
                await self._patiently(http, self.waiting.pop(0))

    async def _patiently(self, http: ClientSession, event: dict[str, Any]) -> None:
        for _ in range(TRIES):
            if 200 <= await self.send(http, event) < 300:
                return
            await asyncio.sleep(PAUSE)
