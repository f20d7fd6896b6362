"""Moderation: screening, background scans, reports, decisions and appeals."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import structlog
from prometheus_client import Counter
from pymongo.errors import DuplicateKeyError

from core import clock, ids, nodes, paging
from core.audit import Act, record, record_apart
from core.context import Context, Services
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id, prefix_of
from core.nodes import guard
from core.paging import PageArgs
from core.security.limits import Rate
from core.storage.loader import by_id
from core.values.bounds import check_length
from loaders.auth import UserById
from loaders.feed import CommentById, PostById
from ports.feed import Classifier
from resolvers.feed import fanout, pictures, retelling
from resolvers.feed.access import own_comment_for_update, own_post_for_update
from resolvers.feed.archiving import at_hand
from resolvers.feed.counting import commented
from stores import feed as store
from stores.auth import Role
from stores.feed import (
    ModerationAction,
    ModerationLabel,
    PostStatus,
    Report,
    ReportReason,
    ReportStatus,
)

error_codes(ErrorKind.INVALID, CONTENT_REFUSED="This may not be published here.")

REFUSED = Counter(
    "landfall_feed_refused_total", "Writing refused, by the classifier or for its rate.", ["why"]
)
REPORTED = Counter("landfall_feed_reports_total", "Reports by reason and by whom.", ["reason", "by"])

REPORT_RATE = Rate("reports", 20, 86_400)
"""Limit of all reports by one person, in every system that takes them."""
LONGEST_NOTE = 1_000
PATIENCE = 0.5
"""Timeout of the classifier within a mutation, in seconds."""
MOST_REPORTS = 1_000

Document = Mapping[str, Any]

logger = structlog.get_logger(__name__)


class Moderation:
    """The process's classifier."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier


async def limit(ctx: Context, rate: Rate) -> None:
    """Rate-limit writing; a burst is refused, and moderators are notified."""
    try:
        await ctx.limit(rate)
    except UserError:
        REFUSED.labels("rate").inc()
        # Outside the transaction, which comes to nothing.
        await flag(ctx.services, ctx.viewer_id, ctx.viewer_id, ReportReason.SPAM, f"Too many {rate.name}.")
        raise


async def screen(ctx: Context, text: str | None) -> None:
    """Refuse clear violations before anybody sees them; a slow classifier judges in the background."""
    try:
        async with asyncio.timeout(PATIENCE):
            verdict = await ctx.services.get(Moderation).classifier.judge(text or "", ())
    except Exception as error:
        logger.warning("text not screened", error=type(error).__name__)
        return
    if verdict.refuse:
        REFUSED.labels("content").inc()
        raise UserError("CONTENT_REFUSED", "This may not be published here.", field=["text"])


