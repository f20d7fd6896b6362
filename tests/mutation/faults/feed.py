"""The feed: guards, visibility, following, blocking, comments, shares."""

from tests.mutation.fault import Fault

VISIBILITY = ("tests/feed/test_visibility.py",)
CIRCLES = ("tests/feed/test_circles.py",)
PEOPLE = ("tests/feed/test_people.py", *CIRCLES)
COMMENTS = ("tests/feed/test_comments.py",)
HOME = ("tests/feed/test_home.py", "tests/feed/test_feed_events.py")
POSTS = ("tests/feed/test_posts.py", "tests/feed/test_links.py")

FAULTS = [
    Fault(
        "a post for friends is shown to one-sided followers",
        "resolvers/feed/access.py",
        'friends = {edge["followee_id"] for edge in edges if edge and edge["mutual"]}',
        'friends = {edge["followee_id"] for edge in edges if edge}',
        VISIBILITY,
    ),
    Fault(
        "a post for a group is shown to everybody",
        "resolvers/feed/access.py",
        'return post["group_id"] in groups\n    return open_to_all',
        "return True\n    return open_to_all",
        (*VISIBILITY, "tests/feed/test_circles.py"),
    ),
    Fault(
        "a blocked person's comments are shown",
        "resolvers/feed/access.py",
        'or (comment["post_id"] in visible and comment["author_id"] not in hidden)',
        'or comment["post_id"] in visible',
        (*PEOPLE, *COMMENTS),
    ),
    Fault(
        "other people's follows are shown",
        "core/nodes.py",
        "return [each if each and each[owner] == viewer else None for each in found]",
        "return [each for each in found]",
        VISIBILITY,
    ),
    Fault(
        "a post made private is not told to its former audience",
        "stores/feed/scopes.py",
        '        return [*scopes, friends_scope(post["author_id"])]\n',
        '        return [*scopes, friends_scope(post["author_id"]), followers_scope(post["author_id"])]\n',
        (*VISIBILITY, "tests/engine/test_delta.py"),
    ),
    Fault(
        "unfollowing leaves what was seen through it on the phone",
        "resolvers/feed/graph.py",
        "    ctx.tx.revoked(follower, followers_scope(followee))\n",
        "",
        (*PEOPLE, "tests/engine/test_delta.py"),
    ),
    Fault(
        "a lost friendship leaves posts for friends on the other's phone",
        "resolvers/feed/graph.py",
        "        ctx.tx.revoked(followee, friends_scope(follower))\n",
        "",
        (*PEOPLE, "tests/engine/test_delta.py"),
    ),
    Fault(
        "a block leaves the other following",
        "resolvers/feed/graph.py",
        "for follower, followee in ((ctx.viewer_id, user_id), (user_id, ctx.viewer_id)):",
        "for follower, followee in ((ctx.viewer_id, user_id),):",
        PEOPLE,
    ),
    Fault(
        "a follow lands beside a block",
        "resolvers/feed/graph.py",
        "        await _claim_pair(ctx, user_id)\n        await parting(ctx, user_id)",
        "        await parting(ctx, user_id)",
        PEOPLE,
    ),
    Fault(
        "a muted person is in the feed",
        "resolvers/feed/viewer_relations.py",
        '        if edge["state"] == FollowStatus.MUTED:\n            return False\n',
        "",
        (*HOME, *PEOPLE),
    ),
    Fault(
        "a hidden post comes back",
        "resolvers/feed/viewer_relations.py",
        'if post["_id"] in self.hidden or author in self.blocked_either_way',
        "if author in self.blocked_either_way",
        CIRCLES,
    ),
    Fault(
        "limited posts are suggested to strangers",
        "resolvers/feed/viewer_relations.py",
        'return post["visibility"] == Visibility.PUBLIC and post["state"] == PostStatus.PUBLISHED',
        'return post["visibility"] == Visibility.PUBLIC',
        ("tests/feed/test_ranking.py",),
    ),
    Fault(
        "a share shows what its reader may not see",
        "resolvers/feed/sharing.py",
        "seen = dict(zip(wanted, await visible_posts(ctx, wanted), strict=True)) if wanted else {}",
        "seen = {each: await store.posts.by_id(ctx.db, each) for each in wanted}",
        CIRCLES,
    ),
    Fault(
        "a private post is shared on",
        "resolvers/feed/sharing.py",
        "or not shareable(original) or",
        "or",
        CIRCLES,
    ),
    Fault(
        "a link opens a post that is no longer public",
        "resolvers/feed/sharing.py",
        '[post] = await visible_posts(ctx, [link["post_id"]]) if link else [None]',
        'post = await store.posts.by_id(ctx.db, link["post_id"]) if link else None',
        CIRCLES,
    ),
    Fault(
        "a comment answers one of another post",
        "resolvers/feed/comments.py",
        'if parent is None or parent["post_id"] != post_id or parent',
        "if parent is None or parent",
        COMMENTS,
    ),
    Fault(
        "anybody edits a comment",
        "resolvers/feed/access.py",
        'if comment is None or comment["author_id"] != ctx.viewer_id:',
        "if comment is None:",
        COMMENTS,
    ),
    Fault(
        "a deleted comment keeps its text under the stub",
        "resolvers/feed/comments.py",
        '            "text": "",\n            "author_id": None,\n',
        '            "author_id": None,\n',
        COMMENTS,
    ),
    Fault(
        "a comment a moderator removed is taken off the count twice",
        "resolvers/feed/comments.py",
        'counted = -1 if comment["state"] != PostStatus.REMOVED else 0',
        "counted = -1",
        ("tests/feed/test_moderation.py",),
    ),
]
