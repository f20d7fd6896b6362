"""Queries over the life of an upload, all with an index; and the export of its owner."""

import contextlib

from pymongo.errors import PyMongoError

from core import jobs
from core.context import Services
from core.erasure import ERASERS, EXPORTERS
from tests.conftest import NewPhone
from tests.media import steps

PURPOSE = "CHAT_ATTACHMENT"
JPEG = steps.picture((60, 40))


async def test_people_can_take_along_what_is_known_of_their_files(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    upload = await steps.uploaded(ada, services, JPEG)
    exported = {name: rows async for name, rows in EXPORTERS["media"](services, ada.user_id)}
    [row] = exported["media"]
    assert (row["id"], row["file_name"]) == (upload["processedMedia"]["id"], "photo.jpg")
    assert row["sha256"] == steps.sha256(JPEG)
    # Where files lie and our own bookkeeping are no news to them; whose it is they know.
    assert set(row) == {
        *("id", "purpose", "kind", "mime", "size_bytes", "source_bytes", "sha256", "width", "height"),
        *("duration_ms", "alt_text", "file_name", "main", "thumb", "animation", "placeholder"),
        *("dominant_color", "created_at"),
    }


async def test_every_query_has_its_index(new_phone: NewPhone, services: Services) -> None:
    """By MongoDB's profiler, over the whole life of uploads."""
    db = services.db
    await db.command({"profile": 0})
    with contextlib.suppress(PyMongoError):
        await db.command({"drop": "system.profile"})
    await db.command({"profile": 2})
    try:
        ada = await new_phone("Ada")
        digest = steps.sha256(JPEG)
        upload = await steps.uploaded(ada, services, JPEG, sha256=digest)
        again = await steps.created(ada, JPEG, sha256=digest)
        record = (await ada.do("createPost", "post { id }", text="Look"))["post"]["id"]
        for each in (upload, again):
            await steps.used(services, each["id"], ada, record, PURPOSE)
        eve = await new_phone("Eve")
        await eve.ask("query($id: ID!) { media(id: $id) { id } }", id=upload["processedMedia"]["id"])
        for status in ("", "(filter: {statuses: [READY]})"):
            await ada.run(f"{{ viewer {{ uploads{status} {{ edges {{ node {{ id }} }} }} }} }}")
        await steps.released(services, record)
        await jobs.run_due(services)
        await jobs.TASKS["media.sweep"](services)
        await ERASERS["media"](services, ada.user_id)
        [_ async for _ in EXPORTERS["media"](services, ada.user_id)]
    finally:
        await db.command({"profile": 0})
    names = [f"{db.name}.{each}" for each in ("media", "uploads", "media_links")]
    seen = await db.find(
        "system.profile", {"ns": {"$in": names}, "op": {"$in": ["query", "command", "update", "remove"]}}
    )
    plans = {(row["ns"], row.get("planSummary", "")) for row in seen}
    assert len(plans) > 5
    assert [plan for plan in plans if "COLLSCAN" in plan[1]] == []
