"""Account deletion: a grace period of thirty days, then erasure in every system."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, erasure, ids
from core.context import Services
from core.jobs import run_due
from jobs.auth.deletion import delete_accounts
from stores import auth as store
from tests.auth.authenticator import Passkey
from tests.auth.conftest import NewMember
from tests.auth.key_steps import enrol
from tests.auth.steps import enable_two_factor, letters, new_number, refusal, session, sessions_of, sign_in
from tests.conftest import NewPhone
from tests.phone import Phone

GRACE = timedelta(days=30)
SELECTION = "account { status deletionDueAt user { id } }"


class Elsewhere:
    """Eraser of another system: it fails a set number of times."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failures: dict[str, int] = {}

    async def erase(self, services: Services, user_id: str) -> None:
        self.asked.append(user_id)
        if self.failures.get(user_id):
            self.failures[user_id] -= 1
            raise ConnectionError


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    system = Elsewhere()
    monkeypatch.setitem(erasure.ERASERS, "elsewhere", system.erase)
    return system


async def user(services: Services, id: str) -> Any:
    return await store.users.by_id(services.db, id)


async def ask_for_it(phone: Phone) -> Any:
    done = await phone.do("requestAccountDeletion", SELECTION)
    assert done["errors"] == []
    return done["account"]


async def test_asking_signs_out_other_devices_and_can_be_called_off(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    done = await ada.do("requestAccountDeletion", f"{SELECTION} sessions {{ id status }} removedSessionIds")
    asked = done["account"]
    assert (done["errors"], asked["status"]) == ([], "DELETION_SCHEDULED")
    assert done["sessions"] == [{"id": tablet.session_id, "status": "ENDED"}]
    assert done["removedSessionIds"] == [tablet.session_id]
    assert (await user(services, ada.user_id))["deletion_due_at"] > clock.now() + GRACE - timedelta(minutes=1)
    ended = await session(services, tablet.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", "ACCOUNT_CLOSED")
    assert await ask_for_it(ada) == asked
    stays = await ada.do("cancelAccountDeletion", SELECTION)
    assert stays["account"] == {"status": "ACTIVE", "deletionDueAt": None, "user": {"id": ada.user_id}}
    again = await ada.do("cancelAccountDeletion", SELECTION)
    assert (again["errors"], again["account"]) == ([], stays["account"])
    clock.shift(GRACE + timedelta(days=1))
    await delete_accounts(services)
    assert (await user(services, ada.user_id))["status"] == "ACTIVE"


async def test_asking_needs_a_fresh_proof(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=11))
    refused = await ada.do("requestAccountDeletion", SELECTION)
    assert refused["errors"] == [refusal("STEP_UP_REQUIRED", "Confirm that it is you.")]
    assert (await user(services, ada.user_id))["status"] == "ACTIVE"


async def test_signing_in_within_thirty_days_calls_it_off(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    await sign_in(anonymous, email)
    await ask_for_it(anonymous)
    clock.shift(timedelta(days=29))
    done = await sign_in(anonymous, email)
    assert (done["errors"], done["account"]["status"]) == ([], "ACTIVE")
    clock.shift(timedelta(days=2))
    await delete_accounts(services)
    assert (await user(services, anonymous.user_id))["status"] == "ACTIVE"


async def test_others_see_the_person_no_more(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await ask_for_it(ada)
    query = "query($id: ID!) { user(id: $id) { name } }"
    assert await grace.run(query, id=ada.user_id) == {"user": None}
    assert (await ada.run(query, id=ada.user_id))["user"] == {"name": "Ada"}


async def test_after_thirty_days_nothing_is_left(
    anonymous: Phone, new_member: NewMember, services: Services, elsewhere: Elsewhere
) -> None:
    email = await new_member("Ada", handle=f"h{ids.new_id('user')}")
    await sign_in(anonymous, email)
    id = anonymous.user_id
    assert (await enrol(anonymous, Passkey()))["errors"] == []
    await enable_two_factor(anonymous, services, new_number())
    given = {"email": email, "deviceId": anonymous.device_id}
    await anonymous.do("requestPasswordReset", "__typename", **given)
    await run_due(services)
    await ask_for_it(anonymous)
    clock.shift(GRACE - timedelta(minutes=1))
    await delete_accounts(services)
    assert (await user(services, id))["status"] == "DELETION_SCHEDULED"
    clock.shift(timedelta(minutes=2))
    await delete_accounts(services)
    gone = await user(services, id)
    assert (gone["status"], gone["email"], gone["first_name"], gone["handle"]) == ("DELETED", "", None, None)
    assert gone.keys() <= {*store.User.__annotations__} - {"deletion_due_at"}
    assert await store.keys_of(services.db, id) == []
    assert await sessions_of(services, id) == []
    rest = (store.flows, store.backup_codes, store.password_resets)
    for kept in (store.auth_keys, store.devices, store.security_events, *rest):
        assert await services.db.find(kept.name, {"user_id": id}) == []
    deletion = await store.deletions.by_id(services.db, id)
    assert deletion
    assert (deletion["state"], deletion["pending"], elsewhere.asked.count(id)) == ("DONE", [], 1)
    wrong = refusal("CREDENTIALS_INVALID", "Email or password is wrong.")
    assert (await sign_in(anonymous, email))["errors"] == [wrong]


async def test_a_system_that_fails_is_asked_until_it_confirms(
    new_phone: NewPhone, services: Services, elsewhere: Elsewhere
) -> None:
    ada = await new_phone("Ada")
    await ask_for_it(ada)
    clock.shift(GRACE + timedelta(minutes=1))
    elsewhere.failures[ada.user_id] = 7
    for _ in range(8):
        await delete_accounts(services)
        await delete_accounts(services)
        clock.shift(timedelta(hours=1, minutes=1))
    deletion = await store.deletions.by_id(services.db, ada.user_id)
    assert deletion
    assert (deletion["state"], deletion["pending"], deletion["attempts"]) == ("DONE", [], 8)
    assert elsewhere.asked.count(ada.user_id) == 8


async def test_an_account_s_devices_learn_that_it_is_gone(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await grace.do("followUser", "user { id }", userId=ada.user_id)
    query = """query($since: SyncToken) {
      viewer { changes(since: $since, types: [USER]) { nodes { id } deleted { id } token } } }"""
    token = (await ada.run(query))["viewer"]["changes"]["token"]
    await ask_for_it(ada)
    told = (await ada.run(query, since=token))["viewer"]["changes"]
    assert [node["id"] for node in told["nodes"]] == [ada.user_id]


async def test_the_owner_is_told_by_mail(anonymous: Phone, new_member: NewMember, services: Services) -> None:
    email = await new_member()
    await sign_in(anonymous, email)
    await ask_for_it(anonymous)
    await run_due(services)
    [letter] = await letters(anonymous, email)
    assert letter["subject"] == "Deletion of your account"


def test_a_system_says_it_once() -> None:
    async def erase(services: Services, user_id: str) -> None: ...

    erase.__module__ = "jobs.auth"
    with pytest.raises(ValueError, match="one per system"):
        erasure.on_user_deleted(erase)
