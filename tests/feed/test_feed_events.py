"""`feedEvents` and push messages, merged bursts, and typing indicators."""

from typing import Any

import pytest

from core import ids, jobs
from core.context import Services
from providers import outbox
from providers.outbox import Outbox
from resolvers.feed import typing_indicator
from subscriptions import feed as live
from tests.conftest import NewPhone
from tests.feed.steps import befriend, comment, follow, publish
from tests.feed.test_home import delta
from tests.feed.test_post_events import WATCH, until
from tests.phone import Failed, Phone, Stream

FEED = """subscription($after: String) { feedEvents(after: $after) {
  __typename
  ... on Event { eventId occurredAt }
  ... on FeedUpdated { newPostCount newerToken }
  ... on CommentReceived { kind post { id } comment { id text } }
  ... on ViewerMentioned { post { id } said: comment { id } }
  ... on ViewerFollowed { user { id } }
} }"""


async def event(stream: Stream, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await stream.next(**options))["feedEvents"]
    assert found["eventId"]
    assert found["occurredAt"].endswith("Z")
    return found


async def of_kind(stream: Stream, kind: str) -> dict[str, Any]:
    while (found := await event(stream))["__typename"] != kind:
        continue
    return found


async def test_what_concerns_a_person(new_phone: NewPhone) -> None:
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    post = await publish(ada)
    mine = await comment(ada, post, "Mine")
    async with ada.watch(FEED) as stream:
        await follow(grace, ada)
        assert (await event(stream))["user"] == {"id": grace.user_id}
        said = await comment(grace, post, "On your post")
        found = await of_kind(stream, "CommentReceived")
        assert (found["kind"], found["post"]) == ("POST", {"id": post})
        assert found["comment"] == {"id": said, "text": "On your post"}
        reply = await comment(alan, post, "To you", parentId=mine)
        found = await of_kind(stream, "CommentReceived")
        assert (found["kind"], found["comment"]) == ("REPLY", {"id": reply, "text": "To you"})
        naming = await publish(grace, "Ada!", mentions=[ada.user_id])
        assert (await of_kind(stream, "ViewerMentioned")) | {"eventId": "", "occurredAt": ""} == {
            "__typename": "ViewerMentioned",
            "eventId": "",
            "occurredAt": "",
            "post": {"id": naming},
            "said": None,
        }
        await follow(ada, alan)
        assert (await of_kind(stream, "FeedReset"))["__typename"] == "FeedReset"


