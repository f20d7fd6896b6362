"""Who may try a password or code: rates, longer and longer waits, CAPTCHAs, and locks after too many misses.

An account is named by a blind index of its address, whether or not anybody has it: unknown addresses are
throttled and locked like known ones, so that neither tells them apart.

A device on which the person has signed in before is counted and locked apart from all others: a stranger's
tries never keep an owner out there, and nobody can guess a device's id.
"""

from datetime import timedelta
from typing import NamedTuple

from core import clock, ids
from core.context import Context
from core.errors import RefusalKind, Refused, refusals
from core.limits import Rate
from core.ports import DeliveryFailed
from ports.auth import Captcha
from resolvers.auth import metrics
from stores import auth as store
from stores.auth import Lock, User, emails

refusals(
    RefusalKind.REPEATABLE,
    ACCOUNT_LOCKED="Too many wrong passwords or codes: try again after `retryAfterSeconds`, or reset it.",
    CAPTCHA_REQUIRED="Solve a CAPTCHA and send its answer as `captchaToken`, with a new key.",
)

SIGN_IN_RATE = Rate("sign-in", 20, 60)
SIGN_UP_RATE = Rate("sign-up", 10, 3600)
CODE_RATE = Rate("code", 20, 60)
NEW_DESTINATION_RATE = Rate("new-destination", 10, 86_400)
"""Numbers and addresses a person may have codes sent to: texts cost money, and strangers get them."""
RESET_RATE = Rate("reset", 10, 3600)

WINDOW = timedelta(minutes=15)
CAPTCHA_FROM = 3
"""Misses of an account or an address in the window."""
WAIT_FROM = 3
"""From here on each miss doubles the wait for the next try, from one second on."""
LONGEST_WAIT = 64
LOCK_AT = 10
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=15), timedelta(hours=24)
REMEMBERED = timedelta(hours=24)
"""After so long without a new lock the next one is short again."""


class Attempt(NamedTuple):
    """One try, counted as a miss until it is known to be none."""

    subject: str
    """Whose misses are counted: the account's on a known device, or on all others together."""
    address: str
    id: str
    misses: int
    """Those of the subject before this one."""
    locks: int
    """How often in a row it was locked."""


def account_of(ctx: Context, email: str) -> str:
    """The account an address would have."""
    return ctx.services.crypto.blind(emails.canonical(email), place="users/email")


async def subject_of(ctx: Context, account: str, user_id: str | None, device_id: str) -> str:
    """What is counted of a try from a device: its own misses where the person is known on it."""
    known = await store.own_devices(ctx.services.db, user_id or "user_nobody", [device_id])
    return on_device(account, device_id) if known else account


def on_device(account: str, device_id: str) -> str:
    """What is counted of a device that the person is known on."""
    return f"{account}/{device_id}"


def in_session(ctx: Context, email: str) -> str:
    """What is counted of a living session: its device's."""
    return on_device(account_of(ctx, email), ctx.signed_in.device_id)


async def begin(
    ctx: Context,
    subject: str,
    *,
    captcha_token: str | None = None,
    captcha: bool = True,
    waits: bool = True,
) -> Attempt:
    """Count a try, if one is allowed now.

    Whoever is signed in is asked for no CAPTCHA; flows limit guesses at codes by themselves.
    """
    lock = await store.locks.by_id(ctx.services.db, subject)
    _refuse_locked(lock)
    tally = ctx.services.tally
    missed = await tally.lately(_misses(subject), within=WINDOW)
    if waits:
        _refuse_waiting(missed.number, missed.last)
    if captcha:
        here = await tally.lately(_misses(ctx.network), within=WINDOW)
        if max(missed.number, here.number) >= CAPTCHA_FROM:
            await _need_captcha(ctx, captcha_token)
    id = ids.new_id("try")
    counted = await tally.add(_misses(subject), id, within=WINDOW)
    await tally.add(_misses(ctx.network), id, within=WINDOW)
    attempt = Attempt(subject, ctx.network, id, counted.number - 1, lock["times"] if lock else 0)
    if counted.number > LOCK_AT:
        # Others are being tried at this moment: together they are too many.
        await missed_again(ctx, attempt)
        raise Refused("ACCOUNT_LOCKED", "Too many wrong tries.", retry_after_seconds=_seconds(FIRST_LOCK))
    return attempt


async def missed_again(ctx: Context, attempt: Attempt) -> bool:
    """The try stays counted; whether it locked the subject.

    The misses stay too: they are too old to count when the lock ends, and stop whoever is let in meanwhile.
    """
    if attempt.misses + 1 < LOCK_AT:
        return False
    life = min(FIRST_LOCK * 2**attempt.locks, LONGEST_LOCK)
    await store.lock(
        ctx.services.db, attempt.subject, until=clock.now() + life, times=attempt.locks + 1, kept=REMEMBERED
    )
    metrics.LOCKOUTS.inc()
    return True


async def taken_back(ctx: Context, attempt: Attempt) -> None:
    """It was no miss; those before it stay counted, for a right password may be half of what is asked."""
    await ctx.services.tally.remove(_misses(attempt.subject), attempt.id)
    await ctx.services.tally.remove(_misses(attempt.address), attempt.id)


async def passed(ctx: Context, attempt: Attempt) -> None:
    """Somebody proved who they are: the subject's misses are forgotten, the address keeps those of others."""
    await taken_back(ctx, attempt)
    await ctx.services.tally.clear(_misses(attempt.subject))


async def unlock(ctx: Context, user: User) -> None:
    """Lift the locks everywhere: the password was reset, an administrator says so, or the account is gone."""
    account = account_of(ctx, user["email"])
    known = await store.devices.find(ctx.db, {"user_id": user["_id"]}, fields=("device_id",))
    subjects = [account, *(on_device(account, device["device_id"]) for device in known)]
    await store.unlock(ctx.db, subjects)

    async def forget() -> None:
        for subject in subjects:
            await ctx.services.tally.clear(_misses(subject))

    ctx.tx.after_commit(forget)


async def need_captcha_after_misses(ctx: Context, captcha_token: str | None) -> None:
    """For what is no guess but can be abused: the address alone counts."""
    here = await ctx.services.tally.lately(_misses(ctx.network), within=WINDOW)
    if here.number >= CAPTCHA_FROM:
        await _need_captcha(ctx, captcha_token)


def _refuse_locked(lock: Lock | None) -> None:
    if lock is not None and lock["until"] > clock.now():
        left = _seconds(lock["until"] - clock.now())
        raise Refused("ACCOUNT_LOCKED", "Too many wrong tries.", retry_after_seconds=left)


def _refuse_waiting(misses: int, last: float) -> None:
    if misses < WAIT_FROM:
        return
    until = last + min(2 ** (misses - WAIT_FROM), LONGEST_WAIT)
    if until > clock.timestamp():
        left = max(1, round(until - clock.timestamp()))
        raise Refused("RATE_LIMITED", "Too often.", retry_after_seconds=left)


async def _need_captcha(ctx: Context, token: str | None) -> None:
    captcha = ctx.services.get(Captcha)
    if not captcha.asked:
        return
    try:
        good = token is not None and await captcha.passes(token, address=ctx.address)
    except DeliveryFailed:
        raise Refused("UNAVAILABLE", "The CAPTCHA cannot be judged for the moment.") from None
    if not good:
        raise Refused("CAPTCHA_REQUIRED", "Solve the CAPTCHA first.", field=["captchaToken"])


def _misses(subject: str) -> str:
    return f"misses:{subject}"


def _seconds(life: timedelta) -> int:
    return max(1, round(life.total_seconds()))
