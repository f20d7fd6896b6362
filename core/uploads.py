"""Upload purposes: systems declare them, use what was uploaded, and are told its outcome.

The media system does the work behind `use` and `release`; it stands above some systems that need it (a person
has a picture), so the words for it are here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.context import Context
from core.errors import ErrorKind, error_codes
from core.hooks import Hook
from core.security.access import STAFF_VALUES

error_codes(
    ErrorKind.WRONG_STATUS,
    UPLOAD_REJECTED="The upload was rejected, canceled or has expired: upload the file again.",
)
error_codes(
    ErrorKind.WRONG_STATUS, retryable=True, UPLOAD_NOT_READY="The files that it shows are still on their way."
)

MIB = 1024 * 1024
WIDTHS = (96, 320, 640, 1080, 1600)
"""Widths of a picture's variants in pixels; wider pictures are not enlarged, smaller ones keep their own."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Purpose:
    """Upload purpose: the most bytes of each kind of file, 0 for kinds that are not taken."""

    name: str
    description: str
    image: int = 0
    video: int = 0
    file: int = 0
    widths: tuple[int, ...] = WIDTHS
    thumb: int = 320
    """Width of the picture for lists."""
    public: bool = False
    """Shown to anybody under an address that stays."""
    reuse: bool = True
    """True if an equal earlier file of the owner is used again."""
    roles: tuple[str, ...] = ()
    """Roles, one of which is needed to upload for it; empty for what everybody may upload."""
    opaque: bool = False
    """True if files of any type are taken as `file`, and kept as they are: scanned, but never looked into."""
    counted: bool = True
    """True if its files count towards what a person may upload in a day."""
    keeps_rejected: bool = False
    """True if a file that was damaged or holds malware is kept, so that it can be looked into."""
    mimes: tuple[str, ...] = ()
    """MIME types that are taken; empty for all of the kinds that are."""
    url_seconds: int = 3_600
    """Seconds for which a signed URL of its media is good, at least."""


PURPOSES: dict[str, Purpose] = {}
FINISHED: dict[str, Hook[[Context, Document], None]] = {}
"""By purpose: systems below media name one that is declared above them."""

relocated = Hook[[Context, str], None]("uploads.relocated")
"""Called with the id of each record whose media have new addresses, in the unit of work that moves them."""


def purpose(name: str, description: str, **limits: Any) -> Purpose:
    """Declare a purpose; it becomes a value of the schema's `UploadPurpose`."""
    if name in PURPOSES:
        raise ValueError(f"The upload purpose {name} is declared twice.")
    PURPOSES[name] = Purpose(name, description, **limits)
    if PURPOSES[name].roles:
        STAFF_VALUES.add(("UploadPurpose", name))
    return PURPOSES[name]


def finished(name: str) -> Hook[[Context, Document], None]:
    """Hook that is called when an upload of a purpose in use becomes READY, REJECTED, CANCELED or EXPIRED.

    It runs in the unit of work that makes it so, with the upload's document: `status`, `record_id`,
    `media_id`, `failure`. Its functions write with `ctx.tx`; there is no viewer.
    """
    return FINISHED.setdefault(name, Hook(f"uploads.finished.{name}"))


class UploadService(Protocol):
    """Upload service: the media system's work for the others; inside a unit of work it is part of it."""

    async def use(
        self, ctx: Context, upload_ids: Sequence[str], *, purpose: str, record_id: str, field: Sequence[str]
    ) -> Sequence[Document]: ...

    async def release(
        self, ctx: Context, record_id: str, media_ids: Sequence[str], upload_ids: Sequence[str]
    ) -> None: ...

    async def show(self, ctx: Context, record_id: str, media_ids: Sequence[str], *, public: bool) -> None: ...

    async def file_key(self, ctx: Context, upload: Document) -> str | None: ...


async def use(
    ctx: Context,
    upload_ids: Sequence[str],
    *,
    purpose: str,
    record_id: str,
    field: Sequence[str] = ("uploadId",),
) -> Sequence[Document]:
    """Bind the viewer's uploads to the record that shows them, finished or not; in the order given.

    Refused with NOT_FOUND (another's, another purpose, in use) or UPLOAD_REJECTED. Those that are
    READY have their `media_id`; of the others the purpose's `finished` hook tells. From now on who may see
    the record may see the medium, through the record's access guard.
    """
    service = ctx.services.get(UploadService)
    return await service.use(ctx, upload_ids, purpose=purpose, record_id=record_id, field=field)


async def release(
    ctx: Context, record_id: str, *, media_ids: Sequence[str] = (), upload_ids: Sequence[str] = ()
) -> None:
    """The record shows these no longer (all it shows, when none are named); what nothing shows is erased."""
    await ctx.services.get(UploadService).release(ctx, record_id, media_ids, upload_ids)


async def show(ctx: Context, record_id: str, media_ids: Sequence[str], *, public: bool) -> None:
    """Say whether everybody may see the record that shows these media.

    While one such record shows it, a medium has a public address that stays, and else none; it moves within
    seconds, and its URLs change.
    """
    await ctx.services.get(UploadService).show(ctx, record_id, media_ids, public=public)


async def file_key(ctx: Context, upload: Document) -> str | None:
    """Key in the object store of the file that came with an upload; None if none was kept.

    A file that was rejected is kept where its purpose says so.
    """
    return await ctx.services.get(UploadService).file_key(ctx, upload)
