"""A process is killed between the groups of a batch: sent again, no scan is lost and none is there twice."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from core import clock
from core.context import Services
from core.mutations import groups
from core.storage import mongo
from stores.barcode import scans, windows
from tests.barcode.steps import batch_item, new_code, scanned
from tests.cart.test_killed_web import Aborted, Web, again, web  # noqa: F401
from tests.conftest import NewPhone
from tests.phone import Phone, key

BATCH, HELD = 100, 75
"""Scans of the batch, and which of them is held up: one of the second group."""


async def test_killed_between_the_groups_of_a_batch(
    web: Web,  # noqa: F811
    services: Services,
    new_phone: NewPhone,
) -> None:
    ada = await new_phone("Ada")
    begin = clock.now() - timedelta(hours=1)
    items = [batch_item(new_code(), begin + timedelta(seconds=place)) for place in range(BATCH)]
    earlier = (await scanned(ada, items[HELD]["code"], begin - timedelta(minutes=1)))["scanRecord"]["id"]
    [window] = await windows.find(services.db, {"user_id": ada.user_id})
    given = {"idempotencyKey": key(), "scans": items}
    selection = "results { itemId status replayed errors { code retryable } }"
    before = await _aborted(services)

    async def reached() -> bool:
        return len(await _stored(services, ada)) > groups.MOST and await _aborted(services) > before

    with suppress(Aborted):
        async with mongo.transaction(services.db) as within:
            claim = {"q": {"_id": window["_id"]}, "u": {"$inc": {"claims": 1}}}
            await within.write({"update": windows.name, "updates": [claim]})
            await web.killed(replace(ada, url=web.url).do("recordScans", selection, **given), reached)
            raise Aborted
    # The first group is there whole, and of the second nothing.
    first = {each["id"] for each in items[: groups.MOST]}
    assert await _stored(services, ada) == {earlier, *first}
    results = (await again(ada, "recordScans", selection, **given))["results"]
    assert [each["itemId"] for each in results] == [each["id"] for each in items]
    assert [each["status"] for each in results] == ["CREATED"] * BATCH
    assert [each["replayed"] for each in results[: groups.MOST]] == [True] * groups.MOST
    assert await _stored(services, ada) == {earlier, *(each["id"] for each in items)}


async def _stored(services: Services, phone: Phone) -> set[str]:
    rows = await scans.find(services.db, {"user_id": phone.user_id}, fields=("_id",))
    return {row["_id"] for row in rows}


async def _aborted(services: Services) -> int:
    """Transactions that were aborted so far."""
    found = await services.db.command({"serverStatus": 1})
    return int(found["transactions"]["totalAborted"])
