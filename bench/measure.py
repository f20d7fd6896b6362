"""Interleaved rounds: every server is measured for a moment, in turn, many times over."""

import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from pymongo import MongoClient
from rich.progress import Progress

from bench import dataset, fleet
from bench.fleet import Member
from bench.operations import Operation
from devstack.servers import Servers

CPU_AT = 16
COUNTED = ("find", "aggregate", "insert", "update", "delete", "findAndModify", "commitTransaction")
BATCH = 1_000
CONNECTIONS = (1, 16, 64)


@dataclass(frozen=True, slots=True)
class Plan:
    """Durations of a measurement, in seconds for one server and operation."""

    rounds: int = 4
    warm_up: float = 1.0
    node_requests: int = 1000
    """Before so many, V8 is still compiling and Node takes twice the CPU."""
    node_seconds: tuple[float, float] = (4.0, 20.0)
    """The least and the most time for them."""
    counted: float = 1.2
    """At the number of connections where CPU is counted."""
    others: float = 0.5

    def seconds(self, connections: int) -> float:
        return self.counted if connections == CPU_AT else self.others


QUICK = Plan(rounds=1, warm_up=0.3, node_requests=0, node_seconds=(0.5, 0.5), counted=0.4, others=0.2)
"""Too short for figures: Node is not warm yet."""


@dataclass
class Figures:
    """Samples of one server and operation, one per round."""

    cpu: list[float] = field(default_factory=list)
    """Milliseconds per request."""
    database_cpu: list[float] = field(default_factory=list)
    """MongoDB's milliseconds per request, of the same turns."""
    commands: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Commands that reached MongoDB per request, by connections."""
    rates: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    microseconds: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def cpu_ms(self) -> float:
        return statistics.median(self.cpu)

    @property
    def database_ms(self) -> float:
        return statistics.median(self.database_cpu)

    def sent(self, connections: int) -> float:
        return statistics.median(self.commands[connections])

    def rate(self, connections: int) -> float:
        return statistics.median(self.rates[connections])

    def p99_ms(self, connections: int) -> float:
        """Over the requests of all rounds."""
        ranked = sorted(self.microseconds[connections])
        return ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))] / 1000


@dataclass
class Results:
    figures: dict[tuple[str, str], Figures] = field(default_factory=lambda: defaultdict(Figures))
    """By operation and server; there are none where a server was not asked."""
    memory: dict[str, int] = field(default_factory=dict)
    """Resident bytes, after all of it."""

    def ratio(self, operation: str, one: str, other: str) -> float | None:
        """The CPU of one server as a share of another's, in the same rounds."""
        mine, theirs = self.figures.get((operation, one)), self.figures.get((operation, other))
        if mine is None or theirs is None:
            return None
        return statistics.median(a / b for a, b in zip(mine.cpu, theirs.cpu, strict=True))


class Database:
    """Counters of MongoDB: CPU of its process, and its commands."""

    def __init__(self, servers: Servers) -> None:
        [self._process] = servers.mongo.processes
        self._client: MongoClient[dict[str, Any]] = MongoClient(servers.mongo_url)

    def cpu(self) -> float:
        return fleet.cpu(self._process)

    def commands(self) -> int:
        """Commands that read or write, so far; those of change streams and heartbeats are others."""
        counts = self._client.admin.command("serverStatus")["metrics"]["commands"]
        return sum(int(counts[name]["total"]) for name in COUNTED)

    @contextmanager
    def without_posts(self, text: str) -> Iterator[None]:
        """Take away the posts with this text in the end, and first those of a run that was cut off."""
        self._forget(text)
        try:
            yield
        finally:
            self._forget(text)

    def _forget(self, text: str) -> None:
        """Take away posts, and all that was written with them."""
        db = self._client[dataset.DATABASE]
        written = list(db["posts"].find({"text": text}, {"author_id": 1}))
        by_author = Counter(post["author_id"] for post in written)
        for author_id, count in by_author.items():
            db["users"].update_one({"_id": author_id}, {"$inc": {"post_count": -count}})
        ids = [post["_id"] for post in written]
        for start in range(0, len(ids), BATCH):
            some = {"$in": ids[start : start + BATCH]}
            for name in ("posts", "changes"):
                db[name].delete_many({"_id": some})
        db["receipts"].delete_many({"mutation": "createPost"})
        db["jobs"].delete_many({"task": {"$in": ["feed.scan", "feed.deliver", "feed.push_to_friends"]}})

    def close(self) -> None:
        self._client.close()


class Load(AbstractContextManager["Load"]):
    """The load generator's process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.load"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(
        self, member: Member, requests: Sequence[str], connections: int, seconds: float
    ) -> dict[str, Any]:
        job = {"port": member.port, "connections": connections, "seconds": seconds, "requests": requests}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(job) + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = orjson.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{member.kind.title}: {answer['error']}")
        return answer

    def __exit__(self, *failure: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def requests_of(operation: Operation, member: Member, tokens: Sequence[str]) -> list[str]:
    """The same request by each viewer: the bytes, as text."""
    return [_request(operation, member, token) for token in tokens]


def _request(operation: Operation, member: Member, token: str) -> str:
    operation = member.kind.asked(operation)
    asked = {"query": " ".join(operation.query.split()), "variables": operation.variables}
    body = orjson.dumps(asked).decode()
    lines = (
        "POST /graphql HTTP/1.1",
        f"Host: 127.0.0.1:{member.port}",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines) + "\r\n\r\n" + body


def measure(
    members: Sequence[Member],
    operations: Sequence[Operation],
    tokens: Sequence[str],
    plan: Plan,
    database: Database,
) -> Results:
    results = Results()
    turns = sum(len(_asked(operation, members)) for operation in operations)
    steps = turns * (1 + plan.rounds * len(CONNECTIONS))
    with Load() as load, Progress(transient=True) as progress:
        task = progress.add_task("Measuring", total=steps)
        for operation in operations:
            for member in _asked(operation, members):
                _warm_up(load, member, requests_of(operation, member, tokens), plan)
                progress.advance(task)
        for turn in range(plan.rounds):
            # Another goes first each time.
            first = turn % len(members)
            for operation in operations:
                for connections in CONNECTIONS:
                    for member in _asked(operation, (*members[first:], *members[:first])):
                        requests = requests_of(operation, member, tokens)
                        figures = results.figures[operation.name, member.name]
                        cpu, sent, database_cpu = member.cpu(), database.commands(), database.cpu()
                        seen = load.run(member, requests, connections, plan.seconds(connections))
                        answered = seen["requests"]
                        if connections == CPU_AT:
                            figures.cpu.append((member.cpu() - cpu) / answered * 1000)
                            figures.database_cpu.append((database.cpu() - database_cpu) / answered * 1000)
                        figures.commands[connections].append((database.commands() - sent) / answered)
                        figures.rates[connections].append(seen["requests"] / seen["seconds"])
                        figures.microseconds[connections] += seen["microseconds"]
                        progress.advance(task)
    results.memory = {member.name: member.memory() for member in members}
    return results


def _asked(operation: Operation, members: Sequence[Member]) -> list[Member]:
    return [member for member in members if member.kind.answers(operation)]


def _warm_up(load: Load, member: Member, each: Sequence[str], plan: Plan) -> None:
    if not member.kind.node:
        load.run(member, each, CPU_AT, plan.warm_up)
        return
    least, most = plan.node_seconds
    requests, started = 0, time.monotonic()
    while (passed := time.monotonic() - started) < least or (requests < plan.node_requests and passed < most):
        requests += int(load.run(member, each, CPU_AT, plan.warm_up)["requests"])
