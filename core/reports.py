"""What people report things for, in every system that lets them."""

from enum import StrEnum

from core.limits import Rate

REPORT_RATE = Rate("reports", 20, 86_400)
LONGEST_NOTE = 1_000


class ReportReason(StrEnum):
    """Why something is reported."""

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
    """What became of a report."""

    OPEN = "OPEN"
    """Nobody has judged it."""
    UPHELD = "UPHELD"
    """A moderator agreed."""
    DISMISSED = "DISMISSED"
    """A moderator did not agree."""
