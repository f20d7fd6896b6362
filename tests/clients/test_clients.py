"""The programs under clients/, run by Node against this Landfall as their users would."""

import asyncio
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from core import jobs
from core.context import Services
from core.settings import Settings
from jobs import catalog
from resolvers.auth.lockout import SIGN_IN_RATE
from resolvers.feed.posts import POST_RATE
from stores.catalog.roles import CATALOG_ADMIN, FULFILLMENT, INVENTORY_ADMIN, SUPPORT
from tests.barcode.steps import new_code, with_code
from tests.cart.steps import only, ships
from tests.catalog.steps import on_sale, row, staff
from tests.conftest import NewPhone
from tests.feed.steps import befriend
from tests.notification.steps import tell
from tests.order.steps import till
from tests.phone import granted, make_member

CLIENTS = Path(__file__).parents[2] / "clients"
LOCK_FILE = CLIENTS / "package-lock.json"
INSTALLED = CLIENTS / "node_modules" / ".package-lock.json"
PASSWORD = "a password to type"
INSTALL_SECONDS = 300
RUN_SECONDS = 180
PRODUCTS = 12
CUSTOMERS = 12
"""Customers of the shop, each in one flow: a member of the staff comes after them."""
PROGRAMS = (
    *("graphql-over-http", "session", "apollo", "urql", "inbox"),
    *("cart", "orders", "favorites", "scan", "relay"),
)
NEWS = (
    ("Welcome", "Here you find what concerns you.", False),
    ("Water is off", "On the third floor, until noon.", True),
    ("Fire drill", "Leave by the stairs and say that you are outside.", True),
    ("Lunch is late", "", False),
    ("Roof closed", "Until Friday.", False),
)
MANIFESTS = ("persisted.json", "persisted-query-manifest.json", "src/generated/persisted-documents.json")
"""Manifests that builds write for `landfall operations add`: Relay's, Apollo's, graphql-codegen's."""


def npm() -> str:
    """Path of npm; the test is skipped where it is not installed, unless the run demands it."""
    found = shutil.which("npm")
    if found is None or shutil.which("node") is None:
        message = "Node.js is not installed: the client programs were not run"
        if os.environ.get("CI_NODE") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
