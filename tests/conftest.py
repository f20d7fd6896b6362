"""Real servers, one Landfall in this process, and phones to talk to it."""

import asyncio
import functools
import gc
import logging
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO
from weakref import WeakKeyDictionary

import aiohttp
import pytest
import structlog
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core import clock, discovery, ids, jobs, logs
from core.context import Services
from core.graphql.build import Schema
from core.mutations import declared_codes
from core.settings import Environment, Settings
from core.storage.mongo import Database, Refusal
from core.storage.reads import ReadBatcher
from core.sync.live import Live
from devstack.servers import EmbeddedRedis, Servers, embedded
from resolvers.audit.waking import Wakes
from resolvers.feed.background import KeyedTasks
from server import lifespan, process, worker
from tests import explained, leftovers, listening, routed
from tests.phone import Phone, sign_in_directly, sign_up_directly

# Whichever tests run, they see all systems.
discovery.all_systems()

NewPhone = Callable[..., Awaitable[Phone]]

LONGEST = (
    "tests/faults/test_faults.py",
    "tests/executor/test_differential.py",
    "tests/test_dev_command.py",
    "tests/clients/test_clients.py",
    "tests/engine/test_history.py",
    "tests/server/test_hostile_documents.py",
    "tests/test_contributing.py",
    "tests/server/test_start.py",
    "tests/faults/test_flush_load.py",
)
"""Files that take longest: they begin first, so that no process has one of them left at the end."""

BACKGROUND: ContextVar[bool] = ContextVar("background", default=False)
"""True in the tasks of a process that go on by themselves: sweeps, readers of the log, reloads."""


def apart(work: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """The method, counted as background work: no request waits for it, and it may be late."""

    @functools.wraps(work)
    async def marked(*arguments: Any) -> None:
        BACKGROUND.set(True)
        await work(*arguments)

    return marked


def _join_apart(self: ReadBatcher, *given: Any) -> Any:
    """A command has one context: with reads of both kinds in it, it would count as that of the first."""
    if BACKGROUND.get():
        self = _BACKGROUND_READS.setdefault(self, ReadBatcher(self._send, self._options))
    return _join(self, *given)


_BACKGROUND_READS: WeakKeyDictionary[ReadBatcher, ReadBatcher] = WeakKeyDictionary()
_join, ReadBatcher._join = ReadBatcher._join, _join_apart  # type: ignore[method-assign]
KeyedTasks._run = apart(KeyedTasks._run)  # type: ignore[method-assign]
Live._publish = apart(Live._publish)  # type: ignore[method-assign]


class Commands(CommandListener):
    """Counts what is read and written on request; reads that travel as one command are counted one by one."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sent = 0
        """Commands, however many reads each of them holds."""
        self.fields: dict[str, set[str]] = {}
        """By collection, what the last lone read asked of each row; empty: all of it."""

    def started(self, event: CommandStartedEvent) -> None:
        # The driver's threads know the context of who asked.
        if BACKGROUND.get():
            return
        self.sent += 1
        if event.command_name == "find":
            self.fields[event.command["find"]] = set(event.command.get("projection", ()))
        stages = event.command.get("pipeline", ())
        unions = [stage["$unionWith"] for stage in stages if "$unionWith" in stage]
        united = [stages, *(union["pipeline"] for union in unions)] if unions else []
        if event.command_name == "aggregate" and united:
            self.names += ["aggregate" if "$documents" in each[0] else "find" for each in united]
        else:
            self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass

    def reset(self) -> None:
        self.names.clear()
        self.sent = 0

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.names)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Names are the same in every process, and the longest files come first."""
    made_now = re.compile(f"{ids.new_id('user').partition('_')[2][:5]}[0-9a-z]{{20}}", re.IGNORECASE)
    if random_names := [item.nodeid for item in items if made_now.search(item.nodeid)]:
        raise pytest.UsageError(f"Other workers would not know these tests by these names: {random_names}")
    turns = {path: turn for turn, path in enumerate(LONGEST)}
    items.sort(key=lambda item: turns.get(item.nodeid.partition("::")[0], len(LONGEST)))


def pytest_configure() -> None:
    """Nothing of what is imported is garbage; `settle` looks through it once."""
    gc.disable()


def pytest_collection_finish() -> None:
    process.settle()
    gc.enable()


@pytest.fixture
def compiled(settings: Settings) -> None:
    """For what only compiled operations do."""
    if settings.executor != "compiled":
        pytest.skip("Only compiled operations do it.")


@pytest.fixture(scope="session", autouse=True)
def _one_schema() -> Iterator[None]:
    """Servers with the same settings share what they serve: tests start a hundred of them."""
    made: dict[tuple[bool, int], Schema] = {}
    make = lifespan.make_schema

    def make_schema(settings: Settings) -> Schema:
        """By all that it depends on."""
        key = (settings.production, settings.max_batch)
        if key not in made:
            made[key] = make(settings)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifespan, "make_schema", make_schema)
        yield


async def asleep(self: Wakes) -> None:
    """Wake nobody."""


@pytest.fixture(scope="session", autouse=True)
def _noted() -> Iterator[None]:
    """Of whatever Landfall in this process: kinds of commands it sends, and when a subscription listens."""
    with pytest.MonkeyPatch.context() as patch:
        listening.watch(patch)
        # Tests chain entries of the audit log when they want them, as they run jobs.
        patch.setattr(Wakes, "note", asleep)
        patch.setattr(Database, "command", explained.KINDS.wrap(routed.ROUTER.wrap(Database.command)))
        patch.setattr(Database, "write_together", _each_noted(Database.write_together))
        patch.setattr(Database, "write_ahead", _ahead_noted(Database.write_ahead))
        yield


