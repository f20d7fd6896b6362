"""Events of an open post, and notices of what concerns a person in the feed."""

from typing import Annotated

from core.graphql import Created, Deleted, Updated, type_, union
from core.graphql.common import Event, ResyncRequired
from schema.auth import User
from schema.feed.types import Comment, Post, Subject
from stores.feed import CommentNoticeKind


@type_
class ReactionsUpdated(Event):
    """Reactions to the post or one of its comments changed."""

    subject: Subject
    """Post or comment with its reactions as they are now."""


@type_
class PostTypingChanged(Event):
    """The number of people who are writing a comment changed; not replayed."""

    typing_count: int
    """Number of others who are writing a comment now."""


PostEvent = Annotated[
    Created[Comment]
    | Updated[Comment]
    | Deleted[Comment]
    | ReactionsUpdated
    | Updated[Post]
    | Deleted[Post]
    | PostTypingChanged
    | ResyncRequired,
    union("PostEvent", "Events of an open post: comments, reactions, edits and typing."),
]


@type_
class FeedUpdated(Event):
    """Your feed has something new; at most every 15 seconds."""

    new_post_count: int
    """Number of posts that came to the feed."""
    newer_token: str
    """Token for `feedDelta`, which has what is new; the one of the page shown serves as well."""


@type_
class FeedReset(Event):
    """You changed whom you follow, here or on another device: read your feed again."""


@type_
class CommentReceived(Event):
    """Comment of somebody on a post of yours, or reply to a comment of yours."""

    kind: CommentNoticeKind
    """Kind of the notice: what the comment is on."""
    comment: Comment
    """Comment that somebody wrote."""
    post: Post
    """Post that the comment is on."""


@type_
class ViewerMentioned(Event):
    """Mention of you by somebody in a post or comment."""

    post: Post
    """Post that names the viewer, or the one commented on."""
    comment: Comment | None
    """Comment that names the viewer; null when the post does."""


@type_
class ViewerFollowed(Event):
    """New follower: a person began to follow you."""

    user: User
    """Person who follows the viewer."""


FeedEvent = Annotated[
    FeedUpdated | FeedReset | CommentReceived | ViewerMentioned | ViewerFollowed | ResyncRequired,
    union("FeedEvent", "Signals and notices of what concerns you in the feed."),
]
