"""Steps shared by the tests of keys: enrolling one and signing in with it."""

from typing import Any

from tests.auth.authenticator import DeviceKey, Passkey
from tests.auth.steps import device, keep
from tests.phone import Phone

CHALLENGE = "challenge { challengeId challenge expiresAt rpId allowCredentials userHandle }"
KEY = (
    "authKey { id kind name device { id } lastUsedAt disabledAt version } authKeyEdge { cursor node { id } }"
)
SIGNED_IN = """tokens { accessToken refreshToken } session { id factors status } user { id }"""
KEYS = """query($first: Int, $after: String) { viewer { account { authKeys(first: $first, after: $after) {
  edges { cursor node { id name kind lastUsedAt disabledAt } } pageInfo { hasNextPage endCursor } } } } }"""


async def enrolment(phone: Phone, kind: str = "PASSKEY") -> Any:
    """A challenge to enrol a key."""
    begun = await phone.do("beginKeyEnrollment", CHALLENGE, kind=kind)
    assert begun["errors"] == []
    return begun["challenge"]


async def enrol(phone: Phone, passkey: Passkey, **input: Any) -> Any:
    challenge = await enrolment(phone)
    given = {
        "challengeId": challenge["challengeId"],
        "name": "Ada's phone",
        "key": {"passkey": passkey.make(challenge)},
    }
    return await phone.do("finishKeyEnrollment", KEY, **{**given, **input})


async def enrol_device_key(phone: Phone, key: DeviceKey, *, as_point: bool = False, **changed: Any) -> Any:
    challenge = await enrolment(phone, "DEVICE_KEY")
    made = {"publicKey": key.public(as_point=as_point), **key.sign(challenge), **changed}
    given = {"challengeId": challenge["challengeId"], "name": "Touch", "key": {"deviceKey": made}}
    return await phone.do("finishKeyEnrollment", KEY, **given)


async def challenged(phone: Phone, kind: str = "PASSKEY", **input: Any) -> Any:
    """A challenge to sign in with a key."""
    begun = await phone.do("beginKeySignIn", CHALLENGE, kind=kind, device=device(phone), **input)
    assert begun["errors"] == []
    return begun["challenge"]


def proof_of(challenge: Any, key_id: str, signed: dict[str, str]) -> dict[str, Any]:
    """Challenge with its signature, by the kind of key that signed."""
    passkey = "clientDataJson" in signed
    signature = {"passkey": signed} if passkey else {"deviceKey": signed["signature"]}
    return {"challengeId": challenge["challengeId"], "keyId": key_id, "signature": signature}


async def finish(phone: Phone, challenge: Any, key_id: str, signed: dict[str, str], **input: Any) -> Any:
    given = {**proof_of(challenge, key_id, signed), "device": device(phone), **input}
    return keep(phone, await phone.do("finishKeySignIn", SIGNED_IN, **given))


async def sign_in_with(phone: Phone, passkey: Passkey, **input: Any) -> Any:
    challenge = await challenged(phone)
    return await finish(phone, challenge, passkey.id, passkey.sign(challenge), **input)


async def keys_of(phone: Phone) -> list[Any]:
    return [edge["node"] for edge in (await phone.run(KEYS))["viewer"]["account"]["authKeys"]["edges"]]
