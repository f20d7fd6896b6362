"""Callbacks of providers at `/hooks/{provider}`, as the providers send them."""

from datetime import timedelta
from urllib.parse import urlencode

import aiohttp
import pytest
from prometheus_client import REGISTRY

from core import callbacks, clock
from core.callbacks import ProviderEvent, Webhooks
from core.context import Services
from core.jobs import run_due
from core.security.limits import Rate
from providers.webhooks import TwilioWebhook, twilio_signature
from server import hooks
from tests.phone import key

TOKEN = "hooks-token"


@pytest.fixture
def told(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[ProviderEvent]:
    """Events that listeners of Twilio are told of."""
    events: list[ProviderEvent] = []

    async def listen(_: Services, event: ProviderEvent) -> None:
        events.append(event)

    monkeypatch.setitem(services.extra, Webhooks, Webhooks({"twilio": TwilioWebhook(TOKEN)}))
    monkeypatch.setitem(callbacks.LISTENERS, "twilio", [listen])
    return events


async def post(http: aiohttp.ClientSession, address: str, token: str = TOKEN, **form: str) -> tuple[int, str]:
    url = f"{address}/hooks/twilio"
    signature = twilio_signature(token, url, {name: [value] for name, value in form.items()})
    headers = {
        "X-Twilio-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with http.post(url, data=urlencode(form), headers=headers) as response:
        return response.status, await response.text()


def counted(result: str) -> float:
    labels = {"provider": "twilio", "result": result}
    return REGISTRY.get_sample_value("landfall_provider_callbacks_total", labels) or 0.0


async def test_an_event_is_worked_on_once_by_a_job(
    http: aiohttp.ClientSession, address: str, services: Services, told: list[ProviderEvent]
) -> None:
    for _ in range(2):
        answered = await post(http, address, MessageSid="SM71", MessageStatus="delivered")
        assert answered == (200, "<Response/>")
    await run_due(services)
    [event] = [each for each in told if each["provider_ref"] == "SM71"]
    assert event["kind"] == "DELIVERED"


async def test_after_thirty_days_an_event_id_is_forgotten(
    http: aiohttp.ClientSession, address: str, services: Services, told: list[ProviderEvent]
) -> None:
    await post(http, address, MessageSid="SM72", MessageStatus="sent")
    row = await callbacks.taken.by_id(services.db, "twilio:SM72:sent")
    assert row is not None
    assert timedelta(days=30) - timedelta(minutes=1) < row["expires_at"] - clock.now() <= timedelta(days=30)


async def test_forged_callback(
    http: aiohttp.ClientSession, address: str, services: Services, told: list[ProviderEvent]
) -> None:
    """Row "Forged callback": 401, counted, nothing changes."""
    before = counted("forged")
    status, _ = await post(http, address, "other", MessageSid="SM73", MessageStatus="delivered")
    assert status == 401
    assert counted("forged") == before + 1
    await run_due(services)
    assert await callbacks.taken.by_id(services.db, "twilio:SM73:delivered") is None
    assert [each for each in told if each["provider_ref"] == "SM73"] == []


async def test_forged_callbacks_have_a_rate_after_which_they_are_not_even_read(
    http: aiohttp.ClientSession,
    address: str,
    services: Services,
    told: list[ProviderEvent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks, "FORGED_RATE", Rate(f"forged-{key()}", 3, 60))
    monkeypatch.setitem(services.extra, hooks.Forgers, hooks.Forgers(services.limits))
    forged, unread = counted("forged"), counted("unread")
    answers = [(await post(http, address, "other", MessageSid="SM74"))[0] for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    assert (counted("forged"), counted("unread")) == (forged + 3, unread + 2)
    async with http.post(f"{address}/hooks/twilio", data="x") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
    clock.shift(timedelta(minutes=1))
    assert (await post(http, address, MessageSid="SM74", MessageStatus="sent"))[0] == 200


async def test_genuine_callbacks_have_no_rate(
    http: aiohttp.ClientSession,
    address: str,
    services: Services,
    told: list[ProviderEvent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks, "FORGED_RATE", Rate(f"forged-{key()}", 1, 60))
    monkeypatch.setitem(services.extra, hooks.Forgers, hooks.Forgers(services.limits))
    answers = [(await post(http, address, MessageSid=f"SM75{n}", MessageStatus="sent"))[0] for n in range(4)]
    assert answers == [200] * 4


async def test_a_provider_that_is_not_set_up_has_no_address(
    http: aiohttp.ClientSession, address: str, told: list[ProviderEvent]
) -> None:
    async with http.post(f"{address}/hooks/vonage", data="x") as response:
        assert response.status == 404
    async with http.get(f"{address}/hooks/twilio") as response:
        assert response.status == 405
