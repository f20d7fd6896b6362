"""Receipts that hold refusals with codes that were merged or renamed since."""

from typing import Any

from core.mutations.idempotency import receipts
from core.storage.migrations import BATCH, migration
from core.storage.mongo import Database

MERGED = {
    "REQUIRED": ("EMPTY_COMMENT", "EMPTY_MESSAGE", "EMPTY_POST", "TERMS_REQUIRED"),
    "TOO_LONG": ("TEXT_TOO_LONG",),
    "TOO_MANY": ("TOO_MANY_ATTACHMENTS", "TOO_MANY_MEDIA", "TOO_MANY_MENTIONS"),
    "OUT_OF_RANGE": ("INVALID_LEAD_DAYS", "INVALID_THRESHOLD"),
    "INVALID_FORMAT": ("INVALID_EMAIL", "LINK_INVALID"),
    "INVALID_INPUT": ("GROUP_AUDIENCE", "GROUP_NAME_INVALID"),
    "CODE_INVALID": ("BACKUP_CODE_INVALID", "OTP_INVALID"),
    "PASSWORD_WEAK": ("WEAK_PASSWORD",),
    "NOT_FOUND": ("KEY_UNKNOWN", "MEDIA_NOT_FOUND", "UPLOAD_NOT_FOUND"),
    "FORBIDDEN": ("CANNOT_MESSAGE_SELF", "GROUP_CLOSED", "NOT_ALLOWED", "NOT_SHAREABLE", "SELF"),
    "NOT_MEMBER": ("NOT_GROUP_MEMBER",),
    "EXPIRED": (
        "CHALLENGE_EXPIRED",
        "DELETE_WINDOW_CLOSED",
        "EDIT_WINDOW_CLOSED",
        "FLOW_EXPIRED",
        "FLOW_LOCKED",
        "REPLAY_EXPIRED",
        "RESET_TOKEN_INVALID",
    ),
    "ALREADY_DONE": ("ALREADY_APPEALED", "KEY_TAKEN"),
    "WRONG_STATUS": ("INVALID_TRANSITION", "NOT_MODERATED"),
    "MEDICATION_MISSING": ("NO_MEDICATION",),
    "STOCK_INSUFFICIENT": ("INSUFFICIENT_STOCK",),
    "LIMIT_REACHED": ("FOLLOW_LIMIT", "GROUP_LIMIT", "KEY_LIMIT", "RESEND_LIMIT"),
    "CREDENTIALS_INVALID": ("INVALID_CREDENTIALS",),
    "SESSION_EXPIRED": ("REFRESH_EXPIRED", "REFRESH_INVALID"),
}
PRESENT = {old: new for new, former in MERGED.items() for old in former}


@migration("core.receipt-codes")
async def present_codes(db: Database) -> int:
    """Give stored refusals the codes that clients know: a replay answers with them."""
    changed = 0
    older = {"payload.errors.code": {"$in": list(PRESENT)}}
    async for rows in receipts.batches(db, older, size=BATCH, scan=True):
        updates = [
            {"q": {"_id": row["_id"]}, "u": {"$set": {"payload.errors": _present(row["payload"]["errors"])}}}
            for row in rows
        ]
        answer = await db.write({"update": receipts.name, "updates": updates})
        changed += int(answer["nModified"])
    return changed


def _present(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "code": PRESENT.get(each["code"], each["code"])} for each in errors]
