"""Signing up and signing in."""

from collections.abc import Mapping
from typing import Any

from email_validator import EmailNotValidError, validate_email
from pymongo.errors import DuplicateKeyError

from core import ids
from core.context import Context
from core.errors import Refused, refusals
from core.ids import Id
from core.limits import Rate
from resolvers.auth import flows, passwords, sessions
from stores import auth as store
from stores.auth import AuthFactor, Role, User, UserStatus

refusals(
    INVALID_EMAIL="The email address cannot be right.",
    WEAK_PASSWORD="The password is too short, too long or too easy to guess.",
    TERMS_REQUIRED="The terms must be accepted.",
    INVALID_CREDENTIALS="Email or password is wrong.",
    ACCOUNT_SUSPENDED="The account is closed for now.",
)

SIGN_UP_RATE = Rate("sign-up", 10, 3600)
SIGN_IN_RATE = Rate("sign-in", 20, 60)
ACCOUNT_RATE = Rate("sign-in-account", 10, 900)
LONGEST = 100
"""Characters of a name, language tag, time zone or version."""


async def sign_up(
    ctx: Context,
    *,
    email: str,
    password: str,
    device: Mapping[str, Any],
    accepted_terms_version: str,
    locale: str,
    time_zone: str,
    id: Id | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    captcha_token: str | None = None,
) -> dict[str, Any]:
    """Always answers with a flow: whether the address is taken shows only in its mailbox."""
    await ctx.limit(SIGN_UP_RATE, ctx.address)
    address = _valid_email(email)
    if not accepted_terms_version:
        raise Refused("TERMS_REQUIRED", "Accept the terms first.", field=["acceptedTermsVersion"])
    if weakness := passwords.weakness(password, address):
        raise Refused("WEAK_PASSWORD", weakness, field=["password"])
    _check_lengths(
        firstName=first_name,
        lastName=last_name,
        locale=locale,
        timeZone=time_zone,
        acceptedTermsVersion=accepted_terms_version,
    )
    user_id = ids.minted(id, "user")
    password_hash = await passwords.hash_password(password)
    taken = await store.user_keys.by_id(ctx.db, store.email_key(address)) is not None
    if not taken:
        user = await _create(
            ctx,
            user_id,
            email=address,
            password_hash=password_hash,
            first_name=first_name,
            last_name=last_name,
            locale=locale,
            time_zone=time_zone,
            accepted_terms_version=accepted_terms_version,
        )
        ctx.tx.changed(user, scopes=[sessions.scope(user)], created=True)
    owner = None if taken else user_id
    return {"flow": flows.open_flow(ctx, user_id=owner, email=address, device=dict(device))}


async def _create(ctx: Context, user_id: str, *, email: str, **fields: Any) -> User:
    try:
        await ctx.tx.insert(store.user_keys, {"_id": store.email_key(email), "user_id": user_id})
    except DuplicateKeyError:
        raise Refused("UNAVAILABLE", "Try again.") from None
    return await ctx.tx.insert(
        store.users,
        {
            "_id": user_id,
            "email": email,
            "email_verified": False,
            "handle": None,
            "bio": None,
            "avatar_id": None,
            "roles": [Role.MEMBER],
            "status": UserStatus.PENDING_VERIFICATION,
            **fields,
        },
    )


async def verify_otp(ctx: Context, *, flow_id: Id, code: str, device_id: Id) -> dict[str, Any]:
    """Close a flow with its code and sign in."""
    await ctx.limit(SIGN_IN_RATE, ctx.address)
    flow = await flows.redeem(ctx, flow_id, code)
    # Of two requests with one code, only one finds the account unproven.
    user = await ctx.tx.update(
        store.users,
        flow["user_id"],
        set={"status": UserStatus.ACTIVE, "email_verified": True},
        where={"status": UserStatus.PENDING_VERIFICATION},
    )
    if user is None:
        raise Refused("FLOW_EXPIRED", "This code is no longer good.")
    ctx.tx.changed(user, scopes=[sessions.scope(user)])
    ctx.tx.after_commit(lambda: flows.close(ctx, flow_id))
    return await sessions.start(ctx, user, flow["device"], factors=[AuthFactor.OTP])


async def sign_in(
    ctx: Context,
    *,
    email: str,
    password: str,
    device: Mapping[str, Any],
    captcha_token: str | None = None,
) -> dict[str, Any]:
    """Tokens, or a flow when the address is still to be proven."""
    await ctx.limit(SIGN_IN_RATE, ctx.address)
    await ctx.limit(ACCOUNT_RATE, store.email_key(email))
    user = await store.user_by_email(ctx.db, email)
    # An unknown person takes as long as a known one.
    right = await passwords.matches(user["password_hash"] if user else None, password)
    if user is None or not right or user["status"] == UserStatus.DELETED:
        raise Refused("INVALID_CREDENTIALS", "Email or password is wrong.")
    if user["status"] == UserStatus.SUSPENDED:
        raise Refused("ACCOUNT_SUSPENDED", "This account is closed for now.")
    if user["status"] == UserStatus.PENDING_VERIFICATION:
        return {"flow": flows.open_flow(ctx, user_id=user["_id"], email=user["email"], device=dict(device))}
    return await sessions.start(ctx, user, device, factors=[AuthFactor.PASSWORD])


def _check_lengths(**values: str | None) -> None:
    for field, value in values.items():
        if value and len(value) > LONGEST:
            raise Refused("INVALID_INPUT", f"At most {LONGEST} characters.", field=[field])


def _valid_email(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False, test_environment=True).normalized.casefold()
    except EmailNotValidError:
        raise Refused("INVALID_EMAIL", "This is not an email address.", field=["email"]) from None
