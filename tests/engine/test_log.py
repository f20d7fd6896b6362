"""Change log: nothing that devices keep is written without an entry."""

from datetime import timedelta
from typing import Any

import pytest

from core import ids, nodes
from core.context import Context, Services
from core.storage.change_recorder import UnloggedChange
from core.storage.store import COLLECTIONS
from core.sync import changes
from tests.conftest import NewPhone
from tests.phone import deleted_ids, key

SYNCED = sorted(name for name, each in COLLECTIONS.items() if each.synced and each.scopes is None)
"""Those whose resolvers log: the others log themselves."""


def test_every_sync_type_has_a_synced_collection() -> None:
    declared = {store.prefix for store in COLLECTIONS.values() if store.synced}
    # A chat changes by its two sides, which have no ids; products are everybody's, and watched one by one.
    # An account is a further node of a person, and a line one of its cart.
    assert set(nodes.SYNCED.values()) == declared - {None, "product"} | {"chat", "account", "cart_line"}
    assert {name: prefix.upper() for name, prefix in nodes.SYNCED.items()} == {
        name: name for name in nodes.SYNCED
    }


@pytest.mark.parametrize("name", SYNCED)
async def test_a_write_without_a_log_entry_fails(services: Services, name: str) -> None:
    """Of every kind, in every synced collection: the unit refuses to commit."""
    collection = COLLECTIONS[name]
    # What unique indexes ask for.
    id, own = ids.new_id(collection.prefix or ""), {"follower_id": key(), "followee_id": key()}
    named = {str(collection.shard_key or "_id"): key(), "_id": id}
    ctx = Context(services)

    async def insert() -> None:
        await ctx.tx.insert(collection, {**own, **named})

    async def insert_logged() -> None:
        document = await ctx.tx.insert(collection, {**own, **named})
        ctx.tx.changed(document, scopes=["user:nobody"], created=True)

    async def update() -> None:
        assert await ctx.tx.update(collection, named, set={"note": "changed"})

    async def delete() -> None:
        assert await ctx.tx.delete(collection, named)

    async def delete_logged() -> None:
        document = await ctx.tx.delete(collection, named)
        assert document is not None
        ctx.tx.removed(document)

    with pytest.raises(UnloggedChange, match=id):
        await ctx.unit(insert)
    assert await collection.by_id(services.db, id) is None
    await ctx.unit(insert_logged)
    for unlogged in (update, delete):
        with pytest.raises(UnloggedChange, match=id):
            await ctx.unit(unlogged)
    stored: Any = await collection.by_id(services.db, id)
    assert (stored["version"], "note" in stored) == (1, False)
    await ctx.unit(delete_logged)
    [entry] = await changes.named(services.db, [id])
    assert (entry["deleted"], entry["scopes"], entry["former_scopes"]) == (True, [], ["user:nobody"])


async def test_two_changes_in_one_millisecond_are_two(services: Services, new_phone: NewPhone) -> None:
    """MongoDB's clock may stand still: a deletion right after what was read must not look like it."""
    ada = await new_phone("Ada")
    post = (await ada.do("createPost", "post { id }", text="Short-lived"))["post"]["id"]
    query = """query($since: SyncToken) { viewer { changes(since: $since) {
      nodes { id } deleted { id } token } } }"""
    token = (await ada.run(query))["viewer"]["changes"]["token"]
    [read] = await changes.named(services.db, [post])
    await ada.do("deletePost", "deletedPostId", postId=post)
    same_moment = {"q": {"_id": post}, "u": {"$set": {"at": read["at"]}}}
    await services.db.write({"update": changes.log.name, "updates": [same_moment]})
    assert deleted_ids((await ada.run(query, since=token))["viewer"]["changes"]) == [post]


async def test_what_is_no_entity_any_more_is_known_as_long_as_tokens_are_good(
    services: Services, new_phone: NewPhone
) -> None:
    """Entries of blocked people and deleted things expire; those of live entities stay for first syncs."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    kept, gone = [(await ada.do("createPost", "post { id }", text="Hi"))["post"]["id"] for _ in range(2)]
    await ada.do("deletePost", "deletedPostId", postId=gone)
    for act in ("blockUser", "unblockUser"):
        payload = await ada.do(act, "errors { code }", userId=grace.user_id)
        assert payload["errors"] == []
        mine = {"scopes": f"user:{grace.user_id}", "type": changes.NOTE}
        notes = [row for row in await services.db.find("changes", mine) if row["_id"].startswith("block:")]
        assert [row["expires_at"] - row["at"] for row in notes] == [changes.KEPT]
    [tombstone] = await services.db.find("changes", {"_id": gone})
    assert tombstone["expires_at"] - tombstone["at"] == changes.KEPT == timedelta(days=90)
    [entry] = await services.db.find("changes", {"_id": kept})
    assert "expires_at" not in entry
