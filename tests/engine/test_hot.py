"""Many people acting on one thing at once: all of it lands, counts are exact, and told within a second."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from core import clock
from core.context import Context, Services
from core.settings import Settings
from core.storage import folding
from core.storage.counters import deltas
from resolvers.feed.counting import COMMENTS, GROUPS, PEOPLE, POSTS
from resolvers.feed.reconciling import reconcile
from server import lifespan, process
from stores import feed as store
from stores.catalog.people import SERVINGS_SAID, report_servings
from tests.chat.steps import open_chat, talk
from tests.conftest import Commands
from tests.engine.steps import comment, post
from tests.feed.steps import befriend
from tests.phone import Phone, make_user, sign_in_directly

MANY = 60
LIVE_WITHIN = 1.0

POST = "query($id: ID!) { post(id: $id) { commentCount shareCount reactionSummary { count like love } } }"
EVENTS = """subscription { changeEvents(types: [POST]) {
  ... on NodeChanged { node { id ... on Post { commentCount } } }
} }"""


@pytest.fixture(scope="module")
async def elsewhere(settings: Settings) -> AsyncIterator[tuple[Services, str]]:
    """Another web process: it shares the databases alone."""
    async with lifespan.services(settings) as services, process.listening(services) as port:
        yield services, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
async def crowd(
    services: Services, http: aiohttp.ClientSession, address: str, elsewhere: tuple[Services, str]
) -> list[Phone]:
    """People, every second of whom is served by another process."""
    addresses = itertools.cycle([address, elsewhere[1]])
    phones = [Phone(http, f"{next(addresses)}/graphql") for _ in range(MANY)]
    for number, phone in enumerate(phones):
        await sign_in_directly(services, phone, await make_user(services, f"Person {number}"))
    return phones


@pytest.fixture(autouse=True)
def _unhurried(services: Services, elsewhere: tuple[Services, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (services, elsewhere[0]):
        monkeypatch.setattr(each.limits, "scale", 1000.0)


async def landed(acts: Sequence[Awaitable[Any]]) -> list[Any]:
    """The payloads of what is done at once: each without a refusal."""
    payloads = await asyncio.gather(*acts)
    assert [each["errors"] for each in payloads if each["errors"]] == []
    return payloads


async def folded(services: Services) -> None:
    assert await services.db.find(deltas.name, {}) == []


def several(services: Services, *keys: str) -> None:
    """Let the process take it that others are at these documents too."""
    services.counters.contention.heat(keys)


async def test_comments_on_one_post_all_land_and_are_told_within_a_second(
    crowd: list[Phone], services: Services
) -> None:
    hot = await post(crowd[0])
    async with crowd[0].watch(EVENTS) as stream:
        said = await landed(
            [each.do("createComment", "post { commentCount }", postId=hot, text="Hi") for each in crowd]
        )
        ended = time.monotonic()
        count = 0
        while count < MANY:
            node = (await stream.next())["changeEvents"].get("node") or {}
            count = node["commentCount"] if node.get("id") == hot else count
        assert time.monotonic() - ended < LIVE_WITHIN
    assert (await crowd[0].run(POST, id=hot))["post"]["commentCount"] == MANY
    # Each payload shows a count with its own in it, and none one that never was.
    shown = [each["post"]["commentCount"] for each in said]
    assert max(shown) == MANY
    assert min(shown) >= 1
    await folded(services)


async def test_reactions_to_one_post_all_land(crowd: list[Phone], services: Services) -> None:
    hot = await post(crowd[0])
    shown = "subject { ... on Post { reactionSummary { count } } }"
    first = ["LIKE", "LOVE"] * (MANY // 2)
    pairs = zip(crowd, first, strict=True)
    done = await landed([each.do("setReaction", shown, subjectId=hot, kind=kind) for each, kind in pairs])
    assert max(each["subject"]["reactionSummary"]["count"] for each in done) == MANY
    summary = (await crowd[0].run(POST, id=hot))["post"]["reactionSummary"]
    assert summary == {"count": MANY, "like": MANY // 2, "love": MANY // 2}
    # Some take theirs back beside others who change their mind.
    pairs = zip(crowd, [None, "LIKE"] * (MANY // 2), strict=True)
    await landed([each.do("setReaction", shown, subjectId=hot, kind=kind) for each, kind in pairs])
    summary = (await crowd[0].run(POST, id=hot))["post"]["reactionSummary"]
    assert summary == {"count": MANY // 2, "like": MANY // 2, "love": 0}
    await folded(services)


async def test_followers_of_one_person_all_land(crowd: list[Phone], services: Services) -> None:
    hot, fans = crowd[0], crowd[1:]
    count = "query($id: ID!) { user(id: $id) { followerCount followingCount } }"
    await landed([each.do("followUser", "user { followerCount }", userId=hot.user_id) for each in fans])
    found = (await hot.run(count, id=hot.user_id))["user"]
    assert (found["followerCount"], found["followingCount"]) == (len(fans), 0)
    assert (await hot.run(count, id=fans[0].user_id))["user"]["followingCount"] == 1
    # Followed back by the hot person and left by others, all at once.
    back, left = fans[: MANY // 4], fans[MANY // 4 :]
    gone = [each.do("unfollowUser", "user { followerCount }", userId=hot.user_id) for each in left]
    returned = [hot.do("followUser", "user { id }", userId=each.user_id) for each in back]
    await landed([*gone, *returned])
    found = (await hot.run(count, id=hot.user_id))["user"]
    assert (found["followerCount"], found["followingCount"]) == (len(back), len(back))
    edges = await services.db.find("follows", {"followee_id": hot.user_id})
    assert [edge["mutual"] for edge in edges] == [True] * len(back)
    await folded(services)


async def test_shares_and_replies_all_land(crowd: list[Phone], services: Services) -> None:
    hot = await post(crowd[0])
    top = await comment(crowd[0], hot, "Who agrees?")
    reply = {"postId": hot, "parentId": top, "text": "I do"}
    acts = [each.do("createComment", "comment { id }", **reply) for each in crowd]
    await landed([*acts, *(each.do("sharePost", "post { id }", postId=hot) for each in crowd)])
    found = (await crowd[0].run(POST, id=hot))["post"]
    assert (found["commentCount"], found["shareCount"]) == (MANY + 1, MANY)
    query = "query($id: ID!) { node(id: $id) { ... on Comment { replyCount } } }"
    assert (await crowd[0].run(query, id=top))["node"]["replyCount"] == MANY
    await folded(services)


async def test_members_of_one_group_all_join_and_leave(crowd: list[Phone], services: Services) -> None:
    owner, others = crowd[0], crowd[1:]
    made = await owner.do("createGroup", "group { id }", name="Sailors", privacy="OPEN")
    id = made["group"]["id"]
    await landed([each.do("joinGroup", "group { memberCount }", groupId=id) for each in others])
    query = "query($id: ID!) { group(id: $id) { memberCount version } }"
    found = (await owner.run(query, id=id))["group"]
    assert found["memberCount"] == MANY
    await landed([each.do("leaveGroup", "group { memberCount }", groupId=id) for each in others])
    after = (await owner.run(query, id=id))["group"]
    assert after["memberCount"] == 1
    assert after["version"] > found["version"]
    await folded(services)


async def test_messages_of_one_chat_all_land_under_numbers_of_their_own(
    crowd: list[Phone], services: Services
) -> None:
    one, other = crowd[0], crowd[1]
    chat, _ = await talk(one, other)
    sent = await landed(
        [
            each.do("sendMessage", "message { sequence }", chatId=chat, text="Hi")
            for each in [one, other] * (MANY // 2)
        ]
    )
    assert sorted(each["message"]["sequence"] for each in sent) == list(range(2, MANY + 2))
    query = "query($id: ID!) { chat(id: $id) { unreadCount lastSequence } }"
    for phone, unread in ((one, MANY // 2), (other, MANY // 2 + 1)):
        found = (await phone.run(query, id=chat))["chat"]
        assert found == {"unreadCount": unread, "lastSequence": MANY + 1}


async def test_messages_to_one_person_from_many_chats_all_land(
    crowd: list[Phone], services: Services
) -> None:
    hot, others = crowd[2], crowd[3:]
    chats = [await open_chat(each, hot) for each in others]
    pairs = zip(others, chats, strict=True)
    await landed([each.do("sendMessage", "message { id }", chatId=id, text="Hi") for each, id in pairs])
    found = await hot.run("{ viewer { unreadMessageCount } }")
    assert found["viewer"]["unreadMessageCount"] == len(others)


async def test_alone_a_counter_is_moved_in_its_document(
    crowd: list[Phone], commands: Commands, quiet: None
) -> None:
    """Nothing is added to what an ordinary act costs."""
    alone = await post(crowd[0])
    costs = []
    for _ in range(2):
        commands.reset()
        await comment(crowd[0], alone, "Hello")
        costs.append(Counter(commands.names))
    assert costs[0]["findAndModify"] == 1
    # Comment, two jobs, the receipt is an update; no delta.
    assert costs[0]["insert"] == costs[1]["insert"] == 2
    assert costs[0]["commitTransaction"] == 1


async def test_what_a_dead_process_left_is_added_up_once(crowd: list[Phone], services: Services) -> None:
    hot = await post(crowd[0])
    ctx = Context(services)

    async def count() -> None:
        several(services, POSTS.key(hot))
        await ctx.tx.count(POSTS, hot, {"comment_count": 1})
        await ctx.tx.count(POSTS, hot, {"reactions.LIKE": 1}, aspect="reactions")
        # The process dies before it folds them.
        ctx.tx.deltas.clear()

    changes = await crowd[0].run("{ viewer { changes(limit: 1000) { token } } }")
    token = changes["viewer"]["changes"]["token"]
    await ctx.unit(count)
    assert (await crowd[0].run(POST, id=hot))["post"]["commentCount"] == 0
    assert await services.counters.fold_left() == 0, "those who wrote them may still be about to fold them"
    clock.shift(timedelta(seconds=10))
    assert [await services.counters.fold_left() for _ in range(2)] == [1, 0]
    found = (await crowd[0].run(POST, id=hot))["post"]
    assert (found["commentCount"], found["reactionSummary"]["like"]) == (1, 1)
    query = "query($t: SyncToken) { viewer { changes(since: $t, types: [POST]) { nodes { id } } } }"
    assert {"id": hot} in (await crowd[0].run(query, t=token))["viewer"]["changes"]["nodes"]


async def test_deltas_of_counters_that_are_unknown_here_do_not_keep_others_waiting(
    crowd: list[Phone], services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer version's, which runs beside this one: a fold takes a bounded number of the oldest."""
    monkeypatch.setattr(folding, "LEFT_BATCH", 3)
    hot, long_ago = await post(crowd[0]), clock.now() - timedelta(hours=1)
    foreign = [
        {"_id": f"foreign|{number}", "counter": "newer_things", "subject_id": hot, "moved": []}
        | {"aspect": None, "initial": None, "created_at": long_ago}
        for number in range(3)
    ]
    await services.db.write({"insert": deltas.name, "documents": foreign})
    ctx = Context(services)

    async def count() -> None:
        several(services, POSTS.key(hot))
        await ctx.tx.count(POSTS, hot, {"comment_count": 1})
        ctx.tx.deltas.clear()

    await ctx.unit(count)
    clock.shift(timedelta(seconds=10))
    assert await services.counters.fold_left() == 1
    assert (await crowd[0].run(POST, id=hot))["post"]["commentCount"] == 1
    ours = {"q": {"counter": "newer_things"}, "limit": 0}
    assert (await services.db.write({"delete": deltas.name, "deletes": [ours]}))["n"] == 3


