"""Account lockout: rate limits, exponential waits, CAPTCHAs, and locks after too many failed attempts.

Life cycle of an attempt: `begin_attempt` counts it as failed before anything is compared, so that parallel
guesses cannot pass the limit together, or raises ACCOUNT_LOCKED, RATE_LIMITED or CAPTCHA_REQUIRED. Then one
of these ends it:

- `record_failure`: it failed; it stays counted, and the tenth failure in 15 minutes locks the subject;
- `cancel_attempt`: it was right but is only a part of the proof; it alone is no longer counted;
- `record_success`: the person is authenticated; all failures of the subject are forgotten.

An attempt whose process dies stays counted until the window has passed.

Failures are counted by subject and by IP address. The subject is the account, named by a blind index of its
email whether or not anybody has it: unknown emails are throttled and locked like known ones, so that neither
tells them apart. A device on which the person has signed in before is a subject of its own: a stranger's
guesses never lock an owner out there, and nobody can guess a device's id.
"""

from datetime import timedelta
from typing import NamedTuple

from core import clock, ids
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.ports import Retryable
from core.security.limits import Rate
from ports.auth import Captcha
from resolvers.auth import metrics
from stores import auth as store
from stores.auth import Lock, User, emails

error_codes(
    ErrorKind.AUTHENTICATION,
    retryable=True,
    ACCOUNT_LOCKED="Too many wrong passwords or codes: try again after `retryAfterSeconds`, or reset it.",
    CAPTCHA_REQUIRED="Solve a CAPTCHA and send its answer as `captchaToken`, with a new key.",
)

SIGN_IN_RATE = Rate("sign-in", 20, 60)
SIGN_UP_RATE = Rate("sign-up", 10, 3600)
CODE_RATE = Rate("code", 20, 60)
NEW_DESTINATION_RATE = Rate("new-destination", 10, 86_400)
"""New phone numbers and emails per person: codes sent there cost money and reach strangers."""
RESET_RATE = Rate("reset", 10, 3600)

WINDOW = timedelta(minutes=15)
CAPTCHA_FROM = 3
"""Failures of a subject or an IP address within the window."""
WAIT_FROM = 3
"""Failures from which each doubles the wait for the next attempt, beginning with one second."""
LONGEST_WAIT = 64
LOCK_AT = 10
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=15), timedelta(hours=24)
REMEMBERED = timedelta(hours=24)
"""Time without a new lock after which the next one is short again."""


class Attempt(NamedTuple):
    """One attempt, counted as failed until it is known to be right."""

    subject: str
    """Key of the counter: the account on one known device, or the account on all other devices together."""
    address: str
    """IP address of the client, or its /64 network (IPv6)."""
    id: str
    misses: int
    """Failures of the subject before this one."""
    locks: int
    """Consecutive locks of the subject."""


def account_of(ctx: Context, email: str) -> str:
    """Blind index of an email, which names its account whether or not there is one."""
    return ctx.services.crypto.blind(emails.canonical(email), place="users/email")


async def subject_of(ctx: Context, account: str, user_id: str | None, device_id: str) -> str:
    """Subject of an attempt: the device if the person has signed in on it, else the account."""
    known = await store.own_devices(ctx.services.db, user_id or "user_nobody", [device_id])
    return on_device(account, device_id) if known else account


def on_device(account: str, device_id: str) -> str:
    """Subject of a device on which the person has signed in before."""
    return f"{account}/{device_id}"


def in_session(ctx: Context, email: str) -> str:
    """Subject of the current session: its device."""
    return on_device(account_of(ctx, email), ctx.signed_in.device_id)


