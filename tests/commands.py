"""The real `landfall` command, as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LANDFALL = Path(sys.executable).with_name("landfall")
AT_ONCE = 3
"""Commands side by side: each takes seconds of CPU."""

Done = subprocess.CompletedProcess[str]


def environment(**settings: str) -> dict[str, str]:
    """This process's environment, with no other settings than these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LANDFALL_")}
    named = {f"LANDFALL_{name}": value for name, value in settings.items()}
    return {**kept, "COLUMNS": "300", "PYTHONUNBUFFERED": "1", **named}


def landfall(*arguments: str, input: str | None = None, seconds: float = 90, **settings: str) -> Done:
    """Run it to its end."""
    return subprocess.run(
        [LANDFALL, *arguments],
        env=environment(**settings),
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def all_done(runs: Mapping[str, Callable[[], Done]]) -> dict[str, Done]:
    """Several of them, a few at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {name: pool.submit(run) for name, run in runs.items()}
        return {name: each.result() for name, each in begun.items()}
