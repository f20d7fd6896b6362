"""Stored names of earlier versions, brought up to date by migrations."""

from typing import Any

import pytest

from core import clock
from core.context import Services
from core.storage.migrations import MIGRATIONS
from tests.conftest import NewPhone
from tests.phone import key


async def migrated(services: Services, name: str) -> list[int]:
    """Documents changed by a migration, and by the same once more."""
    return [await MIGRATIONS[name](services.db) for _ in range(2)]


@pytest.mark.parametrize(
    ("migration", "old", "new"),
    [
        ("core.jobs", "errands", "jobs"),
        ("core.key-rotation-progress", "sealing_progress", "key_rotation_progress"),
        ("feed.affinities", "feed_tastes", "feed_affinities"),
    ],
)
async def test_a_collection_moves_with_its_documents(
    services: Services, migration: str, old: str, new: str
) -> None:
    row = {"_id": f"{old}_stored", "state": "DONE"}
    await services.db.write({"insert": old, "documents": [row]})
    await migrated(services, migration)
    assert await services.db.find(new, {"_id": row["_id"]}) == [row]
    left = await services.db.command({"listCollections": 1, "filter": {"name": old}})
    assert left["cursor"]["firstBatch"] == []
    await services.db.write({"delete": new, "deletes": [{"q": {"_id": row["_id"]}, "limit": 1}]})


@pytest.mark.parametrize(
    ("migration", "collection", "before", "after"),
    [
        (
            "core.log-names",
            "changes",
            {"type": "SCOPE", "former": ["user:a"], "aged": True},
            {"type": "MEMBERSHIP", "former_scopes": ["user:a"], "archived": True},
        ),
        ("catalog.dirty", "inventory", {"untold": False}, {"dirty": False}),
        ("chat.blocked", "chat_members", {"parted": True}, {"blocked": True}),
        ("feed.affinities", "feed_affinities", {"inbox_kept": True}, {"inbox_maintained": True}),
        (
            "chat.allowed-senders",
            "chat_settings",
            {"who_can_message": "NOBODY"},
            {"allowed_senders": "NOBODY"},
        ),
        (
            "audit.check-names",
            "audit_checks",
            {"reach": "WHOLE", "performed_by": "user_a", "total_checked": 12, "details": [{"seq": 1}]},
            {
                "kind": "WHOLE",
                "performed_by_id": "user_a",
                "checked_entry_count": 12,
                "damages": [{"seq": 1}],
            },
        ),
        ("auth.input-names", "auth_flows", {"purpose": "ENROL_2FA"}, {"purpose": "ENABLE_TWO_FACTOR"}),
    ],
)
async def test_fields_take_their_present_names(
    services: Services, migration: str, collection: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    id = f"{collection}_stored"
    plain = {"_id": id, "user_id": "user_stored", "chat_id": "chat_stored", "sku": "stored"}
    if collection == "changes":
        plain |= {"at": clock.now(), "scopes": [], "node": id, "revision": 1}
    await services.db.write({"insert": collection, "documents": [{**plain, **before}]})
    first, second = await migrated(services, migration)
    assert (first >= 1, second) == (True, 0)
    [row] = await services.db.find(collection, {"_id": id})
    assert {name: row[name] for name in after} == after
    assert not before.keys() - after.keys() & row.keys()
    await services.db.write({"delete": collection, "deletes": [{"q": {"_id": id}, "limit": 1}]})


@pytest.mark.parametrize(
    ("system", "old", "new", "selection", "input"),
    [
        ("feed", "updatePost", "updatePost", "post { id }", {"text": "Better"}),
        ("feed", "notInterested", "markPostUninteresting", "removedPostId", {}),
    ],
    ids=["another input", "another name"],
)
async def test_what_was_done_under_a_former_name_is_answered_as_then(
    services: Services,
    new_phone: NewPhone,
    system: str,
    old: str,
    new: str,
    selection: str,
    input: dict[str, Any],
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    author = ada if new == "updatePost" else grace
    post = (await author.do("createPost", "post { id }", text="Well", visibility="PUBLIC"))["post"]["id"]
    given = {"idempotencyKey": key(), "postId": post, **input}
    first = await ada.do(new, selection, **given)
    assert (first["errors"], first["replayed"]) == ([], False)
    id = f"{ada.user_id}:{given['idempotencyKey']}"
    former = {"$set": {"mutation": old, "input_hash": "of the former input"}}
    await services.db.write({"update": "receipts", "updates": [{"q": {"_id": id}, "u": former}]})
    changed = await migrated(services, f"{system}.mutation-names")
    assert (changed[0] >= 1, changed[1]) == (True, 0)
    assert await ada.do(new, selection, **given) == {**first, "replayed": True}


@pytest.mark.parametrize(
    ("name", "collection"),
    [
        ("feed.versions", "sponsorships"),
        ("feed.versions", "feed_experiments"),
        ("catalog.versions", "privacy_choices"),
    ],
)
async def test_what_had_no_version_has_its_first(services: Services, name: str, collection: str) -> None:
    older, newer = {"_id": "older"}, {"_id": "older:2", "version": 7}
    await services.db.write({"insert": collection, "documents": [older, newer]})
    assert await migrated(services, name) == [1, 0]
    rows = await services.db.find(collection, {"_id": {"$in": ["older", "older:2"]}}, sort=[("_id", 1)])
    assert [row["version"] for row in rows] == [1, 7]
    gone = [{"q": {"_id": row["_id"]}, "limit": 1} for row in rows]
    await services.db.write({"delete": collection, "deletes": gone})


@pytest.mark.parametrize(
    ("mutation", "before", "after"),
    [
        ("recordImpressions", {"recorded": 3}, {"recorded_count": 3}),
        ("setPostSponsorship", {"sponsorship": {"post": {}}}, {"sponsorship": {"post": {}, "version": 1}}),
        (
            "createShareLink",
            {"code": "abc", "url": "https://example.com/p/abc"},
            {"share_link": {"code": "abc", "url": "https://example.com/p/abc", "post": None}},
        ),
    ],
)
async def test_stored_results_take_their_present_names(
    services: Services, mutation: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    id = f"user_stored:{mutation}"
    receipt = {"_id": id, "mutation": mutation, "state": "DONE", "payload": before}
    await services.db.write({"insert": "receipts", "documents": [receipt]})
    assert await migrated(services, "feed.input-names") == [1, 0]
    [row] = await services.db.find("receipts", {"_id": id})
    assert row["payload"] == after
    await services.db.write({"delete": "receipts", "deletes": [{"q": {"_id": id}, "limit": 1}]})


async def test_stored_refusals_take_their_present_codes(services: Services) -> None:
    """A replay of a receipt of an earlier version answers with a code that clients know."""
    errors = [{"code": "FLOW_LOCKED", "message": "Over."}, {"code": "CONFLICT", "message": "Changed."}]
    id = "user_stored:codes"
    receipt = {"_id": id, "state": "DONE", "payload": {"errors": errors}}
    await services.db.write({"insert": "receipts", "documents": [receipt]})
    first, second = await migrated(services, "core.receipt-codes")
    assert (first, second) == (1, 0)
    [row] = await services.db.find("receipts", {"_id": id})
    assert row["payload"]["errors"] == [{**errors[0], "code": "EXPIRED"}, errors[1]]
    await services.db.write({"delete": "receipts", "deletes": [{"q": {"_id": id}, "limit": 1}]})
