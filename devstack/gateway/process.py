"""The gateway that pretends as a child process, beside the embedded servers."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from devstack.process import ServerProcess, accepts, free_port


class EmbeddedGateway:
    """Gateway whose ledger lies in a folder."""

    def __init__(self, folder: Path, *, hook: str = "", port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        state = (folder / "ledger.json").absolute()
        program = [sys.executable, "-m", "devstack.gateway", "--port", str(self.port), "--hook", hook]
        self.process = ServerProcess([*program, "--state", str(state)], folder / "gateway.log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Started, without waiting: the first payment is minutes away."""
        self.process.start()
        try:
            yield self
        finally:
            self.process.stop()

    def wait(self) -> None:
        """Until it answers."""
        self.process.wait_until(lambda: accepts(self.port))
