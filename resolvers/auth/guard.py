"""Who may try a password or code: rates, longer and longer waits, CAPTCHAs, and locks after too many misses.

An account is named by a blind index of its address, whether or not anybody has it: unknown addresses are
throttled and locked like known ones, so that neither tells them apart.
"""

from datetime import timedelta
from typing import NamedTuple

from core import clock, ids
from core.context import Context
from core.errors import RefusalKind, Refused, refusals
from core.limits import Rate
from core.ports import DeliveryFailed
from resolvers.auth import metrics
from stores import auth as store
from stores.auth import Lock

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

    account: str
    address: str
    id: str
    misses: int
    """Those of the account before this one."""
    locks: int
    """How often in a row the account was locked."""


def account_of(ctx: Context, email: str) -> str:
    """The account an address would have."""
    return ctx.services.crypto.blind(email.strip().casefold(), place="users/email")


async def begin(
    ctx: Context,
    account: str,
    *,
    captcha_token: str | None = None,
    captcha: bool = True,
    waits: bool = True,
) -> Attempt:
    """Count a try, if one is allowed now.

    Whoever is signed in is asked for no CAPTCHA; flows limit guesses at codes by themselves.
    """
    lock = await store.locks.by_id(ctx.services.db, account)
    _refuse_locked(lock)
    tally = ctx.services.tally
    missed = await tally.lately(_misses(account), within=WINDOW)
    if waits:
        _refuse_waiting(missed.number, missed.last)
    if captcha:
        here = await tally.lately(_misses(ctx.address), within=WINDOW)
        if max(missed.number, here.number) >= CAPTCHA_FROM:
            await _need_captcha(ctx, captcha_token)
    id = ids.new_id("try")
    counted = await tally.add(_misses(account), id, within=WINDOW)
    await tally.add(_misses(ctx.address), id, within=WINDOW)
    attempt = Attempt(account, ctx.address, id, counted.number - 1, lock["times"] if lock else 0)
    if counted.number > LOCK_AT:
        # Others are being tried at this moment: together they are too many.
        await missed_again(ctx, attempt)
        raise Refused("ACCOUNT_LOCKED", "Too many wrong tries.", retry_after_seconds=_seconds(FIRST_LOCK))
    return attempt


async def missed_again(ctx: Context, attempt: Attempt) -> bool:
    """The try stays counted; whether it locked the account.

    The misses stay too: they are too old to count when the lock ends, and stop whoever is let in meanwhile.
    """
    if attempt.misses + 1 < LOCK_AT:
        return False
    life = min(FIRST_LOCK * 2**attempt.locks, LONGEST_LOCK)
    await store.lock(
        ctx.services.db, attempt.account, until=clock.now() + life, times=attempt.locks + 1, kept=REMEMBERED
    )
    metrics.LOCKOUTS.inc()
    return True


async def taken_back(ctx: Context, attempt: Attempt) -> None:
    """It was no miss; those before it stay counted, for a right password may be half of what is asked."""
    await ctx.services.tally.remove(_misses(attempt.account), attempt.id)
    await ctx.services.tally.remove(_misses(attempt.address), attempt.id)


async def passed(ctx: Context, attempt: Attempt) -> None:
    """Somebody proved who they are: the account's misses are forgotten, the address keeps those of others."""
    await taken_back(ctx, attempt)
    await ctx.services.tally.clear(_misses(attempt.account))


async def unlock(ctx: Context, email: str) -> None:
    """Lift the lock: the password was reset, or an administrator says so."""
    await store.unlock(ctx.db, account_of(ctx, email))
    ctx.tx.after_commit(lambda: ctx.services.tally.clear(_misses(account_of(ctx, email))))


async def need_captcha_after_misses(ctx: Context, captcha_token: str | None) -> None:
    """For what is no guess but can be abused: the address alone counts."""
    here = await ctx.services.tally.lately(_misses(ctx.address), within=WINDOW)
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
    captcha = ctx.services.captcha
    if captcha is None:
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
