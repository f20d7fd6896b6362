"""Posts, comments, follows and their lists."""

from datetime import datetime
from typing import Annotated

from core.graphql import (
    Page,
    batched,
    connection,
    dated,
    derived,
    extend,
    field,
    input_,
    key,
    local,
    many,
    node,
    one,
    personal,
    told,
    type_,
    union,
    unsynced,
    visible,
)
from core.graphql.common import URL, Connection, Edge, Entity, Node
from core.ids import Id
from loaders.auth import UserById
from loaders.feed import GroupById, ReactionOfViewer
from loaders.media import MediaById
from resolvers.feed import content, graph, groups, lists, reading, sharing
from resolvers.feed.reactions import summary
from schema.auth import Account, User
from schema.media import Media
from stores.feed import (
    FeedReason,
    FollowStatus,
    GroupPrivacy,
    GroupRole,
    ModerationLabel,
    PostStatus,
    ReactionKind,
    Visibility,
)


@type_
class Reactions:
    """Reactions to a post or comment, counted."""

    total: int
    """All of them."""
    like: int
    """Likes."""
    love: int
    """Hearts."""
    wow: int
    """Surprises."""
    sad: int
    """Sadnesses."""
    angry: int
    """Angers."""
    viewer_reaction: ReactionKind | None = told(
        personal(one(ReactionOfViewer, key="subject_id")), "reactions"
    )
    """Your own; null when none or anonymous."""


@type_
class PostRights:
    """What you may do with a post."""

    edit: bool
    """Change its text or audience."""
    delete: bool
    """Delete it."""
    comment: bool
    """Comment on it."""
    share: bool
    """Share it."""
    pin: bool
    """Pin it to the top of your timeline."""


@type_
class LinkPreview:
    """What a web page says of itself."""

    url: URL
    """Its address, as the author gave it."""
    title: str | None
    """At most 200 characters."""
    description: str | None
    """At most 500 characters."""
    site_name: str | None
    """The site it is of."""
    image: Media | None = one(MediaById, key="image_id")
    """Its picture, kept by us; null when there is none, and a moment longer than the rest."""


@node("post")
class Post(Entity):
    """Something a person wrote or showed.

    Your own posts, those of people you follow and those of your groups are part of what you sync; all others
    are as old as the answer you have them from."""

    author: User | None = one(UserById, key="author_id")
    """Author of the post; null while the author's account is being erased."""
    text: str | None
    """Full text, at most 5,000 characters; null when it only has media."""
    text_preview: str = derived(content.text_preview, "text")
    """The first 280 characters, cut at a word."""
    truncated: bool = derived(content.truncated, "text")
    """Whether `textPreview` is shorter than `text`."""
    media: list[Media] = many(MediaById, key="media_ids")
    """Pictures and films, in the author's order; at most 10."""
    link: LinkPreview | None
    """What its link shows; null when there is none, or nothing could be fetched from it."""
    visibility: Visibility
    """Who may see it."""
    group: "Group | None" = one(GroupById, key="group_id")
    """The group it is for; null when it is for none."""
    mentions: list[User] = dated(
        batched(content.mentioned),
        "Who hides from you, or whose account closes, leaves it when it is next told or read.",
    )
    """People the text names."""
    shared_post: "Post | None" = told(batched(sharing.shared_posts), "blocks", "follows")
    """The post it passes on; null when there is none, or it is not for you. When that is edited, goes or
    comes back, this one is told again; its counters are told only where you sync it as well."""
    shared_unavailable: bool = told(batched(sharing.shared_unavailable), "blocks", "follows")
    """Whether it passes on a post that is gone, or not for you."""
    label: ModerationLabel | None
    """A warning to show with it; null when there is none."""
    status: PostStatus = key("state")
    """Where it is in its life."""
    pinned: bool
    """Whether it is on top of its author's timeline."""
    reaction_summary: Reactions = derived(summary, "reactions")
    """Reactions, counted."""
    comment_count: int
    """Comments and replies."""
    share_count: int
    """How often it was shared."""
    viewer_can: PostRights = personal(local(content.viewer_can, "author_id", "state", "visibility"))
    """What you may do with it."""
    comments: "Page[Comment]" = connection(
        reading.comments,
        batched=True,
        reads=["_id"],
    )
    """Top-level comments."""
    reactors: Page[User] = connection(lists.reactors)
    """Who reacted to it, latest first."""
    comment_preview: list["Comment"] = unsynced(
        batched(reading.comment_previews, reads=["_id"]),
        "read it with the page that shows the post.",
    )
    """The newest three top-level comments, in the order they were written, without those of people you
    muted."""
    edited_at: datetime | None
    """When its text last changed; null if never."""


@node("group")
class Group(Entity):
    """A circle of people with posts of their own."""

    name: str
    """At most 100 characters."""
    privacy: GroupPrivacy
    """Who may join."""
    viewer_role: GroupRole = told(personal(batched(groups.viewer_roles)), "group_members")
    """How you stand to it."""
    member_count: int
    """How many are in it."""
    posts: "Page[Post]" = connection(groups.posts_of)
    """Its posts, newest first; empty unless you are a member."""


