"""Text messages, delivered to servers that speak Twilio's and Vonage's APIs."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core.ports import DeliveryFailed, FailureCode, Permanent, Retryable, Sent
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
    sent = await sms.sms_sender(url("twilio", served), http).send(to="+15550199", text=TEXT)
    [asked] = served.asked
    assert sent == Sent("SM1")
    assert asked.login == ("AC1", "se/cret")
    assert asked.form == {"To": "+15550199", "From": "+15550100", "Body": TEXT}


async def test_vonage_takes_a_message(served: Gateway, http: aiohttp.ClientSession) -> None:
    served.answers[VONAGE] = lambda _: web.json_response({"messages": [{"status": "0", "message-id": "M1"}]})
    sent = await sms.sms_sender(url("vonage", served), http).send(to="+15550199", text="Звонок")
    [asked] = served.asked
    assert sent == Sent("M1")
    assert asked.form == {
        "api_key": "AC1",
        "api_secret": "se/cret",
        "to": "15550199",
        "from": "+15550100",
        "text": "Звонок",
        "type": "unicode",
    }


async def test_vonage_takes_plain_text_at_160_characters_a_segment(
    served: Gateway, http: aiohttp.ClientSession
) -> None:
    served.answers[VONAGE] = lambda _: web.json_response({"messages": [{"status": "0", "message-id": "M1"}]})
    await sms.sms_sender(url("vonage", served), http).send(to="+15550199", text="1234 is your code [€]")
    assert served.asked[0].form["type"] == "text"


@pytest.mark.parametrize(
    ("kind", "path", "status", "data", "said", "code"),
    [
        ("twilio", TWILIO, 503, None, "Twilio answered 503.", None),
        ("twilio", TWILIO, 429, {"code": 20429}, "Twilio answered 429, error 20429.", None),
        ("twilio", TWILIO, 401, {"message": "no +15550199"}, "Twilio answered 401.", None),
        ("twilio", TWILIO, 400, {"code": 21605}, "Twilio answered 400, error 21605.", FailureCode.REFUSED),
        ("twilio", TWILIO, 400, {"code": 21610}, "Twilio answered 400, error 21610.", FailureCode.OPTED_OUT),
        ("twilio", TWILIO, 400, {"code": 21614}, "Twilio answered 400, error 21614.", FailureCode.LANDLINE),
        (
            "twilio",
            TWILIO,
            201,
            {"status": "failed", "error_code": 30003},
            "Twilio answered 201, error 30003.",
            FailureCode.UNREACHABLE,
        ),
        ("vonage", VONAGE, 200, {"messages": [{"status": "9"}]}, "Vonage: status 9.", None),
        (
            "vonage",
            VONAGE,
            200,
            {"messages": [{"status": "7"}]},
            "Vonage: status 7.",
            FailureCode.UNREACHABLE,
        ),
        ("vonage", VONAGE, 200, {}, "Vonage: status missing.", None),
        ("vonage", VONAGE, 500, {}, "Vonage answered 500.", None),
    ],
)
async def test_a_refusal_fails_without_naming_anybody(
    served: Gateway,
    http: aiohttp.ClientSession,
    kind: str,
    path: str,
    status: int,
    data: dict[str, Any] | None,
    said: str,
    code: FailureCode | None,
) -> None:
    served.answers[path] = lambda _: web.json_response(data, status=status)
    with pytest.raises(DeliveryFailed) as failed:
        await sms.sms_sender(url(kind, served), http).send(to="+15550199", text=TEXT)
    assert str(failed.value) == said
    assert (failed.value.code if isinstance(failed.value, Permanent) else None) == code


async def test_a_provider_that_sends_nonsense_or_is_away_fails(
    served: Gateway, http: aiohttp.ClientSession
) -> None:
    served.answers[TWILIO] = lambda _: web.Response(text="<html>")
    with pytest.raises(Retryable, match="did not answer: JSONDecodeError"):
        await sms.sms_sender(url("twilio", served), http).send(to="+15550199", text=TEXT)
    away = f"twilio+http://AC1:secret@127.0.0.1:{free_port()}/+15550100"
    with pytest.raises(Retryable, match="did not answer: ClientConnectorError"):
        await sms.sms_sender(away, http).send(to="+15550199", text=TEXT)


async def test_twilio_is_told_where_to_call_back(served: Gateway, http: aiohttp.ClientSession) -> None:
    served.answers[TWILIO] = lambda _: web.json_response({"sid": "SM1"}, status=201)
    sender = sms.sms_sender(url("twilio", served), http, "https://landfall.example/hooks")
    await sender.send(to="+15550199", text=TEXT)
    assert served.asked[0].form["StatusCallback"] == "https://landfall.example/hooks/twilio"


@pytest.mark.parametrize("given", ["", "http://host/x", "twilio://a:b@host", "twilio+ftp://a:b@host/x", "x"])
async def test_what_names_no_provider_is_refused(http: aiohttp.ClientSession, given: str) -> None:
    with pytest.raises(ValueError, match="an SMS provider is"):
        sms.sms_sender(given, http)