async def test_one_s_own_doing_and_what_is_hidden_is_no_news(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    async with ada.watch(FEED) as stream:
        await comment(ada, post, "To myself")
        private = await publish(grace, "Ada?", visibility="PRIVATE", mentions=[ada.user_id])
        assert private
        await publish(grace, "Ada!", visibility="PUBLIC", mentions=[ada.user_id])
        found = await event(stream)
        assert (found["__typename"], found["post"]["id"] == private) == ("ViewerMentioned", False)


async def test_a_resumed_stream_has_what_was_missed(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    async with ada.watch(FEED) as stream:
        await comment(grace, post, "Before")
        last = await of_kind(stream, "CommentReceived")
    missed = await comment(grace, post, "Meanwhile")
    async with ada.watch(FEED, after=last["eventId"]) as stream:
        while (found := await of_kind(stream, "CommentReceived"))["comment"]["id"] != missed:
            assert found["eventId"] == last["eventId"]


async def test_it_is_for_the_signed_in(anonymous: Phone) -> None:
    async with anonymous.watch(FEED) as stream:
        with pytest.raises(Failed) as failed:
            await stream.next()
    assert failed.value.errors[0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.usefixtures("no_posts")
async def test_a_feed_says_that_it_has_something_new(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "NEWS_SECONDS", 0.3)
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    async with ada.watch(FEED) as stream:
        posts = [await publish(grace, f"{n}") for n in range(2)]
        await jobs.run_due(services)
        count = 0
        while count < 2:
            found = await of_kind(stream, "FeedUpdated")
            count += found["newPostCount"]
        assert count == 2
        news = await delta(ada, found["newerToken"])
        assert news["reset"] is True
        assert {edge["node"]["id"] for edge in news["newEdges"]} == set(posts)
        assert await stream.nothing(seconds=0.7)


@pytest.mark.usefixtures("no_posts")
@pytest.mark.parametrize("by", ["ada", "edith"])
async def test_something_new_of_a_blocked_author_is_not_counted(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Of a group that goes on although two of its members hide from each other."""
    monkeypatch.setattr(live, "NEWS_SECONDS", 0.3)
    ada, grace, edith = [await new_phone(name) for name in ("Ada", "Grace", "Edith")]
    made = await grace.do("createGroup", "group { id }", name="Circle", privacy="OPEN")
    group = {"visibility": "GROUP", "groupId": made["group"]["id"]}
    for member in (ada, edith):
        assert (await member.do("joinGroup", "group { id }", groupId=group["groupId"]))["errors"] == []
    one, other = (ada, edith) if by == "ada" else (edith, ada)
    assert (await one.do("blockUser", "removedUserId", userId=other.user_id))["errors"] == []
    await jobs.run_due(services)
    async with ada.watch(FEED) as stream:
        await publish(edith, "Hidden", **group)
        seen = await publish(grace, "Seen", **group)
        await jobs.run_due(services)
        found = await of_kind(stream, "FeedUpdated")
        assert found["newPostCount"] == 1
        news = await delta(ada, found["newerToken"])
        assert [edge["node"]["id"] for edge in news["newEdges"]] == [seen]
        assert await stream.nothing(seconds=0.7)


async def test_a_burst_of_reactions_is_merged(new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most one event in two seconds for each post: the first at once, then the total."""
    monkeypatch.setattr(live, "MERGED_SECONDS", 0.8)
    ada = await new_phone("Ada")
    fans = [await new_phone("Fan") for _ in range(5)]
    post = await publish(ada)
    async with ada.watch(WATCH, id=post) as stream:
        for fan in fans:
            await fan.do("setReaction", "subject { __typename }", subjectId=post, kind="LIKE")
        totals = []
        while not totals or totals[-1] < 5:
            subject = (await until(stream, "ReactionsUpdated"))["subject"]
            totals.append(subject["reactionSummary"]["count"])
        assert len(totals) < 5
        assert await stream.nothing(seconds=1.0)


async def test_who_is_writing_is_counted(new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing_indicator, "TYPING_SECONDS", 0.4)
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    post = await publish(ada)
    typing = "... on PostTypingChanged { typingCount }"
    watch = WATCH.replace("... on PostDeleted", f"{typing}\n  ... on PostDeleted")
    async with ada.watch(watch, id=post) as stream:
        done = await grace.do("setCommentTyping", "replayed", postId=post, typing=True)
        assert done["errors"] == []
        assert (await until(stream, "PostTypingChanged"))["typingCount"] == 1
        await ada.do("setCommentTyping", "replayed", postId=post, typing=True)
        await alan.do("setCommentTyping", "replayed", postId=post, typing=True)
        counts = [(await until(stream, "PostTypingChanged"))["typingCount"]]
        while counts[-1]:
            counts.append((await until(stream, "PostTypingChanged"))["typingCount"])
        assert max(counts) <= 2
    refused = await grace.do("setCommentTyping", "replayed", postId=ids.new_id("post"), typing=True)
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]


async def pushes(services: Services) -> list[tuple[str, str]]:
    """Push messages that were sent: the device's token and the text."""
    letters = await services.get(Outbox).letters()
    return sorted((each["to"], each["subject"]) for each in letters if each["channel"] == "push")


async def test_pushes_for_who_is_away(new_phone: NewPhone, services: Services) -> None:
    await jobs.run_due(services)
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    for phone, token in ((ada, "ada's phone"), (grace, "grace's phone"), (alan, "alan's phone")):
        await phone.do("setPushToken", "device { id }", deviceId=phone.device_id, token=token)
    await befriend(ada, grace)
    await grace.do("followUser", "follow { notify }", userId=ada.user_id, notify=True)
    await services.redis.delete(outbox.KEY)
    post = await publish(ada, "News")
    said = await comment(grace, post, "Nice")
    await comment(alan, post, "Indeed", parentId=said)
    await publish(alan, "Ada!", mentions=[ada.user_id])
    await jobs.run_due(services)
    assert await pushes(services) == [
        ("ada's phone", "Alan commented on your post"),
        ("ada's phone", "Alan mentioned you"),
        ("ada's phone", "Grace commented on your post"),
        ("grace's phone", "Ada posted something"),
        ("grace's phone", "Alan replied to you"),
    ]
    await services.redis.delete(outbox.KEY)
    await ada.do("blockUser", "removedUserId", userId=grace.user_id)
    await comment(alan, post, "Grace?", mentions=[grace.user_id])
    await jobs.run_due(services)
    assert await pushes(services) == [("ada's phone", "Alan commented on your post")]
