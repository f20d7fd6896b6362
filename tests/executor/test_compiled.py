"""Compiled execution, beside equal answers: when it is used, and that nothing runs twice."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from graphql import get_introspection_query
from prometheus_client import REGISTRY

from core.context import Context, Services, Viewer
from core.graphql.build import Schema
from core.settings import Settings
from executor import Executor
from executor.expressions import MOST_INLINE
from executor.runtime import together
from resolvers.feed import posts
from server import lifespan
from stores import feed as store
from tests.conftest import NewPhone
from tests.phone import key

MERGED = """query($yes: Boolean!) {
  viewer { user { id } }
  viewer { user { name ...More @include(if: $yes) } }
}
fragment More on User { id handle }"""


def compiled() -> float:
    return REGISTRY.get_sample_value("landfall_executor_total", {"path": "compiled"}) or 0.0


@pytest.fixture(scope="module")
def schema(settings: Settings) -> Schema:
    return lifespan.make_schema(settings)


async def test_fields_merge_and_directives_choose_the_plan(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    before = compiled()
    with_more = await ada.run(MERGED, yes=True)
    without = await ada.run(MERGED, yes=False)
    assert compiled() - before == 2
    assert with_more == {"viewer": {"user": {"id": ada.user_id, "name": "Ada", "handle": None}}}
    assert without == {"viewer": {"user": {"id": ada.user_id, "name": "Ada"}}}
    assert list(with_more["viewer"]["user"]) == ["id", "name", "handle"]


async def test_introspection_is_left_to_the_reference(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    before = compiled()
    assert (await ada.run(get_introspection_query()))["__schema"]["queryType"]["name"] == "Query"
    assert (await ada.run("{ viewer { __typename } __schema { __typename } }"))["viewer"] == {
        "__typename": "Viewer"
    }
    assert compiled() == before


async def test_a_document_seen_once_is_not_compiled(
    services: Services, schema: Schema, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    executor = Executor(schema)
    viewer = Viewer(ada.user_id, ada.session_id, ada.device_id)
    query = "{ viewer { user { name } } }"
    assert await executor.run(query, None, None, Context(services, viewer=viewer)) is None
    second = await executor.run(query, None, None, Context(services, viewer=viewer))
    assert second is not None
    assert second.data == {"viewer": {"user": {"name": "Ada"}}}


async def test_operations_of_one_document_have_plans_of_their_own(
    services: Services, schema: Schema, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    executor = Executor(schema, eager=True)
    viewer = Viewer(ada.user_id, ada.session_id, ada.device_id)
    document = "query Name { viewer { user { name } } } query Id { viewer { user { id } } }"
    for name, user in (("Name", {"name": "Ada"}), ("Id", {"id": ada.user_id}), ("Name", {"name": "Ada"})):
        answer = await executor.run(document, None, name, Context(services, viewer=viewer))
        assert answer is not None
        assert answer.data == {"viewer": {"user": user}}


async def test_a_mutation_whose_answer_fails_is_not_run_again(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiled answer is abandoned after the write; the reference answers with the same outcome."""
    ada = await new_phone("Ada")
    text = key()
    document = (
        "mutation($input: CreatePostInput!) { createPost(input: $input) "
        "{ replayed post { text comments(first: 1000) { edges { cursor } } } } }"
    )
    answer = await ada.ask(document, input={"idempotencyKey": key(), "text": text})
    assert answer.code == "BAD_USER_INPUT"
    assert answer.errors[0]["path"] == ["createPost", "post", "comments"]
    assert answer.body["data"] == {"createPost": {"replayed": False, "post": None}}
    assert len(await store.posts.find(services.db, {"text": text})) == 1


