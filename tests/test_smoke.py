"""Smoke test: the first minute of a phone."""

from tests.conftest import NewPhone


async def test_a_post_reaches_a_follower_and_a_watcher(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await grace.do("followUser", "user { viewerFollowStatus }", userId=ada.user_id)
    created = await ada.do("createPost", "post { id }", text="Hello", visibility="PUBLIC")
    post_id = created["post"]["id"]
    feed = await grace.run("{ viewer { feed(sort: NEWEST) { edges { node { id } } } } }")
    assert feed["viewer"]["feed"]["edges"] == [{"node": {"id": post_id}}]
    query = """subscription($id: ID!) {
        postEvents(postId: $id) { __typename ... on CommentCreated { commentEdge { node { text } } } }
    }"""
    async with grace.watch(query, id=post_id) as stream:
        await ada.do("createComment", "comment { id }", postId=post_id, text="First")
        event = await stream.next()
        edge = {"node": {"text": "First"}}
        assert event == {"postEvents": {"__typename": "CommentCreated", "commentEdge": edge}}
