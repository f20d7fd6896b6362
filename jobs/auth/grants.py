"""Grants whose time is over."""

from core.context import Context, Services
from core.jobs import task
from resolvers.auth import granting


@task(granting.END)
async def end_grant(services: Services, *, grant_id: str, user_id: str) -> None:
    """End a grant that has expired: it leaves its holder's devices."""
    ctx = Context(services)
    await ctx.unit(lambda: granting.end_expired(ctx, grant_id, user_id))
