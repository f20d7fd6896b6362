"""The figures as tables: on the terminal, and as the page `docs/performance.md`."""

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.fleet import PEERS, Member
from bench.measure import CONNECTIONS, CPU_AT, Results
from bench.operations import Operation

COLUMNS = (
    "Server",
    "CPU ms",
    "DB ms",
    *(f"Cmds, {count}" for count in CONNECTIONS[:2]),
    *(f"Req/s, {count}" for count in CONNECTIONS),
    *(f"p99 ms, {count}" for count in CONNECTIONS),
    "RSS MB",
)

NODE_PACKAGES = ("mercurius", "graphql-yoga", "grafast", "@apollo/server", "mongodb")
OURS = {"landfall": "Landfall, Motor", "landfall-pymongo": "Landfall, PyMongo Async"}
RATIO_COLUMNS = ("Operation", "Against", *OURS.values())

INTRODUCTION = """# Performance

CPU per request of Landfall beside other GraphQL servers over the same MongoDB and data, one process each,
measured in turns in the same run. Repeat it with `make bench ARGS="--write docs/performance.md"`;
`bench/README.md` says how it is done. Ratios carry over to other machines, absolute figures do not.
"""

NOTES = f"""CPU ms is user and system time of the server's process per request at {CPU_AT} connections, the
median of all rounds; DB ms is MongoDB's in the same turns. Cmds are the commands per request that MongoDB
counted, at {CONNECTIONS[0]} and {CONNECTIONS[1]} connections: Landfall and its floor send small reads of one
moment as one. Thirty-two people ask in turn. The floor is our database commands with aiohttp and orjson
and no GraphQL at all. Where a target is set, the table says whether it is kept.
"""


class Report:
    """Report of one run."""

    def __init__(self, members: Sequence[Member], operations: Sequence[Operation], results: Results) -> None:
        self.members, self.operations = members, operations
        self.results = results
        self._titles = {member.name: member.kind.title for member in members}

    def show(self, out: Console) -> None:
        for operation in self.operations:
            table = Table(*COLUMNS, title=operation.title)
            for row in self._figures(operation):
                table.add_row(*row)
            out.print(table)
        table = Table(*RATIO_COLUMNS, title="CPU of Landfall as a share of others'")
        for row in self._ratios():
            table.add_row(*row)
        out.print(table)
        for operation, one, other in self._tails():
            out.print(f"{operation}: {one}; {other}")

    def write(self, file: Path, people: str) -> None:
        parts = [INTRODUCTION, f"{datetime.now(UTC):%d %B %Y}; {machine()}; {people}.\n", versions() + ".\n"]
        for operation in self.operations:
            parts += [f"## {operation.title}\n", _markdown(COLUMNS, self._figures(operation))]
        parts += ["## CPU as a share of others'\n", _markdown(RATIO_COLUMNS, self._ratios()), NOTES]
        file.write_text("\n".join(parts))

    def _figures(self, operation: Operation) -> Iterator[tuple[str, ...]]:
        for member in self.members:
            if not member.kind.answers(operation):
                continue
            figures = self.results.figures[operation.name, member.name]
            yield (
                member.kind.title,
                f"{figures.cpu_ms:.2f}",
                f"{figures.database_ms:.2f}",
                *(f"{figures.sent(count):.1f}" for count in CONNECTIONS[:2]),
                *(f"{figures.rate(count):.0f}" for count in CONNECTIONS),
                *(f"{figures.p99_ms(count):.1f}" for count in CONNECTIONS),
                f"{self.results.memory[member.name] / 1e6:.0f}",
            )

    def _ratios(self) -> Iterator[tuple[str, ...]]:
        """Landfall on each driver against each other server, with the target where there is one."""
        for operation in self.operations:
            for other, title in self._titles.items():
                if other not in OURS and operation.asked_of(other):
                    shares = (self._share(operation, one, other) for one in OURS)
                    yield (operation.title, title, *shares)

    def _share(self, operation: Operation, one: str, other: str) -> str:
        ratio = self.results.ratio(operation.name, one, other)
        target = operation.targets.get((one, other))
        if ratio is None or (other.startswith("floor") and target is None) or not _comparable(one, other):
            return ""
        if target is None:
            return f"{ratio:.2f}"
        return f"{ratio:.2f}, {'within' if ratio <= target else 'above'} {target:.2f}"

    def _tails(self) -> Iterator[tuple[str, str, str]]:
        """p99 at most connections, ours and that of Mercurius."""
        most = CONNECTIONS[-1]
        for operation in self.operations:
            found = {
                name: f"{self._titles[name]} p99 at {most}: "
                f"{self.results.figures[operation.name, name].p99_ms(most):.1f} ms"
                for name in ("landfall", "mercurius")
                if name in self._titles
            }
            if len(found) == 2:
                yield operation.title, found["landfall"], found["mercurius"]


def _comparable(one: str, other: str) -> bool:
    """True unless the other is the earlier Landfall on another driver."""
    earlier, _, commit = other.partition("@")
    return not commit or earlier == one


def _markdown(header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    words = {"Server", *RATIO_COLUMNS}
    lines = [header, ["---" if name in words else "---:" for name in header], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine() -> str:
    """Processor, cores and system."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [
            line.partition(":")[2] for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = named[0].strip() if named else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def versions() -> str:
    """Versions of what was measured."""
    node = [f"{name} {_node(name)}" for name in NODE_PACKAGES]
    python = [f"{name} {version(name)}" for name in ("strawberry-graphql", "motor", "pymongo", "aiohttp")]
    return ", ".join([f"Python {platform.python_version()}", *python, *node])


def _node(name: str) -> str:
    file = PEERS / "node_modules" / name / "package.json"
    return str(orjson.loads(file.read_bytes())["version"]) if file.exists() else "not installed"
