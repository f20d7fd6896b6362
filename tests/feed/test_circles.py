"""Groups, shares, links, mentions, pins, hides and lists of people."""

from typing import Any

import pytest

from core import ids, jobs
from core.context import Services
from resolvers.feed import groups
from tests.conftest import NewPhone
from tests.feed.steps import befriend, comment, feed_of, follow, publish, refusal
from tests.feed.test_ranking import ids_of, page_of
from tests.phone import Phone, deleted_ids

GROUP = "group { id name privacy memberCount viewerRole }"
CHANGES = """query($since: SyncToken) { viewer { changes(since: $since, types: [POST]) {
  token nodes { id } deleted { id } } } }"""


async def codes(phone: Phone, mutation: str, **input: Any) -> list[str]:
    done = await phone.do(mutation, "__typename", **input)
    return [error["code"] for error in done["errors"]]


async def found_group(phone: Phone, **input: Any) -> str:
    made = await phone.do("createGroup", GROUP, name="Gardeners", **input)
    assert made["errors"] == []
    return str(made["group"]["id"])


async def test_a_group_s_posts_are_for_its_members(new_phone: NewPhone, no_posts: None) -> None:
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    group = await found_group(ada)
    assert await codes(grace, "createPost", text="Hi", visibility="GROUP", groupId=group) == ["NOT_MEMBER"]
    shown = f"{GROUP} groupEdge {{ cursor node {{ id }} }} viewer {{ id }}"
    joined = await grace.do("joinGroup", shown, groupId=group)
    assert joined["group"]["memberCount"] == 2
    assert joined["group"]["viewerRole"] == "MEMBER"
    mine = "{ viewer { id social { groups { edges { cursor node { id } } } } } }"
    found = (await grace.run(mine))["viewer"]
    assert (joined["viewer"], [joined["groupEdge"]]) == (
        {"id": found["id"]},
        found["social"]["groups"]["edges"],
    )
    post = await publish(ada, "For us", visibility="GROUP", groupId=group)
    page = await page_of(grace)
    assert [(edge["node"]["id"], edge["reason"]) for edge in page["edges"]] == [(post, "GROUP")]
    assert await feed_of(grace) == [post]
    query = """query($id: ID!, $post: ID!) { node(id: $post) { id }
      group(id: $id) { name posts { edges { node { id group { name } } } } } }"""
    seen = await grace.run(query, id=group, post=post)
    assert seen["group"]["posts"]["edges"] == [{"node": {"id": post, "group": {"name": "Gardeners"}}}]
    unseen = await alan.run(query, id=group, post=post)
    assert (unseen["node"], unseen["group"]["posts"]["edges"]) == (None, [])
    assert post not in ids_of(await page_of(alan))
    await grace.do("leaveGroup", "viewer { id }", groupId=group)
    assert (await grace.run(query, id=group, post=post))["node"] is None
    assert await feed_of(grace) == []


