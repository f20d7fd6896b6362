"""Loaders are shared by all branches of a document."""

import asyncio

import pytest

from core.context import Context, Services
from loaders.auth import UserById
from loaders.feed import FollowsByFollower
from stores import auth as store
from tests.conftest import Commands
from tests.phone import make_user


async def test_a_branch_that_is_given_up_takes_no_other_along(services: Services) -> None:
    """graphql-core cancels the siblings of a field that failed; others may wait for the same person."""
    ctx = Context(services)
    ada = await make_user(services, "Ada")
    one, many, other = (
        asyncio.ensure_future(work)
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


async def test_what_was_read_in_a_list_is_not_read_again(services: Services, commands: Commands) -> None:
    ctx = Context(services)
    ada = await make_user(services, "Ada")
    [known] = await store.users.by_ids(ctx.db, [ada])
    ctx.loader(UserById).know(ada, known)
    commands.reset()
    assert await ctx.load(UserById, ada) is known
    assert await ctx.load_many(UserById, [ada, ada]) == [known, known]
    assert not commands.counts


async def test_the_viewer_s_own_is_read_once_however_many_want_it(
    services: Services, commands: Commands
) -> None:
    ctx = Context(services)
    ada = await make_user(services, "Ada")
    commands.reset()
    found = await asyncio.gather(*(ctx.load(FollowsByFollower, ada) for _ in range(3)))
    assert found == [[], [], []]
    assert commands.counts == {"find": 1}