async def flag(
    services: Services, subject_id: str, author_id: str | None, reason: ReportReason, note: str
) -> None:
    """Automatic report: one a day for each subject."""
    now = clock.now()
    row = {
        "subject_author_id": author_id,
        "reason": reason,
        "note": note,
        "status": ReportStatus.OPEN,
        "appeal": None,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    # The day and the subject make the id, so that a burst of flags is one.
    query = {"subject_id": subject_id, "day": f"{now:%Y-%m-%d}", "reporter_id": None}
    initial = {
        **{key: value for key, value in row.items() if key != "reporter_id"},
        "_id": ids.new_id("report"),
    }
    REPORTED.labels(reason, "machine").inc()
    try:
        await store.reports.update_one(services.db, query, {"$setOnInsert": initial}, upsert=True)
    except DuplicateKeyError:
        return


@guard("report", sync="REPORT", collection="reports")
async def own_reports(ctx: Context, wanted: Sequence[str]) -> Sequence[Report | None]:
    """Access guard of reports: one's own, and all of them for moderators."""
    found = await ctx.load_many(by_id(store.reports), wanted)
    viewer = ctx.viewer_id_or_none
    judge = is_moderator(ctx)
    return [
        each if each and (judge or (viewer and each["reporter_id"] == viewer)) else None for each in found
    ]


def is_moderator(ctx: Context) -> bool:
    return ctx.viewer is not None and Role.MODERATOR in ctx.viewer.roles


async def may_judge(ctx: Context, subject_id: str) -> bool:
    """True if the viewer may judge the subject: moderators act on reported content only."""
    if not is_moderator(ctx):
        return False
    return await store.reports.first(ctx.db, {"subject_id": subject_id}) is not None


async def submit_report(
    ctx: Context, *, subject_id: Id, reason: ReportReason, note: str | None = None
) -> dict[str, Any]:
    """Report content; a second report by the same person returns the first."""
    author_id = await _reportable(ctx, subject_id)
    check_length(note or "", most=LONGEST_NOTE, field="note")
    earlier = await store.reports.first(ctx.db, {"subject_id": subject_id, "reporter_id": ctx.viewer_id})
    if earlier is not None:
        return {"report": earlier}
    await ctx.limit(REPORT_RATE)
    report = await ctx.tx.insert(
        store.reports,
        {
            "_id": ids.new_id("report"),
            "subject_id": subject_id,
            "subject_author_id": author_id,
            "reporter_id": ctx.viewer_id,
            "reason": reason,
            "note": note or None,
            "status": ReportStatus.OPEN,
            "appeal": None,
        },
    )

    async def count() -> None:
        REPORTED.labels(reason, "person").inc()

    ctx.tx.after_commit(count)
    return {"report": report}


async def _reportable(ctx: Context, id: str) -> str | None:
    """Author of the reported content, if the viewer may see it."""
    ids.checked(id, "post", "comment", "user")
    found = (await nodes.visible(ctx, [id])).get(id)
    author_id = None if found is None else found["_id"] if prefix_of(id) == "user" else found["author_id"]
    if found is None or author_id is None:
        raise UserError("NOT_FOUND", "It is gone, or hidden from you.", field=["subjectId"])
    if author_id == ctx.viewer_id:
        raise UserError("FORBIDDEN", "This cannot be done to oneself.", field=["subjectId"])
    return str(author_id)


class ReportFilter(TypedDict, total=False):
    """Filter of the moderation queue."""

    statuses: list[ReportStatus] | None
    """Statuses that the reports have one of; OPEN alone when left out."""


async def reports(ctx: Context, *, filter: ReportFilter | None = None, args: PageArgs) -> dict[str, Any]:
    """Moderation queue, oldest first; each look is written to the audit log."""
    statuses = (filter or {}).get("statuses") or [ReportStatus.OPEN]
    found = await store.reports.page(ctx.db, {"status": paging.any_of(statuses)}, store.OLDEST, args)
    details = {"reports": len(found["edges"]), "statuses": sorted(map(str, statuses))}
    await record_apart(ctx, Act("feed.reports_read", "ACCESS_GRANTED", "CONTENT", details=details))
    return found


async def subjects(ctx: Context, reports: Sequence[Document]) -> list[Document | None]:
    """Reported content: moderators see all of it, others only what their access guard shows them."""
    wanted = [report["subject_id"] for report in reports]
    if not is_moderator(ctx):
        seen = await nodes.visible(ctx, wanted)
        return [seen.get(id) for id in wanted]
    found: dict[str, Document] = {}
    loaders: Mapping[str, Any] = {"post": PostById, "comment": CommentById, "user": UserById}
    for prefix, loader in loaders.items():
        those = [id for id in wanted if prefix_of(id) == prefix]
        rows = await ctx.load_many(loader, those) if those else ()
        found |= {row["_id"]: row for row in rows if row is not None}
    return [found.get(id) for id in wanted]


def checked_reason(reason: str) -> str:
    """Reason for an action on others, checked for the audit log."""
    if not reason:
        raise UserError("REQUIRED", "Say why.", field=["reason"])
    check_length(reason, most=LONGEST_NOTE, field="reason")
    return reason


async def decide_moderation(
    ctx: Context,
    *,
    subject_id: Id,
    action: ModerationAction,
    label: ModerationLabel | None = None,
    reason: str,
) -> dict[str, Any]:
    """Decide on reported content; its author is notified, and it is written to the audit log."""
    ids.checked(subject_id, "post", "comment", "user")
    why = checked_reason(reason)
    reports = await store.reports.find(ctx.db, {"subject_id": subject_id}, limit=MOST_REPORTS)
    found = await _judged_for_update(ctx, subject_id)
    if not reports or (found is None and prefix_of(subject_id) != "user"):
        raise UserError("NOT_FOUND", "Nobody has reported this, or it is gone.", field=["subjectId"])
    author_id = subject_id if found is None else found["author_id"]
    if found is not None:
        found = await _decide(ctx, found, action, label)
    await _settle(ctx, reports, action)
    act = Act(
        "feed.moderation_decided",
        "DECISION_MADE",
        "CONTENT",
        resource_id=subject_id,
        subject_id=author_id,
        details={"decision": action, "label": label},
        sensitive={"reason": why},
    )
    await record(ctx, act)
    return {
        "subject": found or (await subjects(ctx, [{"subject_id": subject_id}]))[0],
        "removed_report_ids": [report["_id"] for report in reports],
    }


async def _judged_for_update(ctx: Context, id: str) -> dict[str, Any] | None:
    """Post or comment in any audience; None for a person."""
    if prefix_of(id) == "user":
        return None
    if prefix_of(id) == "comment":
        comment = await ctx.load(CommentById, id)
        return dict(comment) if comment else None
    post = await ctx.load(PostById, id)
    return dict(await at_hand(ctx, post)) if post else None


async def _decide(
    ctx: Context, found: dict[str, Any], action: ModerationAction, label: ModerationLabel | None
) -> dict[str, Any]:
    state = {
        ModerationAction.LIMIT: PostStatus.LIMITED,
        ModerationAction.REMOVE: PostStatus.REMOVED,
        ModerationAction.RESTORE: PostStatus.PUBLISHED,
    }.get(action)
    if found["state"] == PostStatus.PROCESSING and state is not None:
        raise UserError("WRONG_STATUS", "It is not published yet.", field=["action"])
    if state is None and action != ModerationAction.LABEL:
        return found
    return await apply(ctx, found, state, label if action == ModerationAction.LABEL else found.get("label"))


async def apply(
    ctx: Context, found: dict[str, Any], state: PostStatus | None, label: ModerationLabel | None
) -> dict[str, Any]:
    """Set a post's or comment's state and label, and notify those concerned."""
    changes: dict[str, Any] = {"state": state or found["state"], "label": label}
    if prefix_of(found["_id"]) == "comment":
        return await _apply_to_comment(ctx, found, changes)
    changed: Any = await ctx.tx.edit(store.posts, found, changes)
    if changed["state"] != found["state"]:
        await fanout.send(ctx, changed)
        await pictures.placed(ctx, changed)
    await retelling.post_changed(ctx, found, changed)  # type: ignore[arg-type]
    return dict(changed)


async def _apply_to_comment(ctx: Context, found: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Hide a removed comment's text but keep it, for an appeal."""
    removed, was = changes["state"] == PostStatus.REMOVED, found["state"] == PostStatus.REMOVED
    if found["author_id"] is None:
        raise UserError("NOT_FOUND", "Its author has deleted it.", field=["subjectId"])
    if removed and not was:
        changes |= {"text": "", "kept": found["text"]}
    elif was and not removed:
        changes |= {"text": found.get("kept", ""), "kept": None}
    changed = await ctx.tx.edit(store.comments, found, changes)
    if removed != was:
        await commented(ctx.tx, changed, -1 if removed else 1)
    return dict(changed)


async def _settle(ctx: Context, reports: Sequence[Report], action: ModerationAction) -> None:
    upheld = action in (ModerationAction.LIMIT, ModerationAction.REMOVE, ModerationAction.LABEL)
    status = ReportStatus.UPHELD if upheld else ReportStatus.DISMISSED
    for report in reports:
        await _set_status(ctx, report, {"status": status})


async def _set_status(ctx: Context, report: Report, changes: dict[str, Any]) -> None:
    changed = await ctx.tx.update(store.reports, report, set=changes)
    if changed is not None and changed["reporter_id"] is None:
        # An automatic report has no reporter to notify.
        ctx.tx.skip_log(changed)


async def appeal_moderation(ctx: Context, *, subject_id: Id, text: str) -> dict[str, Any]:
    """Appeal of the author against a decision, once."""
    ids.checked(subject_id, "post", "comment")
    own: Any = own_post_for_update if prefix_of(subject_id) == "post" else own_comment_for_update
    found = await own(ctx, subject_id, field="subjectId")
    if found["state"] not in (PostStatus.LIMITED, PostStatus.REMOVED) and not found.get("label"):
        raise UserError("WRONG_STATUS", "Nothing was decided about it.", field=["subjectId"])
    if not text:
        raise UserError("REQUIRED", "Say why.", field=["text"])
    check_length(text, most=LONGEST_NOTE, field="text")
    reports = await store.reports.find(ctx.db, {"subject_id": subject_id}, limit=MOST_REPORTS)
    if any(report["appeal"] for report in reports):
        raise UserError("ALREADY_DONE", "There was an appeal before.", field=["subjectId"])
    for report in reports:
        await _set_status(ctx, report, {"status": ReportStatus.OPEN, "appeal": text})
    return {"subject": found}