async def begin_attempt(
    ctx: Context,
    subject: str,
    *,
    captcha_token: str | None = None,
    captcha: bool = True,
    waits: bool = True,
) -> Attempt:
    """Begin an attempt: count it as failed, or raise if none is allowed now.

    `captcha=False` for people who are signed in; `waits=False` for flows, which limit guesses by themselves.
    Errors: ACCOUNT_LOCKED and RATE_LIMITED with `retryAfterSeconds`, CAPTCHA_REQUIRED.
    """
    lock = await store.locks.by_id(ctx.services.db, subject)
    _refuse_locked(lock)
    window_counter = ctx.services.window_counter
    missed = await window_counter.lately(_misses(subject), within=WINDOW)
    if waits:
        _refuse_waiting(missed.number, missed.last)
    if captcha:
        here = await window_counter.lately(_misses(ctx.network), within=WINDOW)
        if max(missed.number, here.number) >= CAPTCHA_FROM:
            await _need_captcha(ctx, captcha_token)
    id = ids.new_id("try")
    counted = await window_counter.add(_misses(subject), id, within=WINDOW)
    await window_counter.add(_misses(ctx.network), id, within=WINDOW)
    attempt = Attempt(subject, ctx.network, id, counted.number - 1, lock["times"] if lock else 0)
    if counted.number > LOCK_AT:
        # Parallel attempts were counted meanwhile: together they are too many.
        await record_failure(ctx, attempt)
        raise UserError("ACCOUNT_LOCKED", "Too many wrong tries.", retry_after_seconds=_seconds(FIRST_LOCK))
    return attempt


async def record_failure(ctx: Context, attempt: Attempt) -> bool:
    """Record a failure; True if it locked the subject.

    The counter is not cleared: its failures are too old to count when the lock ends, and still stop anybody
    whom a lifted lock lets in before.
    """
    if attempt.misses + 1 < LOCK_AT:
        return False
    life = min(FIRST_LOCK * 2**attempt.locks, LONGEST_LOCK)
    await store.lock(
        ctx.services.db, attempt.subject, until=clock.now() + life, times=attempt.locks + 1, kept=REMEMBERED
    )
    metrics.LOCKOUTS.inc()
    return True


async def cancel_attempt(ctx: Context, attempt: Attempt) -> None:
    """Cancel the attempt. Earlier failures stay counted: a right password may be one factor of two."""
    await ctx.services.window_counter.remove(_misses(attempt.subject), attempt.id)
    await ctx.services.window_counter.remove(_misses(attempt.address), attempt.id)


async def record_success(ctx: Context, attempt: Attempt) -> None:
    """Record a success: forget the subject's failures; the IP address keeps those of other subjects."""
    await cancel_attempt(ctx, attempt)
    await ctx.services.window_counter.clear(_misses(attempt.subject))


async def unlock(ctx: Context, user: User) -> None:
    """Lift the locks everywhere: the password was reset, an administrator says so, or the account is gone."""
    account = account_of(ctx, user["email"])
    known = await store.devices.find(ctx.db, {"user_id": user["_id"]}, fields=("device_id",))
    subjects = [account, *(on_device(account, device["device_id"]) for device in known)]
    await store.unlock(ctx.db, subjects)

    async def forget() -> None:
        for subject in subjects:
            await ctx.services.window_counter.clear(_misses(subject))

    ctx.tx.after_commit(forget)


async def need_captcha_after_misses(ctx: Context, captcha_token: str | None) -> None:
    """Require a CAPTCHA after failures of the IP address: for requests open to abuse, though no guesses."""
    here = await ctx.services.window_counter.lately(_misses(ctx.network), within=WINDOW)
    if here.number >= CAPTCHA_FROM:
        await _need_captcha(ctx, captcha_token)


def _refuse_locked(lock: Lock | None) -> None:
    if lock is not None and lock["until"] > clock.now():
        left = _seconds(lock["until"] - clock.now())
        raise UserError("ACCOUNT_LOCKED", "Too many wrong tries.", retry_after_seconds=left)


def _refuse_waiting(misses: int, last: float) -> None:
    if misses < WAIT_FROM:
        return
    until = last + min(2 ** (misses - WAIT_FROM), LONGEST_WAIT)
    if until > clock.timestamp():
        left = max(1, round(until - clock.timestamp()))
        raise UserError("RATE_LIMITED", "Too often.", retry_after_seconds=left)


async def _need_captcha(ctx: Context, token: str | None) -> None:
    captcha = ctx.services.get(Captcha)
    if not captcha.asked:
        return
    try:
        good = token is not None and await captcha.passes(token, address=ctx.address)
    except Retryable:
        raise UserError("UNAVAILABLE", "The CAPTCHA cannot be judged for the moment.") from None
    if not good:
        raise UserError("CAPTCHA_REQUIRED", "Solve the CAPTCHA first.", field=["captchaToken"])


def _misses(subject: str) -> str:
    return f"misses:{subject}"


def _seconds(life: timedelta) -> int:
    return max(1, round(life.total_seconds()))
