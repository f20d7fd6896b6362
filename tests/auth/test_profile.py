"""Profile and devices: changed, listed, reached by push."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from stores import auth as store
from tests.auth.steps import refusal
from tests.conftest import NewPhone
from tests.phone import Phone, key

USER = "user { id firstName lastName name handle bio version }"
ACCOUNT = "account { locale timeZone version }"
DEVICE = "device { id name pushEnabled }"


def new_handle() -> str:
    return f"h{uuid.uuid4().hex[:20]}"


async def update(phone: Phone, **input: Any) -> Any:
    return await phone.do("updateProfile", USER, **input)


async def test_what_is_given_changes_and_the_rest_stays(new_phone: NewPhone) -> None:
    ada, handle = await new_phone("Ada"), new_handle()
    done = await update(ada, lastName=" Lovelace ", handle=f"@{handle.upper()}")
    assert done["errors"] == []
    assert done["user"] == {
        "id": ada.user_id,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "name": "Ada Lovelace",
        "handle": handle,
        "bio": None,
        "version": 2,
    }
    cleared = await update(ada, lastName=None, bio="Notes on engines.")
    assert (cleared["user"]["lastName"], cleared["user"]["bio"]) == (None, "Notes on engines.")
    assert (await update(ada, bio="Notes on engines."))["user"]["version"] == 3


async def test_another_device_s_edit_is_a_conflict(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await update(ada, bio="First", expectedVersion=1)
    late = await update(ada, bio="Second", expectedVersion=1)
    assert late["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert (late["user"]["bio"], late["user"]["version"]) == ("First", 2)


async def test_a_handle_is_one_person_s(new_phone: NewPhone, services: Services) -> None:
    ada, grace, handle = await new_phone("Ada"), await new_phone("Grace"), new_handle()
    assert (await update(ada, handle=handle))["errors"] == []
    taken = refusal("HANDLE_TAKEN", "This handle is taken.", ["handle"])
    refused = await update(grace, handle=handle.upper(), bio="Not written")
    assert (refused["errors"], refused["user"]) == ([taken], None)
    found = await store.users.by_id(services.db, grace.user_id)
    assert found
    assert (found["handle"], found["bio"]) == (None, None)
    # The handle one gives up is free.
    assert (await update(ada, handle=new_handle()))["errors"] == []
    assert (await update(grace, handle=handle))["errors"] == []
    assert (await update(grace, handle=None))["user"]["handle"] is None
    assert await store.user_keys.by_id(services.db, store.handle_key(handle)) is None


async def test_of_two_who_take_a_handle_at_once_one_has_it(new_phone: NewPhone) -> None:
    phones, handle = [await new_phone("Ada") for _ in range(5)], new_handle()
    answers = await asyncio.gather(*(update(phone, handle=handle) for phone in phones))
    codes = sorted(error["code"] for answer in answers for error in answer["errors"])
    assert codes == ["HANDLE_TAKEN"] * 4


async def test_handles_of_the_service_are_taken(new_phone: NewPhone) -> None:
    refused = await update(await new_phone("Ada"), handle="Admin")
    assert refused["errors"] == [refusal("HANDLE_TAKEN", "This handle is taken.", ["handle"])]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("handle", "ab"),
        ("handle", "a b c"),
        ("handle", "x" * 31),
        ("handle", "\u0430dmin1"),
        ("firstName", "x" * 101),
        ("bio", "x" * 501),
    ],
)
async def test_what_cannot_be_is_refused(new_phone: NewPhone, field: str, value: str | None) -> None:
    refused = await update(await new_phone("Ada"), **{field: value})
    assert [(error["kind"], error["field"]) for error in refused["errors"]] == [("INVALID", [field])]
    assert refused["user"] is None


async def test_what_is_private_is_changed_on_the_account(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    done = await ada.do("updateAccount", ACCOUNT, timeZone="Europe/London", expectedVersion=1)
    changed = {"locale": "en", "timeZone": "Europe/London", "version": 2}
    assert (done["errors"], done["account"]) == ([], changed)
    late = await ada.do("updateAccount", ACCOUNT, locale="de", expectedVersion=1)
    assert late["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert late["account"] == changed
    seen = "query($id: ID!) { user(id: $id) { version updatedAt } }"
    assert (await grace.run(seen, id=ada.user_id))["user"]["version"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("locale", "no language"), ("locale", None), ("timeZone", "Europe/Atlantis"), ("timeZone", None)],
)
async def test_what_an_account_cannot_have_is_refused(
    new_phone: NewPhone, field: str, value: str | None
) -> None:
    refused = await (await new_phone("Ada")).do("updateAccount", ACCOUNT, **{field: value})
    assert [(error["kind"], error["field"]) for error in refused["errors"]] == [("INVALID", [field])]
    assert refused["account"] is None


async def test_a_queued_edit_lands_once_after_a_new_sign_in(new_phone: NewPhone) -> None:
    """Queued mutation replayed after re-sign-in: the first result is returned."""
    ada, once = await new_phone("Ada"), key()
    first = await update(ada, bio="Queued", idempotencyKey=once)
    await ada.do("signOut", "removedSessionId")
    again = await update(await new_phone(user_id=ada.user_id), bio="Queued", idempotencyKey=once)
    assert (again["replayed"], again["user"]) == (True, first["user"])


async def push(phone: Phone, token: str | None, device_id: str | None = None) -> Any:
    return await phone.do("setPushToken", DEVICE, deviceId=device_id or phone.device_id, token=token)


async def test_a_device_is_reached_by_push_until_it_signs_out(
    new_phone: NewPhone, services: Services
) -> None:
    ada, token = await new_phone("Ada"), f"secret-{uuid.uuid4().hex}"
    done = await push(ada, token)
    assert done["errors"] == []
    assert done["device"] == {"id": ada.device_id, "name": "Test phone", "pushEnabled": True}
    session = "{ viewer { session { device { id pushEnabled } } } }"
    shown = (await ada.run(session))["viewer"]["session"]
    assert shown["device"] == {"id": ada.device_id, "pushEnabled": True}
    kept = await services.db.find("devices", {"user_id": ada.user_id})
    assert token not in repr(kept)
    [reached] = await store.devices_with_push(services.db, ada.user_id)
    place = f"devices/{reached['_id']}/push_token"
    assert services.crypto.open(reached["push_token"] or "", place=place) == token
    await ada.do("signOut", "removedSessionId")
    assert await store.devices_with_push(services.db, ada.user_id) == []


async def test_push_can_be_turned_off(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await push(ada, "a token")
    assert (await push(ada, None))["device"]["pushEnabled"] is False
    assert await store.devices_with_push(services.db, ada.user_id) == []


async def test_a_phone_that_changed_hands_is_the_new_owner_s(new_phone: NewPhone, services: Services) -> None:
    ada, grace, token = await new_phone("Ada"), await new_phone("Grace"), uuid.uuid4().hex
    await push(ada, token)
    await push(grace, token)
    assert await store.devices_with_push(services.db, ada.user_id) == []
    assert len(await store.devices_with_push(services.db, grace.user_id)) == 1


async def test_only_devices_of_one_s_own(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    unknown = refusal("NOT_FOUND", "You never signed in on this device.", ["deviceId"])
    for id in (ids.new_id("device"), grace.device_id):
        refused = await push(ada, "a token", id)
        assert (refused["errors"], refused["device"]) == ([unknown], None)
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert await ada.run(query, id=ada.device_id) == {"node": {"id": ada.device_id}}
    assert await grace.run(query, id=ada.device_id) == {"node": None}


async def test_devices_are_listed_by_latest_sign_in(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    phones = [ada]
    for _ in range(2):
        clock.shift(timedelta(minutes=1))
        phones.append(await new_phone(user_id=ada.user_id))
    query = """query($after: String) { viewer { account { devices(first: 2, after: $after) {
      edges { cursor node { id } } pageInfo { hasNextPage endCursor } } } } }"""
    first = (await ada.run(query))["viewer"]["account"]["devices"]
    rest = (await ada.run(query, after=first["pageInfo"]["endCursor"]))["viewer"]["account"]["devices"]
    listed = [edge["node"]["id"] for edge in [*first["edges"], *rest["edges"]]]
    assert listed == [phone.device_id for phone in reversed(phones)]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
