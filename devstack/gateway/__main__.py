"""The gateway that pretends, as a process of its own: it outlives those who charge with it."""

import argparse
import asyncio
import signal
from pathlib import Path

from devstack.gateway import Gateway


async def serve(port: int, hook: str, state: Path | None) -> None:
    """Until it is told to stop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Gateway(hook=hook, state=state).running(port, delivering=True):
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack.gateway", description=__doc__)
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--hook", default="", help="Address to which events are posted; none when left out.")
    parser.add_argument("--state", type=Path, help="File that keeps the ledger; in memory when left out.")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.hook, given.state))


if __name__ == "__main__":
    main()
