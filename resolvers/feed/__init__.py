"""Social feed; for other systems: blocks between people, reports, and typing indicators."""

from resolvers.feed.access import blocked_either_way
from resolvers.feed.graph import parting, rejoining
from resolvers.feed.moderating import LONGEST_NOTE, REPORT_RATE
from resolvers.feed.typing_indicator import TypingIndicator

__all__ = [
    "LONGEST_NOTE",
    "REPORT_RATE",
    "TypingIndicator",
    "blocked_either_way",
    "parting",
    "rejoining",
]
