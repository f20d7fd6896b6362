"""Recording of what the systems do: an act and its entry in one transaction, once."""

from typing import Any

import pytest

from core import ids
from core.audit import Act, record, record_apart
from core.context import Context, Services
from core.errors import BadUserInput
from stores import audit as store
from stores import feed
from tests.audit.steps import on_record, opened, sensitive
from tests.conftest import NewPhone
from tests.feed.steps import publish
from tests.phone import key


async def test_an_act_and_its_entry_are_one_transaction(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    assert await on_record(services, resource_id=post) == []
    await ada.do("deletePost", "deletedPostId", postId=post)
    [entry] = await on_record(services, resource_id=post)
    assert (entry["action"], entry["event_type"], entry["resource_type"], entry["outcome"]) == (
        "feed.post_deleted",
        "DATA_MODIFIED",
        "CONTENT",
        "OK",
    )
    assert (entry["actor_id"], entry["actor_type"], entry["actor_role"]) == (ada.user_id, "USER", "MEMBER")
    assert (entry["device_id"], entry["ip_masked"], entry["org_id"]) == (
        ada.device_id,
        "127.0.0.0",
        "personal",
    )
    assert entry["chain_id"] == store.chain_of("personal", ada.user_id, None)
    assert entry["request_id"]
    assert "aiohttp" in (await opened(services, entry, "user_agent") or "")
    # Key and state came with it.
    assert await store.entry_keys.by_ids(services.db, [f"feed:{entry['_id']}"]) == [
        {"_id": f"feed:{entry['_id']}", "entry_id": entry["_id"]}
    ]
    place = {"_id": entry["_id"], "chain_id": entry["chain_id"]}
    state = await store.entry_states.by_id(services.db, place)
    assert state is not None
    assert (state["status"], state["tier"], state["integrity"]) == ("ACCEPTED", "HOT", "PENDING")


async def test_an_act_whose_entry_cannot_be_written_is_not_done(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    entry_of = store.accepted

    def without_place(entry: store.AuditEntry) -> Any:
        return {**entry_of(entry), "_id": {"$bad": 1}}

    monkeypatch.setattr(store, "accepted", without_place)
    failed = await ada.ask(
        "mutation($input: DeletePostInput!) { deletePost(input: $input) { deletedPostId } }",
        input={"idempotencyKey": key(), "postId": post},
    )
    assert failed.code == "INTERNAL"
    assert await feed.posts.by_id(services.db, post) is not None
    assert await on_record(services, resource_id=post, outcome="OK") == []


async def test_same_batch_sent_twice_first_result_no_new_entries(
    new_phone: NewPhone, services: Services
) -> None:
    """Row: Same batch sent twice (here: a mutation under its key)."""
    ada = await new_phone("Ada")
    post = await publish(ada)
    again = {"postId": post, "idempotencyKey": key()}
    first = await ada.do("deletePost", "deletedPostId replayed", **again)
    second = await ada.do("deletePost", "deletedPostId replayed", **again)
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert len(await on_record(services, resource_id=post)) == 1


async def test_an_act_that_comes_again_under_its_key_is_on_record_already(services: Services) -> None:
    act = Act("tested.done", resource_id=ids.new_id("thing"), entry_key=key())
    for _ in range(2):
        await record_apart(Context(services), act)
    # Another source has keys of its own.
    other = Act("tested.done", resource_id=act.resource_id, entry_key=act.entry_key, source="other")
    await record_apart(Context(services), other)
    entries = await on_record(services, resource_id=act.resource_id)
    assert [entry["metadata"] for entry in entries] == [{"source": "tested"}, {"source": "other"}]


async def test_mutation_refused_after_a_denial_was_noted_the_denial_stands_in_its_own_unit(
    services: Services,
) -> None:
    """Row: Mutation refused after a denial was noted."""
    ctx, thing = Context(services), ids.new_id("thing")

    async def refused() -> None:
        await record(ctx, Act("tested.begun", resource_id=thing))
        await record_apart(ctx, Act("tested.denied", "ACCESS_DENIED", resource_id=thing))
        raise BadUserInput("Not so.")

    with pytest.raises(BadUserInput):
        await ctx.unit(refused)
    assert [entry["action"] for entry in await on_record(services, resource_id=thing)] == ["tested.denied"]


async def test_reasons_are_encrypted_with_the_key_of_whom_they_are_about(
    new_phone: NewPhone, services: Services
) -> None:
    root, ada = await new_phone("Root", roles=["MEMBER", "ADMIN"]), await new_phone("Ada")
    await root.do("suspendUser", "account { id }", userId=ada.user_id, reason="She said so.")
    [entry] = await on_record(services, action="auth.user_suspended", subject_id=ada.user_id)
    assert (entry["actor_id"], entry["actor_role"]) == (root.user_id, "ADMIN")
    assert await sensitive(services, entry) == {"reason": "She said so."}
    assert "She said so." not in repr(entry)


async def test_chains_of_an_incident_an_organization_and_nobody(
    new_phone: NewPhone, services: Services
) -> None:
    incident = ids.new_id("incident")
    ctx = Context(services)
    await record_apart(ctx, Act("tested.opened", incident_id=incident))
    [entry] = await on_record(services, incident_id=incident)
    assert (entry["chain_id"], entry["actor_type"], entry["actor_role"]) == (
        f"incident:{incident}",
        "SYSTEM",
        "SYSTEM",
    )
    assert store.chain_of("acme", None, None) == "org:acme:0"
    numbers = {store.chain_of("acme", f"user_{each}", None) for each in range(500)}
    assert numbers == {f"org:acme:{each}" for each in range(16)}


async def test_a_kind_that_the_log_does_not_know_is_a_bug(services: Services) -> None:
    for bad in (Act("tested.bad", "NO_TYPE"), Act("tested.bad", resource_type="NO_TYPE")):
        with pytest.raises(ValueError, match="NO_TYPE"):
            await record_apart(Context(services), bad)