@node("comment")
class Comment(Entity):
    """A comment on a post, or a reply to one.

    Your own comments are part of what you sync; those of others, on your own posts too, are as old as the
    answer you have them from: read the post's page again, or watch `postEvents`."""

    post: Post | None = told(visible("post_id"), "posts", "blocks", "follows", "group_members")
    """The post; null when it has become hidden from you, who still see your own comment."""
    parent_id: Id | None
    """Which comment it replies to; null at top level."""
    parent: "Comment | None" = unsynced(
        visible("parent_id"), "`parentId` names it; read it with the page that shows the post."
    )
    """The comment it replies to; null at top level, or when you and its author are hidden from each other."""
    author: User | None = one(UserById, key="author_id")
    """Who wrote it; null for a deleted comment that stays because of its replies."""
    text: str | None = derived(content.comment_text, "text")
    """Text of the comment, at most 2,000 characters; null when the comment was deleted or removed."""
    mentions: list[User] = dated(
        batched(content.mentioned),
        "Who hides from you, or whose account closes, leaves it when it is next told or read.",
    )
    """People the text names."""
    label: ModerationLabel | None
    """A warning to show with it; null when there is none."""
    reply_count: int
    """Replies to it."""
    replies: "Page[Comment]" = connection(reading.replies, batched=True, reads=["_id", "post_id"])
    """Replies, oldest first."""
    reactions: Reactions = derived(summary, "reactions")
    """Reactions, counted."""
    status: PostStatus = key("state")
    """Where it is in its life."""
    edited_at: datetime | None
    """When its text last changed; null if never."""


@node("follow")
class Follow(Entity):
    """Your following of a person."""

    user: User = one(UserById, key="followee_id")
    """Whom you follow."""
    status: FollowStatus = key("state")
    """Whether the followed person is muted."""
    notify: bool = derived(lambda follow: follow.get("notify", False), "notify")
    """Whether their posts are pushed to your devices while you are friends."""


@type_
class FeedEdge(Edge):
    """A post in the home feed."""

    node: Post
    """The post."""
    score: float
    """How much it should matter to you; 0 when newest first."""
    reason: FeedReason
    """Why it is there."""
    position: int
    """Its place in the feed, from 0."""


@type_
class FeedConnection(Connection):
    """A page of the home feed."""

    edges: list[FeedEdge]
    """The posts of this page."""
    snapshot_id: Id
    """Names this order: pages after the first are of the same one."""
    generated_at: datetime
    """When it was put together."""
    newer_token: str
    """Send it to `feedDelta` to learn what is new, changed or gone since."""
    degraded: bool
    """Whether it is newest first because it could not be ranked."""
    variant: str | None
    """Your variant of the ranking experiment; null when there is none."""


@type_
class FeedDelta:
    """What happened to a feed since it was shown."""

    new_edges: list[FeedEdge]
    """Posts that are now in the feed and were not, best first; at most 50. After a reset the top 12."""
    new_count: int
    """How many are new."""
    changed: list[Post]
    """Posts whose counts, text or state changed; at most 100."""
    removed_post_ids: list[Id]
    """Ids of posts to take out of the feed: gone, or hidden from you."""
    newer_token: str
    """Send it next time."""
    reset: bool
    """Whether to drop what you show and begin with `newEdges`: too much has moved."""


@input_
class ImpressionInput:
    """A post that was on the screen."""

    post_id: Id
    """The post."""
    position: int
    """Its `position` in the feed."""
    dwell_ms: int
    """How long it was to be seen, in milliseconds."""
    snapshot_id: Id
    """The feed's `snapshotId`."""


Subject = Annotated[Post | Comment, union("ReactionSubject", "What can be reacted to.")]


@extend(Account)
class FeedOfAccount:
    follow_lists_hidden: bool = derived(
        lambda account: account.get("follow_lists_hidden", False), "follow_lists_hidden"
    )
    """Whether only its owner sees whom they follow and who follows them."""


@extend(User)
class FeedOfUser:
    viewer_follow: Follow | None = told(personal(batched(graph.follows, reads=["_id"])), "follows")
    """Follow of yours that leads to them; null when you do not follow them."""
    viewer_follow_status: FollowStatus = told(
        personal(batched(graph.follow_states, reads=["_id"])), "follows"
    )
    """Whether you follow them."""
    viewer_is_followed: bool = told(personal(batched(graph.viewer_is_followed, reads=["_id"])), "follows")
    """Whether they follow you."""
    viewer_is_friend: bool = told(personal(batched(graph.are_friends, reads=["_id"])), "follows")
    """Whether you follow each other."""
    follower_count: int = derived(lambda user: user.get("follower_count", 0), "follower_count")
    """How many follow them."""
    following_count: int = derived(lambda user: user.get("following_count", 0), "following_count")
    """How many they follow."""
    post_count: int = derived(lambda user: user.get("post_count", 0), "post_count")
    """How many posts they have."""
    posts: Page[Post] = connection(reading.timeline)
    """Their posts that you may see: pinned first, then newest first."""
    followers: Page[User] = connection(lists.followers)
    """Who follows them, latest first; for signed-in users."""
    following: Page[User] = connection(lists.following)
    """Whom they follow, latest first; for signed-in users."""


@node("social")
class SocialArea(Node):
    """People and groups around the viewer."""

    groups: Page[Group] = connection(groups.viewer_groups, reads=["_id"])
    """Groups of yours, joined last first."""
    suggested_users: list[User] = field(
        lists.suggested_users, reads=["_id"], limit="Largest number of people, 1 to 50."
    )
    """People you may like to follow: first those whom many follow that you follow."""
    muted_users: Page[User] = connection(lists.muted_users, reads=["_id"])
    """People you follow and keep out of your feed, latest followed first."""
    blocked_users: Page[User] = connection(lists.blocked_users, reads=["_id"])
    """People you blocked, latest blocked first."""
