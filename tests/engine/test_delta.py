"""Delta sync: `viewer.changes` for a phone that comes back, with every synced type."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from core.ids import sibling
from core.sync import changes
from core.sync.changes import user_scope
from core.sync.log_offset import LogOffset, Progress
from stores import feed as store
from tests.conftest import NewPhone
from tests.engine.steps import befriend, post
from tests.engine.sync_documents import CHANGES
from tests.phone import Answer, Phone, deleted_ids


@dataclass
class Device:
    """A phone with what it has synchronised."""

    phone: Phone
    types: list[str] | None = None
    token: str | None = None
    nodes: dict[str, Any] = field(default_factory=dict)

    async def ask(self, **variables: Any) -> Answer:
        return await self.phone.ask(CHANGES, **{"since": self.token, "types": self.types, **variables})

    async def sync(self, *, first: int = 200) -> dict[str, Any]:
        """One page, taken over."""
        page: dict[str, Any] = (await self.ask(first=first)).data["viewer"]["changes"]
        self.nodes |= {node["id"]: node for node in page["nodes"]}
        for id in deleted_ids(page):
            self.nodes.pop(id, None)
        self.token = page["token"]
        return page

    async def news(self) -> tuple[set[str], set[str]]:
        """Changed and deleted ids of the next page, which must be the last."""
        page = await self.sync()
        assert (page["hasMore"], page["reset"]) == (False, False)
        return {node["id"] for node in page["nodes"]}, set(deleted_ids(page))


async def device_of(phone: Phone, *types: str) -> Device:
    """A device that is up to date."""
    device = Device(phone, list(types) or None)
    await device.sync()
    return device


async def test_first_sync_in_pages(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    posts = [await post(ada, "PRIVATE") for _ in range(3)] + [await post(grace) for _ in range(3)]
    hidden = [await post(grace, "FRIENDS"), await post(grace, "PRIVATE")]
    comment = await ada.do("createComment", "comment { id }", postId=posts[3], text="Nice")
    device, pages = Device(ada), 0
    while True:
        page = await device.sync(first=2)
        pages += 1
        assert len(page["nodes"]) + len(deleted_ids(page)) <= 2
        assert page["reset"] is False
        if not page["hasMore"]:
            break
    kinds = {id: node["__typename"] for id, node in device.nodes.items()}
    [follow] = [id for id, kind in kinds.items() if kind == "Follow"]
    assert kinds == {
        ada.user_id: "User",
        grace.user_id: "User",
        sibling(ada.user_id, "account"): "Account",
        ada.session_id: "Session",
        follow: "Follow",
        **dict.fromkeys(posts, "Post"),
        comment["comment"]["id"]: "Comment",
    }
    assert not set(hidden) & set(kinds)
    assert pages >= 5
    whole = await device_of(ada)
    assert whole.nodes == device.nodes


async def test_nothing_new_is_an_empty_page(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await post(ada)
    device = await device_of(ada)
    for _ in range(3):
        page = await device.sync()
        assert {name: value for name, value in page.items() if name != "token"} == {
            "nodes": [],
            "deleted": [],
            "hasMore": False,
            "reset": False,
        }


async def test_user_self(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    device, other = await device_of(ada, "USER"), await device_of(grace, "USER")
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    # Whom one follows is part of what one syncs.
    assert await device.news() == ({ada.user_id, grace.user_id}, set())
    assert device.nodes[ada.user_id]["followingCount"] == 1
    assert device.nodes[grace.user_id]["followerCount"] == 1
    assert await other.news() == ({grace.user_id}, set())
    assert other.nodes[grace.user_id]["followerCount"] == 1


async def test_session(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    device = await device_of(ada, "SESSION")
    tablet = await new_phone(user_id=ada.user_id)
    assert await device.news() == ({tablet.session_id}, set())
    await ada.do("revokeSession", "session { status }", sessionId=tablet.session_id)
    assert await device.news() == ({tablet.session_id}, set())
    assert device.nodes[tablet.session_id]["sessionStatus"] == "ENDED"


async def test_post(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await grace.do("followUser", "viewer { id }", userId=ada.user_id)
    device = await device_of(grace, "POST")
    id = await post(ada)
    assert await device.news() == ({id}, set())
    await ada.do("updatePost", "post { id }", postId=id, text="Better")
    assert await device.news() == ({id}, set())
    assert (device.nodes[id]["text"], device.nodes[id]["version"]) == ("Better", 2)
    await grace.do("setReaction", "subject { __typename }", subjectId=id, kind="LOVE")
    assert await device.news() == ({id}, set())
    assert device.nodes[id]["reactionSummary"]["viewerReaction"] == "LOVE"
    await grace.do("createComment", "comment { id }", postId=id, text="Yes")
    assert await device.news() == ({id}, set())
    assert device.nodes[id]["commentCount"] == 1
    await ada.do("deletePost", "deletedPostId", postId=id)
    assert await device.news() == (set(), {id})
    assert device.nodes == {}


async def test_comment(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post_id = await post(ada)
    device, other = await device_of(grace, "COMMENT"), await device_of(ada, "COMMENT")
    wrote = await grace.do("createComment", "comment { id }", postId=post_id, text="One")
    id = wrote["comment"]["id"]
    assert await device.news() == ({id}, set())
    await grace.do("updateComment", "comment { id }", commentId=id, text="Two")
    await ada.do("createComment", "comment { id }", postId=post_id, parentId=id, text="Three")
    assert await device.news() == ({id}, set())
    assert (device.nodes[id]["text"], device.nodes[id]["replyCount"]) == ("Two", 1)
    # Comments of others are read with their post; one's own are kept.
    assert id not in (await other.news())[0]
    await ada.do("deletePost", "deletedPostId", postId=post_id)
    await jobs.run_due(services)
    assert await device.news() == (set(), {id})


async def test_follow(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    device, other = await device_of(ada, "FOLLOW"), await device_of(grace, "FOLLOW")
    follow = await ada.do("followUser", "follow { id }", userId=grace.user_id)
    id = follow["follow"]["id"]
    assert await device.news() == ({id}, set())
    await ada.do("muteUser", "follow { id }", userId=grace.user_id)
    assert await device.news() == ({id}, set())
    assert device.nodes[id]["followStatus"] == "MUTED"
    await ada.do("unfollowUser", "deletedFollowId", userId=grace.user_id)
    assert await device.news() == (set(), {id})
    assert await other.news() == (set(), set())


async def test_an_audience_that_narrows(new_phone: NewPhone) -> None:
    ada, friend, fan = await new_phone("Ada"), await new_phone("Friend"), await new_phone("Fan")
    await befriend(ada, friend)
    await fan.do("followUser", "viewer { id }", userId=ada.user_id)
    id = await post(ada)
    close, far = await device_of(friend, "POST"), await device_of(fan, "POST")
    assert id in close.nodes
    assert id in far.nodes
    await ada.do("updatePost", "post { id }", postId=id, visibility="FRIENDS")
    assert await close.news() == ({id}, set())
    assert await far.news() == (set(), {id})
    await ada.do("updatePost", "post { id }", postId=id, visibility="PRIVATE")
    assert await close.news() == (set(), {id})
    await ada.do("updatePost", "post { id }", postId=id, visibility="PUBLIC")
    assert await close.news() == ({id}, set())
    assert await far.news() == ({id}, set())


@pytest.mark.parametrize("blocker", ["author", "reader"])
async def test_a_block_takes_posts_away(new_phone: NewPhone, blocker: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    posts = {await post(ada), await post(ada, "FRIENDS")}
    device = await device_of(grace, "POST")
    assert set(device.nodes) == posts
    one, other = (ada, grace) if blocker == "author" else (grace, ada)
    await one.do("blockUser", "removedUserId", userId=other.user_id)
    assert await device.news() == (set(), posts)
    # Unblocking gives nothing back: the following has ended.
    await one.do("unblockUser", "viewer { id }", userId=other.user_id)
    assert await device.news() == (set(), set())


async def test_unfollowing_takes_posts_away(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    public, friends = await post(ada), await post(ada, "FRIENDS")
    device = await device_of(grace, "POST")
    await ada.do("unfollowUser", "viewer { id }", userId=grace.user_id)
    # Friends no longer, but a follower still.
    assert await device.news() == (set(), {friends})
    await grace.do("unfollowUser", "viewer { id }", userId=ada.user_id)
    assert await device.news() == (set(), {public})


async def test_following_and_friendship_bring_old_posts(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    public = {await post(ada) for _ in range(5)}
    friends = {await post(ada, "FRIENDS") for _ in range(5)}
    await post(ada, "PRIVATE")
    device = await device_of(grace, "POST")
    await grace.do("followUser", "viewer { id }", userId=ada.user_id)
    assert await device.news() == (public, set())
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    assert await device.news() == (friends, set())


async def test_what_is_granted_during_a_paged_first_sync(new_phone: NewPhone) -> None:
    """The following begins between two pages: older posts lie before the place the device has come to."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    old = {await post(ada) for _ in range(3)}
    own = {await post(grace) for _ in range(4)}
    device = Device(grace, ["POST"])
    page = await device.sync(first=2)
    assert page["hasMore"] is True
    await grace.do("followUser", "viewer { id }", userId=ada.user_id)
    while page["hasMore"]:
        page = await device.sync(first=2)
    assert set(device.nodes) == own | old


