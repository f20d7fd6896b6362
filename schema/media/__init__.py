"""Uploads, and the pictures, films and files they become, as clients see them."""

from core import nodes
from core.graphql import Edge, Page, connection, mutation, query
from core.ids import Id
from resolvers.media import access, uploading
from schema.media.types import Attachment, AttachmentInput, Media, Upload, UploadedPartInput, UploadPurpose

__all__ = ["Attachment", "AttachmentInput", "Media", "Mutation", "Query", "Upload", "Viewer"]


class Query:
    media: Media | None = query(nodes.reader("media"))
    """Medium by its id, with fresh addresses; null when nothing shows it to you."""
    upload: Upload | None = query(nodes.reader("upload"))
    """Upload of yours by its id, to resume it; null when there is none."""


class Viewer:
    uploads: Page[Upload] = connection(access.viewer_uploads)
    """Your uploads, latest first."""


class Mutation:
    create_upload = mutation(
        uploading.create_upload,
        refuses="INVALID_FORMAT MIME_NOT_ALLOWED OUT_OF_RANGE QUOTA_EXCEEDED REQUIRED TOO_LARGE TOO_LONG",
        returns={"upload": Upload, "upload_edge": (Edge[Upload], "Its place at the top of your uploads.")},
        takes={"purpose": (UploadPurpose, "What it is for.")},
        file_name="Its name, with an extension that fits its type.",
        mime="Its type: `image/jpeg`; its bytes are of it. Aliases (`image/jpg`) and parameters will do.",
        size_bytes="Its exact size in bytes.",
        sha256="Its SHA-256 in hexadecimal: it proves an undamaged arrival, and spares sending it twice.",
        width="A picture's width in pixels, if you know it: one that is too large is refused at once.",
        height="Its height likewise.",
    )
    """Ask for a place to send a file; READY at once when you sent an equal one before."""
    request_upload_part_urls = mutation(
        uploading.request_upload_part_urls,
        refuses="TOO_MANY UPLOAD_CLOSED",
        returns={"upload": Upload},
        part_numbers="Numbers of the parts, at most 100.",
    )
    """Request fresh URLs of parts, where theirs have died or were not given yet; what has arrived stays."""
    complete_upload = mutation(
        uploading.complete_upload,
        refuses="CHECKSUM_MISMATCH INVALID_FORMAT UPLOAD_CLOSED UPLOAD_INCOMPLETE",
        returns={
            "upload": (Upload, "The upload, UPLOADED; with UPLOAD_INCOMPLETE as it is."),
            "missing_parts": (list[int], "Parts that have not arrived; null unless UPLOAD_INCOMPLETE."),
        },
        takes={"parts": list[UploadedPartInput]},
        prepare=uploading.arrived,
        parts="The parts with their ETags; those left out are taken as they arrived.",
        sha256="Its SHA-256 in hexadecimal, if `createUpload` did not have it.",
    )
    """Say that all parts have been sent."""
    cancel_upload = mutation(
        uploading.cancel_upload, refuses="UPLOAD_CLOSED", returns={"deleted_upload_id": Id}
    )
    """Cancel an upload that is being sent."""