async def test_two_processes_that_fold_at_once_add_each_delta_once(
    crowd: list[Phone], services: Services, elsewhere: tuple[Services, str]
) -> None:
    hot = await post(crowd[0])
    ctx = Context(services)

    async def count() -> None:
        several(services, POSTS.key(hot))
        for _ in range(20):
            await ctx.tx.count(POSTS, hot, {"comment_count": 1})
        ctx.tx.deltas.clear()

    for _ in range(5):
        await ctx.unit(count)
        name = (store.posts.name, hot)
        await asyncio.gather(*(each.counters.fold({name: []}) for each in (services, elsewhere[0]) * 3))
    assert (await crowd[0].run(POST, id=hot))["post"]["commentCount"] == 100


async def test_what_waits_to_be_folded_is_not_put_right(crowd: list[Phone], services: Services) -> None:
    hot = await post(crowd[0])
    said = await comment(crowd[1], hot, "Counted")
    ctx = Context(services)

    async def write() -> None:
        # As if a second comment waited: it is there, and not yet in the post's count.
        row = await store.comments.by_id(ctx.db, said)
        assert row is not None
        second: dict[str, Any] = {**row, "_id": said[:-1] + ("0" if said[-1] != "0" else "1")}
        ctx.tx.skip_log(await ctx.tx.insert(store.comments, second))
        several(services, POSTS.key(hot))
        await ctx.tx.count(POSTS, hot, {"comment_count": 1})
        ctx.tx.deltas.clear()

    await ctx.unit(write)
    await reconcile(services)
    await services.counters.fold({(store.posts.name, hot): []})
    assert (await crowd[0].run(POST, id=hot))["post"]["commentCount"] == 2


