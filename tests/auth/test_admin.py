"""Administration of accounts: the acts of administrators, and the fields they may read."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from jose import jwt

from core import clock, ids
from core.context import Services
from core.jobs import run_due
from core.settings import Settings
from server import lifespan, process
from stores import auth as store
from tests.audit.steps import on_record, sensitive
from tests.auth.authenticator import Passkey
from tests.auth.conftest import NewMember
from tests.auth.key_steps import enrol, sign_in_with
from tests.auth.steps import ME, assert_unauthenticated, refresh, refusal, session, sign_in
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone, make_user, sign_in_directly

ENDED = "The session has ended: sign in again."
EXPIRED = "The access token has expired: refresh the session."
ACCOUNT = "account { id status roles organization jobRole lockedUntil user { id } }"
REVOKE = "revokeUserSessions"
ACTS = ["suspendUser", "unsuspendUser", "lockUser", "unlockUser", "setUserRoles", REVOKE]
FIELDS = {"lockUser": {"lockMinutes": 5}, "setUserRoles": {"roles": ["AUDITOR"]}}
FORBIDDEN = refusal("FORBIDDEN", "Your account may not do this.")


def payload_of(act: str) -> str:
    return "endedSessionCount" if act == REVOKE else ACCOUNT


async def do(admin: Phone, act: str, user_id: str, **input: Any) -> Any:
    given = {"userId": user_id, "reason": "Because.", **FIELDS.get(act, {}), **input}
    return await admin.do(act, payload_of(act), **given)


@pytest.fixture
async def admin(new_phone: NewPhone) -> Phone:
    return await new_phone("Root", roles=["MEMBER", "ADMIN"])


@pytest.mark.parametrize("act", ACTS)
async def test_others_may_not(new_phone: NewPhone, act: str) -> None:
    ada, moderator = await new_phone("Ada"), await new_phone("Grace", roles=["MEMBER", "MODERATOR"])
    refused = await do(moderator, act, ada.user_id)
    assert refused["errors"] == [FORBIDDEN]
    assert (await ada.run(ME))["viewer"]["user"]["id"] == ada.user_id


async def test_a_block_holds_for_administrators_too_but_not_against_what_they_do(
    admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    shown = "query($id: ID!) { node(id: $id) { id } }"
    assert await admin.run(shown, id=ada.user_id) == {"node": {"id": ada.user_id}}
    assert (await ada.do("blockUser", "removedUserId", userId=admin.user_id))["errors"] == []
    assert await admin.run(shown, id=ada.user_id) == {"node": None}
    done = await do(admin, "suspendUser", ada.user_id)
    assert done["errors"] == []
    assert (await ada.ask(ME)).code == "UNAUTHENTICATED"


@pytest.mark.parametrize("act", ACTS)
async def test_administrators_prove_themselves_first(admin: Phone, new_phone: NewPhone, act: str) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=11))
    refused = await do(admin, act, ada.user_id)
    assert refused["errors"] == [refusal("STEP_UP_REQUIRED", "Confirm that it is you.")]


@pytest.mark.parametrize("act", ACTS)
async def test_every_act_is_on_record_with_its_reason(
    admin: Phone, new_phone: NewPhone, act: str, services: Services
) -> None:
    ada = await new_phone("Ada")
    if act == "unsuspendUser":
        await do(admin, "suspendUser", ada.user_id)
    assert (await do(admin, act, ada.user_id))["errors"] == []
    *_, entry = await on_record(services, actor_id=admin.user_id, subject_id=ada.user_id)
    assert (entry["resource_type"], await sensitive(services, entry)) == ("ACCOUNT", {"reason": "Because."})


@pytest.mark.parametrize("act", ACTS)
async def test_nobody_and_no_reason(admin: Phone, new_phone: NewPhone, act: str) -> None:
    ada = await new_phone("Ada")
    refused = await do(admin, act, ids.new_id("user"))
    assert refused["errors"] == [refusal("NOT_FOUND", "There is no such account.", ["userId"])]
    refused = await do(admin, act, ada.user_id, reason=" ")
    assert refused["errors"] == [refusal("REQUIRED", "This must not be empty.", ["reason"])]


@pytest.mark.parametrize("act", [each for each in ACTS if each != REVOKE])
async def test_one_s_own_account_is_not_for_that(admin: Phone, act: str) -> None:
    refused = await do(admin, act, admin.user_id)
    assert refused["errors"] == [refusal("FORBIDDEN", "This is your own account.", ["userId"])]


async def test_suspending_closes_an_account_and_unsuspending_opens_it(
    admin: Phone, anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    await sign_in(anonymous, email)
    done = await do(admin, "suspendUser", anonymous.user_id)
    assert (done["errors"], done["account"]["status"]) == ([], "SUSPENDED")
    assert (await do(admin, "suspendUser", anonymous.user_id))["errors"] == []
    ended = await session(services, anonymous.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", "ACCOUNT_CLOSED")
    assert_unauthenticated(await anonymous.ask(ME), "SESSION_REVOKED", ENDED)
    closed = refusal("ACCOUNT_SUSPENDED", "This account is closed for now.")
    assert (await sign_in(anonymous, email))["errors"] == [closed]
    done = await do(admin, "unsuspendUser", anonymous.user_id)
    assert (done["errors"], done["account"]["status"]) == ([], "ACTIVE")
    assert (await sign_in(anonymous, email))["errors"] == []


async def test_what_is_not_active_cannot_be_suspended(admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada", status="PENDING_VERIFICATION")
    refused = await do(admin, "suspendUser", ada.user_id)
    assert refused["errors"] == [refusal("WRONG_STATUS", "The account is PENDING_VERIFICATION.")]
    assert refused["account"]["status"] == "PENDING_VERIFICATION"


async def test_a_locked_account_lets_nobody_in_by_any_factor(
    admin: Phone, anonymous: Phone, new_member: NewMember
) -> None:
    email, passkey = await new_member(), Passkey()
    await sign_in(anonymous, email)
    await enrol(anonymous, passkey)
    locked = await do(admin, "lockUser", anonymous.user_id, lockMinutes=30)
    assert (locked["errors"], locked["account"]["user"]) == ([], {"id": anonymous.user_id})
    assert locked["account"]["lockedUntil"] is not None
    # Sessions go on.
    assert (await anonymous.run(ME))["viewer"]["user"]["id"] == anonymous.user_id
    for answer in (await sign_in(anonymous, email), await sign_in_with(anonymous, passkey)):
        [error] = answer["errors"]
        assert error["code"] == "ACCOUNT_LOCKED"
        assert 1_700 < error["retryAfterSeconds"] <= 1_800
        assert answer["tokens"] is None
    unlocked = await do(admin, "unlockUser", anonymous.user_id)
    assert (unlocked["errors"], unlocked["account"]["lockedUntil"]) == ([], None)
    assert (await sign_in(anonymous, email))["errors"] == []


@pytest.mark.parametrize("minutes", [0, -5, 60 * 24 * 31])
async def test_a_lock_has_an_end(admin: Phone, new_phone: NewPhone, minutes: int) -> None:
    refused = await do(admin, "lockUser", (await new_phone("Ada")).user_id, lockMinutes=minutes)
    assert refused["errors"] == [
        refusal("OUT_OF_RANGE", "From a minute to 30 days.", ["lockMinutes"], limit=30)
    ]


async def test_roles_and_organisation_count_from_the_next_token_on(admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await ada.run(ME)
    done = await do(
        admin, "setUserRoles", ada.user_id, roles=["ADMIN"], organization="harbour", jobRole=" Pilot "
    )
    assert (done["account"]["roles"], done["account"]["organization"]) == (["MEMBER", "ADMIN"], "harbour")
    # Her old token says less than is true: a phone refreshes by itself.
    assert_unauthenticated(await ada.ask(ME), "TOKEN_EXPIRED", EXPIRED)
    ada.token = (await refresh(ada))["tokens"]["accessToken"]
    claims = jwt.get_unverified_claims(ada.token)
    assert (claims["roles"], claims["org"]) == (["MEMBER", "ADMIN"], "harbour")
    assert (
        await ada.run("query($id: ID!) { account(by: {userId: $id}) { user { id } } }", id=admin.user_id)
    )["account"] == {"user": {"id": admin.user_id}}
    await do(admin, "setUserRoles", ada.user_id, roles=[])
    ada.token = (await refresh(ada))["tokens"]["accessToken"]
    assert jwt.get_unverified_claims(ada.token)["roles"] == ["MEMBER"]
    refused = await do(admin, "setUserRoles", ada.user_id, organization="No Such!")
    assert [error["field"] for error in refused["errors"]] == [["organization"]]
    refused = await do(admin, "setUserRoles", ada.user_id, jobRole="x" * 101)
    assert [error["field"] for error in refused["errors"]] == [["jobRole"]]
    # What was left out stays; it is theirs and administrators' to see.
    job = "query($id: ID!) { node(id: $id) { ... on Account { organization jobRole } } }"
    id, there = ids.sibling(ada.user_id, "account"), {"jobRole": "Pilot", "organization": "harbour"}
    for reader, shown in ((ada, there), (admin, there), (await new_phone("Grace"), None)):
        assert await reader.run(job, id=id) == {"node": shown}
    await do(admin, "setUserRoles", ada.user_id, roles=[], jobRole=None, organization=None)
    ada.token = (await refresh(ada))["tokens"]["accessToken"]
    assert await ada.run(job, id=id) == {"node": {"jobRole": None, "organization": None}}


async def test_a_person_s_sessions_end_within_a_second_on_sockets_too(
    admin: Phone, new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    async with tablet.socket() as socket:
        started = time.monotonic()
        done = await do(admin, REVOKE, ada.user_id)
        assert (done["errors"], done["endedSessionCount"]) == ([], 2)
        assert await socket.closed(timeout=2) == 4403
        assert time.monotonic() - started < 1.5
    for phone in (ada, tablet):
        ended = await session(services, phone.session_id)
        assert (ended["status"], ended["end_reason"]) == ("ENDED", "REVOKED_BY_ADMIN")
        assert_unauthenticated(await phone.ask(ME), "SESSION_REVOKED", ENDED)
        assert (await refresh(phone))["errors"] == [refusal("SESSION_EXPIRED", "Sign in again.")]


async def test_ending_everybody_s_sessions_is_for_administrators(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    refused = await ada.do("revokeAllSessions", "endedSessionCount", reason="Because.")
    assert (refused["errors"], refused["endedSessionCount"]) == ([FORBIDDEN], None)


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[Services]:
    """A deployment of its own: what is done there is done to everybody."""
    own = settings.model_copy(update={"mongo_database": f"admin_{uuid.uuid4().hex[:8]}"})
    async with lifespan.services(own) as services:
        yield services
        await services.db.command({"dropDatabase": 1})


async def test_everybody_s_sessions_end_at_once_but_this_one(
    elsewhere: Services, http: aiohttp.ClientSession
) -> None:
    async with process.listening(elsewhere) as port:
        url = f"http://127.0.0.1:{port}/graphql"
        root = await make_user(elsewhere, "Root", roles=["MEMBER", "ADMIN"])
        admin = await sign_in_directly(elsewhere, Phone(http, url), root)
        people = [
            await sign_in_directly(elsewhere, Phone(http, url), await make_user(elsewhere)) for _ in range(4)
        ]
        async with people[0].socket() as socket:
            done = await admin.do("revokeAllSessions", "endedSessionCount", reason="Because.")
            assert (done["errors"], done["endedSessionCount"]) == ([], 4)
            # Before any of them is ended itself.
            assert await socket.closed(timeout=2) == 4403
        for phone in people:
            deadline = time.monotonic() + 1
            while not (answer := await phone.ask(ME)).errors:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
            assert_unauthenticated(answer, "SESSION_REVOKED", ENDED)
            assert (await refresh(phone))["errors"] == [refusal("SESSION_EXPIRED", "Sign in again.")]
        assert (await admin.run(ME))["viewer"]["user"]["id"] == root
        # Whoever signs in again is in.
        again = await sign_in_directly(elsewhere, Phone(http, url), people[0].user_id)
        assert (await again.run(ME))["viewer"]["user"]["id"] == people[0].user_id
        await run_due(elsewhere)
        states = {each["_id"]: each for each in await store.sessions.find(elsewhere.db, {})}
        assert {states[phone.session_id]["end_reason"] for phone in people} == {"REVOKED_BY_ADMIN"}
        assert states[admin.session_id]["status"] == states[again.session_id]["status"] == "ACTIVE"
        assert (await again.run(ME))["viewer"]["user"]["id"] == people[0].user_id


SEEN = """query($by: AccountByInput!) { account(by: $by) {
  id lockedUntil email status user { id }
  sessions(first: 5) { totalCount edges { node { id ipMasked current } } }
  securityEvents(first: 5) { edges { node { kind } } } } }"""


async def test_an_account_is_seen_masked(admin: Phone, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada", status="SUSPENDED")
    found = (await admin.run(SEEN, by={"userId": ada.user_id}))["account"]
    assert found["user"] == {"id": ada.user_id}
    assert (found["email"], found["status"]) == ("u***@example.com", "SUSPENDED")
    assert found["sessions"] == {
        "totalCount": 1,
        "edges": [{"node": {"id": ada.session_id, "ipMasked": "127.0.0.0", "current": False}}],
    }
    assert found["securityEvents"]["edges"] == [{"node": {"kind": "SIGN_IN"}}]
    by_address = await admin.run(SEEN, by={"email": f"{ada.user_id}@example.com".upper()})
    assert by_address["account"] == found


async def test_an_account_is_for_administrators(new_phone: NewPhone, anonymous: Phone, admin: Phone) -> None:
    ada = await new_phone("Ada")
    answer = await ada.ask(SEEN, by={"userId": ada.user_id})
    assert (answer.code, answer.body["data"]) == ("FORBIDDEN", {"account": None})
    assert (await anonymous.ask(SEEN, by={"userId": ada.user_id})).code == "UNAUTHENTICATED"
    for nobody in ({"userId": ids.new_id("user")}, {"email": "nobody@example.com"}):
        assert await admin.run(SEEN, by=nobody) == {"account": None}
    assert PASSWORD not in answer.body["errors"][0]["message"]
