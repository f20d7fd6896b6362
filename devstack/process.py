"""A server program as a child process: started, watched until it answers, stopped, or hurt by a test."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0
POLL = 0.01
LOG_LIMIT = 10_000_000


class StartFailed(RuntimeError):
    """A server did not come up; the message ends with the tail of its log."""


class ServerProcess:
    """One child process. It dies with the thread that started it, so start it from one that stays.

    `keep_open`: file descriptors the child inherits, such as the lock of its data directory.
    """

    def __init__(self, command: Sequence[str], log: Path, keep_open: Sequence[int] = ()) -> None:
        self.command = command
        self.log = log
        self.keep_open = keep_open
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start without waiting; `wait_until` waits."""
        if self.running:
            return
        _rotate(self.log)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self.keep_open,
                # Ctrl-C in a terminal then reaches only the parent, which stops its children in order.
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Poll until ready; `StartFailed` if the process ends or takes too long."""
        deadline = time.monotonic() + START_TIMEOUT
        while not ready():
            if not self.running:
                raise StartFailed(f"{self._name} ended while starting.\n{self._tail()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self._name} was not ready in {START_TIMEOUT:.0f} s.\n{self._tail()}")
            time.sleep(POLL)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after ten seconds."""
        if self._child is None:
            return
        self.terminate()
        try:
            self._child.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()

    def terminate(self) -> None:
        """Ask it to end, without waiting; a paused one could not hear."""
        self.resume()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """As a machine dies: kill -9."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def pause(self) -> None:
        """As a machine hangs: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._child is not None:
            self._child.send_signal(number)

    @property
    def _name(self) -> str:
        return Path(self.command[0]).name

    def _tail(self, lines: int = 15) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"The end of {self.log}:\n" + "\n".join(text.splitlines()[-lines:])


def free_port() -> int:
    """A port free now, and not one that outgoing connections take: a server can restart on it later."""
    chooser = random.SystemRandom()
    for _ in range(100):
        port = chooser.randrange(20_000, 32_000)
        if not accepts(port) and _can_bind(port):
            return port
    raise StartFailed("No free port between 20000 and 32000.")


def accepts(port: int) -> bool:
    """True if something listens on this port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".old.log"))
