"""Background moderation of published content with its pictures, within a minute."""

from collections.abc import Sequence
from functools import partial

from core.context import Context, Services
from ports.feed import Shown, Verdict
from resolvers.feed.moderating import Moderation, apply, flag
from resolvers.media import nearest
from stores import feed as store
from stores import media as media_store
from stores.feed import ModerationLabel, PostStatus, ReportReason

WIDE = 640
"""Pixels that are enough to judge by."""
LARGEST = 4 * 1024 * 1024


async def scan(services: Services, *, subject_id: str) -> None:
    """Scan a published post or comment: doubtful content is limited and reported.

    So is what is beyond doubt, for it has appeared already.
    """
    found = await store.subject_by_id(services.db, subject_id)
    if found is None or found["state"] != PostStatus.PUBLISHED:
        return
    pictures = await _shown(services, found.get("media_ids", ()))
    verdict = await services.get(Moderation).classifier.judge(found.get("text") or "", pictures)
    if verdict == Verdict():
        return
    ctx = Context(services)
    state = PostStatus.LIMITED if verdict.limit or verdict.refuse else None
    label = ModerationLabel(verdict.label) if verdict.label else None
    if state is None and label is None:
        return

    async def work() -> None:
        await apply(ctx, found, state, label)

    await ctx.unit(work)
    told = verdict.reason
    reason = ReportReason(told) if told in set(ReportReason) else ReportReason.OTHER
    await flag(services, subject_id, found["author_id"], reason, "Judged automatically.")


async def _shown(services: Services, media_ids: Sequence[str]) -> list[Shown]:
    """Pictures, and the posters of films."""
    media = await media_store.media.by_ids(services.db, media_ids) if media_ids else []
    shown = []
    for medium in media:
        if medium["variants"]:
            file = nearest(medium["variants"], WIDE, None)["name"]
            read = partial(_read, services, f"{medium['folder']}/{file}")
            shown.append(Shown(medium["_id"], "image/webp", read))
    return shown


async def _read(services: Services, key: str) -> bytes:
    body = bytearray()
    async for piece in services.objects.read(key):
        body += piece
        if len(body) > LARGEST:
            raise ValueError("The picture is larger than any that we make.")
    return bytes(body)
