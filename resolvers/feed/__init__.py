"""Social feed; for other systems: blocks between people, reports, and typing indicators."""

from resolvers.feed.access import barred
from resolvers.feed.graph import parting, rejoining
from resolvers.feed.moderating import LONGEST_NOTE, REPORT_RATE
from resolvers.feed.typists import Typists

__all__ = [
    "LONGEST_NOTE",
    "REPORT_RATE",
    "Typists",
    "barred",
    "parting",
    "rejoining",
]
