"""Enums of the feed: audiences, states, orders, reasons."""

from enum import StrEnum


class Visibility(StrEnum):
    """Audience of a post, with its comments and reactions."""

    PUBLIC = "PUBLIC"
    """Everybody, except people blocked by or blocking the author."""
    FRIENDS = "FRIENDS"
    """People who follow the author and whom the author follows."""
    PRIVATE = "PRIVATE"
    """The author alone sees the post."""
    GROUP = "GROUP"
    """Members of the post's group."""


class PostStatus(StrEnum):
    """Status of a post or comment."""

    PROCESSING = "PROCESSING"
    """Media of the post are not ready: until they are, only the author sees it."""
    PUBLISHED = "PUBLISHED"
    """The post or comment is shown to its audience."""
    LIMITED = "LIMITED"
    """The post or comment is shown to its audience, but not suggested to others: it may break the rules."""
    REMOVED = "REMOVED"
    """A moderator took the post or comment down, or the comment was deleted and stays for its replies."""


class ReactionKind(StrEnum):
    """A reaction; one per person and subject."""

    LIKE = "LIKE"
    """Approval, shown as a thumbs up."""
    LOVE = "LOVE"
    """Love, shown as a heart."""
    WOW = "WOW"
    """Surprise, shown as an astonished face."""
    SAD = "SAD"
    """Sadness, shown as a sad face."""
    ANGRY = "ANGRY"
    """Anger, shown as an angry face."""


class FollowStatus(StrEnum):
    """The viewer's relation to a person."""

    FOLLOWING = "FOLLOWING"
    """The viewer follows the person and has their posts in the feed."""
    NOT_FOLLOWING = "NOT_FOLLOWING"
    """The viewer does not follow the person."""
    MUTED = "MUTED"
    """The viewer follows the person, but keeps their posts out of the feed."""


class FeedSort(StrEnum):
    """Order of the home feed."""

    RANKED = "RANKED"
    """Most relevant to you first."""
    NEWEST = "NEWEST"
    """Newest posts first, without ranking."""


class FeedReason(StrEnum):
    """Reason for a post's place in the feed."""

    FOLLOW = "FOLLOW"
    """The viewer follows the author, or is the author."""
    FRIEND = "FRIEND"
    """The author is a friend: the viewer and the author follow each other."""
    SUGGESTED = "SUGGESTED"
    """Public post by somebody whom the viewer does not follow."""
    GROUP = "GROUP"
    """The post is for a group that the viewer is in."""
    SHARED_BY_FOLLOW = "SHARED_BY_FOLLOW"
    """Share of another post, made by a person whom the viewer follows."""
    PINNED = "PINNED"
    """The author, whom the viewer follows, pinned the post to the top of their timeline."""
    SPONSORED = "SPONSORED"
    """Sponsored post, which somebody pays to have shown."""


class CommentSort(StrEnum):
    """Order of comments."""

    NEWEST = "NEWEST"
    """Newest comments first, by creation."""
    OLDEST = "OLDEST"
    """Oldest comments first, by creation."""
    TOP = "TOP"
    """Most reactions and replies first; the order moves while people react."""


class CommentNoticeKind(StrEnum):
    """Kind of a notice of a comment: what the comment is on."""

    POST = "POST"
    """A comment on a post of yours."""
    REPLY = "REPLY"
    """A reply to a comment of yours."""


class GroupPrivacy(StrEnum):
    """Join policy of a group."""

    OPEN = "OPEN"
    """Everybody may join the group."""
    CLOSED = "CLOSED"
    """Nobody may join the group; its members are friends whom the owner brought along."""


class GroupRole(StrEnum):
    """Role of a person in a group."""

    OWNER = "OWNER"
    """Owner of the group; the oldest member succeeds an owner who leaves."""
    MEMBER = "MEMBER"
    """Member of the group, who reads and writes posts in it."""
    NONE = "NONE"
    """Not a member of the group."""


class ModerationLabel(StrEnum):
    """A warning shown with a post or comment."""

    SENSITIVE = "SENSITIVE"
    """Sensitive content, to be shown once the reader agrees."""
    MISLEADING = "MISLEADING"
    """Misleading content, which may say what is wrong."""


class ModerationAction(StrEnum):
    """Action of a moderator on a reported post or comment; of a person, only the reports are settled."""

    LIMIT = "LIMIT"
    """Uphold the reports and give the post or comment the status LIMITED."""
    REMOVE = "REMOVE"
    """Uphold the reports and give the post or comment the status REMOVED."""
    RESTORE = "RESTORE"
    """Dismiss the reports and give the post or comment the status PUBLISHED again."""
    LABEL = "LABEL"
    """Uphold the reports and show a warning with the post or comment, or none any more."""
    DISMISS = "DISMISS"
    """Dismiss the reports and leave the post or comment as it is."""


class ReportReason(StrEnum):
    """Reason of a report."""

    SPAM = "SPAM"
    """Unwanted advertising or mass posting."""
    ABUSE = "ABUSE"
    """Insults, threats or harassment."""
    VIOLENCE = "VIOLENCE"
    """Violence, or a call for it."""
    NUDITY = "NUDITY"
    """Nudity or sexual content."""
    MISINFORMATION = "MISINFORMATION"
    """Something false that does harm."""
    OTHER = "OTHER"
    """Another violation, which the note describes."""


class ReportStatus(StrEnum):
    """Outcome of a report."""

    OPEN = "OPEN"
    """No moderator has judged the report yet."""
    UPHELD = "UPHELD"
    """A moderator agreed with the report and acted on it."""
    DISMISSED = "DISMISSED"
    """A moderator did not agree with the report."""


SHOWN = (PostStatus.PUBLISHED, PostStatus.LIMITED)
"""States in which others see a post or comment."""
