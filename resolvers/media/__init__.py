"""Uploads, and the pictures, films and files they become; for other systems: attaching, showing, fetching."""

from resolvers.media.access import own_uploads
from resolvers.media.adopting import adopt
from resolvers.media.delivery import nearest, opened
from resolvers.media.linking import attach, link, unlink
from resolvers.media.processing import disposition, picture_fields
from resolvers.media.receiving import part_received

__all__ = [
    "adopt",
    "attach",
    "disposition",
    "link",
    "nearest",
    "opened",
    "own_uploads",
    "part_received",
    "picture_fields",
    "unlink",
]
