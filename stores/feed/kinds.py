"""Enums of the feed: audiences, states, orders, reasons."""

from enum import StrEnum


class Visibility(StrEnum):
    """Audience of a post, with its comments and reactions."""

    PUBLIC = "PUBLIC"
    """Everybody, except people blocked by or blocking the author."""
    FRIENDS = "FRIENDS"
    """People who follow the author and whom the author follows."""
    PRIVATE = "PRIVATE"
    """The author alone."""
    GROUP = "GROUP"
    """Members of the post's group."""


class PostStatus(StrEnum):
    """State of a post or comment."""

    PROCESSING = "PROCESSING"
    """Its media are not ready; only the author sees it."""
    PUBLISHED = "PUBLISHED"
    """Shown to its audience."""
    LIMITED = "LIMITED"
    """Kept out of suggestions while it is judged."""
    REMOVED = "REMOVED"
    """Taken down by a moderator."""


class ReactionKind(StrEnum):
    """A reaction; one per person and subject."""

    LIKE = "LIKE"
    """Thumbs up."""
    LOVE = "LOVE"
    """Heart."""
    WOW = "WOW"
    """Surprise."""
    SAD = "SAD"
    """Sadness."""
    ANGRY = "ANGRY"
    """Anger."""


class FollowStatus(StrEnum):
    """The viewer's relation to a person."""

    FOLLOWING = "FOLLOWING"
    """Followed."""
    NOT_FOLLOWING = "NOT_FOLLOWING"
    """Not followed."""
    MUTED = "MUTED"
    """Followed, but kept out of the feed."""


class FeedSort(StrEnum):
    """Order of the home feed."""

    RANKED = "RANKED"
    """Most relevant to you first."""
    NEWEST = "NEWEST"
    """Newest first."""


class FeedReason(StrEnum):
    """Reason for a post's place in the feed."""

    FOLLOW = "FOLLOW"
    """Its author is followed, or is the viewer."""
    FRIEND = "FRIEND"
    """Its author is a friend: the following is mutual."""
    SUGGESTED = "SUGGESTED"
    """Something public by somebody who is not followed."""
    GROUP = "GROUP"
    """It is of a group the viewer is in."""
    SHARED_BY_FOLLOW = "SHARED_BY_FOLLOW"
    """Somebody who is followed shared it."""
    PINNED = "PINNED"
    """Its author, who is followed, keeps it on top of their timeline."""
    SPONSORED = "SPONSORED"
    """Somebody pays for it to be shown."""


class CommentSort(StrEnum):
    """Order of comments."""

    NEWEST = "NEWEST"
    """Newest first."""
    OLDEST = "OLDEST"
    """Oldest first."""
    TOP = "TOP"
    """Most reactions and replies first; it moves while people react."""


class CommentNoticeKind(StrEnum):
    """Kind of a notice of a comment: what the comment is on."""

    POST = "POST"
    """A comment on a post of yours."""
    REPLY = "REPLY"
    """A reply to a comment of yours."""


class GroupPrivacy(StrEnum):
    """Join policy of a group."""

    OPEN = "OPEN"
    """Everybody."""
    CLOSED = "CLOSED"
    """People its owner brings along."""


class GroupRole(StrEnum):
    """Role of a person in a group."""

    OWNER = "OWNER"
    """It is theirs."""
    MEMBER = "MEMBER"
    """They are in it."""
    NONE = "NONE"
    """They are not in it."""


class ModerationLabel(StrEnum):
    """A warning shown with a post or comment."""

    SENSITIVE = "SENSITIVE"
    """Ask before showing it."""
    MISLEADING = "MISLEADING"
    """It may be wrong."""


class ModerationAction(StrEnum):
    """Action of a moderator."""

    LIMIT = "LIMIT"
    """Keep it from strangers."""
    REMOVE = "REMOVE"
    """Take it down."""
    RESTORE = "RESTORE"
    """Publish it again."""
    LABEL = "LABEL"
    """Show a warning with it, or none any more."""
    DISMISS = "DISMISS"
    """Leave it as it is."""


class ReportReason(StrEnum):
    """Reason of a report."""

    SPAM = "SPAM"
    """Unwanted advertising."""
    ABUSE = "ABUSE"
    """Insults, threats or harassment."""
    VIOLENCE = "VIOLENCE"
    """Violence, or a call for it."""
    NUDITY = "NUDITY"
    """Nudity or sexual content."""
    MISINFORMATION = "MISINFORMATION"
    """Something false that does harm."""
    OTHER = "OTHER"
    """Something else: the note says what."""


class ReportStatus(StrEnum):
    """Outcome of a report."""

    OPEN = "OPEN"
    """Nobody has judged it."""
    UPHELD = "UPHELD"
    """A moderator agreed."""
    DISMISSED = "DISMISSED"
    """A moderator did not agree."""


SHOWN = (PostStatus.PUBLISHED, PostStatus.LIMITED)
"""States in which others see a post or comment."""
