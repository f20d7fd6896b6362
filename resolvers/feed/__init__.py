"""The social feed; for other systems: who hides from whom, reports, and who is writing."""

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