async def test_a_failing_mutation_runs_once_and_leaves_the_rest(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    first, last, used = key(), key(), key()
    await ada.do("createPost", "post { id }", idempotencyKey=used, text="Before")
    calls: list[Any] = []
    original = posts.checked_text

    def counted(text: str | None, longest: int) -> str | None:
        calls.append(text)
        return original(text, longest)

    monkeypatch.setattr(posts, "checked_text", counted)
    document = """mutation($a: CreatePostInput!, $b: CreatePostInput!, $c: CreatePostInput!) {
      a: createPost(input: $a) { post { text } } b: createPost(input: $b) { post { text } }
      c: createPost(input: $c) { replayed post { text } } }"""
    answer = await ada.ask(
        document,
        a={"idempotencyKey": key(), "text": first},
        b={"idempotencyKey": used, "text": "Another"},
        c={"idempotencyKey": key(), "text": last},
    )
    assert [error["path"] for error in answer.errors] == [["b"]]
    assert answer.code == "IDEMPOTENCY_KEY_REUSED"
    assert answer.body["data"] == {
        "a": {"post": {"text": first}},
        "b": None,
        "c": {"replayed": False, "post": {"text": last}},
    }
    assert calls == [first, last]


async def test_a_mutation_by_get_is_never_run(services: Services, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    text = key()
    query = f'mutation {{ createPost(input: {{idempotencyKey: "{key()}", text: "{text}"}}) {{ replayed }} }}'
    for _ in range(2):
        assert (await ada.get(query=query)).status >= 400
    assert await store.posts.find(services.db, {"text": text}) == []


async def test_a_request_that_is_over_is_let_go_of_at_once(
    services: Services, schema: Schema, new_phone: NewPhone
) -> None:
    """No reference cycles: they would keep all that was read until the garbage collector runs."""
    ada = await new_phone("Ada")
    await ada.do("createPost", "post { id }", text="Hello")
    executor = Executor(schema, eager=True)
    for query in (
        "{ viewer { user { avatar { url } } feed(sort: NEWEST, first: 2) { edges { node { text } } } } }",
        "{ viewer { chats(first: 1) { edges { node { messages(last: 1) { edges { node { text } } } } } } } }",
        "{ searchProducts(first: 2) { edges { node { name labelImage { url } } } } }",
    ):
        ctx = Context(services, viewer=Viewer(ada.user_id, ada.session_id, ada.device_id))
        gc.disable()
        try:
            assert await executor.run(query, None, None, ctx) is not None
            # Tasks that are done are let go of one turn later.
            await asyncio.sleep(0)
            over = weakref.ref(ctx)
            del ctx
            assert over() is None
        finally:
            gc.enable()


async def test_an_object_asked_for_hundreds_of_times_is_right(
    services: Services, schema: Schema, new_phone: NewPhone
) -> None:
    """More fields than are inlined into the generated code."""
    ada = await new_phone("Ada")
    infos = " ".join(f"p{number}: pageInfo {{ hasNextPage }}" for number in range(MOST_INLINE + 50))
    query = f"{{ viewer {{ account {{ sessions(first: 1) {{ {infos} }} }} }} }}"
    ctx = Context(services, viewer=Viewer(ada.user_id, ada.session_id, ada.device_id))
    answer = await Executor(schema, eager=True).run(query, None, None, ctx)
    assert answer is not None
    shown = answer.data["viewer"]["account"]["sessions"]
    assert list(shown) == [f"p{number}" for number in range(MOST_INLINE + 50)]
    assert all(info == {"hasNextPage": False} for info in shown.values())


async def test_what_runs_together_ends_together() -> None:
    ended: list[str] = []

    async def work(name: str, error: Exception | None = None) -> str:
        try:
            await asyncio.sleep(0.01 if error else 0)
            if error:
                raise error
            return name
        finally:
            ended.append(name)

    async def endless() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")
        return ""

    assert await together(work("one"), work("two"), work("three")) == ["one", "two", "three"]
    for calls in (
        (endless(), work("last", KeyError())),
        (work("first", KeyError()), endless(), work("last")),
    ):
        ended.clear()
        with pytest.raises(KeyError):
            await together(*calls)
        assert "endless" in ended
