"""`deleted`: tombstones with their type names, for caches that normalise by type and id."""

import pytest

from tests.chat.steps import say, talk
from tests.conftest import NewPhone
from tests.feed.steps import befriend, publish
from tests.phone import Failed

CHANGES = """query($since: SyncToken) { viewer { changes(since: $since) {
  deleted { __typename id typename } token } } }"""
EVENTS = """subscription { changeEvents(types: [POST]) {
  ... on NodeDeleted { deleted { id typename } } } }"""


async def test_deleted_nodes_say_their_type(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    post, friends = await publish(ada), await publish(ada, "Soon hidden", visibility="FRIENDS")
    chat, _ = await talk(ada, grace)
    message = (await say(grace, chat, "Oh"))["id"]
    token = (await grace.run(CHANGES))["viewer"]["changes"]["token"]
    await ada.do("deletePost", "deletedPostId", postId=post)
    await ada.do("updatePost", "post { id }", postId=friends, visibility="PRIVATE")
    await grace.do("removeMessage", "removedMessageId", messageId=message)
    changes = (await grace.run(CHANGES, since=token))["viewer"]["changes"]
    deleted = {each["id"]: each["typename"] for each in changes["deleted"]}
    assert deleted == {post: "Post", friends: "Post", message: "Message"}
    assert {each["__typename"] for each in changes["deleted"]} == {"DeletedNode"}


async def test_live_deletions_say_it_too(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with ada.watch(EVENTS) as stream:
        await ada.do("deletePost", "deletedPostId", postId=post)
        event = (await stream.next())["changeEvents"]
    assert event == {"deleted": {"id": post, "typename": "Post"}}


async def test_no_types_are_no_question(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    message = "`types` names at least one type; leave it out for all."
    token = (await ada.run("{ viewer { changes(types: [POST]) { token } } }"))["viewer"]["changes"]["token"]
    for since in ("", f', since: "{token}"'):
        refused = await ada.ask(f"{{ viewer {{ changes(types: []{since}) {{ token }} }} }}")
        assert [(each["message"], each["extensions"]["code"]) for each in refused.errors] == [
            (message, "BAD_USER_INPUT")
        ]
    with pytest.raises(Failed) as failed:
        async with ada.watch("subscription { changeEvents(types: []) { __typename } }") as stream:
            await stream.next()
    assert [each["message"] for each in failed.value.errors] == [message]
