"""Data export: everything kept about a person, as a file behind a mailed link."""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from core import clock, erasure
from core.context import Services
from core.jobs import run_due
from core.settings import Environment
from jobs.auth.deletion import delete_accounts
from jobs.auth.export import build_export, expire_exports
from ports.auth import AuthSettings
from resolvers.auth import exports
from stores import auth as store
from tests.auth.conftest import NewMember
from tests.auth.steps import letters, refusal, sign_in
from tests.conftest import NewPhone
from tests.phone import Phone

EXPORT = "dataExport { id status fileSizeBytes createdAt expiresAt } account { dataExport { id } }"
LATEST = "{ viewer { account { dataExport { id status fileSizeBytes } } } }"


async def requested(phone: Phone, **input: Any) -> Any:
    return await phone.do("requestDataExport", EXPORT, **input)


async def link_to(phone: Phone, email: str) -> str:
    for letter in await letters(phone, email):
        if found := re.search(r"\S+/exports/\S+", letter["text"]):
            return found[0]
    raise AssertionError("No link was mailed.")


async def fetched(phone: Phone, link: str) -> tuple[int, bytes]:
    async with phone.http.get(link) as response:
        return response.status, await response.read()


@pytest.fixture
async def ada(anonymous: Phone, new_member: NewMember) -> Phone:
    anonymous.email = await new_member("Ada", last_name="Lovelace")  # type: ignore[attr-defined]
    await sign_in(anonymous, anonymous.email)  # type: ignore[attr-defined]
    return anonymous


def address(phone: Phone) -> str:
    return str(phone.email)  # type: ignore[attr-defined]


async def test_a_link_to_everything_is_mailed_and_good_for_a_week(
    ada: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def elsewhere(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Any]]]:
        for number in range(3):
            yield "things", [{"owner": user_id, "number": number}]

    monkeypatch.setitem(erasure.EXPORTERS, "elsewhere", elsewhere)
    done = await requested(ada)
    assert (done["errors"], done["dataExport"]["status"]) == ([], "BUILDING")
    assert done["account"] == {"dataExport": {"id": done["dataExport"]["id"]}}
    await run_due(services)
    ready = (await ada.run(LATEST))["viewer"]["account"]["dataExport"]
    assert (ready["id"], ready["status"]) == (done["dataExport"]["id"], "READY")
    link = await link_to(ada, address(ada))
    status, body = await fetched(ada, link)
    assert (status, len(body)) == (200, ready["fileSizeBytes"])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        files = {
            name: [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
        }
    [profile] = files["auth/profile.jsonl"]
    assert (profile["id"], profile["email"], profile["last_name"]) == (ada.user_id, address(ada), "Lovelace")
    assert files["elsewhere/things.jsonl"] == [{"owner": ada.user_id, "number": each} for each in range(3)]
    assert [each["id"] for each in files["auth/sessions.jsonl"]] == [ada.session_id]
    assert {each["kind"] for each in files["auth/security_events.jsonl"]} == {"SIGN_IN", "EXPORT"}
    for secret in ("password_hash", "push_token", "argon2", "counter", "public_key"):
        assert secret.encode() not in b"".join(json.dumps(rows).encode() for rows in files.values())
    clock.shift(timedelta(days=6, hours=23))
    assert (await fetched(ada, link))[0] == 200
    clock.shift(timedelta(hours=2))
    assert (await fetched(ada, link))[0] == 404
    await expire_exports(services)
    assert await services.objects.stat(exports.key_of(ready["id"])) is None
    assert await store.exports_of(services.db, ada.user_id) == []


async def test_only_the_link_opens_it(ada: Phone, services: Services) -> None:
    await requested(ada)
    await run_due(services)
    link = await link_to(ada, address(ada))
    for wrong in (link[:-1], f"{link}x", link.replace("export_", "export_0"), link.rsplit("/", 1)[0] + "/x"):
        assert (await fetched(ada, wrong))[0] == 404
    kept = repr(await store.exports_of(services.db, ada.user_id))
    assert link.rsplit("/", 1)[1] not in kept


async def test_asked_for_again_it_is_the_one_being_made(ada: Phone, services: Services) -> None:
    first, again = await requested(ada), await requested(ada)
    assert first["dataExport"]["id"] == again["dataExport"]["id"]
    await run_due(services)
    assert (await requested(ada))["dataExport"]["id"] != first["dataExport"]["id"]


async def test_three_exports_a_day(ada: Phone, services: Services) -> None:
    for _ in range(3):
        assert (await requested(ada))["errors"] == []
        await run_due(services)
    [error] = (await requested(ada))["errors"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)


async def test_an_export_asks_for_a_fresh_proof(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=11))
    refused = await requested(ada)
    assert refused["errors"] == [refusal("STEP_UP_REQUIRED", "Confirm that it is you.")]


async def test_an_export_that_cannot_be_made_says_so(
    ada: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Any]]]:
        yield "some", [{}]
        raise ConnectionError

    monkeypatch.setitem(erasure.EXPORTERS, "elsewhere", broken)
    id = (await requested(ada))["dataExport"]["id"]
    with pytest.raises(ConnectionError):
        await build_export(services, export_id=id)
    assert (await ada.run(LATEST))["viewer"]["account"]["dataExport"]["status"] == "BUILDING"
    clock.shift(timedelta(hours=6, minutes=1))
    await expire_exports(services)
    failed = await store.data_exports.by_id(services.db, id)
    assert failed
    assert failed["status"] == "FAILED"


async def test_a_deleted_person_s_export_is_gone(ada: Phone, services: Services) -> None:
    await requested(ada)
    await run_due(services)
    link = await link_to(ada, address(ada))
    await ada.do("requestAccountDeletion", "account { id }")
    change = {"q": {"_id": ada.user_id}, "u": {"$set": {"deletion_due_at": clock.now()}}}
    await services.db.write({"update": "users", "updates": [change]})
    await delete_accounts(services)
    assert (await fetched(ada, link))[0] == 404
    assert await store.exports_of(services.db, ada.user_id) == []


async def test_the_link_leads_where_we_are_not_where_a_request_says(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    export: Any = {"_id": "export_x", "origin": "https://evil.example"}
    public = services.settings.model_copy(update={"public_url": "https://api.example.com/"})
    production = services.settings.model_copy(update={"env": Environment.PRODUCTION})
    monkeypatch.setitem(services.extra, AuthSettings, AuthSettings(rp_id="example.com"))
    for settings, base in ((public, "https://api.example.com/"), (production, "https://example.com/")):
        monkeypatch.setattr(services, "settings", settings)
        assert exports.new_link(services, export)[0].startswith(f"{base}exports/export_x/")
