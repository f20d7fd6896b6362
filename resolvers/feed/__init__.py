"""The social feed: posts, comments, reactions, groups, who follows whom, and what of it is shown to whom."""

from resolvers.feed import migrations
from resolvers.feed.access import barred
from resolvers.feed.content import text_preview
from resolvers.feed.graph import parting, rejoining
from resolvers.feed.moderating import LONGEST_NOTE, REPORT_RATE
from resolvers.feed.sharing import post_by_link

__all__ = [
    "LONGEST_NOTE",
    "REPORT_RATE",
    "barred",
    "migrations",
    "parting",
    "post_by_link",
    "rejoining",
    "text_preview",
]
