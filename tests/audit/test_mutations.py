"""Acts that mutations declare: done, denied and failed."""

from typing import Any

import pytest

from core import ids
from core.audit import Audited
from core.context import Services
from core.graphql.mutations import mutation
from core.mutations.idempotency import Mutation
from resolvers.auth import admin as administration
from tests.audit.steps import on_record, sensitive
from tests.conftest import NewPhone
from tests.feed.steps import publish
from tests.phone import Phone, key

SUSPEND = """mutation($input: SuspendUserInput!) { suspendUser(input: $input) {
  account { id } errors { code } } }"""


@pytest.fixture
async def admin(new_phone: NewPhone) -> Phone:
    return await new_phone("Root", roles=["MEMBER", "ADMIN"])


async def test_a_mutation_refused_as_forbidden_is_on_record_as_denied_once(
    new_phone: NewPhone, services: Services
) -> None:
    ada, bob = await new_phone("Ada"), await new_phone("Bob")
    again = {"userId": bob.user_id, "reason": "Because.", "idempotencyKey": key()}
    for _ in range(2):
        refused = await ada.do("suspendUser", "account { id }", **again)
        assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    [entry] = await on_record(services, actor_id=ada.user_id, action="auth.user_suspended")
    assert (entry["outcome"], entry["event_type"], entry["resource_id"]) == (
        "DENIED",
        "ACCESS_DENIED",
        bob.user_id,
    )
    # Nobody has checked what it was given.
    assert (entry["subject_id"], entry["sensitive_details"], entry["details"]) == (None, None, {})


async def test_a_refusal_of_the_resolver_is_denied_in_its_own_unit(admin: Phone, services: Services) -> None:
    refused = await admin.do("suspendUser", "account { id }", userId=admin.user_id, reason="Me.")
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    [entry] = await on_record(services, actor_id=admin.user_id, action="auth.user_suspended")
    assert entry["outcome"] == "DENIED"


async def test_other_refusals_are_no_matter_of_record(admin: Phone, services: Services) -> None:
    await admin.do("suspendUser", "account { id }", userId=ids.new_id("user"), reason="Why.")
    assert await on_record(services, actor_id=admin.user_id, action="auth.user_suspended") == []


async def test_an_id_that_nobody_checked_is_cut(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await ada.ask(SUSPEND, input={"idempotencyKey": key(), "userId": "x" * 1000, "reason": "r"})
    [entry] = await on_record(services, actor_id=ada.user_id, action="auth.user_suspended")
    assert entry["resource_id"] == "x" * 100


async def test_a_mutation_that_met_a_bug_is_on_record_as_failed(
    admin: Phone, new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")

    async def broken(*arguments: Any, **given: Any) -> Any:
        raise RuntimeError("planted")

    monkeypatch.setattr(administration, "_moved", broken)
    failed = await admin.ask(
        SUSPEND, input={"idempotencyKey": key(), "userId": ada.user_id, "reason": "Because."}
    )
    assert failed.code == "INTERNAL"
    [entry] = await on_record(services, resource_id=ada.user_id, action="auth.user_suspended")
    assert (entry["outcome"], entry["event_type"], entry["actor_id"]) == (
        "FAILED",
        "DECISION_MADE",
        admin.user_id,
    )


async def test_what_changed_nothing_was_no_act(admin: Phone, new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    for reason in ("First.", "Again."):
        done = await admin.do("suspendUser", "account { id }", userId=ada.user_id, reason=reason)
        assert done["errors"] == []
    [entry] = await on_record(services, subject_id=ada.user_id, action="auth.user_suspended")
    assert await sensitive(services, entry) == {"reason": "First."}


async def test_inputs_are_on_record_as_they_were_given(admin: Phone, services: Services) -> None:
    post = await publish(admin)

    given = {"postId": post, "reason": "Paid.", "endsAt": "2026-12-24T00:00:00Z"}
    await admin.do("setPostSponsorship", "sponsorship { endsAt }", **given)
    [entry] = await on_record(services, resource_id=post, action="feed.sponsorship_set")
    assert (entry["details"], await sensitive(services, entry)) == (
        {"startsAt": None, "endsAt": "2026-12-24T00:00:00.000Z"},
        {"reason": "Paid."},
    )


def test_fields_are_on_record_before_and_after_where_they_changed() -> None:
    declared = Audited("thing.edited", resource="thing_id", fields=("name", "size"))
    before, after = {"name": "a", "size": 1, "secret": "x"}, {"name": "b", "size": 1, "secret": "y"}
    act = declared.done({"thing_id": "thing_1"}, before, after)
    assert (act.resource_id, act.details) == ("thing_1", {"before": {"name": "a"}, "after": {"name": "b"}})


async def edit(ctx: Any, *, thing_id: ids.Id) -> dict[str, Any]:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"audit": Audited("thing.edited", resource="other_id")}, "does not take: .'other_id'"),
        ({"audit": Audited("thing.edited"), "receipt": False}, "no receipt"),
    ],
)
def test_a_declaration_that_does_not_fit_its_mutation_is_found(how: dict[str, Any], found: str) -> None:
    with pytest.raises(TypeError, match=found):
        mutation(edit, returns={}, thing_id="Id of the thing.", **how).named("edit_thing")


def test_mutations_have_no_act_unless_they_declare_one() -> None:
    assert Mutation("editThing", edit).audit is None
