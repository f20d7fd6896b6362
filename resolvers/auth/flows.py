"""One-time codes: an open flow in Redis, a code by email."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

import orjson

from core import clock, ids
from core.context import Context
from core.errors import Refused, refusals
from stores.auth import FlowPurpose, FlowStatus, OtpMethod

LIFE = timedelta(hours=24)
DIGITS = 6
ATTEMPTS = 5

refusals(
    OTP_INVALID="The code is wrong; the flow tells how many attempts are left.",
    FLOW_EXPIRED="The flow is over: begin again.",
    FLOW_LOCKED="Too many wrong codes: begin again.",
)


Flow = dict[str, Any]


def open_flow(ctx: Context, *, user_id: str | None, email: str, device: dict[str, Any]) -> Flow:
    """A flow that verifies an email address; without a user it can never succeed."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    now = clock.now()
    flow: Flow = {
        "_id": ids.new_id("flow"),
        "purpose": FlowPurpose.VERIFY_EMAIL,
        "method": OtpMethod.EMAIL,
        "masked_destination": masked_email(email),
        "otp_length": DIGITS,
        "expires_at": now + LIFE,
        "attempts_left": ATTEMPTS,
        "status": FlowStatus.OPEN,
    }
    private = {"user_id": user_id, "device": device, "code_hash": _hash(flow["_id"], code)}

    async def deliver() -> None:
        await ctx.services.redis.set(_key(flow["_id"]), orjson.dumps({**flow, **private}), ex=LIFE)
        if user_id is not None:
            text = f"Your Landfall code is {code}. It is good for 24 hours."
            await ctx.services.mailer.send(to=email, subject="Your Landfall code", text=text)

    ctx.tx.after_commit(deliver)
    return flow


async def redeem(ctx: Context, flow_id: str, code: str) -> Flow:
    """The flow a right code closes; OTP_INVALID, FLOW_LOCKED or FLOW_EXPIRED otherwise."""
    raw = await ctx.services.redis.get(_key(ids.checked(flow_id, "flow")))
    if raw is None:
        raise Refused("FLOW_EXPIRED", "This code is no longer good.")
    flow: Flow = orjson.loads(raw)
    attempts = await ctx.services.redis.incr(f"{_key(flow_id)}:attempts")
    await ctx.services.redis.expire(f"{_key(flow_id)}:attempts", LIFE)
    if attempts > ATTEMPTS:
        raise Refused("FLOW_LOCKED", "Too many wrong codes: sign in again.")
    if not hmac.compare_digest(flow["code_hash"], _hash(flow_id, code)) or flow["user_id"] is None:
        left = {**public(flow), "attempts_left": ATTEMPTS - attempts}
        raise Refused("OTP_INVALID", "The code is wrong.", field=["code"], flow=left)
    return flow


async def close(ctx: Context, flow_id: str) -> None:
    await ctx.services.redis.delete(_key(flow_id), f"{_key(flow_id)}:attempts")


def public(flow: Flow) -> Flow:
    hidden = {"user_id", "device", "code_hash"}
    shown = {name: value for name, value in flow.items() if name not in hidden}
    return {**shown, "expires_at": clock.moment(flow["expires_at"])}


def masked_email(email: str) -> str:
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"


def _key(flow_id: str) -> str:
    return f"flow:{flow_id}"


def _hash(flow_id: str, code: str) -> str:
    return hashlib.sha256(f"{flow_id}:{code}".encode()).hexdigest()