async def installed() -> str:
    found = npm()
    # Tests of several processes share one installation.
    with (Path(tempfile.gettempdir()) / "landfall-clients.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK_FILE.stat().st_mtime:
            code, said = await run_program([found, "ci", "--no-audit", "--no-fund"], seconds=INSTALL_SECONDS)
            assert code == 0, said
    return found


async def run_program(
    command: list[str], *, cwd: Path = CLIENTS, seconds: float = RUN_SECONDS, **environment: str
) -> tuple[int | None, str]:
    """Its exit code, and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said.decode()


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_client_program(
    installed: str,
    address: str,
    http: ClientSession,
    services: Services,
    new_phone: NewPhone,
    program: str,
) -> None:
    people = await _people(services, new_phone, program)
    workspace = f"landfall-{program}"
    await _done([installed, "run", "build", "--silent", "--if-present", "--workspace", workspace])
    await _register(
        services.settings, *(file for each in MANIFESTS for file in (CLIENTS / program).glob(each))
    )
    # Each test of a program signs in, all from one address: too often for people, where the machine is fast.
    signing_in = _coming_back(services, f"rate:{SIGN_IN_RATE.name}:*")
    gateway = till(services, http, address) if program == "orders" else nullcontext()
    async with signing_in, gateway, _meanwhile(services, people, program):
        await _done(
            [installed, "test", "--silent", "--workspace", workspace],
            LANDFALL_URL=f"{address}/graphql",
            LANDFALL_PEOPLE=json.dumps(people),
            LANDFALL_CODES=json.dumps(await _codes(services, new_phone) if program == "scan" else []),
        )


def _meanwhile(
    services: Services, people: list[dict[str, str]], program: str
) -> AbstractAsyncContextManager[None]:
    """Surroundings of some programs, as long as they run."""
    if program == "session":
        return _passing_time(services, people)
    if program == "orders":
        return _work(services)
    return _news(services, people) if program == "inbox" else nullcontext()


async def _codes(services: Services, new_phone: NewPhone) -> list[str]:
    """Barcodes of two products on sale, and one that nobody knows."""
    one, two, unknown = [new_code() for _ in range(3)]
    keeper = await staff(new_phone, services, CATALOG_ADMIN)
    for code in (one, two):
        await with_code(services, keeper, code)
    return [one, two, unknown]


@asynccontextmanager
async def _news(services: Services, people: list[dict[str, str]]) -> AsyncIterator[None]:
    """An inbox for the first three, and for the last one something new again and again."""
    for title, message, requires_ack in NEWS:
        told: dict[str, Any] = {"title": title, "message": message, "requires_ack": requires_ack}
        await tell(services, *(each["id"] for each in people[:3]), **told, channels=[])

    async def go_on() -> None:
        for number in count():
            await tell(services, people[3]["id"], title=f"Banner {number}", channels=[])
            await asyncio.sleep(0.5)

    going_on = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going_on.cancel()
        await asyncio.wait([going_on])


@asynccontextmanager
async def _work(services: Services) -> AsyncIterator[None]:
    """Work of a worker, all the time: jobs that are due, and changes of the catalog."""
    over = asyncio.Event()

    async def go_on() -> None:
        while not over.is_set():
            await catalog.tell(services)
            if not await jobs.run_due(services):
                await asyncio.sleep(0.1)

    going_on = asyncio.create_task(go_on())
    try:
        yield
    finally:
        over.set()
        await going_on


def _passing_time(services: Services, people: list[dict[str, str]]) -> AbstractAsyncContextManager[None]:
    """An hour in some seconds: what people used up of their allowances comes back, as their programs wait."""
    return _coming_back(services, *(f"rate:{POST_RATE.name}:{person['id']}" for person in people))


@asynccontextmanager
async def _coming_back(services: Services, *allowances: str) -> AsyncIterator[None]:
    """Allowances, by their keys with `*` for any rest, that are whole again twice a second."""

    async def come_back() -> None:
        while True:
            await asyncio.sleep(0.5)
            for allowance in allowances:
                if used := [key async for key in services.redis.scan_iter(allowance)]:
                    await services.redis.delete(*used)

    coming_back = asyncio.create_task(come_back())
    try:
        yield
    finally:
        coming_back.cancel()
        await asyncio.wait([coming_back])


async def _done(command: list[str], **environment: str) -> str:
    code, said = await run_program(command, **environment)
    assert code == 0, said
    return said


async def _register(settings: Settings, *manifests: Path) -> None:
    """As whoever releases an app does, with what its build has written."""
    if not manifests:
        return
    said = await _done(
        [sys.executable, "-m", "server", "operations", "add", *map(str, manifests)],
        LANDFALL_ENV=settings.env,
        LANDFALL_MONGO_URL=settings.mongo_url,
        LANDFALL_REDIS_URL=settings.redis_url,
        LANDFALL_DATA_DIR=str(settings.data_dir),
        PYTHONPATH=str(CLIENTS.parent),
    )
    assert "0 new of 0 " not in said


async def _people(services: Services, new_phone: NewPhone, program: str) -> list[dict[str, str]]:
    """Members who can sign in: the first two follow each other, and there is a shop to look around."""
    numbers = range(CUSTOMERS + 1 if program == "orders" else 4)
    people = [{"email": f"{program}-{number}@example.com", "password": PASSWORD} for number in numbers]
    members = [await make_member(services, person["email"], "Ada", PASSWORD) for person in people]
    for person, member in zip(people, members, strict=True):
        person["id"] = member
    await befriend(*[await new_phone(user_id=member) for member in members[:2]])
    keeper = await staff(new_phone, services, CATALOG_ADMIN)
    await on_sale(services, keeper, *(row() for _ in range(PRODUCTS)))
    if program == "orders":
        await only(services, "promotions", "shipping_rates", "tax_rates")
        await ships(keeper)
        everything = (CATALOG_ADMIN, INVENTORY_ADMIN, FULFILLMENT, SUPPORT)
        await granted(services, await new_phone(user_id=members[-1]), *everything)
    return people
