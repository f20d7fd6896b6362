"""Passing on, hiding, and telling what was seen."""

from core.binding import input_, type_
from core.binding.common import URL, MutationInput, Payload
from core.ids import Id
from schema.auth import User
from schema.feed.types import FeedEdge, Post
from stores.feed import Visibility


@input_
class SharePostInput(MutationInput):
    """A post to pass on into your timeline."""

    id: Id | None
    """The id of your share, if you mint one."""
    post_id: Id
    """The post to pass on; of a share, what it shares."""
    text: str | None
    """What you say to it, at most 5,000 characters."""
    visibility: Visibility = Visibility.FRIENDS
    """Who may see the share; the original's own audience still rules."""


@type_
class SharePostPayload(Payload):
    """Your share."""

    post: Post | None
    """The share; null when refused."""
    feed_edge: FeedEdge | None
    """Its place at the top of your feed."""
    shared_post: Post | None
    """The original with its new count."""


@input_
class CreateShareLinkInput(MutationInput):
    """A public post to link to."""

    post_id: Id
    """The post."""


@type_
class CreateShareLinkPayload(Payload):
    """A link to the post."""

    url: URL | None
    """The link; null when refused."""
    code: str | None
    """Its code, for `postByLink`."""


@input_
class HidePostInput(MutationInput):
    """A post to take out of your feed."""

    post_id: Id
    """The post."""


@type_
class HidePostPayload(Payload):
    """It is out of your feed."""

    removed_post_id: Id | None
    """Take it out of your lists."""


@input_
class NotInterestedInput(MutationInput):
    """A post that was no good for you."""

    post_id: Id
    """The post."""


@type_
class NotInterestedPayload(Payload):
    """It is out of your feed, and there will be less like it."""

    removed_post_id: Id | None
    """Take it out of your lists."""


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


@input_
class RecordImpressionsInput(MutationInput):
    """What was on the screen."""

    items: list[ImpressionInput]
    """1 to 50 posts."""


@type_
class RecordImpressionsPayload(Payload):
    """It will be learnt from."""

    recorded: int | None
    """How many were taken."""


@input_
class SetCommentTypingInput(MutationInput):
    """Whether you are writing a comment."""

    post_id: Id
    """The post."""
    is_typing: bool
    """Say so again every few seconds: after six without a word you have stopped."""


@type_
class SetCommentTypingPayload(Payload):
    """It is told to those who have the post open."""

    post_id: Id | None
    """The post."""


@input_
class SetFollowListsHiddenInput(MutationInput):
    """Whether others see whom you follow and who follows you."""

    hidden: bool
    """True: only you see these lists."""


@type_
class SetFollowListsHiddenPayload(Payload):
    """Your lists are shown or hidden."""

    user: User | None
    """You."""
