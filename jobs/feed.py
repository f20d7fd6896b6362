"""Background work of the feed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from core import clock, jobs
from core.account import on_user_deleted, on_user_export
from core.batches import batches_in_unit
from core.context import Context, Services
from core.jobs import task
from resolvers.feed import (
    archiving,
    delivery,
    erasing,
    learning,
    links,
    notices,
    reconciling,
    retelling,
    scanning,
)
from resolvers.feed.snapshots import LOST, Snapshots
from stores import feed as store

BATCH = 100
ACTIVE = timedelta(hours=24)
"""Who looked at their feed within this time has the next one prepared."""


@task("feed.deliver")
async def deliver(services: Services, *, post_id: str, author_id: str, created: bool = False) -> None:
    """A post comes to the inboxes of those who should have it, and leaves the others'."""
    await delivery.deliver(services, post_id=post_id, author_id=author_id, created=created)


@task("feed.fetch_link")
async def fetch_link(services: Services, *, post_id: str) -> None:
    """What a post's link shows."""
    await links.fetch(services, post_id=post_id)


@task("feed.fetch_link_picture")
async def fetch_link_picture(services: Services, *, post_id: str) -> None:
    """The picture of what a post's link shows."""
    await links.fetch_picture(services, post_id=post_id)


@task("feed.scan")
async def scan(services: Services, *, subject_id: str) -> None:
    """Text and media of a post or comment are judged."""
    await scanning.scan(services, subject_id=subject_id)


@task("feed.push")
async def push(services: Services, *, kind: str, subject_id: str, author_id: str, to: list[str]) -> None:
    """People learn of what concerns them while the app is away."""
    await notices.send(services, kind=kind, subject_id=subject_id, author_id=author_id, to=to)


@task("feed.push_to_friends")
async def push_to_friends(services: Services, *, post_id: str, author_id: str) -> None:
    """Friends who asked for it learn of a post."""
    await notices.push_to_friends(services, post_id=post_id, author_id=author_id)


@task("feed.prepare", every=timedelta(minutes=15))
async def prepare(services: Services) -> None:
    """Have tastes learnt and strangers' posts chosen for everybody who is active."""
    try:
        active = await services.get(Snapshots).active(clock.now() - ACTIVE)
    except LOST:
        # Nobody is known to be active: feeds do without for a while.
        return
    for start in range(0, len(active), BATCH):
        await jobs.soon(services.db, "feed.prepare_for", user_ids=active[start : start + BATCH])


@task("feed.prepare_for")
async def prepare_for(services: Services, *, user_ids: list[str]) -> None:
    for user_id in user_ids:
        await learning.prepare(services, user_id)


@task("feed.erase_comments")
async def erase_comments(services: Services, *, post_id: str) -> None:
    """A deleted post takes its comments and reactions along, and tells their authors' devices."""

    async def erase(ctx: Context, rows: list[store.Comment]) -> None:
        gone = [row["_id"] for row in rows]
        for id in gone:
            await ctx.tx.delete(store.comments, id)
        ctx.tx.after_commit(partial(erase_reactions, services, subject_ids=gone))

    await batches_in_unit(services, store.comments, {"post_id": post_id}, erase, size=BATCH)
    await erase_reactions(services, subject_ids=[post_id])
    await retelling.shares(services, post_id)


@task("feed.tell_shares")
async def tell_shares(services: Services, *, post_id: str) -> None:
    """Who keeps a share of a post learns that it shows another one, or none."""
    await retelling.shares(services, post_id)


@task("feed.tell_commenters")
async def tell_commenters(services: Services, *, post_id: str) -> None:
    """Who commented on a post learns that they see it no more, or again."""
    await retelling.commenters(services, post_id)


@task("feed.tell_of_relation")
async def tell_of_relation(services: Services, *, user_id: str, other_id: str) -> None:
    """Two people who see more or less of each other learn what of their own shows it."""
    await retelling.relation(services, user_id, other_id)


@task("feed.tell_of_group")
async def tell_of_group(services: Services, *, user_id: str, group_id: str) -> None:
    """Who joined or left a group learns what of their own shows it."""
    await retelling.group(services, user_id, group_id)


@task("feed.erase_reactions")
async def erase_reactions(services: Services, *, subject_ids: list[str]) -> None:
    """Deleted posts and comments take the reactions to them along."""
    query = {"subject_id": {"$in": subject_ids}}
    await services.db.write({"delete": store.reactions.name, "deletes": [{"q": query, "limit": 0}]})


@task("feed.reconcile", every=timedelta(hours=1))
async def reconcile(services: Services) -> None:
    """Counters of what changed lately are counted again."""
    await reconciling.reconcile(services)


@task("feed.archive", every=timedelta(days=30))
async def archive(services: Services) -> None:
    """Posts that are older than a year lie apart."""
    await archiving.archive(services)


@on_user_deleted
async def erase_person(services: Services, user_id: str) -> None:
    """Whoever leaves takes their posts, comments and reactions along."""
    await erasing.erase(services, user_id)


@on_user_export
async def export_person(services: Services, user_id: str) -> AsyncIterator[tuple[str, erasing.Rows]]:
    """Whoever asks gets what is theirs."""
    async for name, rows in erasing.export(services, user_id):
        yield name, rows
