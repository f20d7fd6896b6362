"""Every collection has its indexes, however a process begins."""

import asyncio
import os
import sys

from core import discovery
from core.context import Services
from core.settings import Settings
from core.storage import store
from core.storage.mongo import Database


async def test_a_command_that_knows_no_schema_makes_all_indexes(
    services: Services, settings: Settings
) -> None:
    discovery.all_systems()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "doctor"),
        env={
            **os.environ,
            "LANDFALL_MONGO_URL": settings.mongo_url,
            "LANDFALL_REDIS_URL": settings.redis_url,
            "LANDFALL_MONGO_DATABASE": "indexes",
            "LANDFALL_DATA_DIR": str(settings.data_dir),
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0
    db = Database(services.db.client, "indexes")
    for declared in store.COLLECTIONS.values():
        if declared.indexes:
            found = await db.command({"listIndexes": declared.name})
            assert len(found["cursor"]["firstBatch"]) == len(declared.indexes) + 1, declared.name
