"""What may be uploaded: the types we know, their file names, and the purposes that are everybody's."""

from pathlib import PurePath

from core.errors import Refused, refusals
from core.uploads import MIB, PURPOSES, Purpose, purpose
from stores.media import MediaKind

refusals(
    MIME_NOT_ALLOWED="Files of this type are not taken for this purpose, or the name does not fit the type.",
    TOO_LARGE="The file is larger than this purpose takes.",
)

IMAGES = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/webp": ("webp",),
    "image/gif": ("gif",),
    "image/heic": ("heic", "heif"),
    "image/heif": ("heif", "heic", "hif"),
}
HEIC = ("image/heic", "image/heif")
VIDEOS = {"video/mp4": ("mp4", "m4v"), "video/quicktime": ("mov", "qt"), "video/webm": ("webm",)}
OFFICE = "application/vnd.openxmlformats-officedocument"
FILES = {
    "application/pdf": ("pdf",),
    "text/plain": ("txt", "text", "log", "md"),
    "text/csv": ("csv",),
    "application/zip": ("zip",),
    f"{OFFICE}.wordprocessingml.document": ("docx",),
    f"{OFFICE}.spreadsheetml.sheet": ("xlsx",),
    f"{OFFICE}.presentationml.presentation": ("pptx",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "audio/mpeg": ("mp3",),
    "audio/mp4": ("m4a", "mp4"),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/wav": ("wav",),
}
"""Nothing that a browser would run: no SVG, no HTML, no scripts."""
EXTENSIONS = {**IMAGES, **VIDEOS, **FILES}

CHAT_ATTACHMENT = purpose(
    "CHAT_ATTACHMENT",
    "A picture, film or file in a message.",
    image=25 * MIB,
    video=500 * MIB,
    file=100 * MIB,
)
POST_MEDIA = purpose("POST_MEDIA", "A picture or film in a post or comment.", image=25 * MIB, video=500 * MIB)
AVATAR = purpose(
    "AVATAR", "A profile picture.", image=10 * MIB, widths=(96, 256, 1024), thumb=96, public=True
)

LONGEST_NAME = 255


def kind_of(mime: str) -> MediaKind | None:
    if mime in IMAGES:
        return MediaKind.IMAGE
    if mime in VIDEOS:
        return MediaKind.VIDEO
    return MediaKind.FILE if mime in FILES else None


def largest(asked: Purpose, kind: MediaKind) -> int:
    return {MediaKind.IMAGE: asked.image, MediaKind.VIDEO: asked.video, MediaKind.FILE: asked.file}[kind]


def checked(
    name: str, mime: str, file_name: str, size: int, *, films: bool, heic: bool
) -> tuple[Purpose, MediaKind]:
    """The purpose and kind of an upload, or why it is not taken."""
    asked, kind = PURPOSES[name], kind_of(mime)
    if kind is None or not largest(asked, kind):
        raise Refused("MIME_NOT_ALLOWED", "Files of this type are not taken here.", field=["mime"])
    if kind is MediaKind.VIDEO and not films:
        raise Refused("MIME_NOT_ALLOWED", "This server takes no films: it has no ffmpeg.", field=["mime"])
    if mime in HEIC and not heic:
        raise Refused("MIME_NOT_ALLOWED", "This server takes no HEIC pictures: send a JPEG.", field=["mime"])
    suffix = PurePath(file_name).suffix[1:].lower()
    if suffix and suffix not in EXTENSIONS[mime]:
        raise Refused(
            "MIME_NOT_ALLOWED", f"A file of type {mime} is not named .{suffix}.", field=["fileName"]
        )
    if size > largest(asked, kind):
        raise Refused("TOO_LARGE", f"At most {largest(asked, kind) // MIB} MiB.", field=["sizeBytes"])
    return asked, kind
