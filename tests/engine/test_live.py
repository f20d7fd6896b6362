"""Live streams: a client that reconnects misses nothing, whatever was lost on the way."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from core.context import Context, Services
from core.sync import changes, listeners, live
from core.sync.changes import user_scope
from core.sync.log_offset import LogOffset, Progress
from jobs import feed as feed_jobs
from stores import feed as store
from stores.feed.scopes import post_scope
from tests.conftest import NewPhone
from tests.engine.steps import befriend, comment, post
from tests.engine.streams import POST_EVENTS, TRANSPORTS, opened
from tests.engine.sync_documents import EVENTS
from tests.phone import Failed, Phone, Socket, key


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_stream_resumes_without_loss(new_phone: NewPhone, transport: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await post(ada)
    async with opened(grace, transport, POST_EVENTS, id=id) as stream:
        await comment(ada, id, "Heard")
        first = (await stream.next())["postEvents"]
    assert (first["__typename"], first["commentEdge"]["node"]["text"]) == ("CommentCreated", "Heard")
    missed = {await comment(ada, id, f"Missed {number}") for number in range(3)}
    await ada.do("setReaction", "subject { __typename }", subjectId=id, kind="LIKE")
    async with opened(grace, transport, POST_EVENTS, id=id, after=first["eventId"]) as stream:
        # Those of the overlap are told again: here that the post was made.
        events = [(await stream.next())["postEvents"] for _ in range(5)]
        live_one = await comment(ada, id, "Live again")
        last = (await stream.next())["postEvents"]
    assert sorted(event["__typename"] for event in events) == [
        *["CommentCreated"] * 3,
        "PostUpdated",
        "ReactionsUpdated",
    ]
    assert {event["commentEdge"]["node"]["id"] for event in events if "commentEdge" in event} == missed
    subjects = [event["subject"] for event in events if "subject" in event]
    assert subjects == [{"id": id, "reactionSummary": {"count": 1}}]
    assert last["commentEdge"]["node"]["id"] == live_one
    assert len({event["eventId"] for event in [first, *events, last]}) == 7


async def test_one_change_has_one_event_id(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await post(ada)
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(opened(grace, transport, POST_EVENTS, id=id))
            for transport in TRANSPORTS
        ]
        await comment(ada, id, "One")
        events = [(await stream.next())["postEvents"] for stream in streams]
        await comment(ada, id, "Two")
        second = (await streams[0].next())["postEvents"]
    assert events[0] == events[1] == events[2]
    # Reading again from the beginning gives the same names.
    async with opened(grace, "socket", POST_EVENTS, id=id, after=events[0]["eventId"]) as stream:
        again = [(await stream.next())["postEvents"] for _ in range(2)]
    assert second in again


async def test_changes_live_and_resumed(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    async with opened(tablet, "socket", EVENTS) as stream:
        id = await post(ada)
        seen = {}
        while id not in seen:
            event = (await stream.next())["changeEvents"]
            seen[event["node"]["id"]] = event
    away = await post(ada)
    await ada.do("deletePost", "deletedPostId", postId=id)
    async with opened(tablet, "socket", EVENTS, since=seen[id]["token"]) as stream:
        nodes, removed = set(), set()
        while away not in nodes or id not in removed:
            event = (await stream.next())["changeEvents"]
            if event["__typename"] == "NodeChanged":
                nodes.add(event["node"]["id"])
            else:
                removed.add(event["deleted"]["id"])
    assert nodes <= {away, ada.user_id}
    assert removed == {id}


async def test_a_token_from_the_middle_of_a_page_skips_nothing(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    token = (await ada.run("{ viewer { changes(limit: 100) { token } } }"))["viewer"]["changes"]["token"]
    posts = {await post(ada) for _ in range(4)}
    async with opened(ada, "socket", EVENTS, since=token) as stream:
        # The connection is lost after the first of several events that were read together.
        first = (await stream.next())["changeEvents"]
    seen = {first["node"]["id"]}
    async with opened(ada, "socket", EVENTS, since=first["token"]) as stream:
        while not posts <= seen:
            seen.add((await stream.next())["changeEvents"]["node"]["id"])


async def test_a_position_that_is_too_old(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    id = await post(ada)
    now = await changes.database_time(services.db)
    old = services.signer.event_id(LogOffset(now - changes.KEPT - timedelta(minutes=1), id))
    async with opened(ada, "socket", POST_EVENTS, id=id, after=old) as stream:
        event = (await stream.next())["postEvents"]
        assert event["__typename"] == "ResyncRequired"
        # What the overlap holds is told again; then it goes on live.
        await comment(ada, id, "Next")
        while event["__typename"] != "CommentCreated":
            event = (await stream.next())["postEvents"]
    token = services.signer.token(Progress(ada.user_id, since=now - changes.KEPT - timedelta(minutes=1)))
    async with opened(ada, "socket", EVENTS, since=token) as stream:
        event = (await stream.next())["changeEvents"]
    assert event["__typename"] == "ResyncRequired"


async def test_more_missed_than_is_replayed(new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await new_phone("Ada")
    id = await post(ada)
    async with opened(ada, "socket", POST_EVENTS, id=id) as stream:
        await comment(ada, id, "First")
        after = (await stream.next())["postEvents"]["eventId"]
    for number in range(6):
        await comment(ada, id, f"Missed {number}")
    with monkeypatch.context() as patched:
        patched.setattr(live, "REPLAY", 5)
        async with opened(ada, "socket", POST_EVENTS, id=id, after=after) as stream:
            event = (await stream.next())["postEvents"]
    assert event["__typename"] == "ResyncRequired"


@pytest.mark.parametrize("kind", ["garbled", "a sync token", "unsigned"])
async def test_a_position_that_is_not_ours(new_phone: NewPhone, services: Services, kind: str) -> None:
    ada = await new_phone("Ada")
    id = await post(ada)
    good = services.signer.event_id(LogOffset(await changes.database_time(services.db), id))
    bad = {
        "garbled": ("A" if good[0] != "A" else "B") + good[1:],
        "a sync token": services.signer.token(Progress(ada.user_id)),
        "unsigned": "AAAAAAAAAAAAAAAA",
    }[kind]
    for query, variables in ((POST_EVENTS, {"id": id, "after": bad}), (EVENTS, {"since": bad})):
        if query is EVENTS and kind == "a sync token":
            continue
        async with opened(ada, "socket", query, **variables) as stream:
            with pytest.raises(Failed) as failed:
                await stream.next()
        assert failed.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_thousand_subscribers_read_the_log_once(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    id = await post(ada)
    reader = services.live
    before = reader.reads
    async with AsyncExitStack() as stack:
        followers = [
            await stack.enter_async_context(reader.listening(listeners.Subscriber(), [post_scope(id)]))
            for _ in range(1_000)
        ]
        # One read primes the scope; all others share it. A sweep may fall in between.
        assert reader.reads - before <= 2
        # A burst: one commit that changes twenty things.
        thread = await comment(ada, id, "Thread")
        for number in range(10):
            given = {"postId": id, "parentId": thread, "text": f"{number}"}
            await ada.do("createComment", "comment { id }", **given)
        await asyncio.sleep(0.1)
        swept, before = reader._swept, reader.reads
        for follower in followers:
            await _waiting(follower)
        await feed_jobs.erase_comments(services, post_id=id)
        told = [await _waiting(follower) for follower in followers]
        reads = reader.reads - before
        if reader._swept == swept:
            assert reads == 1
    assert reads <= 2
    deleted = {entry["node"] for entry in told[0] if entry["deleted"]}
    assert len(deleted) == 11
    assert all({entry["node"] for entry in each if entry["deleted"]} == deleted for each in told)


async def _waiting(follower: listeners.Subscriber) -> list[Any]:
    """All events received so far, once there is one."""
    return [await follower.get(), *[await follower.get() for _ in range(len(follower._items))]]


async def test_a_thousand_subscriptions_over_ten_sockets(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await post(ada)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(grace.socket()) for _ in range(10)]
        payload = {"query": POST_EVENTS, "variables": {"id": id}}
        for socket in sockets:
            for number in range(100):
                await socket.send({"id": str(number), "type": "subscribe", "payload": payload})
        await _until(lambda: len(services.live._subscribers.get(post_scope(id), set())) == 1_000, seconds=15)
        await asyncio.sleep(0.3)
        swept, before = services.live._swept, services.live.reads
        await ada.do("updatePost", "post { id }", postId=id, text="Edited")
        ids = [await _edited(socket) for socket in sockets for _ in range(100)]
        reads = services.live.reads - before
        assert reads == 1 or services.live._swept != swept
    assert len(set(ids)) == 1
    # Nothing is left of them.
    await _until(lambda: post_scope(id) not in services.live._subscribers)


async def _edited(socket: Socket) -> str:
    """The id of the next event that tells of the edited post."""
    while True:
        event = (await socket.receive())["payload"]["data"]["postEvents"]
        # That it was made may still have been on its way when we came.
        if event["post"]["version"] == 2:
            return str(event["eventId"])


async def _until(true: Any, *, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_lost_message_is_made_good(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = await post(ada)

    async def lost(messages: dict[str, Any]) -> None:
        pass

    async with opened(grace, "socket", POST_EVENTS, id=id) as stream, opened(ada, "sse", EVENTS) as own:
        with monkeypatch.context() as patched:
            patched.setattr(services.live._bus, "publish", lost)
            started = time.monotonic()
            wrote = await comment(ada, id, "Unannounced")
            await asyncio.sleep(0.05)
        event = (await stream.next())["postEvents"]
        nodes = {(await own.next())["changeEvents"]["node"]["id"] for _ in range(2)}
        assert time.monotonic() - started < live.SWEEP_SECONDS + 0.5
    assert event["commentEdge"]["node"]["id"] == wrote
    assert nodes == {wrote, id}


@pytest.mark.parametrize("how", ["block", "unfollow", "narrow", "delete"])
async def test_revoking_reaches_live_streams_within_a_second(new_phone: NewPhone, how: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    id = await post(ada, "FRIENDS")
    async with opened(grace, "socket", POST_EVENTS, id=id) as stream, opened(grace, "sse", EVENTS) as own:
        started = time.monotonic()
        if how == "block":
            await ada.do("blockUser", "removedUserId", userId=grace.user_id)
        elif how == "unfollow":
            await ada.do("unfollowUser", "viewer { id }", userId=grace.user_id)
        elif how == "narrow":
            await ada.do("updatePost", "post { id }", postId=id, visibility="PRIVATE")
        else:
            await ada.do("deletePost", "deletedPostId", postId=id)
        event = (await stream.next())["postEvents"]
        removed: set[str] = set()
        while id not in removed:
            change = (await own.next())["changeEvents"]
            removed.add(change.get("deleted", {}).get("id", ""))
        assert time.monotonic() - started < 1
        with pytest.raises(StopAsyncIteration):
            await stream.next()
    assert (event["__typename"], event["deletedPostId"]) == ("PostDeleted", id)


def _followers(services: Services, post_id: str) -> list[listeners.Subscriber]:
    listening = services.live._subscribers.get(post_scope(post_id), set())
    return [each for each in listening if isinstance(each, listeners.Subscriber)]


async def test_a_slow_consumer_is_cut_and_resumes_without_loss(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    id = await post(ada)
    async with opened(ada, "socket", POST_EVENTS, id=id) as stream:
        await comment(ada, id, "Heard")
        after = (await stream.next())["postEvents"]["eventId"]
    follower = services.live.follow([post_scope(id)], after=services.signer.position(after))
    # It is at the end of what it was told, and then takes nothing while more comes than is kept for it.
    seen = [await anext(follower)]
    written = await _comments_at_once(services, ada, id, listeners.QUEUE + 40)
    await _until(lambda: any(each.overflowed for each in _followers(services, id)))
    code = None
    while code is None:
        try:
            seen.append(await anext(follower))
        except listeners.SlowConsumer as cut:
            code = cut.code
    assert code == "SLOW_CONSUMER"
    assert len(seen) < len(written)
    await follower.aclose()
    async with opened(ada, "socket", POST_EVENTS, id=id, after=after) as stream:
        # And one more: that the post was made, which the overlap holds.
        events = [(await stream.next())["postEvents"] for _ in [id, *written]]
    assert {event["commentEdge"]["node"]["id"] for event in events if "commentEdge" in event} == set(written)


async def test_a_stream_ends_wherever_it_is_cancelled(services: Services) -> None:
    """One that goes on would never end its socket."""

    async def listens() -> None:
        async with services.live.subscribed(["test:one"]) as subscriber:
            while True:
                await services.live.widen(subscriber, ["test:other"])
                await services.live.narrow(subscriber, ["test:other"])

    for turns in range(100):
        task = asyncio.create_task(listens())
        await asyncio.sleep(turns * 0.0002)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.done()


async def test_the_client_learns_that_it_was_too_slow(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    id = await post(ada)
    async with opened(ada, "socket", POST_EVENTS, id=id) as stream:
        [follower] = _followers(services, id)
        follower.overflowed = True
        await comment(ada, id, "One more")
        with pytest.raises(Failed) as failed:
            await _heard(stream, 2)
    assert [error["extensions"]["code"] for error in failed.value.errors] == ["SLOW_CONSUMER"]


async def _heard(stream: Any, most: int) -> None:
    """Reads on; one that it was waiting for may still come."""
    for _ in range(most):
        assert (await stream.next())["postEvents"]["__typename"] == "CommentCreated"


async def _comments_at_once(services: Services, phone: Phone, post_id: str, count: int) -> list[str]:
    ctx = Context(services)
    wanted = [f"comment_{key()[:26]}" for _ in range(count)]

    async def write() -> None:
        for id in wanted:
            row = {"post_id": post_id, "author_id": phone.user_id, "parent_id": None, "text": "One of many"}
            document = await ctx.tx.insert(store.comments, {"_id": id, **row, "reactions": {}})
            ctx.tx.changed(document, scopes=[user_scope(phone.user_id), post_scope(post_id)], created=True)

    await ctx.unit(write)
    return wanted
