"""Rotation of the key that signs the logs: the old one vouches for the new, and signs no more."""

import uuid
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from core.context import PERSONAL, Context, Services
from core.ledger import checkpoint, signed_note
from core.ledger.checkpoint import Checkpoint
from core.ledger.signed_note import Verifier
from core.settings import Settings
from resolvers.audit import key_rotation, log_keys, sealing
from server import lifespan
from stores import audit as store
from stores.audit import AuditCheckpoint, IntegrityCheckKind
from stores.auth import Role
from tests.audit import logs
from tests.audit.steps import on_record
from tests.audit.tampering import Log
from tests.commands import landfall_of
from tests.conftest import NewPhone

KEYS = """{ auditCheckpoints(first: 1) { edges { node { entryCount verifierKeys
  logKeys { verifierKey createdAt fromEntryCount introductionNote distrustedAt } } } } }"""


@pytest.fixture
async def log(services: Services) -> Log:
    return Log(services, *await logs.sealed_log(services))


async def rotate(services: Services, *, distrust: bool = False) -> str:
    ctx = Context(services)
    return await ctx.unit(lambda: key_rotation.rotate(ctx, distrust=distrust))


async def sealed(log: Log) -> AuditCheckpoint:
    """The next checkpoint, with one more entry."""
    await logs.append(log.services, log.org_id, 1)
    await sealing.seal(log.services, log.org_id)
    row = await store.latest_checkpoint(log.services.db, log.org_id)
    assert row is not None
    return row


async def newest(log: Log) -> Verifier:
    return (await log_keys.verifiers(log.services, log.org_id))[-1]


def signed_by(row: AuditCheckpoint) -> list[bytes]:
    _, lines = signed_note.parse(row["note"])
    return [line.key_id for line in lines]


def read(row: AuditCheckpoint, log: Log, *keys: Verifier) -> Checkpoint:
    """Checkpoint as whoever knows these keys reads it; InvalidNote if none of them signed it."""
    return checkpoint.verify(row["note"], log_keys.origin(log.services, log.org_id), keys)


async def test_the_next_checkpoint_names_the_new_key_and_the_old_one_signs_it_too(log: Log) -> None:
    old = await newest(log)
    await rotate(log.services)
    new = await newest(log)
    assert new != old
    introducing, after = await sealed(log), await sealed(log)
    assert signed_by(introducing) == [new.key_id, old.key_id]
    named = (f"successor-key {new.vkey}",)
    assert read(introducing, log, old) == read(introducing, log, new)
    assert (read(introducing, log, old).size, read(introducing, log, old).extensions) == (13, named)
    assert signed_by(after) == [new.key_id]
    assert read(after, log, new).extensions == ()
    check = await log.verify()
    assert (check["integrity_valid"], check["log_size"]) == (True, 14)


async def test_of_two_rotations_before_a_checkpoint_the_key_that_signed_last_vouches(log: Log) -> None:
    old = await newest(log)
    for _ in range(2):
        await rotate(log.services)
    new = await newest(log)
    introducing = await sealed(log)
    assert signed_by(introducing) == [new.key_id, old.key_id]


async def test_a_log_that_begins_after_a_rotation_has_nothing_to_introduce(services: Services) -> None:
    await rotate(services)
    log = Log(services, *await logs.sealed_log(services))
    rows = await store.checkpoints.find(services.db, {"org_id": log.org_id})
    new = await newest(log)
    assert [(signed_by(row), read(row, log, new).extensions) for row in rows] == [([new.key_id], ())] * 2


async def test_a_key_that_was_stolen_vouches_for_nothing(log: Log) -> None:
    old = await newest(log)
    await rotate(log.services, distrust=True)
    new = await newest(log)
    introducing = await sealed(log)
    assert signed_by(introducing) == [new.key_id]
    assert read(introducing, log, new).extensions == (f"successor-key {new.vkey}",)
    with pytest.raises(signed_note.InvalidNote):
        read(introducing, log, old)
    # What it signed before is verified all the same.
    assert (await log.verify())["integrity_valid"] is True


