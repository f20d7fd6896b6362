"""People who can sign in with a password."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.context import Services
from resolvers.auth.passwords import hash_password, hasher
from tests.phone import PASSWORD, make_user


async def forgive(services: Services) -> None:
    """Forget who tried how often."""
    for pattern in ("rate:*", "tally:misses:*"):
        if keys := await services.redis.keys(pattern):
            await services.redis.delete(*keys)


NewMember = Callable[..., Awaitable[str]]


@pytest.fixture(autouse=True)
async def _fresh_rates(services: Services) -> None:
    """All tests come from one address, which may sign in twenty times a minute."""
    await forgive(services)


HASHES: dict[tuple[int, int], str] = {}
"""Hashes of `PASSWORD` by their cost: another Landfall in this process may have set it to its own."""


@pytest.fixture
async def password_hash() -> str:
    """Of `PASSWORD` at the cost of new hashes; once, because it takes a tenth of a second."""
    cost = (hasher().memory_cost, hasher().time_cost)
    if cost not in HASHES:
        HASHES[cost] = await hash_password(PASSWORD)
    return HASHES[cost]


@pytest.fixture
def new_member(services: Services, password_hash: str) -> NewMember:
    """A person with `PASSWORD`; returns their email address."""

    async def make(name: str = "Ada", **fields: Any) -> str:
        return f"{await make_user(services, name, **{'password_hash': password_hash, **fields})}@example.com"

    return make
