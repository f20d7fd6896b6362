"""Settings of Landfall over embedded servers of its own, for benchmarks within one process."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core import logs
from core.settings import Environment, Settings
from devstack.servers import embedded


@contextmanager
def embedded_settings(**given: Any) -> Iterator[Settings]:
    """Settings of servers that are gone afterwards, with what is given besides; errors alone are logged."""
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "data") as servers:
        folder = Path(name)
        settings = Settings(
            env=Environment.TEST,
            mongo_url=servers.mongo_url,
            redis_url=servers.redis_url,
            data_dir=folder,
            media_dir=folder / "media",
            log_level="ERROR",
            **given,
        )
        logs.configure(settings)
        yield settings