async def test_a_comment_beside_the_deletion_of_its_post_is_erased(
    crowd: list[Phone], services: Services
) -> None:
    """A delta conflicts with nothing: whoever wrote beside the deletion is found by the fold."""
    hot = await post(crowd[0])
    several(services, POSTS.key(hot))
    ctx = Context(services)

    async def say() -> None:
        await ctx.tx.count(POSTS, hot, {"comment_count": 1})
        await crowd[0].do("deletePost", "deletedPostId", postId=hot)

    await ctx.unit(say)
    tasks = await services.db.find("jobs", {"arguments.post_id": hot, "task": "feed.erase_comments"})
    assert len(tasks) == 2, "one of the deletion, one of the fold"
    await folded(services)


async def test_a_comment_that_is_replied_to_while_it_goes_stays_as_a_stub(
    crowd: list[Phone], services: Services
) -> None:
    hot = await post(crowd[0])
    top = await comment(crowd[1], hot, "Soon gone")
    several(services, COMMENTS.key(top))
    ctx = Context(services)

    async def reply() -> None:
        await ctx.tx.count(COMMENTS, top, {"reply_count": 1, "weight": 1})
        await crowd[1].do("deleteComment", "deletedCommentId", commentId=top)

    await ctx.unit(reply)
    [stub] = await services.db.find("comments", {"_id": top})
    assert (stub["reply_count"], stub["author_id"]) == (1, None)
    assert not {"gone", "purge_at"} & stub.keys()
    # And it goes with that reply, although this too is a delta.
    several(services, COMMENTS.key(top))

    async def take_back() -> None:
        await ctx.tx.count(COMMENTS, top, {"reply_count": -1, "weight": -1})

    await ctx.unit(take_back)
    [stub] = await services.db.find("comments", {"_id": top})
    assert (stub["reply_count"], stub["gone"]) == (0, True)


