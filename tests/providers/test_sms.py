"""Text messages, delivered to servers that speak Twilio's and Vonage's APIs."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core.ports import DeliveryFailed
from devstack.process import free_port
from providers import sms
from tests.providers.gateways import Gateway, gateway

TEXT = "Your code is 123456"
TWILIO, VONAGE = "/2010-04-01/Accounts/AC1/Messages.json", "/sms/json"


@pytest.fixture
async def served() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        yield running


def url(kind: str, served: Gateway) -> str:
    return served.url.replace("http://", f"{kind}+http://AC1:se%2Fcret@") + "/+15550100"


async def test_twilio_takes_a_message(served: Gateway, http: aiohttp.ClientSession) -> None:
    served.answers[TWILIO] = lambda _: web.json_response({"sid": "SM1", "status": "queued"}, status=201)
    await sms.sms_sender(url("twilio", served), http).send(to="+15550199", text=TEXT)
    [asked] = served.asked
    assert asked.login == ("AC1", "se/cret")
    assert asked.form == {"To": "+15550199", "From": "+15550100", "Body": TEXT}


async def test_vonage_takes_a_message(served: Gateway, http: aiohttp.ClientSession) -> None:
    served.answers[VONAGE] = lambda _: web.json_response({"messages": [{"status": "0"}]})
    await sms.sms_sender(url("vonage", served), http).send(to="+15550199", text=TEXT)
    [asked] = served.asked
    assert asked.form == {
        "api_key": "AC1",
        "api_secret": "se/cret",
        "to": "15550199",
        "from": "+15550100",
        "text": TEXT,
        "type": "unicode",
    }


@pytest.mark.parametrize(
    ("kind", "path", "answer", "said"),
    [
        ("twilio", TWILIO, {"status": 503}, "The SMS provider answered 503."),
        (
            "twilio",
            TWILIO,
            {"status": 401, "data": {"message": "no +15550199"}},
            "The SMS provider answered 401.",
        ),
        ("twilio", TWILIO, {"data": {"status": "failed", "error_code": 30003}}, "Twilio: error 30003."),
        ("vonage", VONAGE, {"data": {"messages": [{"status": "9"}]}}, "Vonage: status 9."),
        ("vonage", VONAGE, {"data": {}}, "Vonage: status missing."),
    ],
)
async def test_a_refusal_fails_without_naming_anybody(
    served: Gateway, http: aiohttp.ClientSession, kind: str, path: str, answer: dict[str, Any], said: str
) -> None:
    served.answers[path] = lambda _: web.json_response(answer.get("data"), status=answer.get("status", 200))
    with pytest.raises(DeliveryFailed) as failed:
        await sms.sms_sender(url(kind, served), http).send(to="+15550199", text=TEXT)
    assert str(failed.value) == said


async def test_a_provider_that_sends_nonsense_or_is_away_fails(
    served: Gateway, http: aiohttp.ClientSession
) -> None:
    served.answers[TWILIO] = lambda _: web.Response(text="<html>")
    with pytest.raises(DeliveryFailed, match="did not answer: JSONDecodeError"):
        await sms.sms_sender(url("twilio", served), http).send(to="+15550199", text=TEXT)
    away = f"twilio+http://AC1:secret@127.0.0.1:{free_port()}/+15550100"
    with pytest.raises(DeliveryFailed, match="did not answer: ClientConnectorError"):
        await sms.sms_sender(away, http).send(to="+15550199", text=TEXT)


@pytest.mark.parametrize("given", ["", "http://host/x", "twilio://a:b@host", "twilio+ftp://a:b@host/x", "x"])
async def test_what_names_no_provider_is_refused(http: aiohttp.ClientSession, given: str) -> None:
    with pytest.raises(ValueError, match="an SMS provider is"):
        sms.sms_sender(given, http)
