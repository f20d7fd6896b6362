"""The `landfall` command, as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

from core.settings import Settings
from tests import prefork

LANDFALL = Path(sys.executable).with_name("landfall")
AT_ONCE = 3
"""Commands side by side."""

Done = subprocess.CompletedProcess[str]


def environment(**settings: str) -> dict[str, str]:
    """This process's environment, with no other settings than these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LANDFALL_")}
    named = {f"LANDFALL_{name}": value for name, value in settings.items()}
    return {**kept, "COLUMNS": "300", "PYTHONUNBUFFERED": "1", **named}


def landfall(*arguments: str, input: str | None = None, seconds: float = 90, **settings: str) -> Done:
    """Run it to its end."""
    with TemporaryFile("w+") as given, TemporaryFile("w+") as printed, TemporaryFile("w+") as said:
        given.write(input or "")
        given.seek(0)
        code = prefork.run(arguments, environment(**settings), (given, printed, said), seconds)
        printed.seek(0)
        said.seek(0)
        return Done(arguments, code, printed.read(), said.read())


async def landfall_of(settings: Settings, *arguments: str) -> Done:
    """Run it as an operator of this deployment."""
    known = {
        "ENV": settings.env,
        "MONGO_URL": settings.mongo_url,
        "MONGO_DATABASE": settings.mongo_database,
        "REDIS_URL": settings.redis_url,
        "SECRET": settings.secret.get_secret_value(),
        "FIELD_KEYS": settings.field_keys.get_secret_value(),
    }
    return await asyncio.to_thread(partial(landfall, *arguments, **known))


def all_done(runs: Mapping[str, Callable[[], Done]]) -> dict[str, Done]:
    """Several of them, a few at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {name: pool.submit(run) for name, run in runs.items()}
        return {name: each.result() for name, each in begun.items()}
