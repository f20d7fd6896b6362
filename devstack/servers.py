"""MongoDB and Redis for development and tests: the real programs, started and stopped with this process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.binaries import MissingBinary
from devstack.datadir import DataDirBusy, held, temporary
from devstack.mongo import EmbeddedMongo
from devstack.process import StartFailed
from devstack.redis import EmbeddedRedis

__all__ = [
    "DataDirBusy",
    "EmbeddedMongo",
    "EmbeddedRedis",
    "MissingBinary",
    "Servers",
    "StartFailed",
    "embedded",
]


@dataclass(frozen=True, slots=True)
class Servers:
    """Two running servers and where their data lies."""

    data_dir: Path
    mongo: EmbeddedMongo
    redis: EmbeddedRedis

    @property
    def mongo_url(self) -> str:
        return self.mongo.url

    @property
    def redis_url(self) -> str:
        return self.redis.url


@contextmanager
def embedded(
    data_dir: Path | None = None,
    mongo_port: int | None = None,
    redis_port: int | None = None,
    ephemeral: bool = False,
    members: int = 1,
) -> Iterator[Servers]:
    """Run both servers; without `data_dir` their data lies in memory and is gone at the end.

    Raises `DataDirBusy`, `MissingBinary` or `StartFailed`.
    """
    with ExitStack() as stack:
        folder = data_dir.absolute() if data_dir else stack.enter_context(temporary())
        lock = stack.enter_context(held(folder))
        redis = EmbeddedRedis(folder / "redis", port=redis_port, ephemeral=ephemeral, keep_open=[lock])
        mongo = EmbeddedMongo(
            folder / "mongo", port=mongo_port, members=members, ephemeral=ephemeral, keep_open=[lock]
        )
        # Before the start: what came up is stopped when the other does not.
        for server in (mongo, redis):
            # Data that is thrown away needs no checkpoint.
            stack.callback(server.stop if data_dir else server.kill)
        for server in (mongo, redis):
            server.launch()
        for server in (mongo, redis):
            server.wait()
        yield Servers(folder, mongo, redis)
