"""`after: ""` is no cursor: Apollo's `relayStylePagination` sends it where a list was empty."""

from typing import Any

import pytest
from graphql import GraphQLField, is_required_argument

from core.settings import Settings
from server import lifespan
from tests.chat.steps import talk
from tests.conftest import NewPhone
from tests.feed.steps import comment, publish

SCHEMA = lifespan.make_schema(Settings())._schema


def paged(type_name: str) -> list[str]:
    """The type's lists that can be read without knowing anything."""
    fields: dict[str, GraphQLField] = SCHEMA.type_map[type_name].fields  # type: ignore[attr-defined]
    return [
        name
        for name, field in fields.items()
        if {"first", "after", "last", "before"} <= field.args.keys()
        and not any(map(is_required_argument, field.args.values()))
    ]


async def test_every_list_of_the_viewer_begins_at_an_end(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await talk(ada, grace)
    await publish(ada)
    lists = paged("Viewer")
    assert {"feed", "chats"} <= set(lists)
    for name in lists:
        for given, plain in (('first: 2, after: ""', "first: 2"), ('last: 2, before: ""', "last: 2")):
            page = "{ edges { __typename } pageInfo { hasNextPage hasPreviousPage } }"
            answer = await ada.ask(f"{{ viewer {{ a: {name}({given}) {page} b: {name}({plain}) {page} }} }}")
            viewer = (answer.body.get("data") or {}).get("viewer") or {}
            # Some lists are for staff, some have one direction: the same then, whatever the cursor.
            messages = [(each["message"], each["extensions"]["code"]) for each in answer.errors]
            assert messages == [] or len(set(messages)) == 1, name
            assert viewer.get("a") == viewer.get("b"), name


async def test_lists_of_posts_chats_and_products_begin_at_an_end(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    chat, _ = await talk(ada, grace, 3)
    post = await publish(ada)
    await comment(grace, post, "Well said")
    found = await ada.run(
        """query($post: ID!, $chat: ID!) {
          post(id: $post) {
            first: comments(first: 5, after: "") { edges { node { text } } }
            last: comments(last: 5, before: "", after: "") { edges { node { text } } }
          }
          chat(id: $chat) { messages(last: 2, before: "") { edges { node { sequence } } } }
          searchProducts(first: 1, after: "") { pageInfo { hasPreviousPage } }
        }""",
        post=post,
        chat=chat,
    )
    one = {"edges": [{"node": {"text": "Well said"}}]}
    assert found["post"] == {"first": one, "last": one}
    assert [edge["node"]["sequence"] for edge in found["chat"]["messages"]["edges"]] == [2, 3]
    assert found["searchProducts"]["pageInfo"] == {"hasPreviousPage": False}


@pytest.mark.parametrize(
    "topic", ["postEvents(postId: $id", "feedEvents(", "presenceEvents(", "predictionEvents("]
)
async def test_a_stream_without_a_place_begins_now(new_phone: NewPhone, topic: str) -> None:
    ada = await new_phone("Ada")
    variables: dict[str, Any] = {"id": await publish(ada)} if "$id" in topic else {}
    named = "($id: ID!)" if variables else ""
    after = ", after" if variables else "after"
    async with ada.watch(
        f'subscription{named} {{ {topic}{after}: "") {{ __typename }} }}', **variables
    ) as stream:
        if variables:
            await comment(ada, variables["id"])
            assert (await stream.next())["postEvents"] == {"__typename": "CommentCreated"}


async def test_changes_since_nothing_are_a_first_sync(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    query = 'query { viewer { changes(since: "", types: [POST]) { nodes { id } reset } } }'
    assert (await ada.run(query))["viewer"]["changes"] == {"nodes": [{"id": post}], "reset": False}
    events = 'subscription { changeEvents(since: "", types: [POST]) { ... on NodeChanged { node { id } } } }'
    async with ada.watch(events) as stream:
        later = await publish(ada)
        assert (await stream.next())["changeEvents"] == {"node": {"id": later}}
