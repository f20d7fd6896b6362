"""Pre-forked commands: one interpreter with Landfall imported, which forks a process for each `landfall`.

Importing takes seconds of CPU, and dozens of tests run the command. A client connects to the socket, sends
the arguments and the environment as JSON with three standard streams, and is told the exit code.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

MOST_BYTES = 1_000_000


def run(arguments: Sequence[str], environment: dict[str, str], streams: Sequence[Any], seconds: float) -> int:
    """The exit code of a `landfall` with these standard streams; TimeoutError when it takes longer."""
    request = json.dumps({"arguments": arguments, "environment": environment}).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_BYTES)
        connection.connect(str(_listening()))
        socket.send_fds(connection, [request], [stream.fileno() for stream in streams])
        pid = int(connection.recv(64))
        connection.settimeout(seconds)
        try:
            return int(connection.recv(64))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise


@cache
def _listening() -> Path:
    """The socket of this process's interpreter, which ends with this process."""
    path = Path(tempfile.mkdtemp(prefix="landfall-")) / "socket"
    # Read while it imports: how wide a terminal is.
    environment = {**os.environ, "COLUMNS": "300"}
    command = [sys.executable, "-m", "tests.prefork", str(path)]
    server = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"READY\n"
    # The end of its standard input is the end of it.
    atexit.register(server.communicate)
    return path


def serve(path: str) -> None:
    """Fork for each connection, until the process that started this one is gone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        signal.signal(signal.SIGCHLD, _reap)
        print("READY", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(connection)
            connection.close()
    Path(path).unlink()
    Path(path).parent.rmdir()


def _reap(number: int, frame: FrameType | None) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _answer(connection: socket.socket) -> None:
    """Become the command that is asked for."""
    from server.__main__ import main

    code: object = 1
    try:
        request, streams, _, _ = socket.recv_fds(connection, MOST_BYTES, 3)
        connection.send(str(os.getpid()).encode())
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        asked = json.loads(request)
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["landfall", *asked["arguments"]]
        main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(str(code).encode())
        os._exit(0)


if __name__ == "__main__":
    from core import discovery
    from devstack import seed
    from server import cli, lifespan, process

    __all__ = ["cli", "lifespan", "process", "seed"]
    discovery.all_systems()
    serve(sys.argv[1])
