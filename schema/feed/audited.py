"""Acts that mutations of the feed put on record."""

from core.audit import Audited

POST_DELETED = Audited("feed.post_deleted", "DATA_MODIFIED", "CONTENT", resource="post_id")
MODERATION_DECIDED = Audited("feed.moderation_decided", "DECISION_MADE", "CONTENT", resource="subject_id")
EXPERIMENT_SET = Audited(
    "feed.experiment_set", "DECISION_MADE", inputs=("name", "variants"), sensitive=("reason",)
)
SPONSORSHIP_SET = Audited(
    "feed.sponsorship_set",
    "DECISION_MADE",
    "CONTENT",
    resource="post_id",
    inputs=("starts_at", "ends_at"),
    sensitive=("reason",),
)
SPONSORSHIP_CANCELED = Audited(
    "feed.sponsorship_canceled", "DECISION_MADE", "CONTENT", resource="post_id", sensitive=("reason",)
)
