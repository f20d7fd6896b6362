"""Visibility of posts: one access guard, and a hidden post looks like one that does not exist."""

from dataclasses import dataclass

import pytest

from core import ids
from core.context import Services
from tests.conftest import NewPhone
from tests.feed.steps import befriend, comment, feed_of, follow, insert_posts, publish, refusal
from tests.phone import Phone, key

AUDIENCES = {
    "PUBLIC": {"author", "friend", "follower", "followed", "stranger", "anonymous"},
    "FRIENDS": {"author", "friend"},
    "PRIVATE": {"author"},
}
POST = "query($id: ID!) { post(id: $id) { id } }"
NODE = "query($id: ID!) { node(id: $id) { id } }"
TIMELINE = "query($id: ID!) { user(id: $id) { posts { edges { node { id } } } } }"


@dataclass
class Circle:
    """An author, and people who stand to the author in every possible way."""

    author: Phone
    friend: Phone
    follower: Phone
    followed: Phone
    stranger: Phone
    blocked: Phone
    blocker: Phone
    anonymous: Phone

    async def sees(self, who: str, id: str) -> bool:
        answer = await getattr(self, who).ask(POST, id=id)
        if answer.body["data"] == {"post": {"id": id}}:
            return True
        assert (answer.status, answer.body) == (200, {"data": {"post": None}})
        return False


@pytest.fixture
async def circle(new_phone: NewPhone, anonymous: Phone) -> Circle:
    names = ("author", "friend", "follower", "followed", "stranger", "blocked", "blocker")
    phones = {name: await new_phone(name.title()) for name in names}
    circle = Circle(**phones, anonymous=anonymous)
    await befriend(circle.author, circle.friend)
    await follow(circle.follower, circle.author)
    await follow(circle.author, circle.followed)
    for one, other in ((circle.author, circle.blocked), (circle.blocker, circle.author)):
        done = await one.do("blockUser", "removedUserId", userId=other.user_id)
        assert done["errors"] == []
    return circle


@pytest.mark.parametrize("visibility", AUDIENCES)
async def test_a_post_is_seen_by_its_audience_alone(circle: Circle, visibility: str) -> None:
    id = await publish(circle.author, visibility=visibility)
    seeing = {who for who in vars(circle) if await circle.sees(who, id)}
    assert seeing == AUDIENCES[visibility]


@pytest.mark.parametrize("visibility", AUDIENCES)
async def test_every_way_to_a_post_has_the_same_door(circle: Circle, visibility: str) -> None:
    id = await publish(circle.author, visibility=visibility)
    said = await comment(circle.author, id)
    for who in vars(circle):
        phone: Phone = getattr(circle, who)
        seeing = who in AUDIENCES[visibility]
        for each in (id, said):
            assert await phone.run(NODE, id=each) == {"node": {"id": each} if seeing else None}
        answer = await phone.ask(TIMELINE, id=circle.author.user_id)
        if who in ("blocked", "blocker"):
            assert answer.data == {"user": None}
        else:
            listed = [edge["node"]["id"] for edge in answer.data["user"]["posts"]["edges"]]
            assert listed == ([id] if seeing else [])
        if phone.token:
            assert (id in await feed_of(phone)) == seeing


async def test_a_post_that_never_was_is_answered_like_a_hidden_one(circle: Circle) -> None:
    hidden = await publish(circle.author, visibility="PRIVATE")
    answers = [await circle.stranger.ask(POST, id=id) for id in (hidden, ids.new_id("post"))]
    assert answers[0].body == answers[1].body == {"data": {"post": None}}


