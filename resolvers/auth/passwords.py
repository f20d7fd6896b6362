"""Argon2id, off the event loop."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
SHORTEST, LONGEST = 10, 128

# Caps memory: each hash takes 64 MiB.
_at_once = asyncio.Semaphore(4)

DECOY = HASHER.hash("no account has this password")
"""Checked for unknown people, so that they take as long as known ones."""


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(HASHER.hash, password)


async def matches(stored: str, password: str) -> bool:
    async with _at_once:
        return await asyncio.to_thread(_matches, stored, password)


def _matches(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def weakness(password: str, email: str) -> str | None:
    """Why a password is refused, or None."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} characters."
    name = email.partition("@")[0].casefold()
    if name and (name in password.casefold() or email.casefold() in password.casefold()):
        return "A password must not contain the email address."
    if len(set(password)) < 4:
        return "A password needs more than three different characters."
    return None
