"""Steps shared by the tests of authentication: signing up, in and again, and reading what was sent."""

import re
import secrets
from typing import Any

from core.context import Services
from core.jobs import run_due
from core.storage.mongo import Document
from providers.outbox import Outbox
from stores import auth as store
from tests.confidential import CODES
from tests.phone import PASSWORD, Answer, Phone
from tests.phone import refusal as refusal

FLOW = """
  authFlow { id kind otpMethod maskedDestination otpDigitCount expiresAt
    resendAllowedAt remainingAttemptCount remainingResendCount factors status }
"""
TOKENS = """
  tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt scopes issuedAt }
  session { id status endReason factors ipMasked device { id name platform pushEnabled } version }
  user { id name } account { email emailVerified status twoFactor { remainingBackupCodeCount } }
"""
SIGNED_IN = f"{TOKENS} {FLOW}"
VERIFIED = f"{SIGNED_IN} backupCodes"
ME = "{ viewer { user { id } session { id } } }"


def device(phone: Phone) -> dict[str, str]:
    return {"deviceId": phone.device_id, "name": "Ada's phone", "platform": "IOS"}


async def sign_up(phone: Phone, email: str, **input: Any) -> Any:
    given = {
        "email": email,
        "password": PASSWORD,
        "firstName": "Ada",
        "acceptedTermsVersion": "1",
        "device": device(phone),
        **input,
    }
    return await phone.do("signUp", FLOW, **given)


async def sign_in(phone: Phone, email: str, password: str = PASSWORD, **input: Any) -> Any:
    """Signs in and, when that gives tokens, keeps them on the phone."""
    payload = await phone.do(
        "signIn", SIGNED_IN, email=email, password=password, device=device(phone), **input
    )
    return keep(phone, payload)


async def verify(phone: Phone, flow_id: str, code: str, **input: Any) -> Any:
    given = {"authFlowId": flow_id, "code": code, "deviceId": phone.device_id, **input}
    return keep(phone, await phone.do("verifyOtp", VERIFIED, **given))


async def verify_backup(phone: Phone, flow_id: str, code: str, **input: Any) -> Any:
    given = {"authFlowId": flow_id, "code": code, "deviceId": phone.device_id, **input}
    return keep(phone, await phone.do("verifyBackupCode", SIGNED_IN, **given))


async def resend(phone: Phone, flow_id: str, **input: Any) -> Any:
    return await phone.do("resendOtp", FLOW, authFlowId=flow_id, deviceId=phone.device_id, **input)


async def refresh(phone: Phone, token: str | None = None, **input: Any) -> Any:
    given = {"refreshToken": token or phone.refresh_token, "deviceId": phone.device_id, **input}
    return await phone.do("refreshSession", TOKENS, **given)


def keep(phone: Phone, payload: Any) -> Any:
    if payload["tokens"]:
        phone.token = payload["tokens"]["accessToken"]
        phone.refresh_token = payload["tokens"]["refreshToken"]
        phone.session_id = payload["session"]["id"]
        phone.user_id = payload["user"]["id"]
    return payload


async def letters(phone: Phone, email: str) -> list[dict[str, str]]:
    """Mails sent to the address, latest first."""
    outbox = phone.url.replace("/graphql", "/dev/outbox")
    async with phone.http.get(outbox, headers={"Accept": "application/json"}) as response:
        assert response.status == 200
        return [each for each in (await response.json())["letters"] if each["to"] == email]


async def sent_to(services: Services, to: str) -> list[dict[str, str]]:
    """Messages that jobs have sent to an address, number or push token by now, latest first."""
    await run_due(services)
    kept: list[Any] = await services.get(Outbox).letters()
    return [each for each in kept if each["to"] == to]


async def code_for(services: Services, to: str) -> str:
    """The latest code sent there."""
    found = (re.search(r"\b\d{6}\b", each["text"]) for each in await sent_to(services, to))
    code = next(match[0] for match in found if match)
    CODES.add(code)
    return code


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def session(services: Services, id: str) -> Document:
    found = await store.sessions.by_id(services.db, id)
    assert found
    return found


async def sessions_of(services: Services, user_id: str) -> list[store.Session]:
    return await store.sessions.find(services.db, {"user_id": user_id}, sort=[("_id", 1)])


def assert_unauthenticated(answer: Answer, reason: str, message: str) -> None:
    """The one error, and nothing beside it."""
    assert answer.body == {
        "data": {"viewer": None},
        "errors": [
            {
                "message": message,
                "locations": [{"line": 1, "column": 3}],
                "path": ["viewer"],
                "extensions": {"code": "UNAUTHENTICATED", "reason": reason},
            }
        ],
    }


def new_number() -> str:
    """Unique phone number."""
    return f"+447400{secrets.randbelow(10**6):06}"


async def enable_two_factor(phone: Phone, services: Services, to: str, method: str = "SMS") -> list[str]:
    """Turns the second factor on; the backup codes."""
    where = {"SMS": {"phone": to}, "EMAIL": {"email": to}, "PUSH": None}[method]
    begun = await phone.do("enableTwoFactor", FLOW, method=method, destination=where)
    assert begun["errors"] == []
    done = await verify(phone, begun["authFlow"]["id"], await code_for(services, to))
    assert done["errors"] == []
    codes: list[str] = done["backupCodes"]
    return codes


async def flow_of(phone: Phone, id: str) -> Any:
    """The flow as a restarted app reads it."""
    query = f"query($id: ID!) {{ authFlow(id: $id) {{ {FLOW.strip().removeprefix('authFlow {')} }}"
    return (await phone.run(query, id=id))["authFlow"]
