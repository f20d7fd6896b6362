"""Demo scans: of products of the shop, some of them stacked, with codes that nobody knows."""

from pathlib import Path

from core.jobs import run_due
from core.settings import Settings
from devstack import seed, seed_scans
from devstack.seed import Size
from devstack.seed_audit import person
from jobs import barcode as _jobs  # noqa: F401  # Declares the tasks.
from server import lifespan

SMALL = Size(people=12, posts=10, comments=20, products=30, chats=2, messages=20)


async def test_the_demo_people_have_scanned_submitted_and_stacked(settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"mongo_database": "seed_scans"})
    async with lifespan.services(own) as services:
        await seed.seed(services.db, tmp_path, services.crypto, size=SMALL, until=seed.lately())
        await seed_scans.fill(services)
        while await run_due(services):
            continue
        for handle in seed_scans.PEOPLE:
            query = {"user_id": (await person(services, handle))["_id"]}
            scans = await services.db.find("scans", query)
            assert sum(each["status"] == "MATCHED" for each in scans) == seed_scans.SCANS
            stacks = await services.db.find("stacks", query, sort=[("created_at", 1)])
            counts = [(each["name"], each["item_count"]) for each in stacks]
            assert counts == list(seed_scans.STACKS[handle])
        cases = await services.db.find("review_cases", {})
        found = sorted((each["status"], each["submission_count"]) for each in cases)
        assert found == [("PENDING", 2), ("REJECTED", 1)]
        await services.db.command({"dropDatabase": 1})
