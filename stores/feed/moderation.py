"""Reports, share links and impressions."""

from datetime import datetime, timedelta
from typing import NotRequired, TypedDict

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, collection, entity, index
from stores.feed.kinds import ReportReason, ReportStatus
from stores.feed.scopes import report_scopes

IMPRESSIONS_KEPT = timedelta(days=30)


class Report(Row):
    """Something that moderators are to look at; without a reporter, a machine asks."""

    subject_id: str
    subject_author_id: str | None
    reporter_id: str | None
    reason: ReportReason
    note: str | None
    status: ReportStatus
    appeal: str | None
    day: NotRequired[str]


class ShareLink(TypedDict):
    """`_id` is the code in the link."""

    _id: str
    post_id: str
    user_id: str
    created_at: datetime


class Impression(TypedDict):
    _id: str
    user_id: str
    post_id: str
    position: int
    dwell_ms: int
    snapshot_id: str
    created_at: datetime


reports = entity(
    "reports",
    Report,
    prefix="report",
    indexes=[
        index("status", "created_at", "_id"),
        index("subject_id", "reporter_id", "day", unique=True),
        index("reporter_id", "-created_at"),
        index("subject_author_id", "_id"),
    ],
    shard_key="subject_id",
    scopes=report_scopes,
    moves=Moves(
        {
            ReportStatus.OPEN: {ReportStatus.UPHELD, ReportStatus.DISMISSED},
            ReportStatus.UPHELD: {ReportStatus.OPEN, ReportStatus.DISMISSED},
            ReportStatus.DISMISSED: {ReportStatus.OPEN, ReportStatus.UPHELD},
        }
    ),
)
share_links = collection(
    "share_links",
    ShareLink,
    indexes=[index("post_id", "user_id", unique=True), index("user_id")],
    shard_key="post_id",
)
impressions = collection(
    "impressions",
    Impression,
    indexes=[
        index("user_id", "-created_at"),
        index("created_at", expireAfterSeconds=int(IMPRESSIONS_KEPT.total_seconds())),
    ],
    shard_key="user_id",
)


async def dwelt_on(db: Database, user_id: str, *, at_least: int, limit: int) -> list[str]:
    """Posts that were on a person's screen for so many milliseconds lately, each once."""
    query = {"user_id": user_id, "dwell_ms": {"$gte": at_least}}
    rows = await impressions.find(db, query, sort=[("created_at", -1)], limit=limit, fields=("post_id",))
    return list(dict.fromkeys(row["post_id"] for row in rows))
