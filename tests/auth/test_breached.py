"""The list of breached passwords: renewed in one step, refused when it is broken, watched for its age."""

import asyncio
import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from typer.testing import CliRunner

import commands.auth
from core.context import Services
from core.settings import Settings
from jobs.auth.passwords import watch_breached_passwords
from ports.auth import AuthSettings
from resolvers.auth import breached
from server import cli, lifespan, process
from tests.auth.steps import sign_up
from tests.phone import Phone

AGE = "landfall_auth_breached_passwords_age_seconds"


def list_of(*passwords: str, folder: Path, name: str = "pwned.txt") -> Path:
    hashes = sorted(hashlib.sha1(each.encode()).hexdigest().upper() for each in passwords)
    file = folder / name
    file.write_text("".join(f"{each}:7\r\n" for each in hashes))
    return file


async def test_a_renewed_list_counts_at_once(
    settings: Settings, tmp_path: Path, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = list_of("purple monkey dishwasher", folder=tmp_path)
    own = settings.model_copy(update={"breached_passwords_file": present})
    monkeypatch.setattr(commands.auth, "environment", lambda: own)
    async with lifespan.services(own) as services, process.listening(services) as port:
        phone = Phone(http, f"http://127.0.0.1:{port}/graphql")
        given = {"email": "breached@example.com", "password": "orange gibbon toaster"}
        assert (await sign_up(phone, **given))["errors"] == []
        new = list_of("purple monkey dishwasher", given["password"], folder=tmp_path, name="new.txt")
        ran = await asyncio.to_thread(CliRunner().invoke, cli.app, ["passwords", "renew", str(new)])
        assert (ran.exit_code, "2 breached passwords are refused" in ran.stdout) == (0, True)
        refused = await sign_up(phone, **given)
        assert [each["code"] for each in refused["errors"]] == ["PASSWORD_WEAK"]
        assert sorted(os.listdir(tmp_path)) == ["new.txt", "pwned.txt"]
        # Without its list a deployment still takes sign-ups, and still knows the common ones.
        present.unlink()
        assert (await sign_up(phone, **given))["errors"] == []
        refused = await sign_up(phone, **{**given, "password": "password1234"})
        assert [each["code"] for each in refused["errors"]] == ["PASSWORD_WEAK"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "It is empty."),
        ("password\n", "Line 1 is no SHA-1 hash in capitals."),
        (f"{'A' * 40}:1\n{'a' * 40}:1\n", "Line 2 is no SHA-1 hash in capitals."),
        (f"{'B' * 40}:1\n{'A' * 40}:1\n", "Line 2 is out of order: have the list sorted by hash."),
        (f"{'A' * 40}:1\n", "It is much shorter than the present list: was it downloaded whole?"),
    ],
)
async def test_a_broken_list_replaces_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    present = list_of(*map(str, range(20)), folder=tmp_path)
    before = present.read_bytes()
    (tmp_path / "new.txt").write_text(text)
    own = settings.model_copy(update={"breached_passwords_file": present})
    monkeypatch.setattr(commands.auth, "environment", lambda: own)
    arguments = ["passwords", "renew", str(tmp_path / "new.txt")]
    ran = await asyncio.to_thread(CliRunner().invoke, cli.app, arguments)
    assert (ran.exit_code, why in ran.stderr) == (1, True)
    assert present.read_bytes() == before


async def test_without_a_place_for_it_there_is_no_list(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.auth, "environment", lambda: settings)
    arguments = ["passwords", "renew", str(list_of("a", folder=tmp_path))]
    ran = await asyncio.to_thread(CliRunner().invoke, cli.app, arguments)
    assert (ran.exit_code, "Set LANDFALL_BREACHED_PASSWORDS_FILE" in ran.stderr) == (1, True)


async def test_operators_learn_of_an_old_list(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = list_of("a", folder=tmp_path)
    monkeypatch.setitem(services.extra, AuthSettings, AuthSettings(breached_passwords_file=file))
    sixty_days_ago = time.time() - timedelta(days=60).total_seconds()
    os.utime(file, (sixty_days_ago, sixty_days_ago))
    assert breached.age(file) > breached.OLD
    await watch_breached_passwords(services)
    assert REGISTRY.get_sample_value(AGE) == pytest.approx(60 * 86_400, abs=60)
    file.unlink()
    await watch_breached_passwords(services)
    assert REGISTRY.get_sample_value(AGE) == float("inf")
