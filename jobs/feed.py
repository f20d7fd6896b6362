"""Background work of the feed."""

from datetime import timedelta
from functools import partial

from core import clock, jobs
from core.context import Context, Services
from core.erasure import on_user_deleted, on_user_export
from core.jobs import Lane, task
from core.storage.batches import batches_in_unit
from resolvers.feed import (
    archiving,
    erasing,
    fanout,
    learning,
    links,
    notifications,
    reconciling,
    retelling,
    scanning,
)
from resolvers.feed.snapshots import LOST, Snapshots
from stores import feed as store

BATCH = 100
ACTIVE = timedelta(hours=24)
"""A person active within this time has the next feed prepared in advance."""

on_user_deleted(erasing.erase)
on_user_export(erasing.export)

deliver = task("feed.deliver")(fanout.deliver)
task("feed.fetch_link")(links.fetch)
task("feed.fetch_link_picture")(links.fetch_picture)
task("feed.scan")(scanning.scan)
task("feed.push")(notifications.send)
task("feed.push_to_friends")(notifications.push_to_friends)
task("feed.tell_shares")(retelling.shares)
task("feed.tell_commenters")(retelling.commenters)
task("feed.tell_of_relation")(retelling.relation)
task("feed.tell_of_group")(retelling.group)
task("feed.tell_of_lost_group")(retelling.lost_group)
reconcile = task("feed.reconcile", lane=Lane.BULK, every=timedelta(hours=1))(reconciling.reconcile)
archive = task("feed.archive", lane=Lane.BULK, every=timedelta(days=30))(archiving.archive)


@task("feed.prepare", lane=Lane.BULK, every=timedelta(minutes=15))
async def prepare(services: Services) -> None:
    """Enqueue the learning of affinities and suggestions for everybody active."""
    try:
        active = await services.get(Snapshots).active(clock.now() - ACTIVE)
    except LOST:
        # Nobody is known to be active: feeds do without for a while.
        return
    for start in range(0, len(active), BATCH):
        await jobs.enqueue_now(services.db, "feed.prepare_for", user_ids=active[start : start + BATCH])


@task("feed.prepare_for", lane=Lane.BULK)
async def prepare_for(services: Services, *, user_ids: list[str]) -> None:
    for user_id in user_ids:
        await learning.prepare(services, user_id)


@task("feed.erase_comments")
async def erase_comments(services: Services, *, post_id: str) -> None:
    """Erase the comments and reactions of a deleted post, and publish that to their authors' devices."""

    async def erase(ctx: Context, rows: list[store.Comment]) -> None:
        gone = [row["_id"] for row in rows]
        for id in gone:
            await ctx.tx.delete(store.comments, id)
        ctx.tx.after_commit(partial(erase_reactions, services, subject_ids=gone))

    await batches_in_unit(services, store.comments, {"post_id": post_id}, erase, size=BATCH)
    await erase_reactions(services, subject_ids=[post_id])
    await retelling.shares(services, post_id)


@task("feed.erase_reactions")
async def erase_reactions(services: Services, *, subject_ids: list[str]) -> None:
    """Erase the reactions to deleted posts and comments."""
    await store.reactions.delete_all(services.db, {"subject_id": {"$in": subject_ids}})
