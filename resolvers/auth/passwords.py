"""Passwords: hashed with Argon2id off the event loop, rejected if easily guessed."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.messages import gettext_noop
from ports.auth import AuthSettings
from resolvers.auth import breached

error_codes(ErrorKind.INVALID, PASSWORD_WEAK="The password is too short, too long or too easy to guess.")

SHORTEST, LONGEST = 10, 128
COMMON = Path(__file__).parent / "data" / "common_passwords.txt"
TRIMMINGS = 6
"""Digits and signs around a common password that leave it as easy to guess."""
LOOKALIKES = str.maketrans("@4301!$57", "aaeoiisst")
SHORTEST_NAME = 4
"""Least length of a mailbox name that a password must not contain: shorter ones are in many good ones."""

# Caps memory: each hash takes 64 MiB.
_at_once = asyncio.Semaphore(4)
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


@contextmanager
def using(*, memory_kib: int, rounds: int) -> Iterator[PasswordHasher]:
    """Hasher that new hashes are made with until the end, at this cost; older hashes stay valid."""
    global _hasher
    before, _hasher = _hasher, PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
    _decoy.cache_clear()
    _decoy()
    try:
        yield _hasher
    finally:
        # Of two Landfalls in a process one may end before the other.
        _hasher = before
        _decoy.cache_clear()


def hasher() -> PasswordHasher:
    return _hasher


@cache
def _decoy() -> str:
    return _hasher.hash("no account has this password")


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """True if the password is right. An unknown account takes as long as a wrong password (a decoy hash)."""
    async with _at_once:
        right = await asyncio.to_thread(_matches, stored or _decoy(), password)
    return right and stored is not None


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """True if it was hashed at another cost than today's."""
    return _hasher.check_needs_rehash(stored)


async def check_strength(ctx: Context, password: str, email: str, *, field: str) -> None:
    """Raise PASSWORD_WEAK, with the reason, if it is easily guessed."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(
            "PASSWORD_WEAK",
            "A password has {least} to {limit} characters.",
            field=[field],
            limit=LONGEST,
            values={"least": SHORTEST},
        )
    reason = weakness(password, email)
    file = ctx.services.get(AuthSettings).breached_passwords_file
    if reason is None and file and await asyncio.to_thread(breached.has, file, password):
        reason = gettext_noop("This password was in a breach: others know it.")
    if reason is not None:
        raise UserError("PASSWORD_WEAK", reason, field=[field])


def weakness(password: str, email: str) -> str | None:
    """Reason why a password of a fit length is rejected, or None."""
    name, folded = email.partition("@")[0].casefold(), password.casefold()
    if email.casefold() in folded or (len(name) >= SHORTEST_NAME and name in folded):
        return gettext_noop("A password must not contain the email address.")
    if len(set(password)) < 4:
        return gettext_noop("A password needs more than three different characters.")
    if any(core in common_passwords() for core in _cores(folded)):
        return gettext_noop("This password is among the first that are guessed.")
    return None


@cache
def common_passwords() -> frozenset[str]:
    _, _, words = COMMON.read_text(encoding="utf-8").partition("\n\n")
    return frozenset(words.splitlines())


def _cores(password: str) -> set[str]:
    """Cores of a password to compare: itself, and without repetition, look-alikes and trimmings."""
    again = (password + password).find(password, 1)
    forms = {password, password[:again]}
    forms |= {form.translate(LOOKALIKES) for form in forms}
    trimmed = {re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form) for form in forms}
    return forms | {form for form in trimmed if len(password) - len(form) <= TRIMMINGS}