async def test_who_joins_a_group_while_it_goes_is_in_none(crowd: list[Phone], services: Services) -> None:
    made = await crowd[0].do("createGroup", "group { id }", name="Short", privacy="OPEN")
    id = made["group"]["id"]
    several(services, GROUPS.key(id))
    ctx = Context(services)

    async def join() -> None:
        row = {"_id": store.pair(id, crowd[1].user_id), "group_id": id, "user_id": crowd[1].user_id}
        await ctx.tx.insert(store.members, {**row, "role": "MEMBER", "created_at": clock.now()})
        await ctx.tx.count(GROUPS, id, {"member_count": 1}, aspect=None)
        await crowd[0].do("leaveGroup", "viewer { id }", groupId=id)

    await ctx.unit(join)
    assert await services.db.find("group_members", {"group_id": id}) == []


async def test_nobody_follows_whom_they_block_at_that_moment(crowd: list[Phone], services: Services) -> None:
    """The two conflict whatever becomes of the counters."""
    for one, other in zip(crowd[:20:2], crowd[1:20:2], strict=True):
        several(services, PEOPLE.key(one.user_id), PEOPLE.key(other.user_id))
        await asyncio.gather(
            one.do("blockUser", "viewer { id }", userId=other.user_id),
            other.do("followUser", "viewer { id }", userId=one.user_id),
            one.do("followUser", "viewer { id }", userId=other.user_id),
        )
        pair = {"$in": [one.user_id, other.user_id]}
        assert await services.db.find("follows", {"follower_id": pair, "followee_id": pair}) == []
        await one.do("unblockUser", "viewer { id }", userId=other.user_id)


async def test_two_who_follow_each_other_at_one_moment_are_friends(
    crowd: list[Phone], services: Services
) -> None:
    for one, other in zip(crowd[20:40:2], crowd[21:40:2], strict=True):
        several(services, PEOPLE.key(one.user_id), PEOPLE.key(other.user_id))
        await asyncio.gather(befriend(one, other), befriend(other, one))
        pair = {"$in": [one.user_id, other.user_id]}
        edges = await services.db.find("follows", {"follower_id": pair, "followee_id": pair})
        assert [edge["mutual"] for edge in edges] == [True, True]


async def test_reports_of_one_size_are_all_counted(
    services: Services, elsewhere: tuple[Services, str]
) -> None:
    """The document they are counted in is made by whoever is first."""

    async def report(services: Services) -> None:
        ctx = Context(services)
        await ctx.unit(lambda: report_servings(ctx.tx, "product_hot", 57))

    await asyncio.gather(*(report(each) for each in (services, elsewhere[0]) * (MANY // 2)))
    [row] = await services.db.find(SERVINGS_SAID.store.name, {"product_id": "product_hot"})
    assert (row["servings"], row["count"]) == (57, MANY)
