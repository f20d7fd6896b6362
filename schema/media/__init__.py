"""Uploads, and the pictures, films and files they become, as clients see them."""

from core import nodes
from core.graphql import Edge, Page, connection, mutation, query
from core.ids import Id
from resolvers.media import access, uploading
from schema.media.types import Attachment, AttachmentInput, Media, Upload, UploadedPartInput, UploadPurpose

__all__ = ["Attachment", "AttachmentInput", "Media", "Mutation", "Query", "Upload", "Viewer"]


class Query:
    media: Media | None = query(nodes.reader("media"))
    """Medium by its id, with fresh URLs; null when nothing shows it to you."""
    upload: Upload | None = query(nodes.reader("upload"))
    """Upload of yours by its id, to resume it; null when there is none."""


class Viewer:
    uploads: Page[Upload] = connection(access.viewer_uploads)
    """Your uploads, latest first."""


class Mutation:
    create_upload = mutation(
        uploading.create_upload,
        refuses="INVALID_FORMAT MIME_NOT_ALLOWED OUT_OF_RANGE QUOTA_EXCEEDED REQUIRED TOO_LARGE TOO_LONG",
        returns={
            "upload": Upload,
            "upload_edge": (
                Edge[Upload],
                "Edge of the upload at the top of your uploads; null when refused.",
            ),
        },
        takes={"purpose": (UploadPurpose, "Purpose that the file will serve.")},
        file_name="Name of the file, 1 to 255 characters, with an extension that fits the type or none.",
        mime_type="MIME type of the bytes: `image/jpeg`. Aliases (`image/jpg`) and parameters will do.",
        size_bytes="Size of the file in bytes, exactly.",
        sha256="SHA-256 of the file in hexadecimal: proves that it arrives undamaged, and spares sending an "
        "equal file twice.",
        width="Width of a picture in pixels, if known: one too large to process is refused at once.",
        height="Height of a picture in pixels, if known.",
    )
    """Create an upload, with URLs to send the parts of the file to; READY at once when you have uploaded an
    equal file for the same purpose before."""
    request_upload_part_urls = mutation(
        uploading.request_upload_part_urls,
        refuses="TOO_MANY UPLOAD_CLOSED",
        returns={"upload": Upload},
        part_numbers="Numbers of the parts to send, at most 100.",
    )
    """Request fresh URLs for parts whose URLs have ended or were not given yet; what has arrived stays."""
    complete_upload = mutation(
        uploading.complete_upload,
        refuses="CHECKSUM_MISMATCH INVALID_FORMAT UPLOAD_CLOSED UPLOAD_INCOMPLETE",
        returns={
            "upload": (Upload, "Upload as it is now: UPLOADED, or on UPLOAD_INCOMPLETE as it was."),
            "missing_parts": (
                list[int],
                "Numbers of the parts to send again; null unless UPLOAD_INCOMPLETE.",
            ),
        },
        takes={"parts": list[UploadedPartInput]},
        prepare=uploading.arrived,
        parts="Parts that were sent, with their ETags; those left out are taken as they arrived.",
        sha256="SHA-256 of the file in hexadecimal, if `createUpload` did not have it.",
    )
    """Complete an upload after all parts have been sent: it is checked and processed, and `changeEvents`
    tells when it is READY or REJECTED."""
    cancel_upload = mutation(
        uploading.cancel_upload, refuses="UPLOAD_CLOSED", returns={"deleted_upload_id": Id}
    )
    """Cancel an upload that is being sent; what has arrived is erased, and it cannot be resumed."""
