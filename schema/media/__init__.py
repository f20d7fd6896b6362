"""Uploads, and the pictures, films and files they become, as clients see them."""

from core.binding import connection, field, mutation, query
from resolvers import media
from schema.media import uploads
from schema.media.types import Media, MediaVariant
from schema.media.uploads import Attachment, AttachmentInput, Upload, UploadConnection

__all__ = [
    "Attachment",
    "AttachmentInput",
    "Media",
    "MediaVariant",
    "Mutation",
    "Query",
    "Upload",
    "Viewer",
]


class Query:
    media: Media | None = query(media.media)
    """A medium with fresh addresses; NOT_FOUND when nothing shows it to you."""


class Viewer:
    upload: Upload | None = field(media.viewer_upload)
    """An upload of yours, to resume it; NOT_FOUND when there is none."""
    uploads: UploadConnection = connection(media.viewer_uploads, status="Only those in this state.")
    """Your uploads, latest first."""


class Mutation:
    create_upload = mutation(media.create_upload, uploads.CreateUploadInput, uploads.CreateUploadPayload)
    """Ask for a place to send a file; READY at once when you sent an equal one before."""
    sign_upload_parts = mutation(
        media.sign_upload_parts, uploads.SignUploadPartsInput, uploads.SignUploadPartsPayload
    )
    """Ask for fresh URLs of parts."""
    complete_upload = mutation(
        media.complete_upload,
        uploads.CompleteUploadInput,
        uploads.CompleteUploadPayload,
        prepare=media.arrived,
    )
    """Say that all parts have been sent."""
    abort_upload = mutation(media.abort_upload, uploads.AbortUploadInput, uploads.AbortUploadPayload)
    """Give up an upload that is being sent."""
