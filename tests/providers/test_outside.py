"""Choice of providers by the settings."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from core.context import Services
from core.ports import FailureCode, Permanent, Sent
from core.settings import Environment, Settings
from providers.captcha import SiteVerify, Word
from providers.outbox import Outbox, OutboxPusher, OutboxSmsSender
from providers.provider_setup import Providers, chosen_providers
from providers.sms import Twilio, Vonage
from providers.smtp import Smtp


def chosen(services: Services, http: aiohttp.ClientSession, **settings: Any) -> Providers:
    return chosen_providers(Settings(**settings), services.redis, http)


def provider_of(sender: Any) -> object:
    """The provider behind its guard."""
    return sender.provider


async def test_development_keeps_everything_in_the_outbox(
    services: Services, http: aiohttp.ClientSession
) -> None:
    made = chosen(services, http)
    assert isinstance(made.mailer, Outbox)
    assert isinstance(made.sms_senders[0], OutboxSmsSender)
    assert isinstance(made.pusher, OutboxPusher)
    assert isinstance(made.captcha, Word)
    await made.sms_senders[0].send(to="+15550100", text="hello by text")
    assert await made.pusher.send(token="t", title="hello", text="by push", data={}) == Sent()
    assert made.outbox
    assert [each["channel"] for each in (await made.outbox.letters())[:2]] == ["push", "sms"]


async def test_the_settings_choose(services: Services, http: aiohttp.ClientSession) -> None:
    made = chosen(
        services,
        http,
        smtp_url="smtp://localhost",
        sms_url=SecretStr("twilio://a:b@api.twilio.com/+1555"),
        sms_backup_url=SecretStr("vonage://a:b@rest.nexmo.com/Landfall"),
        captcha_url="https://hcaptcha.com/siteverify",
    )
    assert [type(provider_of(each)) for each in (made.mailer, *made.sms_senders)] == [Smtp, Twilio, Vonage]
    assert isinstance(made.captcha, SiteVerify)


async def test_production_without_providers_sends_nothing_and_says_so_masked(
    services: Services, http: aiohttp.ClientSession
) -> None:
    made = chosen(services, http, env=Environment.PRODUCTION)
    assert made.outbox is None
    assert made.captcha is None
    with capture_logs() as logs:
        for sending in (
            made.mailer.send(to="ada@example.com", subject="s", text="123456"),
            made.sms_senders[0].send(to="+15550123", text="123456"),
            made.pusher.send(token="push-token", title="t", text="123456", data={}),
        ):
            with pytest.raises(Permanent) as failed:
                await sending
            assert failed.value.code == FailureCode.NO_PROVIDER
    assert [each.get("to") for each in logs] == ["a***@example.com", "***23", None]
    assert "123456" not in repr(logs)
    assert "push-token" not in repr(logs)


async def test_a_setting_that_cannot_be_right_is_named(
    services: Services, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"^LANDFALL_SMS_BACKUP_URL: an SMS provider is"):
        chosen(services, http, sms_backup_url=SecretStr("carrier-pigeon://loft"))
    (tmp_path / "account.json").write_text("{}")
    with pytest.raises(ValueError, match=r"^LANDFALL_FCM_ACCOUNT_FILE: KeyError"):
        chosen(services, http, fcm_account_file=tmp_path / "account.json")