@pytest.mark.parametrize("distrust", [False, True])
async def test_a_replaced_key_signs_nothing_larger(log: Log, distrust: bool) -> None:
    stolen = await log_keys.signer(log.services, log.org_id)
    await rotate(log.services, distrust=distrust)
    await sealed(log)
    row = await sealed(log)
    forged = checkpoint.sign(await sealing.verified(log.services, row), stolen)
    await log.change(store.checkpoints.name, row["_id"], note=forged)
    check = await log.verify(IntegrityCheckKind.NEW)
    assert [each["problem"] for each in check["damages"]] == ["CHECKPOINT_UNSIGNED"]
    await logs.append(log.services, log.org_id, 1)
    with pytest.raises(sealing.Forked):
        await sealing.seal(log.services, log.org_id)
    await log.change(store.checkpoints.name, row["_id"], note=row["note"])
    assert await sealing.seal(log.services, log.org_id) == 1


async def test_apps_are_shown_each_key_with_what_introduces_it(log: Log, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada", org=log.org_id, roles=[Role.MEMBER, Role.AUDITOR])
    old = await newest(log)
    await rotate(log.services)
    unused = await newest(log)

    async def shown() -> dict[str, dict[str, object]]:
        [edge] = (await ada.run(KEYS))["auditCheckpoints"]["edges"]
        found = {each["verifierKey"]: each for each in edge["node"]["logKeys"]}
        assert list(found) == edge["node"]["verifierKeys"]
        return found

    before = await shown()
    assert before[old.vkey]["fromEntryCount"] == 6
    assert before[old.vkey]["introductionNote"] is None
    assert before[unused.vkey]["fromEntryCount"] is None
    assert before[unused.vkey]["introductionNote"] is None
    row = await sealed(log)
    after = await shown()
    assert (after[unused.vkey]["fromEntryCount"], after[unused.vkey]["introductionNote"]) == (13, row["note"])
    assert after[old.vkey] == before[old.vkey]
    await rotate(log.services, distrust=True)
    distrusted = await shown()
    assert distrusted[unused.vkey]["distrustedAt"] is not None
    assert distrusted[(await newest(log)).vkey]["distrustedAt"] is None


@pytest.fixture
async def deployment(settings: Settings) -> AsyncIterator[tuple[Settings, Services]]:
    """A deployment whose secret commands are told."""
    name, secret = f"rotation_{uuid.uuid4().hex[:8]}", SecretStr("a secret of the operator's " * 2)
    own = settings.model_copy(update={"mongo_database": name, "secret": secret})
    async with lifespan.services(own) as services:
        yield own, services
        await services.db.command({"dropDatabase": 1})


async def test_operators_rotate_and_list_keys(deployment: tuple[Settings, Services]) -> None:
    settings, services = deployment
    log = Log(services, *await logs.sealed_log(services))
    rotated = await landfall_of(settings, "audit-key", "rotate", "--distrust")
    assert rotated.returncode == 0, rotated.stderr
    former, made = await store.all_log_keys(services.db)
    assert rotated.stdout.splitlines() == [
        f"{made['_id']} signs from the next checkpoint of each log on.",
        "No older key vouches for it: tell auditors its verifier key by another way.",
    ]
    assert ("distrusted_at" in former, "distrusted_at" in made) == (True, False)
    [act] = await on_record(services, action="audit.key_rotated")
    assert (act["org_id"], act["event_type"], act["actor_type"]) == (PERSONAL, "SYSTEM_EVENT", "SYSTEM")
    assert act["details"] == {"key": made["_id"], "formerKeysDistrusted": True}
    await sealed(log)
    listed = await landfall_of(settings, "audit-key", "list", "--org", log.org_id)
    assert listed.returncode == 0, listed.stderr
    first, about_first, second, about_second = listed.stdout.splitlines()
    assert [first, second] == [key.vkey for key in await log_keys.verifiers(services, log.org_id)]
    assert "signs from 6 entries on, distrusted since" in about_first
    assert about_second.endswith("signs from 13 entries on")


async def test_there_are_no_more_keys_than_are_read(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rotate(services)
    keys = await store.all_log_keys(services.db)
    monkeypatch.setattr(store, "MOST_LOG_KEYS", len(keys))
    with pytest.raises(key_rotation.TooMany):
        await rotate(services)
    assert await store.all_log_keys(services.db) == keys
