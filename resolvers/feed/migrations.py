"""Migrations of stored posts."""

from collections.abc import Sequence
from typing import Any

from core.jobs import queue
from core.mutations.idempotency import receipts
from core.mutations.renames import rename_receipts
from core.storage.migrations import migration, move_collection, rename_fields, update_each
from core.storage.mongo import Database
from core.storage.store import Collection
from resolvers.feed.notifications import Notice
from stores import feed as store
from stores.feed import Post

MUTATIONS = {
    "notInterested": "markPostUninteresting",
    "reportContent": "submitReport",
    "moderate": "decideModeration",
    "appeal": "appealModeration",
    "sponsorPost": "setPostSponsorship",
    "endSponsorship": "cancelPostSponsorship",
}
"""Former names of mutations, with the present ones."""
CHANGED_INPUTS = ("updatePost", "deletePost", "updateComment", "deleteComment")
"""Mutations that kept their names while their inputs changed."""

BATCH = 500
EVERYWHERE: Sequence[Collection[Post]] = (store.posts, store.archive, store.posts)
"""Live and archived posts; the live ones twice, for posts move between the two meanwhile."""

FORMER_KINDS = {
    "CommentOnMyPost": Notice.COMMENT,
    "ReplyToMe": Notice.REPLY,
    "MentionedMe": Notice.MENTION,
    "FriendPosted": Notice.POST,
}


@migration("feed.authors-of-what-is-shared")
async def authors_of_what_is_shared(db: Database) -> int:
    """Add the author of the shared post to shares, which blocks and mutes look them up by."""
    return sum([await _in(db, collection) for collection in EVERYWHERE])


@migration("feed.affinities")
async def affinities(db: Database) -> int:
    """Bring what was learned of people under its former name."""
    await move_collection(db, "feed_tastes", store.affinities)
    return await rename_fields(db, store.affinities, {"inbox_kept": "inbox_maintained"})


@migration("feed.notice-kinds")
async def notice_kinds(db: Database) -> int:
    """Give pushes that wait to be sent today's kinds of notices."""
    changed = 0
    for former, kind in FORMER_KINDS.items():
        waiting = {"task": "feed.push", "arguments.kind": former}
        changed += await update_each(db, queue, waiting, {"$set": {"arguments.kind": kind}})
    return changed


async def _in(db: Database, collection: Collection[Post]) -> int:
    """Shares of what is gone show nobody's post, and stay as they are."""
    nameless: dict[str, Any] = {
        "shared_post_id": {"$type": "string"},
        "shared_author_id": {"$exists": False},
    }
    changed = 0
    found = collection.batches(db, nameless, fields=("shared_post_id",), size=BATCH, scan=True)
    async for shares in found:
        changed += await _name(db, collection, shares)
    return changed


async def _name(db: Database, collection: Collection[Post], shares: Sequence[Post]) -> int:
    """It shows in no field, so nobody is told; each is changed where it still lacks its author."""
    wanted = list({share["shared_post_id"] for share in shares})
    originals = await store.posts_by_ids(db, wanted, fields=("author_id",))
    author = {post["_id"]: post["author_id"] for post in originals}
    updates = [
        {
            "q": {"_id": share["_id"], "shared_author_id": {"$exists": False}},
            "u": {"$set": {"shared_author_id": author[share["shared_post_id"]]}},
        }
        for share in shares
        if share["shared_post_id"] in author
    ]
    if not updates:
        return 0
    answer = await db.write({"update": collection.name, "updates": updates, "ordered": False})
    return int(answer["nModified"])


@migration("feed.mutation-names")
async def mutation_names(db: Database) -> int:
    """Let receipts of mutations be found under the mutations' present names."""
    return await rename_receipts(db, MUTATIONS, CHANGED_INPUTS)


@migration("feed.input-names")
async def input_names(db: Database) -> int:
    """Let receipts be found whose inputs had other names, with their results under the present ones."""
    counted = {"mutation": "recordImpressions", "payload.recorded": {"$exists": True}}
    results = await update_each(
        db, receipts, counted, {"$rename": {"payload.recorded": "payload.recorded_count"}}
    )
    unversioned = {"mutation": "setPostSponsorship", "payload.sponsorship.post": {"$exists": True}}
    unversioned["payload.sponsorship.version"] = {"$exists": False}
    results += await update_each(db, receipts, unversioned, {"$set": {"payload.sponsorship.version": 1}})
    linked = {"mutation": "createShareLink", "payload.code": {"$exists": True}}
    link = {"code": "$payload.code", "url": "$payload.url", "post": None}
    under = [{"$set": {"payload.share_link": link}}, {"$unset": ["payload.code", "payload.url"]}]
    results += await update_each(db, receipts, linked, under)
    return results + await rename_receipts(db, {}, ["setFeedExperiment"])


@migration("feed.versions")
async def versions(db: Database) -> int:
    """Give sponsorships and the experiment of earlier versions the version that they were taken to have."""
    kept: Sequence[Collection[Any]] = (store.sponsorships, store.experiments)
    older, first = {"version": {"$exists": False}}, {"$set": {"version": 1}}
    return sum([await update_each(db, each, older, first) for each in kept])
