"""Figures of chats: `make bench-chat`. One web process, 500 chats whose people are online."""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from rich.table import Table

from bench.console import console
from bench.engine import Bench, running
from bench.report import machine
from core import logs
from core.context import Context, Viewer
from core.settings import Settings
from resolvers.chat import opening
from tests.phone import Phone, Socket, key, make_user, sign_in_directly

out = console(110)

ACCEPTED = 0.060
DELIVERED = 0.100
ENOUGH = 10.0
"""Seconds after the last message until everything must have arrived."""
AT_ONCE = 8
"""People signed in side by side."""

SEND = """mutation Send($input: SendMessageInput!) { sendMessage(input: $input) {
  message { id sequence status createdAt } chat { id lastSequence preview } errors { code message } } }"""
WATCH = """subscription Watch($id: ID!) { chatEvents(chatId: $id) { __typename ... on Event { eventId at }
  ... on MessageCreated { messageEdge { node { id text sequence sender { id } } } } } }"""


@dataclass(frozen=True, slots=True)
class Plan:
    chats: int = 500
    rate: float = 30.0
    """Messages a second, over all chats, at random moments."""
    seconds: float = 30.0
    warm_up: float = 5.0


QUICK = Plan(chats=20, rate=10.0, seconds=3.0, warm_up=1.0)


@dataclass
class Pair:
    """One who writes and one who has the chat open."""

    writer: Phone
    reader: Phone
    chat_id: str


@dataclass
class Seen:
    """Seconds from the moment a message was sent."""

    sent: dict[str, float] = field(default_factory=dict)
    accepted: list[float] = field(default_factory=list)
    delivered: dict[str, float] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    """All that was sent has arrived."""

    def arrived(self, text: str, now: float) -> None:
        if text in self.sent:
            self.delivered.setdefault(text, now - self.sent[text])
        if len(self.delivered) == len(self.sent):
            self.complete.set()


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-chat", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few chats for a moment: does everything work?")
    parser.add_argument("--rate", type=float, default=Plan().rate, help="messages a second over all chats")
    chosen = parser.parse_args()
    plan = QUICK if chosen.quick else Plan(rate=chosen.rate)
    asyncio.run(run(plan))


async def run(plan: Plan) -> None:
    logs.configure(Settings(log_level="ERROR"))
    async with running() as bench:
        out.print(machine())
        pairs = await _pairs(bench, plan.chats)
        seen = Seen()
        listening = await _listen(bench, pairs, seen)
        cpu = bench.process.cpu_times()
        before = cpu.user + cpu.system
        count = await _talk(bench, pairs, seen, plan)
        cpu = bench.process.cpu_times()
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        _show(plan, seen, count, (cpu.user + cpu.system - before) / count * 1000)


async def _pairs(bench: Bench, count: int) -> list[Pair]:
    made: list[Pair] = []
    for start in range(0, count, AT_ONCE):
        made += await asyncio.gather(*(_pair(bench) for _ in range(min(AT_ONCE, count - start))))
    return made


async def _pair(bench: Bench) -> Pair:
    phones = []
    for name in ("Writer", "Reader"):
        user_id = await make_user(bench.services, name)
        phones.append(await sign_in_directly(bench.services, Phone(bench.http, bench.url), user_id))
    writer, reader = phones
    viewer = Viewer(reader.user_id, reader.session_id, reader.device_id)
    ctx = Context(bench.services, viewer=viewer)
    # Opened by the reader, so that it is in their list before anything is said; the writer joins.
    made = await ctx.unit(lambda: opening.create_chat(ctx, user_id=writer.user_id))  # type: ignore[arg-type]
    other = Context(bench.services, viewer=Viewer(writer.user_id, writer.session_id, writer.device_id))
    await other.unit(lambda: opening.create_chat(other, user_id=reader.user_id))  # type: ignore[arg-type]
    return Pair(writer, reader, made["chat"]["_id"])


async def _listen(bench: Bench, pairs: Sequence[Pair], seen: Seen) -> list[asyncio.Task[None]]:
    """Every reader on a socket of their own, with the chat open."""
    tasks, ready = [], []
    for pair in pairs:
        opened = asyncio.Event()
        tasks.append(asyncio.create_task(_read(pair, seen, opened)))
        ready.append(opened.wait())
        if len(ready) >= AT_ONCE:
            await asyncio.gather(*ready)
            ready = []
    await asyncio.gather(*ready)
    # The protocol has no word for "listening now".
    await asyncio.sleep(2)
    return tasks


async def _read(pair: Pair, seen: Seen, opened: asyncio.Event) -> None:
    async with pair.reader.socket() as socket:
        payload = {"query": WATCH, "variables": {"id": pair.chat_id}}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        opened.set()
        while True:
            event = await _next(socket)
            now = time.perf_counter()
            if event.get("__typename") == "MessageCreated":
                seen.arrived(event["messageEdge"]["node"]["text"], now)


async def _next(socket: Socket) -> dict[str, Any]:
    message = await socket.receive(timeout=600)
    if message["type"] != "next" or message["payload"].get("errors"):
        raise RuntimeError(f"The stream said {json.dumps(message)[:500]}")
    event: dict[str, Any] = message["payload"]["data"]["chatEvents"]
    return event


async def _talk(bench: Bench, pairs: Sequence[Pair], seen: Seen, plan: Plan) -> int:
    """Messages at random moments; how many were sent in all."""
    rng = random.Random(1)
    started = time.perf_counter()
    sending: set[asyncio.Task[None]] = set()
    due, number = started, 0
    while due < started + plan.warm_up + plan.seconds:
        due += rng.expovariate(plan.rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        number += 1
        counted = due >= started + plan.warm_up
        task = asyncio.create_task(_say(bench.http, rng.choice(pairs), f"Message {number}", seen, counted))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.gather(*sending)
    if len(seen.delivered) < len(seen.sent):
        seen.complete.clear()
        async with asyncio.timeout(ENOUGH):
            await seen.complete.wait()
    return number


async def _say(http: aiohttp.ClientSession, pair: Pair, text: str, seen: Seen, counted: bool) -> None:
    input = {"idempotencyKey": key(), "chatId": pair.chat_id, "text": text}
    body = json.dumps({"query": SEND, "variables": {"input": input}})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {pair.writer.token}"}
    sent = time.perf_counter()
    if counted:
        seen.sent[text] = sent
    async with http.post(pair.writer.url, data=body, headers=headers) as response:
        answer = await response.json()
    if answer.get("errors") or answer["data"]["sendMessage"]["errors"]:
        raise RuntimeError(json.dumps(answer)[:500])
    if counted:
        seen.accepted.append(time.perf_counter() - sent)


def _show(plan: Plan, seen: Seen, count: int, cpu: float) -> None:
    table = Table(title=f"{plan.chats} chats, {plan.rate:g} messages/s, {len(seen.accepted)} counted")
    for column in ("From sending until", "p50 ms", "p95 ms", "p99 ms", "Target, p95 ms"):
        table.add_column(column, justify="left" if column.startswith("From") else "right")
    for name, values, target in (
        ("accepted", seen.accepted, ACCEPTED),
        ("shown to the online peer", list(seen.delivered.values()), DELIVERED),
    ):
        cuts = statistics.quantiles(values, n=100)
        row = (f"{1000 * each:.1f}" for each in (cuts[49], cuts[94], cuts[98]))
        table.add_row(name, *row, f"{1000 * target:.0f}")
    out.print(table)
    out.print(f"CPU of the web process: {cpu:.1f} ms for a message sent and delivered; {count} in all.")


if __name__ == "__main__":
    main()