async def test_a_counter_that_moves_during_a_paged_first_sync(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    posts = [await post(ada) for _ in range(4)]
    device = Device(ada, ["POST"])
    page = await device.sync(first=2)
    await ada.do("createComment", "comment { id }", postId=posts[0], text="One")
    while page["hasMore"]:
        page = await device.sync(first=2)
    assert device.nodes[posts[0]]["commentCount"] == 1


async def test_what_goes_during_a_paged_first_sync_goes_by_its_end(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    posts = [await post(ada) for _ in range(4)]
    device = Device(ada, ["POST"])
    page = await device.sync(first=2)
    assert posts[0] in device.nodes
    await ada.do("deletePost", "deletedPostId", postId=posts[0])
    while page["hasMore"]:
        page = await device.sync(first=2)
    assert set(device.nodes) == set(posts[1:])


async def test_a_grant_that_is_taken_back_between_its_pages(new_phone: NewPhone) -> None:
    """The place within one grant must not be taken for a place within the next."""
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    kept = {await post(hedy) for _ in range(4)}
    for _ in range(4):
        await post(grace)
    device = await device_of(ada, "POST")
    await ada.do("followUser", "viewer { id }", userId=grace.user_id)
    await ada.do("followUser", "viewer { id }", userId=hedy.user_id)
    page = await device.sync(first=2)
    await ada.do("unfollowUser", "viewer { id }", userId=grace.user_id)
    while page["hasMore"]:
        page = await device.sync(first=2)
    assert set(device.nodes) == kept


async def test_only_the_types_asked_for(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    device = await device_of(ada, "POST", "COMMENT")
    assert device.nodes == {}
    id = await post(ada)
    wrote = await ada.do("createComment", "comment { id }", postId=id, text="One")
    assert await device.news() == ({id, wrote["comment"]["id"]}, set())
    # The order of the types does not matter, another choice starts over.
    device.types = ["COMMENT", "POST"]
    assert await device.news() == (set(), set())
    device.types = ["POST"]
    page = await device.sync()
    assert (page["reset"], [node["id"] for node in page["nodes"]]) == (True, [id])


def own(phone: Phone) -> set[str]:
    """Ids of what everybody syncs of themselves."""
    return {phone.user_id, sibling(phone.user_id, "account"), phone.session_id}


async def test_the_token_of_another_person_starts_over(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    token = (await device_of(ada)).token
    device = Device(grace, token=token)
    page = await device.sync()
    assert page["reset"] is True
    assert {node["id"] for node in page["nodes"]} == own(grace)


async def test_a_token_older_than_tombstones_starts_over(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    now = await changes.database_time(services.db)

    def token(age: timedelta) -> str:
        return services.signer.token(Progress(ada.user_id, since=now - age))

    fresh = Device(ada, token=token(changes.KEPT - timedelta(minutes=1)))
    assert (await fresh.sync())["reset"] is False
    old = Device(ada, token=token(changes.KEPT + timedelta(minutes=1)))
    page = await old.sync()
    assert page["reset"] is True
    assert {node["id"] for node in page["nodes"]} == own(ada)


@pytest.mark.parametrize("kind", ["garbled", "forged", "cut", "an event id", "not base64"])
async def test_a_token_that_is_not_ours(new_phone: NewPhone, services: Services, kind: str) -> None:
    ada = await new_phone("Ada")
    good = (await device_of(ada)).token or ""
    forged = services.signer._sign(["sync", "x"])
    bad = {
        "garbled": good[:-6] + ("A" if good[-6] != "A" else "B") + good[-5:],
        "forged": forged,
        "cut": good[: len(good) // 2],
        "an event id": services.signer.event_id(LogOffset(clock.now(), "x")),
        "not base64": "ünot a token!",
    }[kind]
    answer = await Device(ada, token=bad).ask()
    assert answer.code == "BAD_USER_INPUT"
    assert [error["path"] for error in answer.errors] == [["viewer", "changes"]]


@pytest.mark.parametrize("first", [0, -1, 1_001])
async def test_a_page_of_a_size_that_is_not_allowed(new_phone: NewPhone, first: int) -> None:
    answer = await Device(await new_phone("Ada")).ask(first=first)
    assert answer.code == "BAD_USER_INPUT"


async def test_a_late_commit_is_not_skipped(new_phone: NewPhone, services: Services) -> None:
    """Its entry has an earlier time than others that a reader has passed when it appears."""
    ada = await new_phone("Ada")
    device = await device_of(ada, "POST")
    ctx, release, written = Context(services), asyncio.Event(), asyncio.Event()
    late, early = ids.new_id("post"), ids.new_id("post")

    async def slowly() -> None:
        document = await ctx.tx.insert(store.posts, _document(late, ada.user_id))
        ctx.tx.changed(document, scopes=[user_scope(ada.user_id)], created=True)
        await ctx.tx.flush()
        # Else it is written once more, with a later time, at the end.
        ctx.tx._changes.clear()
        written.set()
        await release.wait()

    writing = asyncio.create_task(ctx.unit(slowly))
    await written.wait()
    await asyncio.sleep(0.01)
    await ada.do("createPost", "post { id }", id=early, text="Overtakes")
    assert await device.news() == ({early}, set())
    assert await device.news() == (set(), set())
    release.set()
    await writing
    assert await device.news() == ({late}, set())
    assert await device.news() == (set(), set())


def _document(id: str, author_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "_id": id,
        "author_id": author_id,
        "text": "Late",
        "media_ids": [],
        "visibility": "PRIVATE",
        "state": "PUBLISHED",
        "pinned": False,
        "comment_count": 0,
        "share_count": 0,
        "reactions": {},
        "edited_at": None,
        **fields,
    }
