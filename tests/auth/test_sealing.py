"""Key rotation of encrypted fields: everything is re-encrypted, and the old key may be removed."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from core.context import Services
from core.security import key_rotation
from core.security.crypto import Keyring, keyring
from core.settings import Settings
from core.storage.mongo import Database
from devstack import seed
from jobs.auth import key_rotation as job
from resolvers.auth.devices import token_place
from server import lifespan
from stores import auth as store
from tests.commands import landfall_of

SECRET = "field keys of a test, thirty-two characters"


def keys(*ids: str) -> str:
    return ",".join(f"{id}:{base64.b64encode(id.encode().ljust(32)).decode()}" for id in ids)


def ring(*ids: str) -> Keyring:
    return keyring(keys(*ids), SECRET)


@pytest.fixture
def own(settings: Settings) -> Settings:
    name = f"sealing_{uuid.uuid4().hex[:8]}"
    return settings.model_copy(
        update={
            "mongo_database": name,
            "secret": SecretStr(SECRET),
            "field_keys": SecretStr(keys("old")),
        }
    )


@pytest.fixture
async def deployment(own: Settings) -> AsyncIterator[Services]:
    async with lifespan.services(own) as services:
        yield services
        await services.db.command({"dropDatabase": 1})


async def phones(db: Database, crypto: Keyring, number: int) -> list[str]:
    """People with nothing but a sealed number each."""
    people = [f"user_{n:04}" for n in range(number)]
    rows = [{"_id": id, "phone": crypto.seal(f"+1555{id}", place=f"users/{id}/phone")} for id in people]
    await db.write({"insert": store.users.name, "documents": rows})
    return people


async def ids_in_use(db: Database) -> dict[str, set[str]]:
    """Ids of the keys in use, by collection and field."""
    found: dict[str, set[str]] = {}
    for kept, sealed in key_rotation.declared():
        rows = await kept.find(db, {sealed.field: {"$type": "string", "$ne": ""}})
        if rows:
            named = {sealed.text_of(row).partition(".")[0] for row in rows}
            found[f"{kept.name}.{sealed.field}"] = named
    return found


async def test_all_that_a_deployment_sealed_is_sealed_anew(own: Settings, deployment: Services) -> None:
    """Demo data have chats, settings and phones; the signing key is there in any case."""
    services = deployment
    await seed.seed(services.db, own.media_dir, services.crypto, size=seed.Size().scaled(0.05))
    [person, *_] = await store.users.find(services.db, {}, limit=1)
    device = {
        "_id": store.device_key(person["_id"], "device_1"),
        "user_id": person["_id"],
        "push_token": services.crypto.seal("token", place=token_place(f"{person['_id']}/device_1")),
    }
    await services.db.write({"insert": store.devices.name, "documents": [device]})
    before = await ids_in_use(services.db)
    assert {"signing_keys.private", "chats.data_key", "chat_members.data_key", "devices.push_token"} <= set(
        before
    )
    assert set().union(*before.values()) == {"old"}

    both = own.model_copy(update={"field_keys": SecretStr(keys("new", "old"))})
    async with lifespan.services(both) as renewed:
        await job.reencrypt(renewed)
        assert await key_rotation.needed(renewed.db, renewed.crypto)
        await job.reencrypt(renewed)
        assert not await key_rotation.needed(renewed.db, renewed.crypto)
    after = await ids_in_use(services.db)
    assert after == {name: {"new"} for name in before}

    alone = own.model_copy(update={"field_keys": SecretStr(keys("new"))})
    async with lifespan.services(alone) as newest:
        for kept, sealed in key_rotation.declared():
            for row in await kept.find(newest.db, {sealed.field: {"$type": "string", "$ne": ""}}):
                assert newest.crypto.open(sealed.text_of(row), place=sealed.place_of(row))


async def test_a_run_that_was_cut_off_goes_on_where_it_was(
    deployment: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, crypto = deployment.db, ring("new", "old")
    people = await phones(db, ring("old"), 25)
    monkeypatch.setattr(key_rotation, "BATCH", 10)
    note, batches = key_rotation._note, []

    async def killed(*args: object, **kwargs: object) -> None:
        await note(*args, **kwargs)  # type: ignore[arg-type]
        batches.append(args)
        if len(batches) == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr(key_rotation, "_note", killed)
    with pytest.raises(asyncio.CancelledError):
        await key_rotation.reencrypt(db, crypto)
    monkeypatch.setattr(key_rotation, "_note", note)
    [known] = await key_rotation.progress.find(db, {})
    place = (known["collection"], known["field"])
    assert (place, known["anew"] > 0, known["clean"]) == (("users", "phone"), True, False)
    # What lies before that place is not looked at again.
    former = ring("old").seal("back", place=f"users/{people[0]}/phone")
    await _write(db, people[0], former)
    run = await key_rotation.reencrypt(db, crypto)
    assert (run.anew, run.unreadable) == (26, 0)
    first = await store.users.by_id(db, people[0])
    assert first
    assert first["phone"] == former
    # The next run finds it, and the one after that nothing.
    assert (await key_rotation.reencrypt(db, crypto)).anew == 1
    assert (await key_rotation.reencrypt(db, crypto)).anew == 0
    assert not await key_rotation.needed(db, crypto)


async def test_what_changes_meanwhile_is_not_undone(
    deployment: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, crypto = deployment.db, ring("new", "old")
    [id] = await phones(db, ring("old"), 1)
    newer = crypto.seal("+15550199", place=f"users/{id}/phone")
    kept = type(store.users)
    original = kept.find

    async def found(self: object, *args: object, **kwargs: object) -> object:
        rows = await original(self, *args, **kwargs)  # type: ignore[arg-type]
        if rows and self is store.users:
            await _write(db, id, newer)
        return rows

    monkeypatch.setattr(kept, "find", found)
    await key_rotation.reencrypt(db, crypto)
    monkeypatch.setattr(kept, "find", original)
    person = await store.users.by_id(db, id)
    assert person
    assert person["phone"] == newer


async def test_what_no_key_opens_is_counted_and_left(
    own: Settings, deployment: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = deployment.db
    [id] = await phones(db, ring("lost"), 1)
    run = await key_rotation.reencrypt(db, ring("new", "old"))
    assert run.unreadable == 1
    person = await store.users.by_id(db, id)
    assert person
    assert person["phone"].startswith("lost.")


async def test_the_command_line_says_when_a_key_may_go(own: Settings, deployment: Services) -> None:
    await phones(deployment.db, deployment.crypto, 3)
    both = own.model_copy(update={"field_keys": SecretStr(keys("new", "old"))})

    async def seal() -> str:
        ran = await landfall_of(both, "keys", "seal")
        assert ran.returncode == 0, ran.stderr
        return " ".join(ran.stdout.split())

    said = await seal()
    assert "4 texts are sealed with new now." in said
    assert "do this again" in said
    said = await seal()
    assert "Nothing is left of old: take them out of LANDFALL_FIELD_KEYS." in said
    other = both.model_copy(update={"field_keys": SecretStr(keys("x"))})
    ran = await landfall_of(other, "keys", "seal")
    assert (ran.returncode, "4 texts cannot be opened" in " ".join(ran.stderr.split())) == (1, True)


async def _write(db: Database, id: str, phone: str) -> None:
    update = {"q": {"_id": id}, "u": {"$set": {"phone": phone}}}
    await db.write({"update": store.users.name, "updates": [update]})
