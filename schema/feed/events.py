"""What an open post's stream tells."""

from typing import Annotated

from core.binding import type_, union
from core.binding.common import Event, ResyncRequired
from core.ids import Id
from schema.feed.types import Comment, Post, Reactions


@type_
class CommentCreated(Event):
    """Somebody commented."""

    comment: Comment
    """The new comment."""


@type_
class CommentUpdated(Event):
    """A comment changed."""

    comment: Comment
    """The comment as it is now."""


@type_
class CommentDeleted(Event):
    """A comment is gone."""

    deleted_comment_id: Id
    """Take it out of your lists."""


@type_
class ReactionsUpdated(Event):
    """Reactions to the post or one of its comments changed."""

    subject_id: Id
    """The post or comment."""
    summary: Reactions
    """Its reactions now."""


@type_
class PostUpdated(Event):
    """The post changed."""

    post: Post
    """The post as it is now."""


@type_
class PostDeleted(Event):
    """The post is gone, or hidden from you; the stream ends."""

    deleted_post_id: Id
    """Take it out of your lists."""


PostEvent = Annotated[
    CommentCreated
    | CommentUpdated
    | CommentDeleted
    | ReactionsUpdated
    | PostUpdated
    | PostDeleted
    | ResyncRequired,
    union("PostEvent", "What happens to an open post."),
]
