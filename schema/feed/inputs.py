"""What the feed's mutations take and answer."""

from typing import Annotated

from core.binding import input_, type_, union
from core.binding.common import MutationInput, Payload
from core.ids import Id
from schema.auth import User
from schema.feed.types import Comment, CommentEdge, FeedEdge, Follow, Post, PostEdge, Reactions
from stores.feed import ReactionKind, Visibility

Subject = Annotated[Post | Comment, union("ReactionSubject", "What can be reacted to.")]


@input_
class CreatePostInput(MutationInput):
    """A new post."""

    id: Id | None
    """The post's id, if you mint one so that queued actions can name it."""
    text: str | None
    """At most 5,000 characters; may be left out when there are media or a link."""
    upload_ids: list[Id] = []
    """Your uploads to show, at most 10; while one is not ready, only you see the post."""
    link_url: str | None
    """An address to show a preview of."""
    visibility: Visibility = Visibility.FRIENDS
    """Who may see it."""
    group_id: Id | None
    """With GROUP: the group."""
    mentions: list[Id] = []
    """People the text names, at most 20."""


@type_
class CreatePostPayload(Payload):
    """The new post."""

    post: Post | None
    """The post; null when refused."""
    post_edge: PostEdge | None
    """Its place at the top of your timeline."""
    feed_edge: FeedEdge | None
    """Its place at the top of your feed."""


@input_
class UpdatePostInput(MutationInput):
    """Changes to a post of yours."""

    id: Id
    """The post."""
    text: str | None
    """New text; left out: unchanged."""
    visibility: Visibility | None
    """New audience; left out: unchanged."""
    pinned: bool | None
    """Whether it is on top of your timeline, where there is room for one; left out: unchanged."""
    upload_ids: list[Id] | None
    """All it is to show, in that order, new uploads and those it has; left out: unchanged."""
    mentions: list[Id] | None
    """People the text names; left out: unchanged."""
    expected_version: int | None
    """The version you edited; CONFLICT if it has changed since."""


@type_
class UpdatePostPayload(Payload):
    """The changed post."""

    post: Post | None
    """The post as it is now; on CONFLICT as it is without your change."""


@input_
class DeletePostInput(MutationInput):
    """A post of yours to delete."""

    id: Id
    """The post."""


@type_
class DeletePostPayload(Payload):
    """The post is gone."""

    deleted_post_id: Id | None
    """Take it out of your lists."""


@input_
class CreateCommentInput(MutationInput):
    """A new comment."""

    id: Id | None
    """The comment's id, if you mint one."""
    post_id: Id
    """The post it is about."""
    parent_id: Id | None
    """The comment it replies to; a reply to a reply joins the top comment's thread."""
    text: str
    """At most 2,000 characters."""
    mentions: list[Id] = []
    """People the text names, at most 20."""


@type_
class CreateCommentPayload(Payload):
    """The new comment."""

    comment: Comment | None
    """The comment; null when refused."""
    comment_edge: CommentEdge | None
    """Its place in its thread."""
    post: Post | None
    """The post with its new count."""


@input_
class UpdateCommentInput(MutationInput):
    """A new text for a comment of yours."""

    id: Id
    """The comment."""
    text: str
    """At most 2,000 characters."""
    mentions: list[Id] | None
    """People the text names; left out: unchanged."""
    expected_version: int | None
    """The version you edited; CONFLICT if it has changed since."""


@type_
class UpdateCommentPayload(Payload):
    """The changed comment."""

    comment: Comment | None
    """The comment as it is now; on CONFLICT as it is without your change."""


@input_
class DeleteCommentInput(MutationInput):
    """A comment of yours, or on your post, to delete."""

    id: Id
    """The comment."""


@type_
class DeleteCommentPayload(Payload):
    """The comment is gone; replies to it stay."""

    deleted_comment_id: Id | None
    """Take it out of your lists, or show `comment` in its place."""
    comment: Comment | None
    """The stub that stays while there are replies; null when there are none."""
    post: Post | None
    """The post with its new count."""


@input_
class SetReactionInput(MutationInput):
    """Your reaction to a post or comment."""

    subject_id: Id
    """The post or comment."""
    kind: ReactionKind | None
    """The reaction; null takes yours back."""


@type_
class SetReactionPayload(Payload):
    """Your reaction is set."""

    subject: Subject | None
    """The post or comment."""
    reaction_summary: Reactions | None
    """Its reactions now."""


@input_
class PersonInput(MutationInput):
    user_id: Id
    """The person."""


@input_
class FollowUserInput(PersonInput):
    """Whom to follow."""

    notify: bool | None
    """Whether posts of this person, once a friend, are pushed to your devices; left out: unchanged."""


@input_
class UnfollowUserInput(PersonInput):
    """Whom to follow no longer."""


@input_
class MuteUserInput(PersonInput):
    """Whom to keep out of your feed."""


@input_
class UnmuteUserInput(PersonInput):
    """Whom to let into your feed again."""


@input_
class BlockUserInput(PersonInput):
    """Whom to hide from."""


@input_
class UnblockUserInput(PersonInput):
    """Whom to hide from no longer."""


@type_
class FollowUserPayload(Payload):
    """How you stand to the person now."""

    user: User | None
    """The person; null when refused."""
    follow: Follow | None
    """Your following of them."""
    feed_stale: bool | None
    """Whether your feed should be read again."""


@type_
class MuteUserPayload(FollowUserPayload):
    """The person is kept out of your feed."""


@type_
class UnmuteUserPayload(FollowUserPayload):
    """The person is in your feed again."""


@type_
class UnfollowUserPayload(Payload):
    """You do not follow the person."""

    user: User | None
    """The person; null when refused."""
    deleted_follow_id: Id | None
    """Your following that ended; null if there was none."""
    feed_stale: bool | None
    """Whether your feed should be read again."""


@type_
class BlockUserPayload(Payload):
    """You and the person are hidden from each other."""

    blocked_user_id: Id | None
    """The person."""
    user: User | None
    """The person as they are to you from now on; null when refused, and in a replay: they are hidden."""
    feed_stale: bool | None
    """Whether your feed should be read again."""


@type_
class UnblockUserPayload(Payload):
    """You and the person may see each other again."""

    user: User | None
    """The person; null when they still hide from you."""
    feed_stale: bool | None
    """Whether your feed should be read again."""
