"""Uploads, and the pictures, films and files they become."""

from resolvers.media.access import media, own_uploads, viewer_upload, viewer_uploads, visible_media
from resolvers.media.adopting import adopt, erase_unkept
from resolvers.media.delivery import (
    animation,
    avatar_full_url,
    avatar_full_urls,
    avatar_thumb_url,
    avatar_thumb_urls,
    hls_url,
    nearest,
    opened,
    poster_url,
    thumbnail_url,
    url,
    url_expires_at,
    variant_url,
    variants,
)
from resolvers.media.keeping import clear_parts, condemn, erase_person, exported, move, purge, sweep
from resolvers.media.linking import attach, attachment
from resolvers.media.processing import disposition, picture_fields, process, reject
from resolvers.media.receiving import bytes_received, part_received, parts, progress
from resolvers.media.uploading import abort_upload, arrived, complete_upload, create_upload, sign_upload_parts

__all__ = [
    "abort_upload",
    "adopt",
    "animation",
    "arrived",
    "attach",
    "attachment",
    "avatar_full_url",
    "avatar_full_urls",
    "avatar_thumb_url",
    "avatar_thumb_urls",
    "bytes_received",
    "clear_parts",
    "complete_upload",
    "condemn",
    "create_upload",
    "disposition",
    "erase_person",
    "erase_unkept",
    "exported",
    "hls_url",
    "media",
    "move",
    "nearest",
    "opened",
    "own_uploads",
    "part_received",
    "parts",
    "picture_fields",
    "poster_url",
    "process",
    "progress",
    "purge",
    "reject",
    "sign_upload_parts",
    "sweep",
    "thumbnail_url",
    "url",
    "url_expires_at",
    "variant_url",
    "variants",
    "viewer_upload",
    "viewer_uploads",
    "visible_media",
]
