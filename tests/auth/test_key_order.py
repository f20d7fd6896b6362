"""Replay protection of passkeys: signed challenges that arrive in another order than they were signed in."""

from tests.auth.authenticator import Passkey
from tests.auth.key_steps import challenged, enrol, finish, keys_of, sign_in_with
from tests.auth.steps import refusal
from tests.conftest import NewPhone
from tests.phone import Phone

OVERTAKEN = refusal("EXPIRED", "The key was used again meanwhile.", ["challengeId"])
COPIED = refusal("SIGNATURE_INVALID", "This key was copied: it is disabled.")


async def test_an_earlier_use_that_comes_late_proves_nothing_and_disables_nothing(
    new_phone: NewPhone, anonymous: Phone
) -> None:
    ada, passkey = await new_phone("Ada"), Passkey(counter=5)
    await enrol(ada, passkey)
    first, second = await challenged(anonymous), await challenged(anonymous)
    early, late = passkey.sign(first), passkey.sign(second)
    assert (await finish(anonymous, second, passkey.id, late))["errors"] == []
    refused = await finish(anonymous, first, passkey.id, early)
    assert (refused["errors"], refused["tokens"]) == ([OVERTAKEN], None)
    assert (await keys_of(ada))[0]["disabledAt"] is None
    assert (await sign_in_with(anonymous, passkey))["errors"] == []


async def test_a_copy_that_pleads_delay_is_found_out_by_its_next_challenge(
    new_phone: NewPhone, anonymous: Phone
) -> None:
    ada, passkey = await new_phone("Ada"), Passkey(counter=5)
    await enrol(ada, passkey)
    copy = Passkey(counter=5, credential_id=passkey.credential_id, key=passkey.key)
    asked = await challenged(anonymous)
    for _ in range(3):
        assert (await sign_in_with(anonymous, passkey))["errors"] == []
    assert (await finish(anonymous, asked, copy.id, copy.sign(asked)))["errors"] == [OVERTAKEN]
    assert (await sign_in_with(anonymous, copy))["errors"] == [COPIED]
    assert (await keys_of(ada))[0]["disabledAt"] is not None


async def test_the_same_counter_twice_is_a_copy(new_phone: NewPhone, anonymous: Phone) -> None:
    """However late it comes: no authenticator gives one twice."""
    ada, passkey = await new_phone("Ada"), Passkey(counter=5)
    await enrol(ada, passkey)
    copy = Passkey(counter=5, credential_id=passkey.credential_id, key=passkey.key)
    asked = await challenged(anonymous)
    assert (await sign_in_with(anonymous, passkey))["errors"] == []
    assert (await finish(anonymous, asked, copy.id, copy.sign(asked)))["errors"] == [COPIED]
