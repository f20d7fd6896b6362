"""Challenges for keys to sign: 32 random bytes, valid once and for two minutes, on the device that asked."""

import base64
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import orjson

from core import clock, ids
from core.context import Context
from core.errors import UserError
from stores.auth import AuthKeyKind

LIFE = timedelta(minutes=2)
BYTES = 32
CLOCK_TOLERANCE = timedelta(minutes=5)
"""Extra lifetime in Redis: its clock decides nothing."""


@dataclass(frozen=True, slots=True)
class Challenge:
    id: str
    kind: AuthKeyKind
    device_id: str
    user_id: str | None
    """Owner of the key to be enrolled; None at sign-in."""
    value: str
    expires_at: datetime

    @property
    def signed(self) -> bytes:
        """The bytes that a key has to sign."""
        return base64.urlsafe_b64decode(self.value + "=")


async def open_challenge(
    ctx: Context, kind: AuthKeyKind, device_id: str, *, user_id: str | None = None
) -> Challenge:
    value = base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).decode().rstrip("=")
    challenge = Challenge(ids.new_id("challenge"), kind, device_id, user_id, value, clock.now() + LIFE)
    kept = orjson.dumps(asdict(challenge))
    await ctx.services.redis.set(_name(challenge.id), kept, ex=LIFE + CLOCK_TOLERANCE)
    return challenge


async def take(ctx: Context, id: str, device_id: str, *, user_id: str | None = None) -> Challenge:
    """Consume the challenge: EXPIRED the second time, and for any other device."""
    raw = await ctx.services.redis.getdel(_name(ids.checked(id, "challenge")))
    if raw is not None:
        kept = orjson.loads(raw)
        challenge = Challenge(**{**kept, "expires_at": clock.moment(kept["expires_at"])})
        same = challenge.device_id == device_id and challenge.user_id == user_id
        if same and challenge.expires_at > clock.now():
            return challenge
    raise UserError("EXPIRED", "This challenge is no longer good.", field=["challengeId"])


def _name(id: str) -> str:
    return f"chal:{id}"
