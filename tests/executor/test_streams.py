"""Subscriptions on the compiled path: completed once for all who get the same, and never for others."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from prometheus_client import REGISTRY

from core.context import Context, Services
from core.sync.shared_context import AnonymousContext, ViewerDependent
from loaders.auth import UserById
from loaders.feed import ReactionOfViewer
from resolvers.feed import reading
from stores import feed as store
from tests.conftest import NewPhone
from tests.engine.streams import TRANSPORTS, opened
from tests.feed.steps import comment, publish
from tests.phone import Failed, Stream

AUTHORS = """subscription($id: ID!, $after: String) { postEvents(postId: $id, after: $after) {
  __typename ... on Event { eventId }
  ... on CommentCreated { said: commentEdge { node { text author { name } } } } } }"""
OWN_REACTION = """subscription($id: ID!) { postEvents(postId: $id) {
  ... on ReactionsUpdated { subject { ... on Post { reactionSummary { count viewerReaction } } } } } }"""
PAGE = """subscription($id: ID!, $count: Int) { postEvents(postId: $id) {
  ... on PostUpdated { post { text comments(first: $count) { edges { node { text } } } } } } }"""
TEXT = """subscription($id: ID!) { postEvents(postId: $id) {
  ... on CommentCreated { commentEdge { node { text } } } } }"""


def seen(path: str) -> float:
    return REGISTRY.get_sample_value("landfall_executor_events_total", {"path": path}) or 0.0


def running(path: str) -> float:
    return REGISTRY.get_sample_value("landfall_executor_total", {"path": path}) or 0.0


async def told(stream: Stream, key: str) -> Any:
    """The next event that has the key: others of the same burst have not."""
    while key not in (event := (await stream.next())["postEvents"]):
        continue
    return event[key]


async def until_failed(stream: Any) -> None:
    for _ in range(10):
        await stream.next()


async def test_an_event_is_completed_once_for_all_who_get_the_same(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    phones = [await new_phone(f"Watcher {number}") for number in range(12)]
    post = await publish(ada)
    batches: list[list[str]] = []
    batch = UserById.batch_load_fn

    async def counted(self: UserById, keys: list[str]) -> Any:
        batches.append(keys)
        return await batch(self, keys)

    monkeypatch.setattr(UserById, "batch_load_fn", counted)
    async with AsyncExitStack() as stack:
        compiled = running("compiled")
        streams = [await stack.enter_async_context(phone.watch(AUTHORS, id=post)) for phone in phones]
        assert running("compiled") - compiled == 12
        batches.clear()
        shared, own = seen("shared"), seen("own")
        await comment(ada, post, "Once")
        wanted = {"node": {"text": "Once", "author": {"name": "Ada"}}}
        assert [await told(stream, "said") for stream in streams] == [wanted] * 12
    assert batches == [[ada.user_id]]
    assert seen("shared") - shared >= 12
    assert seen("own") == own


async def test_what_depends_on_the_viewer_is_completed_for_each(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    post = await publish(ada)
    await grace.do("setReaction", "subject { __typename }", subjectId=post, kind="LOVE")
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(phone.watch(OWN_REACTION, id=post)) for phone in (grace, alan)
        ]
        own = seen("own")
        await ada.do("setReaction", "subject { __typename }", subjectId=post, kind="WOW")
        summaries = [(await told(stream, "subject"))["reactionSummary"] for stream in streams]
        while summaries[0]["count"] < 2:
            summaries = [(await told(stream, "subject"))["reactionSummary"] for stream in streams]
    assert summaries == [{"count": 2, "viewerReaction": "LOVE"}, {"count": 2, "viewerReaction": None}]
    assert seen("own") - own >= 2


async def test_variables_of_the_selection_tell_answers_apart(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    for text in ("One", "Two", "Three"):
        await comment(ada, post, text)
    async with ada.socket() as socket:
        for count in (1, 2):
            await socket.subscribe(PAGE, id=post, count=count)
        await ada.do("updatePost", "post { id }", postId=post, text="Edited")
        found: dict[str, list[str]] = {}
        while len(found) < 2:
            message = await socket.receive()
            shown = message["payload"]["data"]["postEvents"].get("post")
            if shown and shown["text"] == "Edited":
                found[message["id"]] = [edge["node"]["text"] for edge in shown["comments"]["edges"]]
    assert found == {"1": ["Three"], "2": ["Three", "Two"]}


async def test_where_one_resumes_is_no_part_of_the_answer(new_phone: NewPhone) -> None:
    """Those who came back, each from a position of their own, share what comes next."""
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with ada.watch(AUTHORS, id=post) as stream:
        for text in ("First", "Second"):
            await comment(ada, post, text)
        positions = [(await stream.next())["postEvents"]["eventId"] for _ in range(2)]
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(ada.watch(AUTHORS, id=post, after=after)) for after in positions
        ]
        own = seen("own")
        await comment(ada, post, "Third")
        for stream in streams:
            while (await told(stream, "said"))["node"]["text"] != "Third":
                continue
    assert seen("own") == own


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_event_that_fails_is_the_references(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """The stream goes on; who asked for less is not touched."""
    ada = await new_phone("Ada")
    post = await publish(ada)

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret")

    async with opened(ada, transport, PAGE, id=post) as failing, ada.watch(AUTHORS, id=post) as fine:
        with monkeypatch.context() as patched:
            patched.setattr(reading, "blocked_either_way", broken)
            reference = seen("reference")
            await comment(ada, post, "Said")
            await ada.do("updatePost", "post { id }", postId=post, text="Edited")
            with pytest.raises(Failed) as failed:
                await until_failed(failing)
        assert [each["path"] for each in failed.value.errors] == [["postEvents", "post", "comments"]]
        assert failed.value.errors[0]["extensions"]["code"] == "INTERNAL"
        assert "secret" not in str(failed.value)
        assert seen("reference") > reference
        assert (await told(fine, "said"))["node"]["text"] == "Said"
        await ada.do("updatePost", "post { id }", postId=post, text="Again")
        shown: dict[str, Any] = {}
        while shown.get("text") != "Again":
            shown = (await failing.next())["postEvents"].get("post") or {}
    assert [edge["node"]["text"] for edge in shown["comments"]["edges"]] == ["Said"]


async def test_queries_and_mutations_over_a_socket_are_compiled_too(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    before = running("compiled")
    async with ada.watch("{ viewer { user { name } } }") as stream:
        assert await stream.next() == {"viewer": {"user": {"name": "Ada"}}}
    document = """mutation { createPost(input: {idempotencyKey: "over-a-socket", text: "Socket"})
      { post { text comments(first: 1000) { edges { cursor } } } } }"""
    async with ada.watch(document) as stream:
        with pytest.raises(Failed) as failed:
            await stream.next()
    assert [error["path"] for error in failed.value.errors] == [["createPost", "post", "comments"]]
    assert len(await store.posts.find(services.db, {"author_id": ada.user_id})) == 1
    assert running("compiled") - before == 1


@pytest.mark.parametrize(
    "document",
    [
        "subscription { postEvents(postId: 7) { __typename } }",
        "subscription { postEvents { __typename } }",
        "subscription A { changeEvents { __typename } } subscription B { changeEvents { __typename } }",
        "subscription { changeEvents(types: [NOTHING]) { __typename } }",
        "subscription($id: ID!) { postEvents(postId: $id) { __typename } }",
        "subscription { a: changeEvents { __typename } b: changeEvents { __typename } }",
        "subscription {",
    ],
)
async def test_a_subscription_that_cannot_run_is_told_so(new_phone: NewPhone, document: str) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(document) as stream:
        with pytest.raises(Failed) as failed:
            await stream.next()
    assert [error["extensions"]["code"] for error in failed.value.errors] == ["BAD_USER_INPUT"]


async def test_everybody_is_nobody(services: Services) -> None:
    """Whatever asks who the viewer is cannot be given to others, even if it goes on without an answer."""
    everybody = AnonymousContext(services)
    for ask in (
        lambda: everybody.viewer_id,
        lambda: everybody.viewer_id_or_none,
        lambda: everybody.signed_in,
        lambda: everybody.address,
        everybody.fork,
    ):
        with pytest.raises(ViewerDependent):
            ask()
    assert AnonymousContext(services).personal is False
    own: Context = AnonymousContext(services)
    with pytest.raises(ViewerDependent):
        await own.load(ReactionOfViewer, "post_1")
    assert isinstance(own, AnonymousContext)
    assert own.personal is True
