"""Posts, comments, follows and their lists."""

from datetime import datetime
from typing import Annotated

from core.graphql import (
    Page,
    batched,
    connection,
    dated,
    deprecated,
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

    count: int
    """Number of reactions of all kinds."""
    total: int = deprecated(key("count"), "count", until="2027-12-31")
    """Number of reactions of all kinds."""
    like: int
    """Number of `LIKE` reactions."""
    love: int
    """Number of `LOVE` reactions."""
    wow: int
    """Number of `WOW` reactions."""
    sad: int
    """Number of `SAD` reactions."""
    angry: int
    """Number of `ANGRY` reactions."""
    viewer_reaction: ReactionKind | None = told(
        personal(one(ReactionOfViewer, key="subject_id")), "reactions"
    )
    """Reaction that you gave; null when you gave none or are not signed in."""


@type_
class PostRights:
    """Rights of the viewer on a post."""

    edit: bool
    """True if you may edit the text, media and audience of the post."""
    delete: bool
    """True if you may delete the post."""
    comment: bool
    """True if you may comment on the post."""
    share: bool
    """True if you may share the post; private posts and those of groups are not shared."""
    pin: bool
    """True if you may pin the post to the top of your timeline."""


@type_
class ShareLink:
    """Link to a public post, for people without an account too."""

    code: str
    """Code at the end of the link's address, by which `shareLink` reads it."""
    url: URL
    """Address of the page that shows the post."""
    post: "Post | None"
    """Post behind the link; null when it is gone or hidden from you."""


@type_
class LinkPreview:
    """Preview of a web page, as the page describes itself."""

    url: URL
    """Address of the page, as the author of the post gave it."""
    title: str | None
    """Title of the page, at most 200 characters; null when the page has none."""
    description: str | None
    """Description of the page, at most 500 characters; null when the page has none."""
    site_name: str | None
    """Name of the site; null when the page does not say."""
    image: Media | None = one(MediaById, key="image_id")
    """Picture of the page, served from here; null when there is none, and a moment longer than the rest."""


@node("post")
class Post(Entity):
    """Post of a person: text, media, a link, or another post that is shared.

    Your own posts, those of people you follow and those of your groups are part of what you sync; all others
    are as old as the answer that brought them."""

    author: User | None = one(UserById, key="author_id")
    """Author of the post; null while the author's account is being erased."""
    text: str | None
    """Full text, at most 5,000 characters; null when the post has none beside its media or link."""
    text_preview: str = derived(content.text_preview, "text")
    """Beginning of the text: the first 280 characters, cut at a word; empty when there is no text."""
    truncated: bool = derived(content.truncated, "text")
    """True if `textPreview` is shorter than `text`."""
    media: list[Media] = many(MediaById, key="media_ids")
    """Pictures and films of the post, in the author's order; at most 10."""
    link: LinkPreview | None
    """Preview of the link; null when the post has none, or the page could not or not yet be fetched."""
    visibility: Visibility
    """Audience that may see the post."""
    group: "Group | None" = one(GroupById, key="group_id")
    """Group that the post is for; null when it is for none, or the group is gone."""
    mentions: list[User] = dated(
        batched(content.mentioned),
        "People who hide from you or close their account leave the list when it is next told or read.",
    )
    """People whom the text mentions, at most 20."""
    shared_post: "Post | None" = told(batched(sharing.shared_posts), "blocks", "follows")
    """Original post that this one shares; null when it shares none, or the original is not for you. When the
    original is edited, goes or comes back, this post is told again; counters of the original are told only
    where you sync it as well."""
    shared_unavailable: bool = told(batched(sharing.shared_unavailable), "blocks", "follows")
    """True if the post shares one that is gone, or not for you."""
    label: ModerationLabel | None
    """Warning to show with the post; null when there is none."""
    status: PostStatus = key("state")
    """Status of the post, which says who sees it."""
    pinned: bool
    """True if the post is pinned to the top of its author's timeline."""
    reaction_summary: Reactions = derived(summary, "reactions")
    """Reactions to the post, counted by kind."""
    comment_count: int
    """Number of comments and replies below the post."""
    share_count: int
    """Number of times the post was shared."""
    viewer_can: PostRights = personal(local(content.viewer_can, "author_id", "state", "visibility"))
    """Rights that you have on the post."""
    comments: "Page[Comment]" = connection(
        reading.comments,
        batched=True,
        reads=["_id"],
    )
    """Top-level comments on the post, newest first unless sorted otherwise."""
    reactors: Page[User] = connection(lists.reactors)
    """People who reacted to the post, latest first."""
    comment_preview: list["Comment"] = unsynced(
        batched(reading.comment_previews, reads=["_id"]),
        "read it with the page that shows the post.",
    )
    """Newest three top-level comments, in the order they were written, without those of people you muted."""
    edited_at: datetime | None
    """Time of the last edit of text or media; null when there was none."""


@node("group")
class Group(Entity):
    """A circle of people with posts of their own."""

    name: str
    """Name of the group, 1 to 100 characters."""
    privacy: GroupPrivacy
    """Join policy of the group."""
    viewer_role: GroupRole = told(personal(batched(groups.viewer_roles)), "group_members")
    """Role that you have in the group; NONE when you are not a member."""
    member_count: int
    """Number of members of the group."""
    posts: "Page[Post]" = connection(groups.posts_of)
    """Posts of the group, newest first; empty unless you are a member."""


@node("comment")
class Comment(Entity):
    """A comment on a post, or a reply to one.

    Your own comments are part of what you sync; those of others, on your own posts too, are as old as the
    answer that brought them: read the post's page again, or watch `postEvents`."""

    post: Post | None = told(visible("post_id"), "posts", "blocks", "follows", "group_members")
    """Post that the comment is on; null when the post is hidden from you, who still see your own comment."""
    parent_id: Id | None
    """Id of the comment that this one replies to; null at top level."""
    parent: "Comment | None" = unsynced(
        visible("parent_id"), "`parentId` names it; read it with the page that shows the post."
    )
    """Comment that this one replies to; null at top level, or when you and its author are hidden from each
    other."""
    author: User | None = one(UserById, key="author_id")
    """Author of the comment; null for a deleted comment that stays because of its replies."""
    text: str | None = derived(content.comment_text, "text")
    """Text of the comment, at most 2,000 characters; null when the comment was deleted or removed."""
    mentions: list[User] = dated(
        batched(content.mentioned),
        "People who hide from you or close their account leave the list when it is next told or read.",
    )
    """People whom the text mentions, at most 20."""
    label: ModerationLabel | None
    """Warning to show with the comment; null when there is none."""
    reply_count: int
    """Number of replies to the comment."""
    replies: "Page[Comment]" = connection(reading.replies, batched=True, reads=["_id", "post_id"])
    """Replies to the comment, oldest first."""
    reactions: Reactions = derived(summary, "reactions")
    """Reactions to the comment, counted by kind."""
    status: PostStatus = key("state")
    """Status of the comment, which says who sees it."""
    edited_at: datetime | None
    """Time of the last edit of the text; null when there was none."""


@node("follow")
class Follow(Entity):
    """Follow relation that leads from you to a person."""

    user: User = one(UserById, key="followee_id")
    """Person whom you follow."""
    status: FollowStatus = key("state")
    """Status of the follow: FOLLOWING, or MUTED when you keep the person out of your feed."""
    notify: bool = derived(lambda follow: follow.get("notify", False), "notify")
    """True if posts of the person are pushed to your devices while you are friends."""


@type_
class FeedEdge(Edge):
    """A post in the home feed."""

    node: Post
    """Post at this place in the feed."""
    score: float
    """Relevance of the post to you, as ranked; 0 when the feed is newest first."""
    reason: FeedReason
    """Reason for the post's place in your feed."""
    position: int
    """Position of the post in the feed, counted from 0."""


@type_
class FeedConnection(Connection):
    """A page of the home feed."""

    edges: list[FeedEdge]
    """The posts of this page."""
    snapshot_id: Id
    """Id of the snapshot that fixes the order: pages after the first are of the same one."""
    generated_at: datetime
    """Time at which the order was computed."""
    newer_token: str
    """Token for `feedDelta`, which tells what is new, changed or gone since."""
    degraded: bool
    """True if the feed is newest first because it could not be ranked."""
    variant: str | None
    """Your variant of the ranking experiment; null when there is none."""


@type_
class FeedDelta:
    """Changes of a feed since it was shown."""

    new_edges: list[FeedEdge]
    """Posts that are now in the feed and were not, best first; at most 50. After a reset the top 20."""
    new_count: int
    """Number of new posts, those beyond `newEdges` included."""
    changed: list[Post]
    """Posts whose counts, text or status changed; at most 100."""
    removed_post_ids: list[Id]
    """Ids of posts to take out of the feed: gone, or hidden from you."""
    newer_token: str
    """Token for the next call of `feedDelta`."""
    reset: bool
    """True to drop what you show and begin with `newEdges`: too much has moved."""


@input_
class ImpressionInput:
    """Impression: a post that was on the screen."""

    post_id: Id
    """Id of the post that was on the screen."""
    position: int
    """Position of the post in the feed, as the edge's `position` says."""
    dwell_ms: int
    """Time on the screen in milliseconds, at most a day."""
    snapshot_id: Id
    """Id of the snapshot, as the feed's `snapshotId` says."""


Subject = Annotated[Post | Comment, union("ReactionSubject", "Post or comment that people react to.")]


@extend(Account)
class FeedOfAccount:
    follow_lists_hidden: bool = derived(
        lambda account: account.get("follow_lists_hidden", False), "follow_lists_hidden"
    )
    """True if the lists of followers and followed people are hidden from everybody but the owner."""


@extend(User)
class FeedOfUser:
    viewer_follow: Follow | None = told(personal(batched(graph.follows, reads=["_id"])), "follows")
    """Follow of yours that leads to the person; null when you do not follow them."""
    viewer_follow_status: FollowStatus = told(
        personal(batched(graph.follow_states, reads=["_id"])), "follows"
    )
    """Status of your follow that leads to the person; NOT_FOLLOWING when there is none."""
    viewer_is_followed: bool = told(personal(batched(graph.viewer_is_followed, reads=["_id"])), "follows")
    """True if this person follows you."""
    viewer_is_friend: bool = told(personal(batched(graph.are_friends, reads=["_id"])), "follows")
    """True if you follow each other."""
    follower_count: int = derived(lambda user: user.get("follower_count", 0), "follower_count")
    """Number of people who follow this person."""
    following_count: int = derived(lambda user: user.get("following_count", 0), "following_count")
    """Number of people this person follows."""
    post_count: int = derived(lambda user: user.get("post_count", 0), "post_count")
    """Number of posts of this person."""
    posts: Page[Post] = connection(reading.timeline)
    """Posts of this person that you may see: pinned first, then newest first."""
    followers: Page[User] = connection(lists.followers)
    """People who follow this person, latest first; for signed-in users."""
    following: Page[User] = connection(lists.following)
    """People this person follows, latest first; for signed-in users."""


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
