"""Passkeys and device keys: enrolled, used, removed."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from core.ids import new_id
from jobs.auth.sessions import purge_sessions
from stores import auth as store
from tests.auth.authenticator import ORIGIN, PRESENT, DeviceKey, Passkey, b64
from tests.auth.key_steps import (
    KEYS,
    SIGNED_IN,
    challenged,
    enrol,
    enrol_device_key,
    enrolment,
    finish,
    keys_of,
    proof_of,
    sign_in_with,
)
from tests.auth.steps import ME, device, refusal, sessions_of
from tests.conftest import NewPhone
from tests.phone import Phone, deleted_ids, key

EXPIRED = refusal("EXPIRED", "This challenge is no longer good.", ["challengeId"])
UNKNOWN = refusal("NOT_FOUND", "This key is not known here.", ["keyId"])
INVALID = refusal("SIGNATURE_INVALID", "This proves nothing: begin again.")
COPIED = refusal("SIGNATURE_INVALID", "This key was copied: it is disabled.")
STEP_UP = refusal("STEP_UP_REQUIRED", "Confirm that it is you.")


async def test_a_passkey_is_enrolled_and_signs_in(
    new_phone: NewPhone, anonymous: Phone, services: Services
) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    done = await enrol(ada, passkey)
    assert done["errors"] == []
    made = done["authKey"]
    assert (made["kind"], made["name"], made["device"]) == ("PASSKEY", "Ada's phone", {"id": ada.device_id})
    assert done["authKeyEdge"]["node"] == {"id": made["id"]}
    signed_in = await sign_in_with(anonymous, passkey)
    assert signed_in["errors"] == []
    assert signed_in["user"] == {"id": ada.user_id}
    assert signed_in["session"]["factors"] == ["PASSKEY"]
    assert (await anonymous.run(ME))["viewer"]["user"]["id"] == ada.user_id
    [listed] = await keys_of(ada)
    assert (listed["id"], listed["disabledAt"]) == (made["id"], None)
    assert listed["lastUsedAt"] is not None
    kept = await store.auth_keys.by_id(services.db, made["id"])
    assert kept
    assert (kept["counter"], kept["credential_id"]) == (1, passkey.id)


@pytest.mark.parametrize("as_point", [False, True])
async def test_a_device_key_is_enrolled_and_signs_in(new_phone: NewPhone, as_point: bool) -> None:
    ada, touch = await new_phone("Ada"), DeviceKey()
    done = await enrol_device_key(ada, touch, as_point=as_point)
    assert (done["errors"], done["authKey"]["kind"]) == ([], "DEVICE_KEY")
    id = done["authKey"]["id"]
    challenge = await challenged(ada, "DEVICE_KEY", hint={"keyId": id})
    assert challenge["allowCredentials"] == [id]
    signed_in = await finish(ada, challenge, id, touch.sign(challenge))
    assert (signed_in["errors"], signed_in["session"]["factors"]) == ([], ["DEVICE_KEY"])


async def test_a_challenge_is_32_bytes_for_two_minutes(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    challenge = await enrolment(ada)
    assert len(challenge["challenge"]) == 43
    assert challenge["rpId"] == "localhost"
    assert challenge["userHandle"] == b64(ada.user_id.encode())
    left = datetime.fromisoformat(challenge["expiresAt"]) - clock.now()
    assert timedelta(seconds=110) < left <= timedelta(minutes=2)
    assert 120 <= await services.redis.ttl(f"chal:{challenge['challengeId']}") <= 420


async def test_a_challenge_expires(new_phone: NewPhone, anonymous: Phone, services: Services) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    challenge = await challenged(anonymous)
    clock.shift(timedelta(minutes=2, seconds=1))
    refused = await finish(anonymous, challenge, passkey.id, passkey.sign(challenge))
    assert (refused["errors"], refused["tokens"]) == ([EXPIRED], None)


async def test_a_challenge_is_good_once(new_phone: NewPhone, anonymous: Phone, services: Services) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    challenge, once = await challenged(anonymous), key()
    signed = passkey.sign(challenge)
    first = await finish(anonymous, challenge, passkey.id, signed, idempotencyKey=once)
    assert (await finish(anonymous, challenge, passkey.id, signed))["errors"] == [EXPIRED]
    # Under the same key it is the first answer, with tokens of the same session.
    again = await finish(anonymous, challenge, passkey.id, signed, idempotencyKey=once)
    assert (again["errors"], again["replayed"], again["session"]) == ([], True, first["session"])
    receipts = repr(await services.db.find("receipts", {"_id": f"{anonymous.device_id}:{once}"}))
    assert "access_token" not in receipts
    assert signed["signature"] not in receipts


async def test_of_two_who_use_a_challenge_at_once_one_wins(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    challenge = await challenged(anonymous)
    signed = passkey.sign(challenge)
    given = {**proof_of(challenge, passkey.id, signed), "device": device(anonymous)}
    answers = await asyncio.gather(*(anonymous.do("finishKeySignIn", SIGNED_IN, **given) for _ in range(3)))
    assert sorted(len(answer["errors"]) for answer in answers) == [0, 1, 1]


async def test_a_challenge_is_for_the_device_that_asked(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    challenge = await challenged(ada)
    assert (await finish(anonymous, challenge, passkey.id, passkey.sign(challenge)))["errors"] == [EXPIRED]


async def test_a_sign_in_challenge_enrols_nothing(new_phone: NewPhone) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    challenge = await challenged(ada)
    late = {"challengeId": challenge["challengeId"], "key": {"passkey": passkey.make(challenge)}}
    refused = await enrol(ada, passkey, **late)
    assert (refused["errors"], refused["authKey"]) == ([EXPIRED], None)


async def test_a_counter_that_went_back_disables_the_key_and_alerts(
    new_phone: NewPhone, anonymous: Phone
) -> None:
    """Key counter went back."""
    ada, passkey = await new_phone("Ada"), Passkey(counter=5)
    await enrol(ada, passkey)
    assert (await sign_in_with(anonymous, passkey))["errors"] == []
    passkey.counter = 3
    once = key()
    refused = await sign_in_with(anonymous, passkey, idempotencyKey=once)
    assert (refused["errors"], refused["tokens"]) == ([COPIED], None)
    [listed] = await keys_of(ada)
    assert listed["disabledAt"] is not None
    query = "{ viewer { account { securityEvents(first: 1) { edges { node { kind } } } } } }"
    events = (await ada.run(query))["viewer"]["account"]
    assert events["securityEvents"]["edges"] == [{"node": {"kind": "KEY_REMOVED"}}]
    passkey.counter = 50
    assert (await sign_in_with(anonymous, passkey))["errors"] == [UNKNOWN]
    # It can be removed, and the authenticator enrolled anew.
    await ada.do("deleteAuthKey", "deletedAuthKeyId", authKeyId=listed["id"])
    assert (await enrol(ada, passkey))["errors"] == []


async def test_a_forged_counter_disables_nothing(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, passkey = await new_phone("Ada"), Passkey(counter=5)
    await enrol(ada, passkey)
    forger = Passkey(credential_id=passkey.credential_id)
    assert (await sign_in_with(anonymous, forger))["errors"] == [INVALID]
    assert (await keys_of(ada))[0]["disabledAt"] is None
    assert (await sign_in_with(anonymous, passkey))["errors"] == []


async def test_a_platform_that_does_not_count_is_fine(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, passkey = await new_phone("Ada"), Passkey(step=0)
    await enrol(ada, passkey)
    for _ in range(2):
        assert (await sign_in_with(anonymous, passkey))["errors"] == []


FORGERIES: dict[str, Any] = {
    "another origin": {"origin": "https://evil.example"},
    "another relying party": {"rp_id": "evil.example"},
    "nobody verified": {"flags": PRESENT},
    "nobody present": {"flags": 0},
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_wrong_ceremony_signs_nobody_in(new_phone: NewPhone, anonymous: Phone, forgery: str) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    wrong = Passkey(credential_id=passkey.credential_id, key=passkey.key, **FORGERIES[forgery])
    refused = await sign_in_with(anonymous, wrong)
    assert (refused["errors"], refused["tokens"]) == ([INVALID], None)


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_wrong_ceremony_enrols_nothing(new_phone: NewPhone, forgery: str) -> None:
    ada = await new_phone("Ada")
    refused = await enrol(ada, Passkey(**FORGERIES[forgery]))
    assert (refused["errors"], refused["authKey"]) == ([INVALID], None)
    assert await keys_of(ada) == []


@pytest.mark.parametrize(
    "change",
    [
        {"challenge": b64(bytes(32))},
        {"type": "webauthn.create"},
        {"origin": f"{ORIGIN}.evil.example"},
        {"origin": None},
    ],
)
async def test_changed_client_data_prove_nothing(
    new_phone: NewPhone, anonymous: Phone, change: dict[str, Any]
) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    challenge = await challenged(anonymous)
    refused = await finish(anonymous, challenge, passkey.id, passkey.sign(challenge, **change))
    assert refused["errors"] == [INVALID]


@pytest.mark.parametrize("name", ["signature", "clientDataJson", "authenticatorData"])
@pytest.mark.parametrize("value", ["", "@@@", "AAAA", "x" * 20_000])
async def test_garbage_proves_nothing(new_phone: NewPhone, anonymous: Phone, name: str, value: str) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    challenge = await challenged(anonymous)
    signed = {**passkey.sign(challenge), name: value}
    assert (await finish(anonymous, challenge, passkey.id, signed))["errors"] == [INVALID]


async def test_an_unknown_key(new_phone: NewPhone, anonymous: Phone) -> None:
    passkey = Passkey()
    assert (await sign_in_with(anonymous, passkey))["errors"] == [UNKNOWN]
    challenge = await challenged(anonymous)
    for id in (new_id("auth_key"), "auth_key_x", ""):
        challenge = await challenged(anonymous)
        assert (await finish(anonymous, challenge, id, passkey.sign(challenge)))["errors"] == [UNKNOWN]


async def test_a_device_key_works_on_its_device_alone(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, touch = await new_phone("Ada"), DeviceKey()
    id = (await enrol_device_key(ada, touch))["authKey"]["id"]
    challenge = await challenged(anonymous, "DEVICE_KEY", hint={"keyId": id})
    assert (await finish(anonymous, challenge, id, touch.sign(challenge)))["errors"] == [UNKNOWN]
    for other in (DeviceKey(), Passkey()):
        challenge = await challenged(ada, "DEVICE_KEY", hint={"keyId": id})
        assert (await finish(ada, challenge, id, other.sign(challenge)))["errors"] == [INVALID]


async def test_a_device_key_needs_its_other_half(new_phone: NewPhone) -> None:
    ada, touch, other = await new_phone("Ada"), DeviceKey(), DeviceKey()
    refused = await enrol_device_key(ada, touch, publicKey=other.public())
    assert (refused["errors"], refused["authKey"]) == ([INVALID], None)
    assert (await enrol_device_key(ada, touch, publicKey="AAAA"))["errors"] == [INVALID]
    # The key of another kind than the challenge is for.
    challenge = await enrolment(ada, "DEVICE_KEY")
    other_kind = {"passkey": Passkey().make(await enrolment(ada))}
    given = {"challengeId": challenge["challengeId"], "name": "Touch", "key": other_kind}
    assert (await ada.do("finishKeyEnrollment", "authKey { id }", **given))["errors"] == [INVALID]


async def test_an_eleventh_key_is_one_too_many(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    challenges = [await enrolment(ada) for _ in range(11)]
    for challenge in challenges[:9]:
        assert (await _finish_enrolment(ada, challenge))["errors"] == []
    last = await asyncio.gather(*(_finish_enrolment(ada, challenge) for challenge in challenges[9:]))
    limit = refusal("LIMIT_REACHED", "You have 10 keys: remove one first.", limit=10)
    assert sorted(answer["errors"] for answer in last) == [[], [limit]]
    begun = await ada.do("beginKeyEnrollment", "challenge { challengeId }", kind="PASSKEY")
    assert begun["errors"] == [limit]


async def _finish_enrolment(phone: Phone, challenge: Any) -> Any:
    made = {"passkey": Passkey().make(challenge)}
    given = {"challengeId": challenge["challengeId"], "key": made, "name": "Key"}
    return await phone.do("finishKeyEnrollment", "authKey { id }", **given)


async def test_a_key_is_enrolled_once(new_phone: NewPhone) -> None:
    ada, grace, passkey = await new_phone("Ada"), await new_phone("Grace"), Passkey()
    await enrol(ada, passkey)
    taken = refusal("ALREADY_DONE", "This key is enrolled already.")
    for phone in (ada, grace):
        assert (await enrol(phone, passkey))["errors"] == [taken]
    assert passkey.id in (await enrolment(ada))["allowCredentials"]


async def test_enrolment_asks_for_a_fresh_proof(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    challenge = await enrolment(ada)
    clock.shift(timedelta(minutes=11))
    begun = await ada.do("beginKeyEnrollment", "challenge { challengeId }", kind="PASSKEY")
    assert (begun["errors"], begun["challenge"]) == ([STEP_UP], None)
    assert (await _finish_enrolment(ada, challenge))["errors"] == [STEP_UP]


async def test_removing_a_key(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, grace, passkey = await new_phone("Ada"), await new_phone("Grace"), Passkey()
    minted = new_id("auth_key")
    id = (await enrol(ada, passkey, id=minted))["authKey"]["id"]
    assert id == minted
    none = refusal("NOT_FOUND", "It does not exist, or you may not see it.", ["authKeyId"])
    assert (await grace.do("deleteAuthKey", "deletedAuthKeyId", authKeyId=id))["errors"] == [none]
    query = """query($since: SyncToken) { viewer { changes(since: $since, types: [AUTH_KEY]) {
      nodes { __typename id } deleted { id } token } } }"""
    first = (await ada.run(query))["viewer"]["changes"]
    assert first["nodes"] == [{"__typename": "AuthKey", "id": id}]
    done = await ada.do("deleteAuthKey", "deletedAuthKeyId", authKeyId=id)
    assert (done["errors"], done["deletedAuthKeyId"]) == ([], id)
    then = (await ada.run(query, since=first["token"]))["viewer"]["changes"]
    assert (then["nodes"], deleted_ids(then)) == ([], [id])
    assert (await sign_in_with(anonymous, passkey))["errors"] == [UNKNOWN]
    assert (await ada.do("deleteAuthKey", "deletedAuthKeyId", authKeyId=id))["errors"] == [none]


async def test_keys_are_one_s_own_and_come_in_pages(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    made = [(await enrol(ada, Passkey()))["authKey"]["id"] for _ in range(3)]
    first = (await ada.run(KEYS, first=2))["viewer"]["account"]["authKeys"]
    rest = (await ada.run(KEYS, first=2, after=first["pageInfo"]["endCursor"]))["viewer"]["account"][
        "authKeys"
    ]
    listed = [edge["node"]["id"] for edge in [*first["edges"], *rest["edges"]]]
    assert listed == made[::-1]
    assert await keys_of(grace) == []
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert await grace.run(query, id=made[0]) == {"node": None}


async def test_addresses_known_and_unknown_are_alike(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, grace, passkey = await new_phone("Ada"), await new_phone("Grace"), Passkey()
    await enrol(ada, passkey)
    email = "{}@example.com".format
    await enrol(ada, second := Passkey())
    known = await challenged(anonymous, hint={"email": email(ada.user_id)})
    assert {passkey.id, second.id} < set(known["allowCredentials"])
    for address in (email(ada.user_id), email(grace.user_id), "nobody@example.com"):
        answers = [await challenged(anonymous, hint={"email": address}) for _ in range(2)]
        allowed = answers[0]["allowCredentials"]
        assert answers[1]["allowCredentials"] == allowed
        assert len(set(allowed)) == 10
        assert len({len(each) for each in allowed}) > 1
    assert (await challenged(anonymous))["allowCredentials"] == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("SUSPENDED", refusal("ACCOUNT_SUSPENDED", "This account is closed for now.")),
        ("DELETED", UNKNOWN),
    ],
)
async def test_a_closed_account_stays_closed(
    new_phone: NewPhone, anonymous: Phone, services: Services, status: str, error: Any
) -> None:
    ada, passkey = await new_phone("Ada"), Passkey()
    await enrol(ada, passkey)
    before = len(await sessions_of(services, ada.user_id))
    change = {"q": {"_id": ada.user_id}, "u": {"$set": {"status": status}}}
    await services.db.write({"update": "users", "updates": [change]})
    refused = await sign_in_with(anonymous, passkey)
    assert (refused["errors"], refused["tokens"]) == ([error], None)
    assert len(await sessions_of(services, ada.user_id)) == before


async def test_a_key_steps_up(new_phone: NewPhone) -> None:
    ada, grace, passkey, touch = await new_phone("Ada"), await new_phone("Grace"), Passkey(), DeviceKey()
    await enrol(ada, passkey)
    id = (await enrol_device_key(ada, touch))["authKey"]["id"]
    clock.shift(timedelta(minutes=11))
    for kind, key_id, signer in (("PASSKEY", passkey.id, passkey), ("DEVICE_KEY", id, touch)):
        challenge = await challenged(ada, kind)
        proof = proof_of(challenge, key_id, signer.sign(challenge))
        done = await ada.do("stepUp", SIGNED_IN, proof={"key": proof})
        assert done["errors"] == []
        assert kind in done["session"]["factors"]
    ada.token = done["tokens"]["accessToken"]
    assert (await ada.do("revokeOtherSessions", "removedSessionIds"))["errors"] == []
    challenge = await challenged(grace)
    proof = proof_of(challenge, passkey.id, passkey.sign(challenge))
    refused = await grace.do("stepUp", SIGNED_IN, proof={"key": proof})
    assert refused["errors"] == [{**UNKNOWN, "field": ["proof", "key", "keyId"]}]


async def test_a_malformed_challenge_id_is_an_error(anonymous: Phone) -> None:
    query = "mutation($input: FinishKeySignInInput!) { finishKeySignIn(input: $input) { errors { code } } }"
    given = {"idempotencyKey": key(), "challengeId": "x", "keyId": "y", "signature": {"deviceKey": "z"}}
    answer = await anonymous.ask(query, input={**given, "device": device(anonymous)})
    assert answer.code == "BAD_USER_INPUT"


async def test_keys_of_devices_that_are_no_more_go_with_them(new_phone: NewPhone, services: Services) -> None:
    ada, touch, passkey = await new_phone("Ada"), DeviceKey(), Passkey()
    tablet = await new_phone(user_id=ada.user_id)
    await enrol_device_key(tablet, touch)
    kept = (await enrol(tablet, passkey))["authKey"]["id"]
    await tablet.do("signOut", "removedSessionId")
    clock.shift(timedelta(days=89))
    await purge_sessions(services)
    assert len(await store.keys_of_user(services.db, ada.user_id)) == 2
    clock.shift(timedelta(days=2))
    await purge_sessions(services)
    assert [each["_id"] for each in await store.keys_of_user(services.db, ada.user_id)] == [kept]
    devices = await services.db.find("devices", {"user_id": ada.user_id})
    assert [each["device_id"] for each in devices] == [ada.device_id]
