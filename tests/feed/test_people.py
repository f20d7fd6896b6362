"""Following, muting, blocking."""

import asyncio

import pytest

from core import ids
from core.context import Services
from core.ids import new_id, sibling
from core.storage.mongo import MAX_ROWS
from resolvers.feed.graph import FOLLOW_RATE
from stores.feed import MOST_FOLLOWED
from tests.conftest import NewPhone
from tests.feed.steps import befriend, comment, counts, feed_of, follow, publish, refusal, written
from tests.phone import Phone, key

STANDING = "user { id viewerFollowStatus viewerIsFollowed viewerIsFriend followerCount } viewer { id }"
FOLLOW = "follow { id user { id } status version }"
NOBODY = refusal("NOT_FOUND", "There is no such person.", ["userId"])
ONESELF = refusal("FORBIDDEN", "This cannot be done to oneself.", ["userId"])
PERSON = """query($id: ID!) { user(id: $id) {
  viewerFollowStatus viewerIsFollowed viewerIsFriend followerCount followingCount } }"""


FOLLOWING = "{ viewer { user { following { edges { cursor node { id viewerFollow { id } } } } } } }"
BLOCKED = "{ viewer { social { blockedUsers { edges { cursor node { id } } } } } }"
BLOCKED_EDGE = "blockedUserEdge { cursor node { id } }"
MUTED = "{ viewer { social { mutedUsers { edges { cursor node { id } } } } } }"


def viewer_of(phone: Phone) -> dict[str, str]:
    return {"id": sibling(phone.user_id, "viewer")}


