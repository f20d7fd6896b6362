"""Loaders are shared by all branches of a document."""

import asyncio

import pytest

from core.context import Context, Services
from loaders.auth import UserById
from tests.phone import make_user


async def test_a_branch_that_is_given_up_takes_no_other_along(services: Services) -> None:
    """graphql-core cancels the siblings of a field that failed; others may wait for the same person."""
    ctx = Context(services)
    ada = await make_user(services, "Ada")
    one, many, other = (
        asyncio.create_task(work)
        for work in (ctx.load(UserById, ada), ctx.load_many(UserById, [ada]), ctx.load(UserById, ada))
    )
    await asyncio.sleep(0)
    one.cancel()
    many.cancel()
    found = await other
    assert found is not None
    assert found["first_name"] == "Ada"
    for cancelled in (one, many):
        with pytest.raises(asyncio.CancelledError):
            await cancelled
