"""Background work of the feed."""

from core.context import Context, Services
from core.jobs import task
from stores import feed as store

BATCH = 100


@task("feed.erase_comments")
async def erase_comments(services: Services, *, post_id: str) -> None:
    """A deleted post takes its comments and reactions along, and tells their authors' devices."""
    while rows := await store.comments.find(services.db, {"post_id": post_id}, limit=BATCH):
        ctx = Context(services)

        async def erase(rows: list[store.Comment] = rows, ctx: Context = ctx) -> None:
            for row in rows:
                if await ctx.tx.delete(store.comments, row["_id"]):
                    ctx.tx.removed(row, aspects=["reactions", "counts"])

        await ctx.unit(erase)
        await erase_reactions(services, subject_ids=[row["_id"] for row in rows])
    await erase_reactions(services, subject_ids=[post_id])


@task("feed.erase_reactions")
async def erase_reactions(services: Services, *, subject_ids: list[str]) -> None:
    """Deleted posts and comments take the reactions to them along."""
    query = {"subject_id": {"$in": subject_ids}}
    await services.db.write({"delete": store.reactions.name, "deletes": [{"q": query, "limit": 0}]})