async def test_a_list_that_gains_a_person_is_told_its_edge(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    edge = "cursor node { id viewerFollow { id } }"
    done = await ada.do("followUser", f"follow {{ id }} followingEdge {{ {edge} }}", userId=grace.user_id)
    assert [done["followingEdge"]] == (await ada.run(FOLLOWING))["viewer"]["user"]["following"]["edges"]
    assert done["followingEdge"]["node"]["viewerFollow"] == done["follow"]
    done = await ada.do("muteUser", "mutedUserEdge { cursor node { id } }", userId=grace.user_id)
    assert [done["mutedUserEdge"]] == (await ada.run(MUTED))["viewer"]["social"]["mutedUsers"]["edges"]
    done = await ada.do("unmuteUser", "removedUserId follow { status }", userId=grace.user_id)
    assert (done["removedUserId"], done["follow"]) == (grace.user_id, {"status": "FOLLOWING"})
    await ada.do("muteUser", "follow { id }", userId=grace.user_id)
    for left in (grace.user_id, None):
        done = await ada.do("followUser", "removedUserId follow { status }", userId=grace.user_id)
        assert (done["removedUserId"], done["follow"]) == (left, {"status": "FOLLOWING"})
    done = await ada.do("unfollowUser", "removedUserId user { viewerFollow { id } }", userId=grace.user_id)
    assert (done["removedUserId"], done["user"]) == (grace.user_id, {"viewerFollow": None})


async def test_following_and_friendship(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    done = await ada.do("followUser", f"{STANDING} {FOLLOW}", userId=grace.user_id)
    assert (done["errors"], done["viewer"]) == ([], viewer_of(ada))
    assert done["user"] == {
        "id": grace.user_id,
        "viewerFollowStatus": "FOLLOWING",
        "viewerIsFollowed": False,
        "viewerIsFriend": False,
        "followerCount": 1,
    }
    assert done["follow"] == {
        "id": done["follow"]["id"],
        "user": {"id": grace.user_id},
        "status": "FOLLOWING",
        "version": 1,
    }
    back = await grace.do("followUser", STANDING, userId=ada.user_id)
    assert back["user"]["viewerIsFriend"] is back["user"]["viewerIsFollowed"] is True
    seen = await ada.run(PERSON, id=grace.user_id)
    assert seen["user"] == {
        "viewerFollowStatus": "FOLLOWING",
        "viewerIsFollowed": True,
        "viewerIsFriend": True,
        "followerCount": 1,
        "followingCount": 1,
    }
    assert await counts(ada) == (1, 1, 0)


async def test_following_again_changes_nothing(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    first = await ada.do("followUser", f"{STANDING} {FOLLOW}", userId=grace.user_id)
    again = await ada.do("followUser", f"{STANDING} {FOLLOW}", userId=grace.user_id)
    assert again == {**first, "idempotencyKey": again["idempotencyKey"]}
    assert await written(services, "follows", {"follower_id": ada.user_id}) == 1


async def test_a_replayed_follow_counts_once(new_phone: NewPhone) -> None:
    ada, grace, once = await new_phone("Ada"), await new_phone("Grace"), key()
    for replayed in (False, True):
        done = await ada.do("followUser", STANDING, userId=grace.user_id, idempotencyKey=once)
        assert (done["replayed"], done["user"]["followerCount"]) == (replayed, 1)
    assert await counts(ada) == (0, 1, 0)


async def test_unfollowing_ends_the_friendship(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    done = await ada.do("unfollowUser", f"{STANDING} deletedFollowId", userId=grace.user_id)
    assert done["errors"] == []
    assert ids.prefix_of(done["deletedFollowId"]) == "follow"
    assert done["user"] == {
        "id": grace.user_id,
        "viewerFollowStatus": "NOT_FOLLOWING",
        "viewerIsFollowed": True,
        "viewerIsFriend": False,
        "followerCount": 0,
    }
    assert (await grace.run(PERSON, id=ada.user_id))["user"]["viewerIsFriend"] is False
    again = await ada.do("unfollowUser", f"{STANDING} deletedFollowId", userId=grace.user_id)
    assert (again["errors"], again["deletedFollowId"], again["user"]) == ([], None, done["user"])
    assert await counts(grace) == (0, 1, 0)


async def test_a_muted_person_stays_followed_and_out_of_the_feed(new_phone: NewPhone) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    await follow(ada, grace)
    await follow(ada, alan)
    hers, his = await publish(grace), await publish(alan)
    muted = await ada.do("muteUser", f"{STANDING} {FOLLOW}", userId=grace.user_id)
    assert (muted["errors"], muted["user"]["viewerFollowStatus"]) == ([], "MUTED")
    assert (muted["follow"]["status"], muted["follow"]["version"]) == ("MUTED", 2)
    assert await feed_of(ada) == [his]
    again = await ada.do("muteUser", FOLLOW, userId=grace.user_id)
    assert again["follow"] == muted["follow"]
    loud = await ada.do("unmuteUser", f"{STANDING} {FOLLOW}", userId=grace.user_id)
    assert (loud["user"]["viewerFollowStatus"], loud["follow"]["version"]) == ("FOLLOWING", 3)
    assert await feed_of(ada) == [his, hers]


async def test_following_a_muted_person_unmutes(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    await ada.do("muteUser", FOLLOW, userId=grace.user_id)
    done = await ada.do("followUser", f"{STANDING} {FOLLOW}", userId=grace.user_id)
    assert (done["follow"]["status"], done["user"]["followerCount"]) == ("FOLLOWING", 1)


@pytest.mark.parametrize("verb", ["muteUser", "unmuteUser"])
async def test_only_those_followed_are_muted(new_phone: NewPhone, services: Services, verb: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    refused = await ada.do(verb, f"{STANDING} {FOLLOW}", userId=grace.user_id)
    assert refused["errors"] == [refusal("NOT_FOUND", "You do not follow this person.", ["userId"])]
    assert refused["user"] is refused["follow"] is refused["viewer"] is None
    assert await written(services, "follows", {"follower_id": ada.user_id}) == 0


@pytest.mark.parametrize("verb", ["followUser", "unfollowUser", "muteUser", "unmuteUser"])
async def test_oneself_and_nobody_are_refused(new_phone: NewPhone, services: Services, verb: str) -> None:
    ada = await new_phone("Ada")
    gone = await new_phone("Gone", status="DELETED")
    for id, error in ((ada.user_id, ONESELF), (new_id("user"), NOBODY), (gone.user_id, NOBODY)):
        refused = await ada.do(verb, STANDING, userId=id)
        assert (refused["errors"], refused["user"]) == ([error], None)
    assert await written(services, "follows", {"follower_id": ada.user_id}) == 0
    assert await counts(ada) == (0, 0, 0)


async def test_at_most_five_thousand_people_are_followed(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    edges = [
        {"_id": new_id("follow"), "follower_id": ada.user_id, "followee_id": new_id("user"), "mutual": False}
        for _ in range(MOST_FOLLOWED)
    ]
    await services.db.write({"insert": "follows", "documents": edges})
    refused = await ada.do("followUser", STANDING, userId=grace.user_id)
    assert refused["errors"] == [refusal("LIMIT_REACHED", "At most 5,000 people.", ["userId"], limit=5_000)]
    assert await counts(grace) == (0, 0, 0)
    await services.db.write(
        {"delete": "follows", "deletes": [{"q": {"follower_id": ada.user_id}, "limit": 0}]}
    )


async def test_two_hundred_follows_a_day(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    for _ in range(FOLLOW_RATE.count):
        await services.limits.take(FOLLOW_RATE, ada.user_id)
    [error] = (await ada.do("followUser", STANDING, userId=grace.user_id))["errors"]
    assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
    assert await counts(grace) == (0, 0, 0)


async def test_a_block_hides_two_people_from_each_other(new_phone: NewPhone, services: Services) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    await befriend(ada, grace)
    hers, his = await publish(grace), await publish(alan)
    said = [await comment(phone, his) for phone in (ada, grace)]
    once = {"userId": grace.user_id, "idempotencyKey": key()}
    shown = "user { id viewerFollowStatus viewerIsFriend } removedUserId deletedFollowId viewer { id }"
    [edge] = (await ada.run(FOLLOWING))["viewer"]["user"]["following"]["edges"]
    done = await ada.do("blockUser", f"{shown} {BLOCKED_EDGE}", **once)
    assert (done["errors"], done["removedUserId"], done["viewer"]) == ([], grace.user_id, viewer_of(ada))
    assert done["deletedFollowId"] == edge["node"]["viewerFollow"]["id"]
    assert [done["blockedUserEdge"]] == (await ada.run(BLOCKED))["viewer"]["social"]["blockedUsers"]["edges"]
    assert done["user"] == {
        "id": grace.user_id,
        "viewerFollowStatus": "NOT_FOLLOWING",
        "viewerIsFriend": False,
    }
    again = await ada.do("blockUser", f"removedUserId user {{ id }} {BLOCKED_EDGE} replayed", **once)
    assert (again["removedUserId"], again["user"], again["replayed"]) == (grace.user_id, None, True)
    assert again["blockedUserEdge"] is None
    assert await counts(ada) == (0, 0, 0)
    assert await written(services, "follows", {"follower_id": {"$in": [ada.user_id, grace.user_id]}}) == 0
    assert await _seen(ada, grace.user_id, hers, his) == [None, None, {"id": his}, [said[0]]]
    assert await _seen(grace, ada.user_id, hers, his) == [None, {"id": hers}, {"id": his}, [said[1]]]
    for one, other in ((ada, grace), (grace, ada)):
        refused = await one.do("followUser", STANDING, userId=other.user_id)
        assert (refused["errors"], refused["user"]) == ([NOBODY], None)


async def _seen(phone: Phone, person: str, hers: str, his: str) -> list[object]:
    query = """query($person: ID!, $hers: ID!, $his: ID!) {
      person: node(id: $person) { id } hers: node(id: $hers) { id } his: node(id: $his) { id }
      post(id: $his) { comments { edges { node { id } } } commentPreview { id } } }"""
    found = await phone.run(query, person=person, hers=hers, his=his)
    shown = [edge["node"]["id"] for edge in found["post"]["comments"]["edges"]]
    assert [each["id"] for each in found["post"]["commentPreview"]] == shown
    return [found["person"], found["hers"], found["his"], shown]


async def test_a_block_counts_among_however_many(new_phone: NewPhone, services: Services) -> None:
    """Whoever blocked ten thousand others saw again those who had blocked them."""
    ada, mallory = await new_phone("Ada"), await new_phone("Mallory")
    post = await publish(ada)
    others = [new_id("user") for _ in range(MAX_ROWS)]
    rows = [{"_id": f"{mallory.user_id}|{id}", "user_id": mallory.user_id, "blocked_id": id} for id in others]
    await services.db.write({"insert": "blocks", "documents": rows})
    await ada.do("blockUser", "removedUserId", userId=mallory.user_id)
    seen = await mallory.run("query($id: ID!) { node(id: $id) { id } }", id=post)
    assert seen == {"node": None}
    refused = await mallory.do("blockUser", "removedUserId", userId=(await new_phone("Alan")).user_id)
    full = refusal("LIMIT_REACHED", "At most 10,000 people.", ["userId"], limit=10_000)
    assert refused["errors"] == [full]
    gone = {"q": {"user_id": mallory.user_id}, "limit": 0}
    await services.db.write({"delete": "blocks", "deletes": [gone]})


async def test_blocking_again_and_unblocking(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    for _ in range(2):
        done = await ada.do("blockUser", "removedUserId", userId=grace.user_id)
        assert (done["errors"], done["removedUserId"]) == ([], grace.user_id)
    assert await written(services, "blocks", {"user_id": ada.user_id}) == 1
    undone = await ada.do("unblockUser", STANDING, userId=grace.user_id)
    assert (undone["errors"], undone["user"]["id"]) == ([], grace.user_id)
    assert undone["user"]["viewerFollowStatus"] == "NOT_FOLLOWING"
    assert await written(services, "blocks", {"user_id": ada.user_id}) == 0
    again = await ada.do("unblockUser", STANDING, userId=grace.user_id)
    assert (again["errors"], again["user"]) == ([], undone["user"])


async def test_following_and_blocking_at_once_leave_nobody_followed(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    for _ in range(20):
        await asyncio.gather(
            grace.do("followUser", "idempotencyKey", userId=ada.user_id),
            ada.do("blockUser", "removedUserId", userId=grace.user_id),
        )
        assert await written(services, "blocks", {"user_id": ada.user_id}) == 1
        assert await written(services, "follows", {"follower_id": grace.user_id}) == 0
        await ada.do("unblockUser", "idempotencyKey", userId=grace.user_id)


async def test_two_blocks_need_two_unblocks(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await ada.do("blockUser", "removedUserId", userId=grace.user_id)
    await grace.do("blockUser", "removedUserId", userId=ada.user_id)
    half = await ada.do("unblockUser", STANDING, userId=grace.user_id)
    assert (half["errors"], half["user"]) == ([], None)
    whole = await grace.do("unblockUser", STANDING, userId=ada.user_id)
    assert whole["user"]["id"] == ada.user_id


async def test_oneself_and_nobody_are_not_blocked(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    oneself = refusal("FORBIDDEN", "You cannot block yourself.", ["userId"])
    for id, error in ((ada.user_id, oneself), (new_id("user"), NOBODY)):
        refused = await ada.do("blockUser", "removedUserId", userId=id)
        assert (refused["errors"], refused["removedUserId"]) == ([error], None)
    assert await written(services, "blocks", {"user_id": ada.user_id}) == 0
