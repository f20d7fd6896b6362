"""The role of Landfall's account in MongoDB: it does all that is needed, and can change no audit entry."""

import json
from collections.abc import Iterator

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from core.settings import Settings
from core.storage import privileges
from core.storage.mongo import InsertOnly
from core.storage.store import COLLECTIONS
from resolvers.audit import sealing, sequencing, verifying
from server import lifespan
from stores import audit as store
from stores.audit import IntegrityCheckKind
from tests.audit import logs
from tests.audit.steps import on_record
from tests.commands import landfall_of
from tests.guarded import DATABASE, LIMITED, Guarded, guarded
from tests.phone import make_user

UNAUTHORIZED = 13
KEPT = ("audit_entries", "audit_keys", "audit_leaves", "audit_links")
TRIED = {
    "update": {"updates": [{"q": {}, "u": {"$set": {"action": "forged"}}}]},
    "delete": {"deletes": [{"q": {}, "limit": 0}]},
    "findAndModify": {"query": {}, "remove": True},
    "drop": {},
}


@pytest.fixture(scope="module")
def servers_with_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("guarded")) as running:
        yield running


async def test_update_or_delete_tried_on_stored_entries_database_role_refuses(
    settings: Settings, servers_with_users: Guarded
) -> None:
    """Row: Update or delete tried on stored entries."""
    url = servers_with_users.mongo(user=LIMITED)
    limited = settings.model_copy(update={"mongo_url": url, "mongo_database": DATABASE})
    async with lifespan.services(limited) as services:
        # All that is needed is allowed: the start with its indexes, what people do, chains and checkpoints.
        org, user_id = logs.new_org(), await make_user(services)
        ctx = Context(services, viewer=Viewer(user_id, "session_x", "device_x", org=org))
        await record_apart(ctx, Act("tested.done"))
        [entry] = await on_record(services, org_id=org)
        await sequencing.sequence(services, [entry["chain_id"]])
        assert await sealing.seal(services, org) == 1
        check = await verifying.verify_log(services, org, IntegrityCheckKind.WHOLE)
        assert (check["integrity_valid"], check["checked_entry_count"]) == (True, 1)
    async with AsyncMongoClient(url) as client:
        for name in KEPT:
            for verb, rest in TRIED.items():
                with pytest.raises(OperationFailure) as refused:
                    await client[DATABASE].command({verb: name, **rest})
                assert refused.value.code == UNAUTHORIZED
        kept = await client[DATABASE]["audit_entries"].find_one({"_id": entry["_id"]})
        assert kept is not None
        assert kept["action"] == "tested.done"


@pytest.mark.parametrize("verb", ["update", "delete", "findAndModify"])
async def test_update_or_delete_tried_on_stored_entries_no_api(services: Services, verb: str) -> None:
    """Row: Update or delete tried on stored entries (here: by our own code)."""
    assert set(KEPT) == {name for name, each in COLLECTIONS.items() if each.insert_only}
    for name in KEPT:
        with pytest.raises(InsertOnly):
            await services.db.write({verb: name, **TRIED[verb]})
    ctx = Context(services)
    with pytest.raises(InsertOnly):
        await ctx.unit(lambda: ctx.tx.delete(store.entries, "audit_entry_x"))


async def test_the_command_prints_the_role(settings: Settings) -> None:
    done = await landfall_of(settings, "database-role")
    printed = json.loads(done.stdout)
    assert printed["createRole"] == privileges.ROLE
    actions = {each["resource"]["collection"]: each["actions"] for each in printed["privileges"]}
    assert "update" not in actions["audit_entries"]
    assert "update" in actions["audit_entry_state"]
