"""Running it: accounts, what `doctor` says, a modest MongoDB user, indexes on a full database."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.context import Services
from core.settings import Settings
from core.storage import indexes
from core.storage.indexes import NotUnique, index, settle
from server import lifespan, process, starting
from tests.auth.steps import sign_in
from tests.commands import all_done, landfall
from tests.guarded import Guarded, guarded
from tests.phone import Phone, make_user, sign_in_directly

PAGE = "{ viewer { feed(first: 5) { edges { node { id text author { name } } } } } }"
FULL = "full_collection"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("guarded")) as running:
        yield running


async def test_a_user_who_may_read_and_write_one_database_is_enough(
    locked: Guarded, settings: Settings, http: aiohttp.ClientSession
) -> None:
    """Limits of the whole server are not its to read: then they are what the settings say."""
    own = settings.model_copy(
        update={
            "mongo_url": locked.mongo(tls="true", tlsCAFile=str(locked.certificate)),
            "redis_url": locked.redis(),
            "mongo_database": "landfall",
            "transaction_lifetime": 30.0,
        }
    )
    async with lifespan.services(own) as services, process.listening(services) as port:
        assert services.live.overlap == timedelta(seconds=31)
        ada = Phone(http, f"http://127.0.0.1:{port}/graphql")
        await sign_in_directly(services, ada, await make_user(services, "Ada"))
        made = await ada.do("createPost", "post { id }", text="With few rights", visibility="PUBLIC")
        assert made["errors"] == []
        node = {"id": made["post"]["id"], "text": "With few rights", "author": {"name": "Ada"}}
        assert (await ada.run(PAGE))["viewer"]["feed"]["edges"] == [{"node": node}]
        changes = "{ viewer { changes(limit: 10) { nodes { id } token } } }"
        found = await ada.run(changes)
        assert {"id": made["post"]["id"]} in found["viewer"]["changes"]["nodes"]
        async with http.get(f"http://127.0.0.1:{port}/readyz") as response:
            assert (await response.json())["status"] == "ready"
    # It may read the limit where it is allowed to.
    async with lifespan.services(settings.model_copy(update={"transaction_lifetime": 30.0})) as services:
        assert services.live.overlap == timedelta(seconds=11)


@pytest.fixture
async def full(services: Services) -> Any:
    yield services.db
    await services.db.command({"drop": FULL})


async def test_documents_that_block_a_unique_index_are_named(full: Any) -> None:
    rows = [{"_id": f"row_{n}", "a": n // 2, "b": "x", "secret": "never shown"} for n in range(4)]
    await full.write({"insert": FULL, "documents": [*rows, {"_id": "row_4", "a": 9, "b": "x"}]})
    with pytest.raises(NotUnique) as blocked:
        await settle(full, FULL, [index("a", "b", unique=True)])
    said = str(blocked.value)
    assert said.startswith(
        f"A unique index of the collection {FULL} cannot be built, because of these documents: "
    )
    assert said.endswith(". Keep one of each, then start again.")
    for pair in ("row_0, row_1 (the same a, b)", "row_2, row_3 (the same a, b)"):
        assert pair in said
    assert "row_4" not in said
    assert "never" not in said


async def test_a_start_that_is_blocked_says_so_at_once(
    full: Any, settings: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await full.write({"insert": FULL, "documents": [{"_id": n, "a": 1} for n in range(2)]})

    async def ensure(db: Any) -> None:
        await settle(db, FULL, [index("a", unique=True)])

    monkeypatch.setattr(starting.store, "ensure_indexes", ensure)
    async with asyncio.timeout(5):
        with pytest.raises(starting.NotReady, match=r"0, 1 \(the same a\)"):
            await starting.wait_for_mongo(full, settings)


async def test_building_indexes_does_not_count_as_waiting_and_is_told_of(
    full: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, logged: Path
) -> None:
    """400,000 rows ended the start with "MongoDB does not answer"."""
    rows = [{"_id": n, "words": [f"{n} {k}" for k in range(40)]} for n in range(6_000)]
    for start in range(0, len(rows), 2_000):
        await full.write({"insert": FULL, "documents": rows[start : start + 2_000]})

    async def ensure(db: Any) -> None:
        await settle(db, FULL, [index("words"), index("words", "_id")])

    monkeypatch.setattr(starting.store, "ensure_indexes", ensure)
    monkeypatch.setattr(indexes, "PROGRESS_SECONDS", 0.02)
    impatient = settings.model_copy(update={"start_timeout": 0.05})
    loop = asyncio.get_running_loop()
    began = loop.time()
    await starting.wait_for_mongo(full, impatient)
    assert loop.time() - began > impatient.start_timeout
    logs = await asyncio.to_thread(logged.read_text)
    lines = [json.loads(line) for line in logs.splitlines() if "building indexes" in line]
    told = [line for line in lines if line["collection"] == FULL]
    assert told
    assert told[-1]["indexes"] == ["words_1", "words_1__id_1"]
    assert all(0 <= line.get("percent", 0) <= 100 for line in told)
    existing = await full.command({"listIndexes": FULL})
    assert len(existing["cursor"]["firstBatch"]) == 3


async def test_accounts_and_the_doctor(
    settings: Settings, services: Services, anonymous: Phone, tmp_path: Path
) -> None:
    common = {
        "MONGO_URL": settings.mongo_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir),
        "PASSWORD_MEMORY_KIB": "8192",
        "PASSWORD_ROUNDS": "1",
    }
    production = {
        "ENV": "production",
        "SECRET": "a secret of thirty-two characters",
        "MONGO_DATABASE": "doctor",
        "PUBLIC_URL": "https://api.example.com",
        "MEDIA_DIR": str(tmp_path / "media"),
    }
    create = partial(landfall, "users", "create", "Boss@Example.com", "admin", input="a sound passphrase 9\n")
    done = all_done(
        {
            "create": partial(create, **common),
            "sick": partial(landfall, "doctor", **(common | production), SMTP="smtp://mail.example.com"),
            "sound": partial(
                landfall,
                "doctor",
                **(common | production),
                SMTP_URL="smtp://user:hush@mail.example.com",
                MAIL_FROM="Us <us@example.com>",
            ),
        }
    )
    assert done["create"].returncode == 0
    [audit] = done["create"].stderr.splitlines()
    assert "auth.user_created" in audit
    assert done["create"].stdout == "Boss@Example.com can sign in, and is MEMBER, ADMIN.\n"
    signed_in = await sign_in(anonymous, "boss@example.com", password="a sound passphrase 9")
    assert signed_in["errors"] == []
    assert signed_in["tokens"]["accessToken"]

    sick, sound = done["sick"], done["sound"]
    assert sick.returncode == 1
    assert "no mail is sent" in sick.stdout
    assert sick.stderr.splitlines()[-2:] == [
        "- LANDFALL_SMTP is no setting of Landfall: is LANDFALL_SMTP_URL meant?",
        "- Nobody can sign up or reset a password: no mail is sent. Set LANDFALL_SMTP_URL.",
    ]
    assert (sound.returncode, [line for line in sound.stderr.splitlines() if line[0] == "-"]) == (0, [])
    assert "sent by mail.example.com as Us <us@example.com>" in sound.stdout
    assert "none are sent" in sound.stdout
    assert "hush" not in sound.stdout
    for each in (sick, sound):
        assert "Unsent" not in each.stdout


async def test_an_account_that_cannot_be_is_refused(settings: Settings, services: Services) -> None:
    common = {
        "MONGO_URL": settings.mongo_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir),
    }
    taken = await make_user(services, "Ada")
    create = partial(landfall, "users", "create", **common)
    done = all_done(
        {
            "role": partial(create, "boss2@example.com", "KING", input="a sound passphrase 9\n"),
            "taken": partial(create, f"{taken}@example.com", input="a sound passphrase 9\n"),
            "weak": partial(create, "boss3@example.com", input="password1\n"),
        }
    )
    roles = "MEMBER, PROVIDER, OPERATOR, MODERATOR, AUDITOR, ADMIN"
    assert done["role"].stderr == f"There is no role KING; there are {roles}.\n"
    assert done["taken"].stderr == (
        f"{taken}@example.com has an account: give it roles by `landfall roles`.\n"
    )
    assert done["weak"].stderr == "A password has 10 to 128 characters.\n"
    assert [each.returncode for each in done.values()] == [1, 1, 1]
