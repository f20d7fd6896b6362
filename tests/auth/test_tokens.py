"""Invalid access tokens, each in its own way."""

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from jose import jwt

from core import clock
from core.settings import Settings
from resolvers.auth.signing import make_signing_key
from tests.auth.steps import ME, assert_unauthenticated
from tests.conftest import NewPhone
from tests.phone import Phone, key

INVALID = "The access token is not valid."
EXPIRED = "The access token has expired: refresh the session."


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Forger:
    """Takes a good token apart and makes bad ones; `signed` even with the server's own key."""

    def __init__(self, token: str, settings: Settings) -> None:
        self.head, self.body, self.signature = token.split(".")
        self.header = jwt.get_unverified_header(token)
        self.claims = jwt.get_unverified_claims(token)
        self.key = (settings.data_dir / "signing-key.pem").read_text()

    def signed(self, pem: str | None = None, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        kept = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        chosen = {"kid": self.header["kid"], **(headers or {})}
        token: str = jwt.encode(kept, pem or self.key, "ES256", headers=chosen)
        return token

    def unsigned(self, **header: Any) -> str:
        return f"{part({**self.header, **header})}.{self.body}."


def public_key_as_secret(forger: Forger) -> str:
    from cryptography.hazmat.primitives import hashes, hmac, serialization

    private = serialization.load_pem_private_key(forger.key.encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = f"{part({**forger.header, 'alg': 'HS256'})}.{forger.body}"
    mac = hmac.HMAC(public, hashes.SHA256())
    mac.update(body.encode())
    return f"{body}.{part(mac.finalize())}"


ATTACKS: dict[str, Callable[[Forger], str]] = {
    "no algorithm": lambda forger: forger.unsigned(alg="none"),
    "no algorithm, capitals": lambda forger: forger.unsigned(alg="NoNe"),
    "no signature": lambda forger: f"{forger.head}.{forger.body}.",
    "the public key as a secret": public_key_as_secret,
    "another algorithm": lambda forger: forger.unsigned(alg="ES384") + forger.signature,
    "another key": lambda forger: forger.signed(make_signing_key().decode()),
    "another key's id": lambda forger: forger.signed(headers={"kid": "0123456789abcdef"}),
    "a key of its own": lambda forger: forger.signed(headers={"kid": None, "jwk": {"kty": "EC"}}),
    "another audience": lambda forger: forger.signed(aud="another-app"),
    "no audience": lambda forger: forger.signed(aud=None),
    "another issuer": lambda forger: forger.signed(iss="somebody"),
    "no subject": lambda forger: forger.signed(sub=None),
    "no session": lambda forger: forger.signed(sid=None),
    "no end": lambda forger: forger.signed(exp=None),
    "an end that is no number": lambda forger: forger.signed(exp="never"),
    "not yet good": lambda forger: forger.signed(nbf=int(time.time()) + 3600),
    "changed claims": lambda forger: (
        f"{forger.head}.{part({**forger.claims, 'roles': ['ADMIN']})}.{forger.signature}"
    ),
    "compressed": lambda forger: forger.signed(headers={"zip": "DEF"}),
    "oversized": lambda forger: forger.signed(roles=["MEMBER" * 600]),
    "too long": lambda forger: "a" * 6000,
    "empty parts": lambda forger: "..",
    "one part": lambda forger: "token",
    "a header that is a list": lambda forger: f"{part([1])}.{forger.body}.{forger.signature}",
    "a header that is not JSON": lambda forger: f"{part(b'nonsense')}.{forger.body}.{forger.signature}",
    "a header nested too deep": lambda forger: f"{part(b'[' * 2500)}.{forger.body}.x",
    "letters of no alphabet": lambda forger: "é.ü.ß",
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_forged_token_is_refused(new_phone: NewPhone, settings: Settings, attack: str) -> None:
    ada = await new_phone("Ada")
    ada.token = ATTACKS[attack](Forger(ada.token or "", settings))
    assert_unauthenticated(await ada.ask(ME), "TOKEN_INVALID", INVALID)


async def test_the_forger_s_tools_make_good_tokens_too(new_phone: NewPhone, settings: Settings) -> None:
    ada = await new_phone("Ada")
    ada.token = Forger(ada.token or "", settings).signed(jti="another")
    assert (await ada.run(ME))["viewer"]["user"]["id"] == ada.user_id


async def test_a_request_without_a_token_has_no_viewer(anonymous: Phone) -> None:
    assert await anonymous.run(ME) == {"viewer": None}


@pytest.mark.parametrize("header", ["Basic YWRhOnB3", "Bearer", "token"])
async def test_another_scheme_is_refused(anonymous: Phone, header: str) -> None:
    answer = await anonymous.post({"query": ME}, Authorization=header)
    assert_unauthenticated(answer, "TOKEN_INVALID", INVALID)


async def test_a_token_lasts_fifteen_minutes_and_half_a_minute_of_skew(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=15, seconds=20))
    assert (await ada.run(ME))["viewer"]["user"]["id"] == ada.user_id
    clock.shift(timedelta(seconds=15))
    assert_unauthenticated(await ada.ask(ME), "TOKEN_EXPIRED", EXPIRED)


async def test_a_bad_token_does_not_hide_what_is_public(new_phone: NewPhone, anonymous: Phone) -> None:
    ada = await new_phone("Ada")
    created = await ada.do("createPost", "post { id }", text="For all", visibility="PUBLIC")
    anonymous.token = "nonsense"
    found = await anonymous.run("query($id: ID!) { post(id: $id) { text } }", id=created["post"]["id"])
    assert found == {"post": {"text": "For all"}}


async def test_a_bad_token_does_not_make_things_look_gone(new_phone: NewPhone, anonymous: Phone) -> None:
    """A phone would forget what it may read with a new token."""
    ada = await new_phone("Ada")
    made = await ada.do("createPost", "post { id }", text="For friends", visibility="FRIENDS")
    id = made["post"]["id"]
    reads = ("post(id: $id) { id }", "node(id: $id) { id }", "nodes(ids: [$id]) { id }")
    for read in reads:
        found = await anonymous.run(f"query($id: ID!) {{ {read} }}", id=id)
        assert found in ({"post": None}, {"node": None}, {"nodes": [None]})
    anonymous.token = "nonsense"
    for read in reads:
        answer = await anonymous.ask(f"query($id: ID!) {{ {read} }}", id=id)
        assert answer.errors[0]["extensions"] == {"code": "UNAUTHENTICATED", "reason": "TOKEN_INVALID"}


async def test_a_bad_token_writes_nothing(new_phone: NewPhone, anonymous: Phone) -> None:
    ada = await new_phone("Ada")
    anonymous.token = "nonsense"
    query = "mutation($input: FollowUserInput!) { followUser(input: $input) { user { id } } }"
    answer = await anonymous.ask(query, input={"idempotencyKey": key(), "userId": ada.user_id})
    assert answer.body["data"] == {"followUser": None}
    assert answer.errors[0]["extensions"] == {"code": "UNAUTHENTICATED", "reason": "TOKEN_INVALID"}
    counted = await ada.run("{ viewer { user { followerCount } } }")
    assert counted["viewer"]["user"] == {"followerCount": 0}


async def test_a_socket_with_a_bad_token_is_closed(anonymous: Phone) -> None:
    async with anonymous.http.ws_connect(anonymous.url, protocols=["graphql-transport-ws"]) as connection:
        await connection.send_json({"type": "connection_init", "payload": {"accessToken": "nonsense"}})
        await connection.receive(timeout=5)
        assert connection.close_code == 4401
