"""Submissions of codes that nobody knows, and the case of each such number, which the staff decides."""

from datetime import datetime, timedelta
from typing import Any, TypedDict

from core.paging import Sort
from core.storage.indexes import A_TEXT
from core.storage.moves import Moves
from core.storage.store import Row, Sealed, collection, entity, index
from stores.barcode.kinds import BarcodeFormat, BarcodeSubmissionStatus

LEASE = timedelta(minutes=30)
"""Time for which a reviewer has a case alone."""
AGAIN_AFTER = timedelta(days=30)
"""Time after which a rejected code may be submitted again."""
PHOTOS_KEPT = timedelta(days=180)
"""Time from the decision on for which photos are kept."""
LATEST_SUBMITTED: Sort = (("submitted_at", -1), ("_id", -1))
BY_DEMAND: Sort = (("submission_count", -1), ("created_at", 1), ("_id", 1))
OPEN = (
    BarcodeSubmissionStatus.PENDING,
    BarcodeSubmissionStatus.NEEDS_INFO,
    BarcodeSubmissionStatus.REVIEWED,
)
FINAL = (BarcodeSubmissionStatus.MATCHED, BarcodeSubmissionStatus.REJECTED)

MOVES = Moves(
    {
        BarcodeSubmissionStatus.PENDING: {
            BarcodeSubmissionStatus.NEEDS_INFO,
            BarcodeSubmissionStatus.REVIEWED,
            BarcodeSubmissionStatus.MATCHED,
            BarcodeSubmissionStatus.REJECTED,
        },
        BarcodeSubmissionStatus.NEEDS_INFO: {
            BarcodeSubmissionStatus.PENDING,
            BarcodeSubmissionStatus.MATCHED,
            BarcodeSubmissionStatus.REJECTED,
        },
        BarcodeSubmissionStatus.REVIEWED: {
            BarcodeSubmissionStatus.NEEDS_INFO,
            BarcodeSubmissionStatus.MATCHED,
            BarcodeSubmissionStatus.REJECTED,
        },
        BarcodeSubmissionStatus.MATCHED: set(),
        BarcodeSubmissionStatus.REJECTED: set(),
    }
)


class Photo(TypedDict):
    """Photo of a submission: its medium is there once the upload is READY."""

    upload_id: str
    media_id: str | None


class BarcodeSubmission(Row):
    """Submission of a code; `sealed` has the code as scanned and the remarks, `open_gtin` the number while
    it is open: a person has one open submission of each."""

    user_id: str
    case_id: str | None
    gtin: str
    open_gtin: str | None
    format: BarcodeFormat
    sealed: Any
    scan_record_id: str | None
    photos: list[Photo]
    status: BarcodeSubmissionStatus
    decision_reason: str | None
    product_id: str | None
    variant_id: str | None
    submitted_at: datetime
    decided_at: datetime | None


class ReviewCase(Row):
    """Case of a number that was submitted: all its submissions follow its decision."""

    gtin: str
    gtin_index: str
    status: BarcodeSubmissionStatus
    submission_count: int
    scan_count: int
    photo_codes: list[str]
    assignee_id: str | None
    leased_until: datetime | None
    product_id: str | None
    variant_id: str | None
    decision_reason: str | None
    decided_at: datetime | None


submissions = entity(
    "barcode_submissions",
    BarcodeSubmission,
    prefix="barcode_submission",
    owner="user_id",
    indexes=[
        index(
            "user_id",
            "open_gtin",
            unique=True,
            partialFilterExpression={"open_gtin": A_TEXT},
            serves={"user_id": "x", "open_gtin": "x"},
        ),
        index("user_id", "-submitted_at", "-_id"),
        index("user_id", "_id"),
        index("gtin", "status", "_id"),
        index("case_id", "-submitted_at", "-_id"),
        index("decided_at"),
    ],
    shard_key="user_id",
    sealed=[Sealed("sealed", "barcode_submissions/{_id}")],
    moves=MOVES,
)
cases = collection(
    "review_cases",
    ReviewCase,
    prefix="review_case",
    indexes=[
        index("gtin", unique=True),
        index("status", "-submission_count", "created_at", "_id"),
        index("assignee_id", "-submission_count", "created_at", "_id"),
    ],
    shard_key="gtin",
    versioned=True,
)