async def test_refusals_do_not_tell_hidden_from_missing(circle: Circle) -> None:
    hidden = await publish(circle.author, visibility="FRIENDS")
    missing = ids.new_id("post")
    for verb, name, more in (
        ("createComment", "postId", {"text": "Well"}),
        ("setReaction", "subjectId", {"kind": "LIKE"}),
        ("updatePost", "postId", {"text": "Mine now"}),
        ("deletePost", "postId", {}),
    ):
        once = key()
        answers = [
            await circle.stranger.do(verb, "", **{name: id}, **more, idempotencyKey=f"{once}{index}")
            for index, id in enumerate((hidden, missing))
        ]
        assert answers[0]["errors"] == answers[1]["errors"]
        assert [error["code"] for error in answers[0]["errors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("state", ["PROCESSING", "REMOVED"])
async def test_a_post_that_is_not_shown_is_its_author_s(
    circle: Circle, services: Services, state: str
) -> None:
    [id] = await insert_posts(services, circle.author.user_id, [None], state=state)
    assert {who for who in vars(circle) if await circle.sees(who, id)} == {"author"}
    assert id not in await feed_of(circle.friend)


async def test_a_limited_post_is_shown_but_not_suggested(circle: Circle, services: Services) -> None:
    [id] = await insert_posts(services, circle.author.user_id, [None], state="LIMITED")
    assert {who for who in vars(circle) if await circle.sees(who, id)} == AUDIENCES["PUBLIC"]
    assert id in await feed_of(circle.follower)
    assert id not in await feed_of(circle.stranger)


async def test_one_s_comment_outlives_the_sight_of_its_post(circle: Circle) -> None:
    id = await publish(circle.author)
    said = await comment(circle.stranger, id, "I was here")
    await circle.author.do("updatePost", "post { id }", postId=id, visibility="PRIVATE")
    query = "query($id: ID!) { node(id: $id) { ... on Comment { text post { id } } } }"
    assert await circle.stranger.run(query, id=said) == {"node": {"text": "I was here", "post": None}}
    assert await circle.follower.run(query, id=said) == {"node": None}
    edited = await circle.stranger.do("updateComment", "comment { text }", commentId=said, text="I was")
    assert edited["errors"] == []
    gone = await circle.stranger.do("setReaction", "subject { __typename }", subjectId=id, kind="LIKE")
    assert gone["errors"] == [refusal("NOT_FOUND", "It is gone, or hidden from you.")]


async def test_friendship_opens_and_closes_the_door(circle: Circle) -> None:
    id = await publish(circle.author, visibility="FRIENDS")
    assert not await circle.sees("follower", id)
    await follow(circle.author, circle.follower)
    assert await circle.sees("follower", id)
    await circle.author.do("unfollowUser", "user { id }", userId=circle.follower.user_id)
    assert not await circle.sees("follower", id)


async def test_nobody_but_the_viewer_sees_the_viewer_s_follows(circle: Circle) -> None:
    made = await circle.stranger.do("followUser", "follow { id }", userId=circle.author.user_id)
    id = made["follow"]["id"]
    assert await circle.stranger.run(NODE, id=id) == {"node": {"id": id}}
    for phone in (circle.author, circle.anonymous):
        assert await phone.run(NODE, id=id) == {"node": None}


async def test_follow_lists_are_for_the_signed_in_and_leave_out_the_blocked(circle: Circle) -> None:
    query = "query($id: ID!) { user(id: $id) { followers { edges { node { id } } } } }"
    answer = await circle.anonymous.ask(query, id=circle.author.user_id)
    assert answer.errors[0]["path"] == ["user", "followers"]
    assert answer.errors[0]["extensions"] == {"code": "UNAUTHENTICATED", "reason": "NO_TOKEN"}
    await circle.stranger.do("blockUser", "removedUserId", userId=circle.follower.user_id)
    found = await circle.stranger.run(query, id=circle.author.user_id)
    listed = [edge["node"]["id"] for edge in found["user"]["followers"]["edges"]]
    assert listed == [circle.friend.user_id]


async def test_rights_are_told(circle: Circle) -> None:
    id = await publish(circle.author)
    query = "query($id: ID!) { post(id: $id) { viewerCan { edit delete comment share pin } } }"
    mine = dict.fromkeys(("edit", "delete", "comment", "share", "pin"), True)
    theirs = {**mine, "edit": False, "delete": False, "pin": False}
    nothing = dict.fromkeys(mine, False)
    expected = ((circle.author, mine), (circle.stranger, theirs), (circle.anonymous, nothing))
    for phone, rights in expected:
        assert (await phone.run(query, id=id))["post"]["viewerCan"] == rights
