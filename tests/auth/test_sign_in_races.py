"""Races of a sign-in with acts that end all sessions: no session survives unseen."""

import asyncio
from typing import Any

import pytest

from core.context import Services
from resolvers.auth import devices, passwords
from stores import auth as store
from tests.auth.conftest import NewMember
from tests.auth.steps import code_for, enable_two_factor, new_number, refresh, sessions_of, sign_in, verify
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone


async def user_id_of(services: Services, email: str) -> str:
    person = await store.user_by_email(services.db, email)
    assert person
    return person["_id"]


@pytest.mark.parametrize("act", ["suspendUser", "setPassword"])
async def test_a_session_that_begins_meanwhile_is_ended_too(
    act: str,
    new_phone: NewPhone,
    anonymous: Phone,
    new_member: NewMember,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    email = await new_member("Ada")
    ada = await new_phone(user_id=await user_id_of(services, email))
    admin = await new_phone("Root", roles=["MEMBER", "ADMIN"])
    ending: list[asyncio.Task[Any]] = []
    real = devices.signed_in

    async def slowly(*args: Any) -> Any:
        if not ending:
            changed = {"currentPassword": PASSWORD, "newPassword": "another horse battery"}
            work = (
                admin.do(act, "__typename", userId=ada.user_id, reason="Because")
                if act == "suspendUser"
                else ada.do(act, "__typename", **changed)
            )
            ending.append(asyncio.create_task(work))
            await asyncio.sleep(0.5)
        return await real(*args)

    monkeypatch.setattr(devices, "signed_in", slowly)
    signed_in = await sign_in(anonymous, email)
    assert (await ending[0])["errors"] == []
    monkeypatch.undo()
    active = [each["_id"] for each in await sessions_of(services, ada.user_id) if each["status"] == "ACTIVE"]
    assert active == ([] if act == "suspendUser" else [ada.session_id])
    if signed_in["tokens"]:
        again = await refresh(anonymous)
        assert [each["code"] for each in again["errors"]] == ["SESSION_EXPIRED"]


async def test_a_password_that_is_changed_while_it_is_judged_lets_nobody_in(
    anonymous: Phone, new_member: NewMember, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = await new_member("Ada")
    real = passwords.matches

    async def then_changed(stored: str | None, password: str) -> bool:
        right = await real(stored, password)
        newer = await passwords.hash_password("another horse battery")
        query = {"_id": await user_id_of(services, email)}
        update = {"q": query, "u": {"$set": {"password_hash": newer}}}
        await services.db.write({"update": store.users.name, "updates": [update]})
        return right

    monkeypatch.setattr(passwords, "matches", then_changed)
    refused = await sign_in(anonymous, email)
    assert ([each["code"] for each in refused["errors"]], refused["tokens"]) == (["UNAVAILABLE"], None)
    monkeypatch.undo()
    assert await sessions_of(services, await user_id_of(services, email)) == []
    assert (await sign_in(anonymous, email))["errors"][0]["code"] == "CREDENTIALS_INVALID"
    assert (await sign_in(anonymous, email, "another horse battery"))["errors"] == []


async def test_a_half_finished_sign_in_is_over_with_the_password_that_it_passed(
    new_phone: NewPhone, anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email, number = await new_member("Ada"), new_number()
    ada = await new_phone(user_id=await user_id_of(services, email))
    await enable_two_factor(ada, services, number)
    flow = (await sign_in(anonymous, email))["authFlow"]
    code = await code_for(services, number)
    changed = await ada.do(
        "setPassword", "__typename", currentPassword=PASSWORD, newPassword="another horse battery"
    )
    assert changed["errors"] == []
    refused = await verify(anonymous, flow["id"], code)
    assert ([each["code"] for each in refused["errors"]], refused["tokens"]) == (["EXPIRED"], None)


async def test_a_suspended_person_s_refresh_token_is_good_for_nothing(
    new_phone: NewPhone, services: Services
) -> None:
    """Even of a session that was somehow left."""
    ada = await new_phone("Ada")
    update = {"q": {"_id": ada.user_id}, "u": {"$set": {"status": "SUSPENDED"}}}
    await services.db.write({"update": store.users.name, "updates": [update]})
    refused = await refresh(ada)
    assert [each["code"] for each in refused["errors"]] == ["SESSION_EXPIRED"]
