"""Push messages, delivered to a server that speaks Firebase's HTTP v1 API."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwt

from core import clock
from core.ports import FailureCode, Permanent, PushPriority, Retryable, Sent
from providers.push import Fcm
from tests.providers.gateways import Gateway, gateway

SEND = "/v1/projects/landfall-1/messages:send"
MESSAGE: dict[str, Any] = {
    "token": "device-token",
    "title": "Your code",
    "text": "123456",
    "data": {"flow": "flow_1"},
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
async def served() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        running.answers["/token"] = lambda _: web.json_response({"access_token": "ya29", "expires_in": 3600})
        running.answers[SEND] = lambda _: web.json_response({"name": "projects/landfall-1/messages/1"})
        yield running


@pytest.fixture
def fcm(served: Gateway, http: aiohttp.ClientSession, key: rsa.RSAPrivateKey, tmp_path: Path) -> Fcm:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "project_id": "landfall-1",
        "client_email": "push@landfall-1.iam.example",
        "private_key": pem.decode(),
        "token_uri": f"{served.url}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    return Fcm(http, served.url, file)


@pytest.mark.parametrize("letter", ["x", "ж", "\U0001f525", "\n"])
async def test_a_long_text_is_cut_to_what_a_message_holds(fcm: Fcm, served: Gateway, letter: str) -> None:
    await fcm.send(**{**MESSAGE, "title": letter * 120, "text": f"Fire {letter * 4_000}"})
    message = served.asked[-1].json["message"]
    # A larger one is refused for good: nobody would be told by push of what is said at length.
    assert len(json.dumps(message, ensure_ascii=False).encode()) <= 4_096 + len("device-token")
    body = message["notification"]["body"]
    assert body.startswith("Fire")
    assert body.endswith(f"{letter.strip()}…")
    await fcm.send(**{**MESSAGE, "text": letter.strip() * 499})
    assert served.asked[-1].json["message"]["notification"]["body"] == letter.strip() * 499


async def test_a_message_is_sent_with_a_signed_in_account(
    fcm: Fcm, served: Gateway, key: rsa.RSAPrivateKey
) -> None:
    assert await fcm.send(**MESSAGE) == Sent("1")
    assert await fcm.send(**MESSAGE) == Sent("1")
    token, first, second = served.asked
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = jwt.decode(
        token.form["assertion"], public.decode(), algorithms=["RS256"], audience=f"{served.url}/token"
    )
    assert claims["iss"] == "push@landfall-1.iam.example"
    assert first.headers["Authorization"] == second.headers["Authorization"] == "Bearer ya29"
    assert first.json == {
        "message": {
            "token": "device-token",
            "notification": {"title": "Your code", "body": "123456"},
            "data": {"flow": "flow_1"},
            "android": {
                "priority": "NORMAL",
                "notification": {"notification_priority": "PRIORITY_DEFAULT", "sound": "default"},
            },
            "apns": {
                "headers": {"apns-push-type": "alert", "apns-priority": "10"},
                "payload": {"aps": {"interruption-level": "active", "sound": "default"}},
            },
            "webpush": {"headers": {"Urgency": "normal"}},
        }
    }


async def test_a_critical_one_interrupts_on_every_platform(fcm: Fcm, served: Gateway) -> None:
    clock.stop()
    options = {"collapse": "k" * 70, "category": "ACK", "ttl": timedelta(minutes=5)}
    await fcm.send(**MESSAGE, **options, priority=PushPriority.CRITICAL)
    message = served.asked[1].json["message"]
    assert message["data"] == {"flow": "flow_1", "category": "ACK"}
    assert message["android"] == {
        "priority": "HIGH",
        "collapse_key": "k" * 70,
        "ttl": "300s",
        "notification": {
            "notification_priority": "PRIORITY_MAX",
            "sound": "default",
            "visibility": "PUBLIC",
            "tag": "k" * 70,
        },
    }
    assert message["apns"] == {
        "headers": {
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-collapse-id": "k" * 64,
            "apns-expiration": str(int(clock.timestamp()) + 300),
        },
        "payload": {
            "aps": {
                "interruption-level": "critical",
                "sound": {"critical": 1, "name": "default", "volume": 1.0},
                "category": "ACK",
            }
        },
    }
    assert message["webpush"] == {"headers": {"Urgency": "high", "TTL": "300"}}


async def test_a_silent_one_wakes_the_app_with_its_data_alone(fcm: Fcm, served: Gateway) -> None:
    await fcm.send(**MESSAGE, silent=True, priority=PushPriority.HIGH)
    message = served.asked[1].json["message"]
    assert message == {
        "token": "device-token",
        "data": {"flow": "flow_1"},
        "android": {"priority": "NORMAL"},
        "apns": {
            "headers": {"apns-push-type": "background", "apns-priority": "5"},
            "payload": {"aps": {"content-available": 1}},
        },
        "webpush": {"headers": {"Urgency": "high"}},
    }


async def test_the_access_token_is_renewed_in_time(fcm: Fcm, served: Gateway) -> None:
    await fcm.send(**MESSAGE)
    clock.shift(timedelta(minutes=59, seconds=30))
    await fcm.send(**MESSAGE)
    assert [asked.path for asked in served.asked] == ["/token", SEND, "/token", SEND]


def error(status: int, name: str, code: str) -> Any:
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
    body = {"error": {"code": status, "status": name, "message": "about it", "details": [detail]}}
    return lambda _: web.json_response(body, status=status)


async def test_a_token_that_is_gone_is_told_apart(fcm: Fcm, served: Gateway) -> None:
    served.answers[SEND] = error(404, "NOT_FOUND", "UNREGISTERED")
    with pytest.raises(Permanent) as failed:
        await fcm.send(**MESSAGE)
    assert failed.value.code == FailureCode.UNREGISTERED


async def test_a_message_that_is_wrong_is_refused_for_good(fcm: Fcm, served: Gateway) -> None:
    served.answers[SEND] = error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
    with pytest.raises(Permanent) as failed:
        await fcm.send(**MESSAGE)
    assert failed.value.code == FailureCode.REFUSED


@pytest.mark.parametrize("where", ["send", "token", "nonsense"])
async def test_trouble_is_a_failure(fcm: Fcm, served: Gateway, where: str) -> None:
    if where == "send":
        served.answers[SEND] = error(503, "UNAVAILABLE", "UNAVAILABLE")
    elif where == "token":
        served.answers["/token"] = lambda _: web.json_response({}, status=400)
    else:
        served.answers[SEND] = lambda _: web.Response(text="<html>")
    with pytest.raises(Retryable) as failed:
        await fcm.send(**MESSAGE)
    assert "device-token" not in str(failed.value)
