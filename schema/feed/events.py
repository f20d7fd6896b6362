"""What an open post's stream tells."""

from typing import Annotated

from core.graphql import Created, Deleted, Updated, type_, union
from core.graphql.common import Event, ResyncRequired
from core.ids import Id
from schema.auth import User
from schema.feed.types import Comment, Post, Reactions


@type_
class ReactionsUpdated(Event):
    """Reactions to the post or one of its comments changed."""

    subject_id: Id
    """The post or comment."""
    summary: Reactions
    """Its reactions now."""


@type_
class CommentTyping(Event):
    """How many others are writing a comment changed."""

    count: int
    """How many are writing now."""


PostEvent = Annotated[
    Created[Comment]
    | Updated[Comment]
    | Deleted[Comment]
    | ReactionsUpdated
    | Updated[Post]
    | Deleted[Post]
    | CommentTyping
    | ResyncRequired,
    union("PostEvent", "What happens to an open post."),
]


@type_
class NewItemsAvailable(Event):
    """Your feed has something new; at most every 15 seconds."""

    count: int
    """How many posts came."""
    newer_token: str
    """Send it, or the one you have, to `feedDelta`."""


@type_
class FeedReset(Event):
    """You changed whom you follow, here or on another device: read your feed again."""


@type_
class CommentOnMyPost(Event):
    """Somebody commented on a post of yours."""

    post: Post
    """Your post."""
    comment: Comment
    """The comment."""


@type_
class ReplyToMe(Event):
    """Somebody replied to a comment of yours."""

    post: Post
    """The post."""
    comment: Comment
    """The reply."""


@type_
class MentionedMe(Event):
    """Somebody mentioned you."""

    post: Post
    """The post, or the one commented on."""
    comment: Comment | None
    """The comment that names you; null when it is the post."""


@type_
class NewFollower(Event):
    """Somebody follows you."""

    user: User
    """The person."""


@type_
class ReactionsOnMyPost(Event):
    """Reactions to a post of yours changed; those of two seconds are one event."""

    post: Post
    """Your post."""
    summary: Reactions
    """Its reactions now."""


@type_
class PostStateChanged(Event):
    """A post of yours appeared, waits for you, or was judged."""

    post: Post
    """Your post as it is now."""


FeedEvent = Annotated[
    NewItemsAvailable
    | FeedReset
    | CommentOnMyPost
    | ReplyToMe
    | MentionedMe
    | NewFollower
    | ReactionsOnMyPost
    | PostStateChanged
    | ResyncRequired,
    union("FeedEvent", "What concerns you in the feed."),
]
