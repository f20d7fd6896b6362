"""Uploads, and the pictures, videos and files made from them; for other systems: attachments."""

from resolvers.media.access import own_uploads
from resolvers.media.adopting import adopt
from resolvers.media.linking import attach, link, unlink
from resolvers.media.media_urls import nearest
from resolvers.media.processing import disposition, picture_fields

__all__ = [
    "adopt",
    "attach",
    "disposition",
    "link",
    "nearest",
    "own_uploads",
    "picture_fields",
    "unlink",
]
