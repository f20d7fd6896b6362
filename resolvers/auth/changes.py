"""Credential changes: email and password, known or forgotten."""

import hashlib
from typing import Any, NamedTuple

from core import clock
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.jobs import enqueue
from core.values.text import Opaque
from resolvers.auth import flows, lockout, passwords, security, sessions, telling
from resolvers.auth.addresses import masked_email, valid_email
from resolvers.auth.flows import Destination, FlowOpened
from stores import auth as store
from stores.auth import (
    AccountStatus,
    AuthFactor,
    AuthFlowKind,
    Flow,
    OtpMethod,
    SecurityEventKind,
    SessionEndReason,
    User,
)


async def request_email_change(ctx: Context, *, email: str) -> FlowOpened:
    """Send a code to the new email and a notice to the old one; a taken email never gets a code."""
    await ctx.limit(lockout.NEW_DESTINATION_RATE)
    session, user = await sessions.signed_in(ctx)
    address = valid_email(email)
    to = Destination(OtpMethod.EMAIL, address, masked_email(address))
    await enqueue(ctx.tx, "auth.write", to=user["email"], letter="address_changing", about=to.masked)
    how: dict[str, Any] = {"change": {"email": address}, "task": "auth.begin_change_email"}
    return await flows.open_own(ctx, AuthFlowKind.CHANGE_EMAIL, to, session, user, **how)


async def email_changed(ctx: Context, flow: Flow, factor: AuthFactor) -> dict[str, Any]:
    """Replace the email that signs in; the old one no longer does."""
    address = flow["change"]["email"]
    before = await store.users.by_id(ctx.db, str(flow["user_id"]))
    if before is None:
        raise UserError("EXPIRED", flows.OVER)
    if address != before["email"]:
        if await store.user_keys.by_id(ctx.db, store.email_key(address)) is not None:
            raise UserError("EXPIRED", flows.OVER)
        await ctx.tx.delete(store.user_keys, store.email_key(before["email"]))
        await ctx.tx.insert(store.user_keys, {"_id": store.email_key(address), "user_id": before["_id"]})
        await store.forget_resets(ctx.db, before["_id"])
    user = await telling.change(ctx, before["_id"], set={"email": address, "email_verified": True})
    assert user is not None
    await enqueue(
        ctx.tx, "auth.write", to=before["email"], letter="address_changed", about=masked_email(address)
    )
    return {**telling.account_changed(user)}


class NewPassword(NamedTuple):
    """New password, hashed before the transaction, and its owner."""

    user_id: str
    hash: str
    former: str
    locked: bool = False
    wrong: bool = False


async def check_change(ctx: Context, *, current_password: str, new_password: str) -> NewPassword:
    """Check the present password, as an attempt that counts for the lockout, and the new one's strength."""
    user = await store.users.by_id(ctx.services.db, ctx.viewer_id)
    if user is None:
        raise UserError("NOT_FOUND", "This account is gone.")
    await passwords.check_strength(ctx, new_password, user["email"], field="newPassword")
    attempt = await lockout.begin_attempt(ctx, lockout.in_session(ctx, user["email"]), captcha=False)
    if not await passwords.matches(user["password_hash"], current_password):
        locked = await lockout.record_failure(ctx, attempt)
        return NewPassword(user["_id"], "", user["password_hash"], locked=locked, wrong=True)
    await lockout.record_success(ctx, attempt)
    hashed = await passwords.hash_password(new_password)
    return NewPassword(user["_id"], hashed, user["password_hash"])


async def set_password(
    ctx: Context, *, current_password: Opaque, new_password: Opaque, prepared: NewPassword
) -> dict[str, Any]:
    """Change the password and end all other sessions: whoever knew the old one is out."""
    _, user = await sessions.signed_in(ctx)
    if prepared.wrong:
        if prepared.locked:
            await security.record(ctx, user["_id"], SecurityEventKind.LOCKED)
        refusal = UserError("CREDENTIALS_INVALID", "The password is wrong.", field=["currentPassword"])
        return {"errors": [refusal.document]}
    changed = await _set_password(ctx, prepared, where={"password_hash": prepared.former})
    if changed is None:
        raise UserError("UNAVAILABLE", "Try again.")
    ended = await sessions.end_others(ctx, SessionEndReason.PASSWORD_CHANGED)
    await security.record(ctx, user["_id"], SecurityEventKind.PASSWORD_CHANGED)
    return {**telling.account_changed(changed), **sessions.ended_sessions(ended)}


async def _set_password(ctx: Context, new: NewPassword, *, where: dict[str, Any], **more: Any) -> User | None:
    user = await telling.change(ctx, new.user_id, set={"password_hash": new.hash, **more}, where=where)
    if user is not None:
        await store.forget_resets(ctx.db, new.user_id)
        await store.end_sign_ins(ctx.db, new.user_id)
    return user


async def request_password_reset(
    ctx: Context, *, email: str, device_id: Id, captcha_token: Opaque | None = None
) -> dict[str, Any]:
    """Mail a reset link. Always succeeds: the account is looked up after the answer."""
    await ctx.limit(lockout.RESET_RATE, ctx.network)
    await lockout.need_captcha_after_misses(ctx, captcha_token)
    await enqueue(ctx.tx, "auth.send_reset", email=valid_email(email))
    return {}


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def check_reset(ctx: Context, *, token: str, new_password: str, device_id: Id) -> NewPassword:
    """Check the reset token before the new password is hashed, which takes its time."""
    await ctx.limit(lockout.RESET_RATE, ctx.network)
    reset = await store.good_reset(ctx.services.db, token_hash(token), clock.now())
    user = reset and await store.users.by_id(ctx.services.db, reset["user_id"])
    if not user:
        raise _no_reset()
    await passwords.check_strength(ctx, new_password, user["email"], field="newPassword")
    return NewPassword(user["_id"], await passwords.hash_password(new_password), user["password_hash"])


async def confirm_password_reset(
    ctx: Context, *, token: Opaque, new_password: Opaque, device_id: Id, prepared: NewPassword
) -> dict[str, Any]:
    """Reset the password, end all sessions and lift the lock; sign-in still asks for the second factor."""
    reset = await ctx.tx.delete(store.password_resets, token_hash(token))
    user = reset and await store.users.by_id(ctx.db, prepared.user_id)
    if not user or user["status"] in (AccountStatus.SUSPENDED, AccountStatus.DELETED):
        raise _no_reset()
    # The link was read in that mailbox: the address is proven.
    proven: dict[str, Any] = {"email_verified": True}
    if user["status"] == AccountStatus.PENDING_VERIFICATION:
        proven["status"] = AccountStatus.ACTIVE
    if await _set_password(ctx, prepared, where={"status": user["status"]}, **proven) is None:
        raise _no_reset()
    for session in await store.active_sessions(ctx.db, user["_id"]):
        await sessions.end(ctx, session, SessionEndReason.PASSWORD_CHANGED)
    await lockout.unlock(ctx, user)
    await security.record(ctx, user["_id"], SecurityEventKind.PASSWORD_CHANGED, result="RESET")
    return {}


def _no_reset() -> UserError:
    return UserError("EXPIRED", "Ask for another link.", field=["token"])
