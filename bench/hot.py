"""Figures of hot things: `make bench-hot`. Many act on one thing at once, and on as many different ones."""

import argparse
import asyncio
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.console import console
from bench.engine import Bench, running
from bench.engine import _ready as ready
from devstack.process import free_port
from stores.catalog.roles import CATALOG_ADMIN
from tests.catalog.steps import on_sale, row, staff
from tests.phone import Failed, Phone

out = console(110)

MANY = 200
RATIO = 3.0
"""Most times as long as on different things that it may take on one."""

Act = Callable[[Phone, str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """Contention case: one act, done by all to one thing, and by each to a thing of their own."""

    name: str
    act: Act
    one: Sequence[str]
    many: Sequence[str]
    """By person."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-hot", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few people: does everything work?")
    quick = parser.parse_args().quick
    asyncio.run(_measure(30 if quick else MANY))


async def _measure(many: int) -> None:
    table = Table("acts at once", "web processes", "different things", "one thing", "ratio", "failed")
    async with running() as bench, _another(bench) as other:
        people = [await bench.phone(f"Person {number}") for number in range(many)]
        for processes in (1, 2):
            urls = itertools.cycle([bench.url, other][:processes])
            for phone in people:
                phone.url = next(urls)
            for case in await _cases(bench, people):
                apart, failed_apart = await _timed(case, people, case.many)
                together, failed = await _timed(case, people, case.one)
                ratio = together / apart
                failures = (
                    ", ".join(f"{count} {why}" for why, count in (failed + failed_apart).items()) or "0"
                )
                told = f"[red]{ratio:.2f}" if ratio > RATIO else f"{ratio:.2f}"
                name = f"{many} {case.name}"
                table.add_row(name, str(processes), f"{apart:.2f} s", f"{together:.2f} s", told, failures)
    out.print(table)


@asynccontextmanager
async def _another(bench: Bench) -> AsyncIterator[str]:
    """A second web process over the same databases."""
    port = free_port()
    settings = bench.services.settings
    environment = {
        "LANDFALL_ENV": "test",
        "LANDFALL_PORT": str(port),
        "LANDFALL_MONGO_URL": settings.mongo_url,
        "LANDFALL_REDIS_URL": settings.redis_url,
        "LANDFALL_SECRET": settings.secret.get_secret_value(),
        "LANDFALL_SIGNING_KEY_FILE": str(settings.signing_key_file),
        "LANDFALL_RATE_SCALE": "1000000",
        "LANDFALL_LOG_LEVEL": "ERROR",
    }
    command = (sys.executable, "-m", "server", "serve")
    web = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
    try:
        await ready(bench.http, port)
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        web.terminate()
        await asyncio.wait_for(web.wait(), 20)


async def _timed(case: Case, people: Sequence[Phone], things: Sequence[str]) -> tuple[float, Counter[str]]:
    """Seconds, and why what failed did."""
    started = time.perf_counter()
    acts = [case.act(phone, thing) for phone, thing in zip(people, things, strict=True)]
    answers = await asyncio.gather(*acts, return_exceptions=True)
    seconds = time.perf_counter() - started
    return seconds, Counter(why for each in answers if (why := _failure(each)) is not None)


def _failure(answer: Any) -> str | None:
    if isinstance(answer, Failed):
        return str(answer.errors[0]["extensions"]["code"])
    if isinstance(answer, BaseException):
        return type(answer).__name__
    return str(answer["errors"][0]["code"]) if answer["errors"] else None


async def _cases(bench: Bench, people: Sequence[Phone]) -> list[Case]:
    one, other = people[0], people[1]
    posts = [await _post(each) for each in people]
    hot, fresh = await _post(one), await _post(one)
    star = people[-1]
    ring = [each.user_id for each in (*people[1:], people[0])]
    own = [await _chat(each, follower) for each, follower in zip(people, (*people[1:], one), strict=True)]
    listed = [await _chat(each, star) for each in people[:-1]]
    shared = await _chat(one, other)
    sold = await _products(bench, len(people) + 1)

    async def comment(phone: Phone, id: str) -> Any:
        return await phone.do("createComment", "post { commentCount }", postId=id, text="Hello")

    async def react(phone: Phone, id: str) -> Any:
        return await phone.do("setReaction", "subject { __typename }", subjectId=id, kind="LIKE")

    async def follow(phone: Phone, id: str) -> Any:
        if id == phone.user_id:
            id = one.user_id
        return await phone.do("followUser", "user { followerCount }", userId=id)

    async def send(phone: Phone, id: str) -> Any:
        sender = phone if id != shared else (one if people.index(phone) % 2 else other)
        return await sender.do("sendMessage", "message { sequence }", chatId=id, text="Hello")

    async def review(phone: Phone, id: str) -> Any:
        return await phone.do("submitReview", "review { id }", productId=id, rating=5)

    def all_at(thing: str) -> Sequence[str]:
        return [thing] * len(people)

    return [
        Case("comments on posts", comment, all_at(hot), posts),
        Case("reactions to posts", react, all_at(fresh), posts),
        Case("follows of people", follow, all_at(star.user_id), ring),
        Case("messages in chats", send, all_at(shared), own),
        Case("messages to people", send, [*listed, listed[0]], own),
        Case("reviews of products", review, all_at(sold[0]), sold[1:]),
    ]


async def _products(bench: Bench, count: int) -> list[str]:
    """Products on sale."""

    async def new_phone(name: str) -> Phone:
        return await bench.phone(name)

    admin = await staff(new_phone, bench.services, CATALOG_ADMIN)
    made: list[str] = []
    while len(made) < count:
        rows = [row() for _ in range(min(50, count - len(made)))]
        made += [product["id"] for product in await on_sale(bench.services, admin, *rows)]
    return made


async def _post(phone: Phone) -> str:
    return str((await phone.do("createPost", "post { id }", text="Hi", visibility="PUBLIC"))["post"]["id"])


async def _chat(one: Phone, other: Phone) -> str:
    """A chat in which something was said."""
    made = await one.do("createChat", "chat { id }", userId=other.user_id)
    id = str(made["chat"]["id"])
    await one.do("sendMessage", "message { id }", chatId=id, text="Hi")
    return id


if __name__ == "__main__":
    main()
