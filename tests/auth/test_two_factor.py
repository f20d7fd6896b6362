"""The second factor: on, asked for, replaced by backup codes, off."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from core.ids import sibling
from ports.auth import AuthSettings
from resolvers.auth.messages import code_by_text
from stores import auth as store
from stores.auth import DevicePlatform
from tests.auth.conftest import NewMember
from tests.auth.steps import (
    FLOW,
    code_for,
    enable_two_factor,
    new_number,
    other_than,
    refusal,
    resend,
    sent_to,
    sign_in,
    verify,
    verify_backup,
)
from tests.conftest import NewPhone
from tests.phone import Phone, key

SETTINGS = """{ viewer { account { phoneMasked
  twoFactor { enabled method maskedDestination remainingBackupCodeCount } } } }"""
INVALID = refusal("CODE_INVALID", "The backup code is wrong or was used.", ["code"])
OFF = {"enabled": False, "method": None, "maskedDestination": None, "remainingBackupCodeCount": 0}


async def settings_of(phone: Phone) -> Any:
    return (await phone.run(SETTINGS))["viewer"]["account"]


class Careful:
    """Somebody with a second factor by SMS."""

    def __init__(self, phone: Phone, email: str, number: str, codes: list[str]) -> None:
        self.phone, self.email, self.number, self.codes = phone, email, number, codes


@pytest.fixture
async def careful(new_phone: NewPhone, new_member: NewMember, services: Services) -> Careful:
    email, number = await new_member(), new_number()
    phone = await new_phone(user_id=email.partition("@")[0])
    return Careful(phone, email, number, await enable_two_factor(phone, services, number))


async def test_it_is_on_when_the_code_has_arrived(new_phone: NewPhone, services: Services) -> None:
    ada, number = await new_phone("Ada"), new_number()
    assert await settings_of(ada) == {"phoneMasked": None, "twoFactor": OFF}
    begun = await ada.do("enableTwoFactor", FLOW, method="SMS", destination={"phone": number})
    flow = begun["authFlow"]
    assert (flow["kind"], flow["otpMethod"], flow["factors"]) == ("ENABLE_TWO_FACTOR", "SMS", ["OTP"])
    assert (await settings_of(ada))["twoFactor"] == OFF
    done = await verify(ada, flow["id"], await code_for(services, number))
    assert done["errors"] == []
    assert done["tokens"] is done["session"] is None
    assert done["authFlow"]["status"] == "VERIFIED"
    assert len(set(done["backupCodes"])) == 10
    assert {len(code) for code in done["backupCodes"]} == {10}
    assert await settings_of(ada) == {
        "phoneMasked": f"••••••{number[-2:]}",
        "twoFactor": {
            "enabled": True,
            "method": "SMS",
            "maskedDestination": f"••••••{number[-2:]}",
            "remainingBackupCodeCount": 10,
        },
    }
    newest = await ada.run("{ viewer { account { securityEvents(first: 1) { edges { node { kind } } } } } }")
    assert newest["viewer"]["account"]["securityEvents"]["edges"] == [
        {"node": {"kind": "TWO_FACTOR_CHANGED"}}
    ]


async def test_the_number_lies_encrypted(careful: Careful, services: Services) -> None:
    user = await store.users.by_id(services.db, careful.phone.user_id)
    assert user
    assert careful.number not in repr(user)
    assert careful.number[3:] not in repr(user)
    assert user["phone_index"] == services.crypto.blind(careful.number, place="users/phone")
    place = f"users/{user['_id']}/phone"
    assert services.crypto.open(user["phone"], place=place) == careful.number


async def test_backup_codes_come_once(new_phone: NewPhone, services: Services) -> None:
    ada, number, once = await new_phone("Ada"), new_number(), key()
    flow = (await ada.do("enableTwoFactor", FLOW, method="SMS", destination={"phone": number}))["authFlow"]
    code = await code_for(services, number)
    first = await verify(ada, flow["id"], code, idempotencyKey=once)
    again = await verify(ada, flow["id"], code, idempotencyKey=once)
    assert (again["replayed"], again["backupCodes"], again["tokens"]) == (True, None, None)
    kept = repr(await services.db.find("backup_codes", {"user_id": ada.user_id}))
    kept += repr(await services.db.find("receipts", {}, limit=10_000))
    assert [each for each in first["backupCodes"] if each in kept] == []


async def test_a_sign_in_asks_for_the_code(anonymous: Phone, careful: Careful, services: Services) -> None:
    begun = await sign_in(anonymous, careful.email)
    assert begun["errors"] == []
    assert begun["tokens"] is begun["session"] is begun["user"] is None
    flow = begun["authFlow"]
    assert (flow["kind"], flow["otpMethod"], flow["otpDigitCount"]) == ("SIGN_IN", "SMS", 6)
    assert flow["factors"] == ["OTP", "BACKUP_CODE"]
    done = await verify(anonymous, flow["id"], await code_for(services, careful.number))
    assert (done["errors"], done["authFlow"]) == ([], None)
    assert done["session"]["factors"] == ["PASSWORD", "OTP"]
    assert done["user"]["id"] == careful.phone.user_id


async def test_a_wrong_code_counts_and_the_fifth_locks_the_flow(
    anonymous: Phone, careful: Careful, services: Services
) -> None:
    """6th code, even right: EXPIRED."""
    flow = (await sign_in(anonymous, careful.email))["authFlow"]
    code = await code_for(services, careful.number)
    for left in (4, 3, 2, 1, 0):
        wrong = await verify(anonymous, flow["id"], other_than(code))
        assert wrong["errors"] == [refusal("CODE_INVALID", "The code is wrong.", ["code"])]
        assert wrong["authFlow"]["remainingAttemptCount"] == left
    sixth = await verify(anonymous, flow["id"], code)
    assert sixth["errors"] == [refusal("EXPIRED", "Too many wrong codes: begin again.")]
    assert (sixth["authFlow"]["status"], sixth["tokens"]) == ("LOCKED", None)


async def test_the_same_code_twice_at_once(anonymous: Phone, careful: Careful, services: Services) -> None:
    """Same code sent twice at once: one wins; the other EXPIRED unless same key."""
    flow, once = (await sign_in(anonymous, careful.email))["authFlow"], key()
    code = await code_for(services, careful.number)
    answers = await asyncio.gather(
        verify(anonymous, flow["id"], code, idempotencyKey=once),
        verify(anonymous, flow["id"], code, idempotencyKey=once),
        verify(anonymous, flow["id"], code),
    )
    codes = [[error["code"] for error in answer["errors"]] for answer in answers]
    assert codes in ([[], [], ["EXPIRED"]], [["EXPIRED"], ["EXPIRED"], []])
    started = await services.db.find("sessions", {"user_id": careful.phone.user_id})
    assert len(started) == 2


async def test_a_backup_code_takes_the_place_of_the_code(anonymous: Phone, careful: Careful) -> None:
    flow = (await sign_in(anonymous, careful.email))["authFlow"]
    code = careful.codes[3]
    done = await verify_backup(anonymous, flow["id"], f" {code[:5].lower()}-{code[5:]} ")
    assert (done["errors"], done["account"]["twoFactor"]) == ([], {"remainingBackupCodeCount": 9})
    assert done["session"]["factors"] == ["PASSWORD", "BACKUP_CODE"]
    assert (await settings_of(anonymous))["twoFactor"]["remainingBackupCodeCount"] == 9


async def test_a_backup_code_is_used_once(anonymous: Phone, careful: Careful) -> None:
    """Backup code reused: CODE_INVALID, and it counts as an attempt."""
    first = (await sign_in(anonymous, careful.email))["authFlow"]
    assert (await verify_backup(anonymous, first["id"], careful.codes[0]))["errors"] == []
    second = (await sign_in(anonymous, careful.email))["authFlow"]
    again = await verify_backup(anonymous, second["id"], careful.codes[0])
    assert (again["errors"], again["tokens"]) == ([INVALID], None)
    assert again["authFlow"]["remainingAttemptCount"] == 4
    assert again["account"] is None


async def test_one_backup_code_at_once_on_two_devices(anonymous: Phone, careful: Careful) -> None:
    phones = [anonymous, Phone(anonymous.http, anonymous.url)]
    flows = [(await sign_in(phone, careful.email))["authFlow"]["id"] for phone in phones]
    answers = await asyncio.gather(
        *(verify_backup(phone, flow, careful.codes[0]) for phone, flow in zip(phones, flows, strict=True))
    )
    assert sorted(bool(answer["tokens"]) for answer in answers) == [False, True]


async def test_another_person_s_backup_code_is_wrong(
    anonymous: Phone, careful: Careful, new_phone: NewPhone, services: Services
) -> None:
    other = await enable_two_factor(await new_phone("Grace"), services, new_number())
    flow = (await sign_in(anonymous, careful.email))["authFlow"]
    assert (await verify_backup(anonymous, flow["id"], other[0]))["errors"] == [INVALID]


async def test_backup_codes_work_in_flows_that_offer_them(careful: Careful) -> None:
    flow = (await careful.phone.do("requestPhoneChange", FLOW, phone=new_number()))["authFlow"]
    refused = await verify_backup(careful.phone, flow["id"], careful.codes[0])
    assert refused["errors"] == [INVALID]
    assert (await settings_of(careful.phone))["twoFactor"]["remainingBackupCodeCount"] == 10


async def test_new_backup_codes_void_the_old(anonymous: Phone, careful: Careful, services: Services) -> None:
    made = await careful.phone.do("regenerateBackupCodes", "backupCodes account { id }")
    assert made["errors"] == []
    assert len(set(made["backupCodes"]) - set(careful.codes)) == 10
    flow = (await sign_in(anonymous, careful.email))["authFlow"]
    assert (await verify_backup(anonymous, flow["id"], careful.codes[0]))["errors"] == [INVALID]
    assert (await verify_backup(anonymous, flow["id"], made["backupCodes"][0]))["errors"] == []
    assert len(await services.db.find("backup_codes", {"user_id": careful.phone.user_id})) == 9


async def test_without_a_second_factor_there_are_no_backup_codes(new_phone: NewPhone) -> None:
    refused = await (await new_phone("Ada")).do("regenerateBackupCodes", "backupCodes")
    assert refused["errors"] == [refusal("WRONG_STATUS", "Turn the second factor on first.")]


async def test_it_can_be_turned_off(anonymous: Phone, careful: Careful, services: Services) -> None:
    for _ in range(2):
        done = await careful.phone.do("disableTwoFactor", "account { twoFactor { enabled } }")
        assert (done["errors"], done["account"]) == ([], {"twoFactor": {"enabled": False}})
    assert await services.db.find("backup_codes", {"user_id": careful.phone.user_id}) == []
    assert (await sign_in(anonymous, careful.email))["tokens"] is not None


@pytest.mark.parametrize(
    ("mutation", "input"),
    [
        ("enableTwoFactor", {"method": "EMAIL"}),
        ("disableTwoFactor", {}),
        ("regenerateBackupCodes", {}),
        ("requestEmailChange", {"email": "new@example.com"}),
        ("requestPhoneChange", {"phone": "+447400123456"}),
    ],
)
async def test_what_is_sensitive_asks_for_a_step_up(
    new_phone: NewPhone, services: Services, mutation: str, input: dict[str, str]
) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=11))
    refused = await ada.do(mutation, "__typename", **input)
    assert refused["errors"] == [refusal("STEP_UP_REQUIRED", "Confirm that it is you.")]
    assert await services.db.find("auth_flows", {"user_id": ada.user_id}) == []


def by_code(flow: Any, code: str) -> dict[str, Any]:
    """Proof by the code of a flow."""
    return {"code": {"authFlowId": flow["id"], "code": code}}


async def test_a_code_steps_up(careful: Careful, services: Services) -> None:
    clock.shift(timedelta(minutes=11))
    begun = await careful.phone.do("stepUp", f"tokens {{ accessToken }} {FLOW}", proof={"method": "SMS"})
    flow = begun["authFlow"]
    assert (begun["errors"], begun["tokens"], flow["kind"]) == ([], None, "STEP_UP")
    code = await code_for(services, careful.number)
    wrong = await careful.phone.do("stepUp", FLOW, proof=by_code(flow, other_than(code)))
    assert wrong["errors"] == [refusal("CODE_INVALID", "The code is wrong.", ["proof", "code", "code"])]
    assert wrong["authFlow"]["remainingAttemptCount"] == 4
    done = await careful.phone.do(
        "stepUp", "tokens { accessToken } session { id factors }", proof=by_code(flow, code)
    )
    assert done["errors"] == []
    assert done["session"] == {"id": careful.phone.session_id, "factors": ["PASSWORD", "OTP"]}
    careful.phone.token = done["tokens"]["accessToken"]
    assert (await careful.phone.do("disableTwoFactor", "account { id }"))["errors"] == []
    again = await careful.phone.do("stepUp", FLOW, proof=by_code(flow, code))
    assert again["errors"][0]["code"] == "EXPIRED"


async def test_a_flow_for_something_else_is_no_step_up(careful: Careful, services: Services) -> None:
    number = new_number()
    flow = (await careful.phone.do("requestPhoneChange", FLOW, phone=number))["authFlow"]
    code = await code_for(services, number)
    refused = await careful.phone.do("stepUp", "tokens { accessToken }", proof=by_code(flow, code))
    assert refused["errors"] == [
        refusal("INVALID_INPUT", "This flow is for something else.", ["proof", "code", "authFlowId"])
    ]


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"method": "SMS"}, ["destination"]),
        ({"method": "SMS", "destination": {"phone": "12"}}, ["destination", "phone"]),
        ({"method": "SMS", "destination": {"phone": "+1" * 50}}, ["destination", "phone"]),
        ({"method": "SMS", "destination": {"phone": "07400 123456"}}, ["destination", "phone"]),
        ({"method": "PUSH"}, ["method"]),
    ],
)
async def test_where_no_code_can_go_it_stays_off(
    new_phone: NewPhone, input: dict[str, Any], field: list[str]
) -> None:
    refused = await (await new_phone("Ada")).do("enableTwoFactor", FLOW, **input)
    assert [(each["kind"], each["field"]) for each in refused["errors"]] == [("INVALID", field)]
    assert refused["authFlow"] is None


async def test_a_number_without_country_code_is_one_of_the_person_s_country(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada", locale="en-GB")
    done = await ada.do("enableTwoFactor", FLOW, method="SMS", destination={"phone": "07400 123499"})
    assert done["errors"] == []
    assert await code_for(services, "+447400123499")


async def test_codes_by_mail_to_an_address_of_one_s_choice(
    anonymous: Phone, new_phone: NewPhone, new_member: NewMember, services: Services
) -> None:
    email, other = await new_member(), f"second.{key()}@example.org"
    await enable_two_factor(await new_phone(user_id=email.partition("@")[0]), services, other, "EMAIL")
    flow = (await sign_in(anonymous, email))["authFlow"]
    assert (flow["otpMethod"], flow["maskedDestination"]) == ("EMAIL", "s***@example.org")
    done = await verify(anonymous, flow["id"], await code_for(services, other))
    assert done["session"]["factors"] == ["PASSWORD", "OTP"]


async def test_codes_by_push_go_to_the_other_devices(
    anonymous: Phone, new_phone: NewPhone, new_member: NewMember, services: Services
) -> None:
    email, token = await new_member(), f"push-{key()}"
    ada, tablet = [await new_phone(user_id=email.partition("@")[0]) for _ in range(2)]
    await tablet.do("setPushToken", "device { id }", deviceId=tablet.device_id, token=token)
    await enable_two_factor(ada, services, token, "PUSH")
    flow = (await sign_in(anonymous, email))["authFlow"]
    assert (flow["otpMethod"], flow["maskedDestination"]) == ("PUSH", "your other devices")
    [newest, *_] = await sent_to(services, token)
    assert newest["channel"] == "push"
    assert (await verify(anonymous, flow["id"], await code_for(services, token)))["errors"] == []
    # The device that signs in is not asked to vouch for itself.
    flow = (await sign_in(tablet, email))["authFlow"]
    assert flow["otpMethod"] == "EMAIL"
    clock.shift(timedelta(seconds=31))
    refused = await resend(tablet, flow["id"], method="PUSH")
    assert refused["errors"][0]["field"] == ["method"]


async def test_a_late_guess_on_a_new_device_has_to_prove_more(
    anonymous: Phone, new_phone: NewPhone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    known = await new_phone(user_id=email.partition("@")[0])
    for _ in range(3):
        await sign_in(anonymous, email, "a wrong password", captchaToken="human")
    clock.shift(timedelta(seconds=2))
    guessed = await sign_in(anonymous, email, captchaToken="human")
    assert (guessed["errors"], guessed["tokens"]) == ([], None)
    flow = guessed["authFlow"]
    assert (flow["kind"], flow["otpMethod"], flow["factors"]) == ("SIGN_IN", "EMAIL", ["OTP"])
    done = await verify(anonymous, flow["id"], await code_for(services, email))
    assert done["session"]["factors"] == ["PASSWORD", "OTP"]
    for _ in range(3):
        await sign_in(known, email, "a wrong password", captchaToken="human")
    clock.shift(timedelta(seconds=2))
    assert (await sign_in(known, email, captchaToken="human"))["tokens"] is not None


def test_texts_carry_the_mark_of_the_platform() -> None:
    settings = AuthSettings(android_app_hash="FA+9qCX9VSu", ios_bound_domain="landfall.example")
    said = "123456 is your Landfall code. Tell it to nobody."
    android = code_by_text(settings, "123456", DevicePlatform.ANDROID)
    assert android == f"<#> {said}\nFA+9qCX9VSu"
    assert len(android.encode()) <= 140
    for platform in (DevicePlatform.IOS, DevicePlatform.WEB):
        assert code_by_text(settings, "123456", platform) == f"{said}\n\n@landfall.example #123456"
    assert code_by_text(AuthSettings(), "123456", DevicePlatform.ANDROID) == said


async def test_settings_are_nobody_else_s_business(careful: Careful, new_phone: NewPhone) -> None:
    query = "query($id: ID!) { node(id: $id) { ... on Account { phoneMasked twoFactor { enabled } } } }"
    id = sibling(careful.phone.user_id, "account")
    assert (await careful.phone.run(query, id=id))["node"]["twoFactor"] == {"enabled": True}
    assert await (await new_phone("Grace")).run(query, id=id) == {"node": None}


async def test_ten_new_numbers_a_day(new_phone: NewPhone, services: Services) -> None:
    """Texts cost money: an account is no way to send them to strangers."""
    ada = await new_phone("Ada")
    for _ in range(10):
        assert (await ada.do("requestPhoneChange", FLOW, phone=new_number()))["errors"] == []
    for mutation, input in (
        ("requestPhoneChange", {"phone": new_number()}),
        ("enableTwoFactor", {"method": "EMAIL"}),
    ):
        refused = await ada.do(mutation, FLOW, **input)
        assert [each["code"] for each in refused["errors"]] == ["RATE_LIMITED"]