def _ahead_noted(send: Callable[[Database, dict[str, Any], Refusal], Awaitable[None]]) -> Any:
    async def write_ahead(db: Database, command: dict[str, Any], refused: Refusal) -> None:
        if db.session is not None and not explained.of_tests():
            routed.ROUTER.note(command, within=True)
        await send(db, command, refused)

    return write_ahead


def _each_noted(send: Callable[[Database, list[Any]], Awaitable[None]]) -> Any:
    """`Database.write_together` whose commands are looked at like those that are sent one by one."""

    async def write_together(db: Database, commands: list[Any]) -> None:
        for each in () if explained.of_tests() else commands:
            explained.KINDS.note(each)
            routed.ROUTER.note(each, within=True)
        await send(db, commands)

    return write_together


@pytest.fixture(scope="session", autouse=True)
def _declared() -> Iterator[None]:
    """No mutation refuses with a code that it does not declare: clients were told of the others."""
    found: set[tuple[str, str]] = set()

    def undeclared(mutation: str, code: str) -> None:
        found.add((mutation, code))
        raise AssertionError(f'{mutation} answers {code}: add it to its `refuses="..."`.')

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(declared_codes, "undeclared", undeclared)
        yield
    assert found == set()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with embedded(ephemeral=True) as running:
        yield running


@pytest.fixture(scope="session")
def settings(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data_dir: Path = tmp_path_factory.mktemp("landfall")
    return Settings(
        env=Environment.TEST,
        link_previews=False,
        port=0,
        mongo_url=servers.mongo_url,
        redis_url=servers.redis_url,
        data_dir=data_dir,
        media_dir=data_dir / "media",
        log_level="DEBUG",
        # All tests ask from one address, the more of them in a minute the faster the machine.
        cost_per_minute=2_000_000,
        password_memory_kib=8_192,
        password_rounds=1,
        log_format="json",
    )


@pytest.fixture(scope="session")
def commands() -> Commands:
    """Every MongoDB command of the server under test."""
    return Commands()


@pytest.fixture(scope="session")
def logged(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file with everything that is logged, from DEBUG on; errors show on stderr too."""
    file = tmp_path_factory.mktemp("logs") / "all.log"
    logs.configure(settings)
    with file.open("a", buffering=1) as kept:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=Tee(kept)))
        handler = logging.StreamHandler(kept)
        logging.getLogger().addHandler(handler)
        yield file
        logging.getLogger().removeHandler(handler)
        structlog.reset_defaults()


class Tee:
    """Writes every line to a file, and errors to stderr as well."""

    def __init__(self, kept: TextIO) -> None:
        self.kept = kept

    def write(self, line: str) -> int:
        if '"level":"error"' in line or '"level":"critical"' in line:
            sys.stderr.write(line)
        return self.kept.write(line)

    def flush(self) -> None:
        self.kept.flush()


_RUNNING: list[Services] = []
"""The Landfall of all tests, once one has asked for it: many files do without."""


@pytest.fixture(scope="session")
async def services(settings: Settings, commands: Commands, logged: Path) -> AsyncIterator[Services]:
    """One Landfall for all tests of this process; what they left behind is looked through at the end."""
    starting = BACKGROUND.set(True)
    async with lifespan.services(settings, listeners=[commands]) as running:
        BACKGROUND.reset(starting)
        _RUNNING.append(running)
        yield running
        _RUNNING.clear()
        await leftovers.check(running, await asyncio.to_thread(logged.read_text))


@pytest.fixture(scope="session")
async def address(services: Services) -> AsyncIterator[str]:
    """A listening Landfall without a worker: tests run jobs when they want them."""
    async with worker.waking(services), process.listening(services) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


@pytest.fixture
def anonymous(http: aiohttp.ClientSession, address: str) -> Phone:
    return Phone(http, f"{address}/graphql")


@pytest.fixture
def new_phone(http: aiohttp.ClientSession, address: str, services: Services) -> NewPhone:
    """A phone signed in as a new person, or as `user_id`."""

    async def make(name: str = "Test", *, user_id: str | None = None, **fields: Any) -> Phone:
        phone = Phone(http, f"{address}/graphql")
        if user_id is not None:
            return await sign_in_directly(services, phone, user_id)
        return await sign_up_directly(services, phone, name, **fields)

    return make


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis of the test's own, which it may stop."""
    server = EmbeddedRedis(tmp_path / "redis", ephemeral=True)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def frail(settings: Settings, redis_server: EmbeddedRedis) -> AsyncIterator[Services]:
    """A Landfall whose Redis the test may stop."""
    async with lifespan.services(settings.model_copy(update={"redis_url": redis_server.url})) as services:
        yield services


@pytest.fixture(autouse=True)
def _real_time() -> Iterator[None]:
    """Tests may move the clock; none leaves it moved."""
    yield
    clock.reset()


@pytest.fixture(scope="module", autouse=True)
async def _no_jobs_for_others() -> AsyncIterator[None]:
    """Jobs that a file's tests left go with it: `run_due` ends after a thousand, whoever's they are."""
    yield
    for running in _RUNNING:
        await jobs.queue.delete_all(running.db, {"state": "WAITING"})


@pytest.fixture
async def quiet() -> None:
    """Lets background hints of earlier writes pass."""
    await asyncio.sleep(0.05)
