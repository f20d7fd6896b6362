"""Upload types: the accepted MIME types, their file names, and the built-in purposes."""

import re
from pathlib import PurePath

from core.errors import ErrorKind, UserError, error_codes
from core.uploads import MIB, PURPOSES, Purpose, purpose
from ports.media import LONGEST_SIDE, MOST_PIXELS
from stores.media import MediaKind

error_codes(
    ErrorKind.INVALID,
    MIME_NOT_ALLOWED="Files of this type are not taken for this purpose, or the name does not fit the type.",
    TOO_LARGE="The file, the picture in it, or the entry is larger than what is taken.",
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
    "text/csv": ("csv", "tsv"),
    "text/markdown": ("md", "markdown"),
    "text/vcard": ("vcf", "vcard"),
    "application/zip": ("zip",),
    f"{OFFICE}.wordprocessingml.document": ("docx",),
    f"{OFFICE}.spreadsheetml.sheet": ("xlsx",),
    f"{OFFICE}.presentationml.presentation": ("pptx",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "audio/mpeg": ("mp3",),
    "audio/mp4": ("m4a", "mp4", "m4b"),
    "audio/aac": ("aac", "adts"),
    "audio/amr": ("amr", "awb"),
    "audio/webm": ("webm", "weba"),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/wav": ("wav",),
}
"""File types. None that a browser would run: no SVG, no HTML, no scripts."""
ALIASES = {
    **dict.fromkeys(("image/jpg", "image/pjpeg"), "image/jpeg"),
    "image/x-png": "image/png",
    **dict.fromkeys(("audio/mp3", "audio/x-mp3", "audio/x-mpeg"), "audio/mpeg"),
    **dict.fromkeys(("audio/m4a", "audio/x-m4a"), "audio/mp4"),
    **dict.fromkeys(("audio/x-aac", "audio/aacp", "audio/x-hx-aac-adts", "audio/vnd.dlna.adts"), "audio/aac"),
    **dict.fromkeys(("audio/x-amr", "audio/amr-wb", "audio/amr-nb"), "audio/amr"),
    **dict.fromkeys(("audio/x-wav", "audio/wave", "audio/vnd.wave"), "audio/wav"),
    **dict.fromkeys(("audio/opus", "application/ogg", "audio/x-ogg"), "audio/ogg"),
    "video/x-m4v": "video/mp4",
    "text/x-markdown": "text/markdown",
    **dict.fromkeys(("text/x-vcard", "text/directory"), "text/vcard"),
    **dict.fromkeys(("application/csv", "text/comma-separated-values", "text/x-csv"), "text/csv"),
    **dict.fromkeys(("application/x-zip-compressed", "application/x-zip"), "application/zip"),
    "application/x-pdf": "application/pdf",
}
"""Aliases of MIME types that phones and browsers use."""
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
    "AVATAR", "A profile picture of a person.", image=10 * MIB, widths=(96, 256, 1024), thumb=96, public=True
)

LONGEST_NAME = 255
MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")


def canonical(mime: str) -> str:
    """Registered name of a MIME type, without parameters: `audio/webm; codecs=opus` is `audio/webm`."""
    bare = mime.partition(";")[0].strip().lower()
    return ALIASES.get(bare, bare)


def kind_of(mime: str) -> MediaKind | None:
    if mime in IMAGES:
        return MediaKind.IMAGE
    if mime in VIDEOS:
        return MediaKind.VIDEO
    return MediaKind.FILE if mime in FILES else None


def kind_under(purpose: Purpose | None, mime: str) -> MediaKind | None:
    """Kind that a file has for its purpose, if people may upload for it: to an opaque one all are files."""
    return MediaKind.FILE if purpose is not None and purpose.opaque else kind_of(mime)


def largest(args: Purpose, kind: MediaKind) -> int:
    return {MediaKind.IMAGE: args.image, MediaKind.VIDEO: args.video, MediaKind.FILE: args.file}[kind]


def checked(
    name: str,
    mime: str,
    file_name: str,
    size: int,
    *,
    films: bool,
    heic: bool,
    scanned: int | None = None,
) -> tuple[Purpose, MediaKind]:
    """Purpose and kind of an upload; raises if it is not accepted."""
    args = PURPOSES[name]
    kind = kind_under(args, mime)
    if args.opaque and not MIME.fullmatch(mime):
        raise UserError("INVALID_FORMAT", "Write it as in `application/pdf`.", field=["mimeType"])
    if kind is None or not largest(args, kind) or (args.mimes and mime not in args.mimes):
        raise UserError("MIME_NOT_ALLOWED", "Files of this type are not taken here.", field=["mimeType"])
    if kind is MediaKind.VIDEO and not films:
        raise UserError(
            "MIME_NOT_ALLOWED", "This server takes no films: it has no ffmpeg.", field=["mimeType"]
        )
    if kind is MediaKind.IMAGE and mime in HEIC and not heic:
        raise UserError(
            "MIME_NOT_ALLOWED", "This server takes no HEIC pictures: send a JPEG.", field=["mimeType"]
        )
    suffix = PurePath(file_name).suffix[1:].lower()
    if suffix and not args.opaque and suffix not in EXTENSIONS[mime]:
        raise UserError(
            "MIME_NOT_ALLOWED",
            "A file of type {mime} is not named .{suffix}.",
            field=["fileName"],
            values={"mime": mime, "suffix": suffix},
        )
    # What cannot be scanned is never shown: better to say so before it is sent.
    most = min(largest(args, kind), scanned or size)
    if size > most:
        raise UserError("TOO_LARGE", "At most {limit} MiB.", field=["sizeBytes"], limit=most // MIB)
    return args, kind


def check_pixels(kind: MediaKind, width: int | None, height: int | None) -> None:
    """Raise for a picture too large to decode, if its size is declared."""
    if kind is not MediaKind.IMAGE or (width is None and height is None):
        return
    wide, high = width or 1, height or 1
    if min(wide, high) < 1:
        raise UserError("OUT_OF_RANGE", "A picture is a pixel wide and high at least.", field=["width"])
    if wide * high > MOST_PIXELS or max(wide, high) > LONGEST_SIDE:
        raise UserError(
            "TOO_LARGE",
            "At most {limit} million pixels, and {side} on a side.",
            field=["width"],
            limit=MOST_PIXELS // 1_000_000,
            values={"side": LONGEST_SIDE},
        )
