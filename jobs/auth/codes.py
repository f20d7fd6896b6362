"""Delivery of codes, links and notices, and the record of failed sign-ins."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from core import clock
from core.context import Context, Services
from core.jobs import task
from ports.auth import AuthSettings
from resolvers.auth import changes, lockout, messages, otp_delivery, security
from stores import auth as store
from stores.auth import AccountStatus, SecurityEventKind

RESET_LIFE = timedelta(minutes=30)
RESETS = 5
"""Links mailed per account and hour."""

task("auth.deliver_code")(otp_delivery.deliver)
task("auth.begin_sign_up")(otp_delivery.begin_sign_up)
task("auth.begin_change_email")(otp_delivery.begin_change_email)

LETTERS: dict[str, Callable[[AuthSettings, str], messages.Letter]] = {
    "address_changing": messages.address_changing,
    "address_changed": messages.address_changed,
    "phone_changing": messages.phone_changing,
}


@task("auth.write")
async def write(services: Services, *, to: str, letter: str, about: str) -> None:
    """Send a notice to somebody whose account is being changed."""
    subject, text = LETTERS[letter](services.get(AuthSettings), about)
    await services.mailer.send(to=to, subject=subject, text=text)


@task("auth.send_reset")
async def send_reset(services: Services, *, email: str) -> None:
    """Mail a reset link if there is an account."""
    user = await store.user_by_email(services.db, email)
    if user is None or user["status"] in (AccountStatus.SUSPENDED, AccountStatus.DELETED):
        return
    ctx = Context(services)
    asked = f"resets:{lockout.account_of(ctx, email)}"
    if (
        await services.window_counter.add(asked, secrets.token_hex(8), within=timedelta(hours=1))
    ).number > RESETS:
        return
    token = secrets.token_urlsafe(32)
    reset = {
        "_id": changes.token_hash(token),
        "user_id": user["_id"],
        "expires_at": clock.now() + RESET_LIFE,
    }
    await ctx.unit(lambda: ctx.tx.insert(store.password_resets, reset))
    letter = messages.password_reset(services.get(AuthSettings), token)
    await services.mailer.send(to=user["email"], subject=letter.subject, text=letter.text)


@task("auth.note_failed_sign_in")
async def note_failed_sign_in(
    services: Services, *, email: str, device: dict[str, Any], address: str, locked: bool
) -> None:
    """Record a failed sign-in if there is an account; the request took as long in any case."""
    user = await store.user_by_email(services.db, email)
    if user is None or user["status"] == AccountStatus.DELETED:
        return
    ctx = Context(services, address=address)
    told: Any = device

    async def record() -> None:
        await security.record(
            ctx, user["_id"], SecurityEventKind.SIGN_IN_FAILED, device=told, result="CREDENTIALS_INVALID"
        )
        if locked:
            await security.record(ctx, user["_id"], SecurityEventKind.LOCKED, device=told)

    await ctx.unit(record)
