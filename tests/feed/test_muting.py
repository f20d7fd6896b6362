"""Muting: posts of muted people do not come back through what others do."""

from core import jobs
from core.context import Services
from resolvers.feed.counting import POSTS
from tests.conftest import NewPhone
from tests.engine.test_delta import device_of
from tests.feed.steps import befriend, comment, feed_of, follow, publish
from tests.phone import Phone

RANKED = "{ viewer { feed(first: 50) { edges { node { id } } } } }"
PREVIEW = "query($id: ID!) { post(id: $id) { commentPreview { id } comments { edges { node { id } } } } }"


async def ranked(phone: Phone) -> set[str]:
    return {edge["node"]["id"] for edge in (await phone.run(RANKED))["viewer"]["feed"]["edges"]}


async def test_a_muted_persons_posts_do_not_come_back_through_others_shares(new_phone: NewPhone) -> None:
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    for followed in (grace, hedy):
        await follow(ada, followed)
    id, kept = await publish(grace), await publish(hedy)
    made = await hedy.do("sharePost", "post { id }", postId=id, visibility="PUBLIC")
    share = made["post"]["id"]
    everything = {id, kept, share}
    # What is suggested beside them are strangers' posts.
    assert set(await feed_of(ada)) == await ranked(ada) & everything == everything
    await ada.do("muteUser", "viewer { id }", userId=grace.user_id)
    assert set(await feed_of(ada)) == await ranked(ada) & everything == {kept}
    await ada.do("unmuteUser", "viewer { id }", userId=grace.user_id)
    assert set(await feed_of(ada)) == await ranked(ada) & everything == everything


async def test_a_muted_persons_comments_are_not_held_before_one(new_phone: NewPhone) -> None:
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    for followed in (grace, hedy):
        await follow(ada, followed)
    id = await publish(hedy)
    theirs = [await comment(hedy, id, f"Comment {number}") for number in range(3)]
    muted = await comment(grace, id)
    await ada.do("muteUser", "viewer { id }", userId=grace.user_id)
    shown = (await ada.run(PREVIEW, id=id))["post"]
    assert [each["id"] for each in shown["commentPreview"]] == theirs
    # Who opens the post reads all of them.
    assert muted in [edge["node"]["id"] for edge in shown["comments"]["edges"]]
    await ada.do("unmuteUser", "viewer { id }", userId=grace.user_id)
    shown = (await ada.run(PREVIEW, id=id))["post"]
    assert [each["id"] for each in shown["commentPreview"]] == [*theirs[1:], muted]


async def test_a_share_goes_and_comes_back_with_what_it_shares(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    await befriend(ada, grace)
    await follow(hedy, grace)
    id = await publish(ada)
    share = (await grace.do("sharePost", "post { id }", postId=id, visibility="PUBLIC"))["post"]["id"]
    device = await device_of(hedy, "POST")
    query = "query($id: ID!) { post(id: $id) { sharedPost { id } sharedUnavailable } }"
    for visibility in ("FRIENDS", "PUBLIC", "PRIVATE", "PUBLIC"):
        await ada.do("updatePost", "post { id }", postId=id, visibility=visibility)
        await jobs.run_due(services)
        assert await device.news() == ({share}, set())
        shown = (await hedy.run(query, id=share))["post"]
        there = visibility == "PUBLIC"
        assert shown == {"sharedPost": {"id": id} if there else None, "sharedUnavailable": not there}
    await ada.do("deletePost", "deletedPostId", postId=id)
    await jobs.run_due(services)
    assert await device.news() == ({share}, set())


async def test_a_share_whose_count_is_not_folded_in_yet_goes_with_what_it_shares(
    new_phone: NewPhone, services: Services
) -> None:
    """A count of none was taken for none: the share showed for ever what it had shown."""
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    await follow(hedy, grace)
    id = await publish(ada)
    contention, key = services.counters.contention, POSTS.key(id)
    assert contention.try_acquire(key)
    try:
        made = await grace.do("sharePost", "post { id }", postId=id, visibility="PUBLIC")
        said = await comment(grace, id)
        device, own = await device_of(hedy, "POST"), await device_of(grace, "COMMENT")
        await ada.do("updatePost", "post { id }", postId=id, visibility="PRIVATE")
        await jobs.run_due(services)
        assert await device.news() == ({made["post"]["id"]}, set())
        assert await own.news() == ({said}, set())
    finally:
        contention.release(key)
        await services.counters.fold({("posts", id): []})
