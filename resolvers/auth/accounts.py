"""Sign-up and sign-in.

What depends on whether an address is known happens after the answer, in a job, or takes as long either way.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core import ids
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.jobs import enqueue
from core.values.bounds import check_length
from core.values.text import Line, Opaque
from ports.auth import Risk, SignInAttempt
from resolvers.auth import devices, factors, flows, lockout, passwords, sessions, telling
from resolvers.auth.addresses import masked_email, valid_email
from resolvers.auth.flows import Destination, FlowOpened
from resolvers.auth.lockout import Attempt
from stores import auth as store
from stores.auth import AccountStatus, AuthFactor, AuthFlowKind, Flow, OtpMethod, Role, User, emails

error_codes(ErrorKind.AUTHENTICATION, CREDENTIALS_INVALID="Email or password is wrong.")
error_codes(ErrorKind.FORBIDDEN, ACCOUNT_SUSPENDED="The account is closed for now.")

LONGEST = 100
"""Characters of a name, language tag, time zone or version."""


async def check_sign_up(
    ctx: Context,
    *,
    email: str,
    password: str,
    accepted_terms_version: str,
    captcha_token: str | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """Validate a sign-up before the transaction: return the canonical email and the hashed password.

    Every error here is the same whether or not the email has an account.
    """
    await ctx.limit(lockout.SIGN_UP_RATE, ctx.network)
    address = valid_email(email)
    if not accepted_terms_version:
        raise UserError("REQUIRED", "Accept the terms first.", field=["acceptedTermsVersion"])
    await passwords.check_strength(ctx, password, address, field="password")
    _check_lengths(
        firstName=rest.get("first_name"),
        lastName=rest.get("last_name"),
        locale=rest["locale"],
        timeZone=rest["time_zone"],
        acceptedTermsVersion=accepted_terms_version,
    )
    await lockout.need_captcha_after_misses(ctx, captcha_token)
    return {"email": address, "password_hash": await passwords.hash_password(password)}


async def sign_up(
    ctx: Context,
    *,
    id: Id | None = None,
    email: str,
    password: Opaque,
    first_name: Line | None = None,
    last_name: Line | None = None,
    locale: str = "en",
    time_zone: str = "UTC",
    accepted_terms_version: str,
    device: Mapping[str, Any],
    captcha_token: Opaque | None = None,
    prepared: Mapping[str, Any],
) -> FlowOpened:
    """Open a flow in any case: only the mailbox of the email learns whether it is taken."""
    address = prepared["email"]
    account = {
        "_id": ids.minted(id, "user"),
        "first_name": first_name or None,
        "last_name": last_name or None,
        "locale": locale,
        "time_zone": time_zone,
        "accepted_terms_version": accepted_terms_version,
        "password_hash": prepared["password_hash"],
    }
    flow = await flows.open_flow(
        ctx,
        AuthFlowKind.VERIFY_EMAIL,
        Destination(OtpMethod.EMAIL, address, masked_email(address)),
        account=lockout.account_of(ctx, address),
        user_id=None,
        device=devices.device_of(device),
        change={"account": account},
        task="auth.begin_sign_up",
    )
    return {"auth_flow": flows.shown(flow)}


async def sign_up_begun(ctx: Context, flow: Flow) -> bool:
    """Account of a sign-up, created or found waiting; False if the email has one in use.

    The password of a waiting account is replaced only when the flow is finished: by then whoever asked has
    shown that the mailbox is theirs.
    """
    address, wanted = flows.destination_of(ctx, flow).to, flow["change"]["account"]
    owner = await store.user_by_email(ctx.db, address)
    if owner is not None and owner["status"] != AccountStatus.PENDING_VERIFICATION:
        return False
    user_id = owner["_id"] if owner else (await _create(ctx, address, wanted))["_id"]
    await ctx.tx.update(store.flows, flow["_id"], set={"user_id": user_id})
    return True


async def _create(ctx: Context, email: str, wanted: Mapping[str, Any]) -> User:
    user_id = wanted["_id"]
    if await store.users.by_id(ctx.db, user_id) is not None:
        # Rejecting a taken id would reveal the outcome of an earlier sign-up with it.
        user_id = ids.new_id("user")
    made = {"_id": user_id, "email_verified": False, "status": AccountStatus.PENDING_VERIFICATION}
    return await opened(ctx, email, {**wanted, **made})


async def opened(ctx: Context, email: str, account: Mapping[str, Any]) -> User:
    """Create an account under its email; the fields its owner has yet to fill in are blank."""
    await ctx.tx.insert(store.user_keys, {"_id": store.email_key(email), "user_id": account["_id"]})
    blank = dict.fromkeys(("first_name", "last_name", "handle", "bio", "avatar_id"))
    return await ctx.tx.insert(store.users, {**blank, "roles": [Role.MEMBER], **account, "email": email})


async def email_verified(ctx: Context, flow: Flow, factor: AuthFactor) -> dict[str, Any]:
    """Activate the account with the data of the finished sign-up."""
    described = {name: value for name, value in flow["change"].get("account", {}).items() if name != "_id"}
    # Of two flows of one account only the first finds it pending.
    user = await telling.change(
        ctx,
        str(flow["user_id"]),
        set={**described, "status": AccountStatus.ACTIVE, "email_verified": True},
        where={"status": AccountStatus.PENDING_VERIFICATION},
    )
    if user is None:
        raise UserError("EXPIRED", flows.OVER)
    return await sessions.start(ctx, user, flows.device_of(flow), factors=[*flow["passed"], factor])


class Checked(NamedTuple):
    """Result of a password check, made before the transaction because hashing is slow."""

    user_id: str | None
    attempt: Attempt
    locked: bool = False
    former_hash: str = ""
    new_hash: str | None = None
    """Hash of the same password at today's cost, if it was hashed at another."""


