"""Email addresses: one canonical form, wherever one is given, kept or looked up."""

import asyncio
from typing import Any

import pytest

from core.context import Context, Services
from core.storage import migrations
from resolvers.auth import lockout
from stores import auth as store
from stores.auth import emails
from tests.auth.conftest import NewMember
from tests.auth.steps import code_for, sent_to, sign_in, sign_up, verify
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone, key

SAME = {
    "case": ("ada@example.com", "ADA@EXAMPLE.COM"),
    "blanks": ("ada@example.com", " ada@example.com\u200b"),
    "composition": ("j\xf6rg@example.com", "jo\u0308rg@example.com"),
    "A-labels": ("ada@b\xfccher.example", "ada@xn--bcher-kva.example"),
    "A-labels of sharp s": ("ada@stra\xdfe.example", "ada@XN--STRAE-OQA.example"),
    "capital sharp s": ("ada@stra\xdfe.example", "ada@STRA\u1e9eE.example"),
    "full width": ("ada@example.com", "ada@\uff45xample\uff0ecom"),
    "an ideographic full stop": ("ada@b\xfccher.example", "ada@b\xfccher\u3002example"),
    "what the phone hid": ("ada@example.com", "\u202aada@example.com\u202c"),
}
OTHER = {
    "sharp s and ss in a domain": ("ada@stra\xdfe.example", "ada@strasse.example"),
    "sharp s and ss in a name": ("stra\xdfe@example.com", "strasse@example.com"),
    "final sigma": (
        "ada@\u03bb\u03bf\u03c2.example",
        "ada@\u03bb\u03bf\u03c3.example",
    ),
    "a long s": ("\u017f@example.com", "s@example.com"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_one_address_in_two_forms(one: str, other: str) -> None:
    assert emails.checked(one) == emails.checked(other) == emails.canonical(other) == one


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER)
def test_two_addresses_that_folding_makes_one(one: str, other: str) -> None:
    assert emails.canonical(one) != emails.canonical(other)


@pytest.mark.parametrize(
    "typed", ["", "@", "a@", "@b", "a@b@c", "a@-", "a@" + "b" * 300, "\0@\u202e", "a@xn--a"]
)
def test_what_is_no_address_has_a_form_all_the_same(typed: str) -> None:
    assert emails.canonical(emails.canonical(typed)) == emails.canonical(typed)
    with pytest.raises(ValueError, match="not an email address"):
        emails.checked(typed)


async def member(anonymous: Phone, services: Services, email: str) -> Phone:
    """Somebody who signed up with the address, signed out."""
    phone = Phone(anonymous.http, anonymous.url)
    flow = (await sign_up(phone, email))["authFlow"]
    done = await verify(phone, flow["id"], await code_for(services, emails.canonical(email)))
    assert done["errors"] == []
    phone.token = None
    return phone


async def test_sharp_s_and_ss_are_two_people(anonymous: Phone, services: Services) -> None:
    name = key()
    sharp = await member(anonymous, services, f"{name}@stra\xdfe.example")
    double = await member(anonymous, services, f"{name}@strasse.example")
    assert sharp.user_id != double.user_id
    for typed, owner in (
        (f"{name.upper()}@Stra\xdfe.example", sharp),
        (f"{name}@xn--strae-oqa.example", sharp),
        (f"{name}@STRASSE.example", double),
    ):
        signed_in = await sign_in(Phone(anonymous.http, anonymous.url), typed)
        assert signed_in["user"]["id"] == owner.user_id


async def test_every_look_up_knows_both_forms(
    anonymous: Phone, new_phone: NewPhone, services: Services
) -> None:
    name = key()
    kept, typed = f"{name}@b\xfccher.example", f"{name.upper()}@XN--BCHER-KVA.example"
    phone = await member(anonymous, services, kept)
    given = {"email": typed, "deviceId": phone.device_id}
    assert (await phone.do("requestPasswordReset", "__typename", **given))["errors"] == []
    assert (await sent_to(services, kept))[0]["subject"] == "Reset your Landfall password"
    admin = await new_phone("Admin", roles=[store.Role.ADMIN])
    query = "query($email: String!) { account(by: {email: $email}) { user { id } } }"
    found = await admin.run(query, email=typed)
    assert found["account"]["user"] == {"id": phone.user_id}
    ctx = Context(services)
    assert lockout.account_of(ctx, typed) == lockout.account_of(ctx, kept)
    assert (await store.user_by_email(services.db, typed) or {}).get("_id") == phone.user_id


async def test_changed_addresses_are_found_by_both_forms(
    new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email, name = await new_member(), key()
    ada = await new_phone(user_id=email.partition("@")[0])
    flow = (await ada.do("requestEmailChange", "authFlow { id }", email=f"{name}@XN--STRAE-OQA.example"))[
        "authFlow"
    ]
    kept = f"{name}@stra\xdfe.example"
    assert (await verify(ada, flow["id"], await code_for(services, kept)))["errors"] == []
    assert (await sign_in(ada, f"{name}@stra\xdfe.example"))["account"]["email"] == kept


@pytest.fixture
def yet_to_come(services: Services) -> Any:
    async def forget() -> None:
        rows = [{"q": {}, "limit": 0}]
        await services.db.write({"delete": migrations.applied.name, "deletes": rows})

    return forget


async def test_stored_keys_move_to_the_canonical_form(
    anonymous: Phone, new_member: NewMember, services: Services, yet_to_come: Any
) -> None:
    """As case folding left them: found again after any number of processes started together."""
    user_id = (await new_member()).partition("@")[0]
    folded, name = "\u0390".casefold(), key()
    former, wanted = f"{name}{folded}@example.com", f"{name}\u0390@example.com"
    untouched = await store.user_by_email(services.db, f"{user_id}@example.com")
    await services.db.write({"delete": "user_keys", "deletes": [{"q": {"user_id": user_id}, "limit": 0}]})
    row = {"_id": f"email:{former}", "user_id": user_id}
    await services.db.write({"insert": "user_keys", "documents": [row]})
    change = {"q": {"_id": user_id}, "u": {"$set": {"email": former}}}
    await services.db.write({"update": "users", "updates": [change]})
    await yet_to_come()
    await asyncio.gather(*(migrations.migrate(services.db) for _ in range(4)))
    assert [row["_id"] for row in await store.keys_of(services.db, user_id)] == [f"email:{wanted}"]
    moved = await store.users.by_id(services.db, user_id)
    assert moved
    assert untouched
    assert (moved["email"], moved["version"]) == (wanted, untouched["version"] + 1)
    assert (await sign_in(anonymous, wanted, PASSWORD))["account"]["email"] == wanted


async def test_a_migration_runs_once_per_database(services: Services, yet_to_come: Any) -> None:
    await yet_to_come()
    await migrations.migrate(services.db)
    done = await migrations.applied.by_id(services.db, "auth.canonical-emails")
    assert done
    await migrations.migrate(services.db)
    assert await migrations.applied.by_id(services.db, "auth.canonical-emails") == done
