"""Redis as a child process."""

import socket
from collections.abc import Sequence
from pathlib import Path

from devstack import binaries
from devstack.process import ServerProcess, free_port


class EmbeddedRedis:
    """One Redis: with an append-only file for development, in memory alone for tests."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        ephemeral: bool = False,
        keep_open: Sequence[int] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.process = ServerProcess(
            [str(binaries.redis_server()), *_options(folder, self.port, ephemeral)],
            folder / "redis.log",
            keep_open,
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, or start again after `stop` or `kill`, on the same port."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start without waiting."""
        self.process.start()

    def wait(self) -> None:
        """Until it answers, its data read."""
        self.process.wait_until(lambda: self._ask("PING") == b"+PONG")

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()

    def flush(self) -> None:
        """Forget every key, as after a loss of memory."""
        if (answer := self._ask("FLUSHALL")) != b"+OK":
            raise RuntimeError(f"Redis did not forget its keys: {answer!r}")

    def _ask(self, command: str) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(f"{command}\r\n".encode())
                return connection.recv(200).strip()
        except OSError:
            return b""


def _options(folder: Path, port: int, ephemeral: bool) -> list[str]:
    return [
        *("--dir", str(folder.absolute())),
        *("--bind", "127.0.0.1"),
        *("--port", str(port)),
        *("--save", ""),
        *("--appendonly", "no" if ephemeral else "yes"),
        *("--loglevel", "notice"),
    ]
