"""The servers that are measured, each a process of its own on a port of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import psutil
from rich.console import Console

from bench import dataset
from bench.operations import Operation
from devstack.process import ServerProcess, accepts, free_port
from devstack.servers import Servers
from ports.auth import AuthSettings

PEERS = Path(__file__).with_name("peers")
PUBLIC_URL = "http://media.example"
SECRET = dataset.SECRET
REVOCATIONS = "memory"
"""Lookup of ended sessions by the others: `memory`, as Landfall's; `redis` is one EXISTS per request."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Kind of server and its command line; `driver` is set for those that can run on either."""

    name: str
    title: str
    command: tuple[str, ...]
    driver: str = ""
    folder: Path = dataset.ROOT
    operations: Mapping[str, Operation] = field(default_factory=dict)
    """By name, all that it is asked, where its schema is spelled in other words."""

    def answers(self, operation: Operation) -> bool:
        return operation.asked_of(self.name) and (not self.operations or operation.name in self.operations)

    def asked(self, operation: Operation) -> Operation:
        """The operation in this kind's words."""
        return self.operations.get(operation.name, operation)

    @property
    def node(self) -> bool:
        return self.command[0] == "node"


KINDS = (
    Kind("landfall", "Landfall, Motor", (sys.executable, "-m", "server", "serve"), "motor"),
    Kind("landfall-pymongo", "Landfall, PyMongo Async", (sys.executable, "-m", "server", "serve"), "pymongo"),
    Kind("mercurius", "Mercurius, JIT", ("node", "mercurius/server.js")),
    Kind("yoga", "graphql-yoga", ("node", "yoga/server.js")),
    Kind("grafast", "Grafast, grafserv", ("node", "grafast/server.js")),
    Kind("apollo", "Apollo Server", ("node", "apollo/server.js")),
    Kind("idiomatic", "Strawberry + Motor, idiomatic", (sys.executable, "-m", "bench.idiomatic")),
    Kind("floor", "Floor, Motor", (sys.executable, "-m", "bench.floor"), "motor"),
    Kind("floor-pymongo", "Floor, PyMongo Async", (sys.executable, "-m", "bench.floor"), "pymongo"),
)
REFERENCE = KINDS[0].name
"""The reference server, whose answers the others must give; signs the viewer in too."""


@dataclass(frozen=True, slots=True)
class Member:
    kind: Kind
    port: int
    process: ServerProcess

    @property
    def name(self) -> str:
        return self.kind.name

    def cpu(self) -> float:
        return cpu(self.process)

    def memory(self) -> int:
        """Resident bytes."""
        return sum(each.memory_info().rss for each in _family(self.process))


def cpu(process: ServerProcess) -> float:
    """Seconds of CPU so far: user and system, all threads, children too."""
    return sum(each.user + each.system for each in (each.cpu_times() for each in _family(process)))


def _family(process: ServerProcess) -> list[psutil.Process]:
    own = psutil.Process(process.pid)
    return [own, *own.children(recursive=True)]


class Fleet:
    """Starts servers and remembers them in the order of `KINDS`."""

    def __init__(self, servers: Servers, folder: Path, stack: ExitStack) -> None:
        self._servers, self._folder, self._stack = servers, folder, stack
        self.members: list[Member] = []

    def start(self, kinds: Sequence[Kind], environment: dict[str, str]) -> None:
        """Start some side by side and wait until they listen."""
        started = []
        for kind in kinds:
            port = free_port()
            process = ServerProcess(self._command(kind, port, environment), self._folder / f"{kind.name}.log")
            process.start()
            self._stack.callback(process.stop)
            started.append(Member(kind, port, process))
        for member in started:
            member.process.wait_until(lambda port=member.port: accepts(port))  # type: ignore[misc]
        self.members += started

    def landfall(self) -> dict[str, str]:
        """Settings of Landfall: production's, with limits and logs out of the way as in the peers."""
        return {
            "LANDFALL_ENV": "production",
            "LANDFALL_MONGO_URL": self._servers.mongo_url,
            "LANDFALL_MONGO_DATABASE": dataset.DATABASE,
            "LANDFALL_REDIS_URL": self._servers.redis_url,
            "LANDFALL_PUBLIC_URL": PUBLIC_URL,
            "LANDFALL_MAX_CONNECTIONS": "0",
            "LANDFALL_SECRET": SECRET,
            "LANDFALL_FIELD_KEYS": dataset.FIELD_KEYS,
            "LANDFALL_SIGNING_KEY_FILE": str(dataset.key_file(self._servers)),
            "LANDFALL_RATE_SCALE": "1000000",
            "LANDFALL_LOG_LEVEL": "WARNING",
        }

    def peers(self, jwks: object, feed_listings: dict[str, str]) -> dict[str, str]:
        """Settings of all others; the listings begin the cursors of each viewer's feed."""
        file, listings = self._folder / "jwks.json", self._folder / "listings.json"
        file.write_bytes(orjson.dumps(jwks))
        listings.write_bytes(orjson.dumps(feed_listings))
        defaults = AuthSettings()
        return {
            "NODE_ENV": "production",
            "BENCH_MONGO_URL": self._servers.mongo_url,
            "BENCH_MONGO_DATABASE": dataset.DATABASE,
            "BENCH_REDIS_URL": self._servers.redis_url,
            "BENCH_REVOCATIONS": REVOCATIONS,
            "BENCH_PUBLIC_URL": PUBLIC_URL,
            "BENCH_JWKS_FILE": str(file),
            "BENCH_TOKEN_ISSUER": defaults.token_issuer,
            "BENCH_TOKEN_AUDIENCE": defaults.token_audience,
            "BENCH_FEED_LISTINGS_FILE": str(listings),
            "BENCH_FIELD_KEY": dataset.FIELD_KEY,
        }

    def _command(self, kind: Kind, port: int, environment: dict[str, str]) -> list[str]:
        own = {"LANDFALL_PORT": str(port), "BENCH_PORT": str(port), "PYTHONPATH": str(kind.folder)}
        if kind.driver:
            own |= {"LANDFALL_MONGO_DRIVER": kind.driver, "BENCH_MONGO_DRIVER": kind.driver}
        program, *arguments = kind.command
        path = shutil.which(program)
        if path is None:
            raise RuntimeError(f"{program} is needed for {kind.title}; or leave it out with --only.")
        if kind.node:
            arguments = [str(PEERS / arguments[0]), *arguments[1:]]
        # `env`, because a server process takes its parent's environment.
        given = [f"{name}={value}" for name, value in {**environment, **own}.items()]
        return [shutil.which("env") or "/usr/bin/env", "-C", str(kind.folder), *given, path, *arguments]


@contextmanager
def fleet(servers: Servers) -> Iterator[Fleet]:
    """An empty fleet; whatever joins it is stopped at the end."""
    os.chdir(dataset.ROOT)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        yield Fleet(servers, Path(folder), stack)


def install_peers(out: Console) -> None:
    """`npm ci` when what is installed is not what the lock file says."""
    lock, installed = PEERS / "package-lock.json", PEERS / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is needed for the Node servers; or leave them out with --only.")
    out.print("Installing the Node servers, once.")
    subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PEERS, check=True)