async def check_password(
    ctx: Context,
    *,
    email: str,
    password: str,
    device: Mapping[str, Any],
    captcha_token: str | None = None,
) -> Checked:
    """Check a password: unknown people take as long as known ones, and are throttled and locked alike."""
    await ctx.limit(lockout.SIGN_IN_RATE, ctx.network)
    if len(email) > emails.LONGEST:
        raise UserError("CREDENTIALS_INVALID", "Email or password is wrong.")
    key = await store.user_keys.by_id(ctx.services.db, store.email_key(email))
    account, device_id = lockout.account_of(ctx, email), devices.id_of(device["device_id"])
    subject = await lockout.subject_of(ctx, account, key and key["user_id"], device_id)
    attempt = await lockout.begin_attempt(ctx, subject, captcha_token=captcha_token)
    user = await store.users.by_id(ctx.services.db, key["user_id"] if key else "user_nobody")
    right = await passwords.matches(user["password_hash"] if user else None, password)
    if user is None or not right or user["status"] == AccountStatus.DELETED:
        return Checked(None, attempt, locked=await lockout.record_failure(ctx, attempt))
    await lockout.cancel_attempt(ctx, attempt)
    former = user["password_hash"]
    renewed = await passwords.hash_password(password) if passwords.outdated(former) else None
    return Checked(user["_id"], attempt, former_hash=former, new_hash=renewed)


async def sign_in(
    ctx: Context,
    *,
    email: str,
    password: Opaque,
    device: Mapping[str, Any],
    captcha_token: Opaque | None = None,
    prepared: Checked,
) -> dict[str, Any]:
    """Sign in: tokens, or a flow if a second factor is needed first."""
    asking = devices.device_of(device)
    user = prepared.user_id and await store.users.by_id(ctx.db, prepared.user_id)
    if not user:
        await enqueue(
            ctx.tx,
            "auth.note_failed_sign_in",
            email=email,
            device=asking,
            address=ctx.address,
            locked=prepared.locked,
        )
        return {"errors": [UserError("CREDENTIALS_INVALID", "Email or password is wrong.").document]}
    admit(user)
    if user["password_hash"] != prepared.former_hash:
        # Changed after it was checked: a session by the old password would outlive the change.
        raise UserError("UNAVAILABLE", "Try again.", retry_after_seconds=1)
    await _rehash(ctx, user, prepared)
    if user["status"] == AccountStatus.PENDING_VERIFICATION:
        flow = await factors.open_for(
            ctx, user, AuthFlowKind.VERIFY_EMAIL, device=asking, passed=(AuthFactor.PASSWORD,)
        )
        return {"auth_flow": flows.shown(flow)}
    if user.get("two_factor") or await _is_risky(ctx, user, asking["_id"], prepared.attempt.misses):
        flow = await factors.open_for(
            ctx, user, AuthFlowKind.SIGN_IN, device=asking, passed=(AuthFactor.PASSWORD,)
        )
        return {"auth_flow": flows.shown(flow)}
    ctx.tx.after_commit(lambda: lockout.record_success(ctx, prepared.attempt))
    return await sessions.start(ctx, user, device, factors=[AuthFactor.PASSWORD])


async def _rehash(ctx: Context, user: User, checked: Checked) -> None:
    if checked.new_hash is None:
        return
    where = {"password_hash": checked.former_hash}
    changed = await ctx.tx.update(
        store.users, user["_id"], set={"password_hash": checked.new_hash}, where=where, touch=False
    )
    if changed is not None:
        # No client sees the hash.
        ctx.tx.skip_log(changed)


def admit(user: User) -> None:
    if user["status"] == AccountStatus.SUSPENDED:
        raise UserError("ACCOUNT_SUSPENDED", "This account is closed for now.")
    if user["status"] == AccountStatus.DELETED:
        raise UserError("CREDENTIALS_INVALID", "Email or password is wrong.")


async def _is_risky(ctx: Context, user: User, device_id: str, misses: int) -> bool:
    known = await store.own_devices(ctx.db, user["_id"], [device_id])
    attempt = SignInAttempt(user["_id"], device_known=bool(known), failures=misses)
    return await ctx.services.get(Risk).demands_second_factor(attempt)


async def signed_in_with(ctx: Context, flow: Flow, factor: AuthFactor) -> dict[str, Any]:
    """Finish a sign-in by its second factor: tokens."""
    user = await store.users.by_id(ctx.db, str(flow["user_id"]))
    if user is None:
        raise UserError("EXPIRED", flows.OVER)
    admit(user)
    return await sessions.start(ctx, user, flows.device_of(flow), factors=[*flow["passed"], factor])


def _check_lengths(**values: str | None) -> None:
    for field, value in values.items():
        check_length(value or "", most=LONGEST, field=field)
