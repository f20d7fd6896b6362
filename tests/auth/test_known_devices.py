"""Lockout by strangers: an owner is never locked out on a device where they have signed in."""

from datetime import timedelta

from core import clock, ids
from core.context import Context, Services
from resolvers.auth import lockout
from stores import auth as store
from tests.auth.conftest import NewMember
from tests.auth.steps import code_for, enable_two_factor, sign_in, sign_up, verify
from tests.auth.test_guard import code_and_wait, forget_rates, miss
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone


async def strangers_lock(anonymous: Phone, email: str, services: Services) -> None:
    """Ten wrong passwords from an unknown device; then the right one is refused there."""
    stranger = Phone(anonymous.http, anonymous.url)
    await miss(stranger, email, services, 10)
    clock.shift(timedelta(seconds=65))
    await forget_rates(services)
    assert code_and_wait(await sign_in(stranger, email, captchaToken="human"))[0] == "ACCOUNT_LOCKED"


async def test_strangers_keep_nobody_out_on_a_device_they_know(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email = await new_member()
    ada = await new_phone(user_id=email.partition("@")[0])
    await strangers_lock(anonymous, email, services)
    assert (await sign_in(ada, email, captchaToken="human"))["errors"] == []
    assert (await ada.do("stepUp", "tokens { accessToken }", proof={"password": PASSWORD}))["errors"] == []
    changed = {"currentPassword": PASSWORD, "newPassword": "another horse battery"}
    assert (await ada.do("setPassword", "account { id }", **changed))["errors"] == []
    # And back: what is right on a known device does not let strangers try again.
    await forget_rates(services)
    refused = await sign_in(Phone(anonymous.http, anonymous.url), email, captchaToken="human")
    assert code_and_wait(refused)[0] == "ACCOUNT_LOCKED"


async def test_strangers_wrong_codes_do_not_keep_their_owner_from_a_code(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    """Whoever signs up with an address opens flows, is sent codes, and guesses at them."""
    email = await new_member()
    ada = await new_phone(user_id=email.partition("@")[0])
    await enable_two_factor(ada, services, email, "EMAIL")
    for _ in range(10):
        stranger = Phone(anonymous.http, anonymous.url)
        flow = (await sign_up(stranger, email, captchaToken="human"))["authFlow"]
        for _ in range(2):
            await verify(stranger, flow["id"] if flow else ids.new_id("flow"), "123456")
        await forget_rates(services)
    signing_in = (await sign_in(ada, email, captchaToken="human"))["authFlow"]
    assert "OTP" in signing_in["factors"]
    assert (await verify(ada, signing_in["id"], await code_for(services, email)))["errors"] == []
    stepping_up = (await ada.do("stepUp", "authFlow { id }", proof={"method": "EMAIL"}))["authFlow"]
    given = {"authFlowId": stepping_up["id"], "code": await code_for(services, email)}
    assert (await ada.do("stepUp", "tokens { accessToken }", proof={"code": given}))["errors"] == []


async def test_guesses_on_a_known_device_are_limited_there_and_lock_no_other(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email = await new_member()
    lost, other = [await new_phone(user_id=email.partition("@")[0]) for _ in range(2)]
    await miss(lost, email, services, 10)
    clock.shift(timedelta(seconds=65))
    assert code_and_wait(await sign_in(lost, email, captchaToken="human"))[0] == "ACCOUNT_LOCKED"
    stepped = await lost.do("stepUp", "tokens { accessToken }", proof={"password": PASSWORD})
    assert code_and_wait(stepped)[0] == "ACCOUNT_LOCKED"
    for phone in (other, Phone(anonymous.http, anonymous.url)):
        assert (await sign_in(phone, email, captchaToken="human"))["errors"] == []


async def test_a_device_is_known_to_its_own_account_alone(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    """Stuffing many accounts from one's own phone is a stranger's doing with each of them."""
    email, mallory = await new_member(), await new_phone("Mallory")
    await miss(mallory, email, services, 10)
    clock.shift(timedelta(seconds=65))
    for phone in (mallory, Phone(anonymous.http, anonymous.url)):
        assert code_and_wait(await sign_in(phone, email, captchaToken="human"))[0] == "ACCOUNT_LOCKED"


async def test_an_administrator_lifts_the_locks_of_known_devices_too(
    new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email = await new_member()
    ada = await new_phone(user_id=email.partition("@")[0])
    await miss(ada, email, services, 10)
    user, ctx = await store.user_by_email(services.db, email), Context(services)
    assert user
    await ctx.unit(lambda: lockout.unlock(ctx, user))
    assert (await sign_in(ada, email, captchaToken="human"))["errors"] == []
