"""Access tokens (ES256 JWTs) and refresh tokens, issued and verified without a database."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, TypedDict

import orjson
from jose import jwt
from jose.exceptions import ExpiredSignatureError, JWTError

from core import clock
from core.context import PERSONAL, Viewer
from core.errors import Unauthenticated
from resolvers.auth.signing import SigningKeys
from stores.auth import AuthFactor, Session, User, org_of

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_IDLE = timedelta(days=30)
REFRESH_ABSOLUTE = timedelta(days=180)
CLOCK_SKEW = 30
LONGEST_TOKEN = 4096
REMEMBERED = 10_000
"""Verified tokens cached, so that a busy phone's signature is checked once."""

SCOPES = ("read", "write")
KEYS = frozenset({AuthFactor.PASSKEY, AuthFactor.DEVICE_KEY})
"""Factors that count as two: the thing itself, and what unlocks it."""


class TokenPair(TypedDict):
    access_token: str
    access_token_expires_at: Any
    refresh_token: str
    refresh_token_expires_at: Any
    scopes: list[str]
    issued_at: Any


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    user_id: str
    session_id: str
    counter: int


class Verified(NamedTuple):
    """Verified access token."""

    kid: str
    expires_at: float
    viewer: Viewer


class Tokens:
    """Token codec: signs and verifies access tokens (asymmetric keys) and refresh tokens (HMAC secret)."""

    def __init__(self, keys: SigningKeys, secret: str, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._secret = secret.encode()
        self._issuer, self._audience = issuer, audience
        self._verified: OrderedDict[str, Verified] = OrderedDict()

    def jwks(self) -> dict[str, Any]:
        """JWKS: the public keys, for other services that verify our tokens."""
        return {"keys": self._keys.published()}

    def issue(self, user: User, session: Session) -> TokenPair:
        """Issue the session's current token pair."""
        now, key = clock.now(), self._keys.signer()
        expires = now + ACCESS_LIFE
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user["_id"],
            "sid": session["_id"],
            "did": session["device"]["_id"],
            "scope": " ".join(SCOPES),
            "roles": list(map(str, user["roles"])),
            "org": org_of(user),
            "amr": list(map(str, session["factors"])),
            "auth_time": int(session["authenticated_at"].timestamp()),
            # To the millisecond, so that it can be told from a change of roles in the same second.
            "iat": now.timestamp(),
            "exp": int(expires.timestamp()),
            "jti": secrets.token_hex(8),
        }
        return {
            "access_token": jwt.encode(claims, key.private, "ES256", headers={"kid": key.kid}),
            "access_token_expires_at": expires,
            "refresh_token": self.refresh_token(session),
            "refresh_token_expires_at": session["expires_at"],
            "scopes": list(SCOPES),
            "issued_at": now,
        }

    def verify(self, token: str) -> Viewer:
        """Viewer of an access token; UNAUTHENTICATED with TOKEN_EXPIRED or TOKEN_INVALID otherwise."""
        remembered = self._verified.get(token)
        if remembered is not None and remembered.expires_at > clock.timestamp():
            if self._keys.known(remembered.kid) is None:
                raise Unauthenticated("TOKEN_INVALID")
            return remembered.viewer
        kid, claims = self._claims(token)
        viewer = Viewer(
            claims["sub"],
            claims["sid"],
            claims["did"],
            frozenset(claims.get("roles", ())),
            claims.get("org", PERSONAL),
            claims.get("auth_time", 0),
            claims.get("iat", 0),
            factors := tuple(claims.get("amr", ())),
            worth(factors),
        )
        self._verified[token] = Verified(kid, claims["exp"], viewer)
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return viewer

    def expires_at(self, token: str) -> float:
        """Expiry of a verified token, in seconds since the epoch."""
        self.verify(token)
        return self._verified[token].expires_at

    def _claims(self, token: str) -> tuple[str, dict[str, Any]]:
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("TOKEN_INVALID")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "ES256" or "zip" in header:
                raise Unauthenticated("TOKEN_INVALID")
            key = self._keys.known(header.get("kid"))
            if key is None:
                raise Unauthenticated("TOKEN_INVALID")
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=["ES256"],
                audience=self._audience,
                issuer=self._issuer,
                # Expiry is judged below by the clock that tests can move.
                options={"leeway": CLOCK_SKEW, "verify_exp": False, "require_aud": True, "require_iss": True},
            )
        except ExpiredSignatureError:
            raise Unauthenticated("TOKEN_EXPIRED") from None
        except (JWTError, ValueError, TypeError, AttributeError):
            raise Unauthenticated("TOKEN_INVALID") from None
        named = all(isinstance(claims.get(name), str) for name in ("sub", "sid", "did"))
        if not named or not isinstance(claims.get("exp"), int):
            raise Unauthenticated("TOKEN_INVALID")
        if clock.timestamp() > claims["exp"] + CLOCK_SKEW:
            raise Unauthenticated("TOKEN_EXPIRED")
        return key.kid, claims

    def refresh_token(self, session: Session) -> str:
        """Refresh token, derived from the session, so that only its counter is stored."""
        return self._refresh_token(RefreshClaims(session["user_id"], session["_id"], session["counter"]))

    def refresh_claims(self, token: str) -> RefreshClaims | None:
        """Claims of a refresh token, or None if we did not sign it."""
        if len(token) > LONGEST_TOKEN:
            return None
        body, _, _ = token.partition(".")
        try:
            values = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            claims = RefreshClaims(str(values[0]), str(values[1]), int(values[2]))
        except (ValueError, TypeError, KeyError, IndexError, binascii.Error):
            return None
        return claims if hmac.compare_digest(self._refresh_token(claims), token) else None

    def _refresh_token(self, claims: RefreshClaims) -> str:
        body = base64.urlsafe_b64encode(orjson.dumps([claims.user_id, claims.session_id, claims.counter]))
        signature = hmac.new(self._secret, b"refresh:" + body, hashlib.sha256).digest()
        return f"{_text(body)}.{_text(base64.urlsafe_b64encode(signature))}"


def worth(factors: Sequence[str]) -> int:
    """Number of factors that these are worth; one that was proven again adds none."""
    return sum(2 if factor in KEYS else 1 for factor in set(factors))


def _text(encoded: bytes) -> str:
    return encoded.decode().rstrip("=")