async def test_a_group_s_posts_reach_its_members_devices(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    group = await found_group(ada)
    token = (await grace.run(CHANGES))["viewer"]["changes"]["token"]
    post = await publish(ada, visibility="GROUP", groupId=group)
    assert (await grace.run(CHANGES, since=token))["viewer"]["changes"]["nodes"] == []
    await grace.do("joinGroup", "viewer { id }", groupId=group)
    got = (await grace.run(CHANGES, since=token))["viewer"]["changes"]
    assert got["nodes"] == [{"id": post}]
    await grace.do("leaveGroup", "viewer { id }", groupId=group)
    assert deleted_ids((await grace.run(CHANGES, since=got["token"]))["viewer"]["changes"]) == [post]


async def test_one_s_own_posts_in_a_group_that_one_left_are_no_news(new_phone: NewPhone) -> None:
    """They are seen through another scope still: of the group's, the others' alone are gone."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    group = await found_group(ada)
    await grace.do("joinGroup", "viewer { id }", groupId=group)
    theirs, own = [await publish(phone, visibility="GROUP", groupId=group) for phone in (ada, grace)]
    page = (await grace.run(CHANGES))["viewer"]["changes"]
    assert {theirs, own} == {node["id"] for node in page["nodes"]}
    await grace.do("leaveGroup", "viewer { id }", groupId=group)
    page = (await grace.run(CHANGES, since=page["token"]))["viewer"]["changes"]
    assert (page["nodes"], deleted_ids(page)) == ([], [theirs])


async def test_a_closed_group_takes_whom_its_owner_brings(new_phone: NewPhone) -> None:
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    await befriend(ada, grace)
    group = await found_group(ada, privacy="CLOSED", memberIds=[grace.user_id])
    assert await codes(alan, "joinGroup", groupId=group) == ["FORBIDDEN"]
    assert await codes(ada, "createGroup", name="Others", memberIds=[alan.user_id]) == ["NOT_FOUND"]
    mine = "{ viewer { social { groups { edges { node { id viewerRole } } } } } }"
    found = (await grace.run(mine))["viewer"]["social"]["groups"]["edges"]
    assert found == [{"node": {"id": group, "viewerRole": "MEMBER"}}]
    await ada.do("leaveGroup", "viewer { id }", groupId=group)
    assert (await grace.run(mine))["viewer"]["social"]["groups"]["edges"][0]["node"]["viewerRole"] == "OWNER"
    last = await grace.do("leaveGroup", f"{GROUP} removedGroupId deletedGroupId", groupId=group)
    assert (last["group"], last["removedGroupId"], last["deletedGroupId"]) == (None, None, group)
    assert await codes(ada, "joinGroup", groupId=group) == ["NOT_FOUND"]


async def test_nobody_is_brought_into_more_groups_than_anybody_may_be_in(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's oldest groups beyond the limit were not read: their posts reached no device."""
    monkeypatch.setattr(groups, "MOST_GROUPS", 2)
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    mine = [await found_group(grace) for _ in range(2)]
    full = [refusal("LIMIT_REACHED", "At most 2 groups.", ["memberIds"], limit=2)]
    refused = await ada.do("createGroup", GROUP, name="Others", memberIds=[grace.user_id])
    assert (refused["group"], refused["errors"]) == (None, full)
    refused = await grace.do("createGroup", GROUP, name="A third")
    assert refused["errors"] == [refusal("LIMIT_REACHED", "At most 2 groups.", ["name"], limit=2)]
    assert await codes(grace, "joinGroup", groupId=await found_group(ada)) == ["LIMIT_REACHED"]
    found = await services.db.find("group_members", {"user_id": grace.user_id})
    assert {row["group_id"] for row in found} == set(mine)


async def test_group_refusals(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    group = await found_group(ada)
    assert await codes(ada, "createGroup", name=" ") == ["REQUIRED"]
    assert await codes(ada, "createPost", text="a", visibility="GROUP") == ["INVALID_INPUT"]
    assert await codes(ada, "createPost", text="a", visibility="PUBLIC", groupId=group) == ["INVALID_INPUT"]
    post = await publish(ada, visibility="GROUP", groupId=group)
    assert await codes(ada, "updatePost", postId=post, visibility="PUBLIC") == ["INVALID_INPUT"]
    other = await publish(ada)
    assert await codes(ada, "updatePost", postId=other, visibility="GROUP") == ["INVALID_INPUT"]
    assert await codes(ada, "sharePost", postId=post) == ["FORBIDDEN"]


SHARE = "post { id text sharedPost { id } sharedUnavailable } feedEdge { reason } sharedPost { shareCount }"


async def test_a_share_keeps_the_original_s_audience(new_phone: NewPhone) -> None:
    author, friend, stranger = [await new_phone(name) for name in ("Author", "Friend", "Stranger")]
    await befriend(author, friend)
    original = await publish(author, "For friends", visibility="FRIENDS")
    made = await friend.do("sharePost", SHARE, postId=original, text="Look", visibility="PUBLIC")
    assert made["errors"] == []
    assert made["sharedPost"] == {"shareCount": 1}
    assert made["post"]["sharedPost"] == {"id": original}
    query = "query($id: ID!) { post(id: $id) { text sharedPost { id } sharedUnavailable } }"
    share = made["post"]["id"]
    assert (await stranger.run(query, id=share))["post"] == {
        "text": "Look",
        "sharedPost": None,
        "sharedUnavailable": True,
    }
    second = await stranger.do("sharePost", SHARE, postId=share)
    assert [error["code"] for error in second["errors"]] == ["NOT_FOUND"]
    of_share = await author.do("sharePost", SHARE, postId=share)
    assert of_share["post"]["sharedPost"] == {"id": original}
    assert of_share["sharedPost"] == {"shareCount": 2}
    await friend.do("deletePost", "deletedPostId", postId=share)
    count = await author.run("query($id: ID!) { post(id: $id) { shareCount } }", id=original)
    assert count == {"post": {"shareCount": 1}}
    private = await publish(author, visibility="PRIVATE")
    assert await codes(author, "sharePost", postId=private) == ["FORBIDDEN"]


async def test_a_share_says_who_passed_it_on(new_phone: NewPhone, services: Services, no_posts: None) -> None:
    author, friend, ada = [await new_phone(name) for name in ("Author", "Friend", "Ada")]
    await follow(ada, friend)
    original = await publish(author)
    share = (await friend.do("sharePost", SHARE, postId=original, visibility="PUBLIC"))["post"]["id"]
    await jobs.run_due(services)
    reasons = {edge["node"]["id"]: edge["reason"] for edge in (await page_of(ada))["edges"]}
    assert reasons[share] == "SHARED_BY_FOLLOW"


async def test_a_link_leads_to_a_public_post(new_phone: NewPhone, anonymous: Phone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada, "Everybody", visibility="PUBLIC")
    shown = "shareLink { url code post { id } }"
    first = await ada.do("createShareLink", shown, postId=post)
    made = first["shareLink"]
    assert (first["errors"], made["post"]) == ([], {"id": post})
    assert (await ada.do("createShareLink", shown, postId=post))["shareLink"] == made
    assert made["url"].endswith(f"/p/{made['code']}")
    query = "query($code: String!) { shareLink(code: $code) { url post { id text } } }"
    found = await anonymous.run(query, code=made["code"])
    assert found == {"shareLink": {"url": made["url"], "post": {"id": post, "text": "Everybody"}}}
    async with anonymous.http.get(made["url"]) as response:
        assert (response.status, "Everybody" in await response.text()) == (200, True)
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    await ada.do("updatePost", "post { id }", postId=post, visibility="FRIENDS")
    async with anonymous.http.get(made["url"]) as response:
        assert (response.status, "Everybody" in await response.text()) == (404, False)
    for code in (made["code"], "unknown", ""):
        assert await anonymous.run(query, code=code) == {"shareLink": None}
    assert await codes(ada, "createShareLink", postId=post) == ["FORBIDDEN"]


async def test_mentions_are_of_people_one_may_see(new_phone: NewPhone) -> None:
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    await alan.do("blockUser", "removedUserId", userId=ada.user_id)
    named = [grace.user_id, alan.user_id, grace.user_id]
    made = await ada.do("createPost", "post { id mentions { id } }", text="Hi", mentions=named)
    assert made["post"]["mentions"] == [{"id": grace.user_id}]
    said = await ada.do(
        "createComment", "comment { mentions { id } }", postId=made["post"]["id"], text="Hi", mentions=named
    )
    assert said["comment"]["mentions"] == [{"id": grace.user_id}]
    many = [ids.new_id("user") for _ in range(21)]
    assert await codes(ada, "createPost", text="Hi", mentions=many) == ["TOO_MANY"]


async def test_pinning_replaces(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    first, second = await publish(ada, "First"), await publish(ada, "Second")
    before = None
    for post in (first, second, first):
        shown = "post { pinned } unpinnedPost { id pinned }"
        done = await ada.do("updatePost", shown, postId=post, pinned=True)
        assert done["post"] == {"pinned": True}
        assert done["unpinnedPost"] == (before and {"id": before, "pinned": False})
        before = post
        query = "{ viewer { user { posts { edges { node { id pinned } } } } } }"
        edges = (await ada.run(query))["viewer"]["user"]["posts"]["edges"]
        assert [edge["node"]["id"] for edge in edges if edge["node"]["pinned"]] == [post]
        assert edges[0]["node"]["id"] == post


@pytest.mark.parametrize("action", ["hidePost", "markPostUninteresting"])
@pytest.mark.parametrize("sort", ["RANKED", "NEWEST"])
async def test_what_is_hidden_stays_out(
    new_phone: NewPhone, services: Services, action: str, sort: str, no_posts: None
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    posts = [await publish(grace, f"{n}") for n in range(3)]
    await jobs.run_due(services)
    query = """query($sort: FeedSort, $after: String) { viewer { feed(first: 1, sort: $sort, after: $after) {
      edges { node { id } } pageInfo { endCursor } } } }"""
    first = (await ada.run(query, sort=sort))["viewer"]["feed"]
    [hidden, *_] = [post for post in posts if post not in ids_of(first)]
    done = await ada.do(action, "removedPostId", postId=hidden)
    assert (done["errors"], done["removedPostId"]) == ([], hidden)
    rest, after = [], first["pageInfo"]["endCursor"]
    while after:
        page = (await ada.run(query, sort=sort, after=after))["viewer"]["feed"]
        rest += ids_of(page)
        after = page["pageInfo"]["endCursor"]
    assert hidden not in rest
    assert hidden not in ids_of((await ada.run(query, sort=sort))["viewer"]["feed"])
    assert await codes(grace, action, postId=hidden) == ["FORBIDDEN"]
    assert await codes(ada, action, postId=ids.new_id("post")) == ["NOT_FOUND"]


async def test_impressions_are_recorded_and_shown_to_nobody(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    item = {"postId": post, "position": 0, "dwellMs": 1500, "snapshotId": "feed_x"}
    done = await ada.do("recordImpressions", "recordedCount", items=[item] * 50)
    assert (done["errors"], done["recordedCount"]) == ([], 50)
    assert len(await services.db.find("impressions", {"user_id": ada.user_id})) == 50
    for items, code in (
        ([], "REQUIRED"),
        ([item] * 51, "TOO_MANY"),
        ([{**item, "dwellMs": -1}], "OUT_OF_RANGE"),
        ([{**item, "position": -1}], "OUT_OF_RANGE"),
    ):
        assert await codes(ada, "recordImpressions", items=items) == [code]


async def test_nothing_is_recorded_of_posts_one_may_not_see(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    shown, hidden, closed = await publish(ada), await publish(ada, visibility="PRIVATE"), await publish(ada)
    rest = {"position": 0, "dwellMs": 1500, "snapshotId": "feed_x"}
    items = [{"postId": id, **rest} for id in (shown, hidden, ids.new_id("post"), closed)]
    await ada.do("deletePost", "deletedPostId", postId=closed)
    done = await grace.do("recordImpressions", "recordedCount", items=items)
    assert (done["errors"], done["recordedCount"]) == ([], 1)
    kept = await services.db.find("impressions", {"user_id": grace.user_id})
    assert [row["post_id"] for row in kept] == [shown]
    none = await grace.do("recordImpressions", "recordedCount", items=items[1:])
    assert (none["errors"], none["recordedCount"]) == ([], 0)


PEOPLE = "edges { node { id } } pageInfo { hasNextPage endCursor }"


async def test_lists_of_people(new_phone: NewPhone) -> None:
    ada, grace, alan, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Alan", "Hedy")]
    await befriend(ada, grace)
    await follow(ada, alan)
    await ada.do("muteUser", "viewer { id }", userId=alan.user_id)
    await ada.do("blockUser", "removedUserId", userId=hedy.user_id)
    query = f"""{{ viewer {{
      user {{ following {{ {PEOPLE} }} followers {{ {PEOPLE} }} }}
      social {{ mutedUsers {{ {PEOPLE} }} blockedUsers {{ {PEOPLE} }} }} }} }}"""
    found = (await ada.run(query))["viewer"]
    lists = {**found["user"], **found["social"]}
    shown = {name: [edge["node"]["id"] for edge in each["edges"]] for name, each in lists.items()}
    assert shown == {
        "following": [alan.user_id, grace.user_id],
        "followers": [grace.user_id],
        "mutedUsers": [alan.user_id],
        "blockedUsers": [hedy.user_id],
    }


async def test_follow_lists_may_be_hidden(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    query = f"query($id: ID!) {{ user(id: $id) {{ followers {{ {PEOPLE} }} following {{ {PEOPLE} }} }} }}"
    await ada.do("setFollowListsHidden", "account { followListsHidden }", hidden=True)
    theirs, own = [(await phone.run(query, id=ada.user_id))["user"] for phone in (grace, ada)]
    assert [len(theirs[name]["edges"]) for name in ("followers", "following")] == [0, 0]
    assert [len(own[name]["edges"]) for name in ("followers", "following")] == [1, 1]


async def test_who_reacted(new_phone: NewPhone) -> None:
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    post = await publish(ada)
    for phone, kind in ((grace, "LIKE"), (alan, "LOVE"), (ada, "LOVE")):
        await phone.do("setReaction", "subject { __typename }", subjectId=post, kind=kind)
    query = f"""query($id: ID!, $filter: ReactorFilterInput) {{ post(id: $id) {{
      reactors(filter: $filter) {{ {PEOPLE} }} }} }}"""
    everybody = (await ada.run(query, id=post))["post"]["reactors"]["edges"]
    assert {edge["node"]["id"] for edge in everybody} == {ada.user_id, grace.user_id, alan.user_id}
    loved = (await ada.run(query, id=post, filter={"kinds": ["LOVE"]}))["post"]["reactors"]["edges"]
    assert {edge["node"]["id"] for edge in loved} == {ada.user_id, alan.user_id}


async def test_suggested_people_are_near(new_phone: NewPhone) -> None:
    ada, grace, near, blocked = [await new_phone(name) for name in ("Ada", "Grace", "Near", "Blocked")]
    await follow(ada, grace)
    for person in (near, blocked):
        await follow(grace, person)
    await ada.do("blockUser", "removedUserId", userId=blocked.user_id)
    query = "query($limit: Int!) { viewer { social { suggestedUsers(limit: $limit) { id } } } }"
    found = [each["id"] for each in (await ada.run(query, limit=5))["viewer"]["social"]["suggestedUsers"]]
    assert found[0] == near.user_id
    assert not {ada.user_id, grace.user_id, blocked.user_id} & set(found)
    assert (await ada.ask(query, limit=51)).code == "BAD_USER_INPUT"


async def test_comments_of_a_group_post_are_for_members(new_phone: NewPhone) -> None:
    ada, alan = await new_phone("Ada"), await new_phone("Alan")
    group = await found_group(ada)
    post = await publish(ada, visibility="GROUP", groupId=group)
    said = await comment(ada, post)
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await alan.run(node, id=said))["node"] is None
    assert await codes(alan, "setReaction", subjectId=said, kind="LIKE") == ["NOT_FOUND"]
