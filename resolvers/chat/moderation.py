"""Message reports: moderators see copies of what was reported, and nothing else of a chat."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import ids, nodes
from core.audit import Act, record, record_apart
from core.context import Context, Services
from core.errors import UserError
from core.ids import Id
from core.nodes import guard
from core.paging import NEWEST, PageArgs, any_of
from core.security.crypto import Cipher
from core.storage.loader import by_id
from core.values.bounds import check_length
from loaders.chat import Chat, MessageById
from resolvers.chat.access import chat_for_update, cipher_of, text_place
from resolvers.chat.sending import clear
from resolvers.feed import LONGEST_NOTE, REPORT_RATE
from stores import chat as store
from stores.auth import Role
from stores.chat import Message, MessageReport, ReportDecision, ReportedMessage
from stores.feed import ReportReason, ReportStatus

Document = Mapping[str, Any]

AROUND = 5
"""Messages copied around the reported one: the nearest, preferring earlier ones."""


@guard("message_report", sync="MESSAGE_REPORT", collection="message_reports")
async def visible_reports(ctx: Context, wanted: Sequence[str]) -> Sequence[MessageReport | None]:
    """Access guard of reports: one's own; moderators see all."""
    viewer = ctx.viewer
    found = await ctx.load_many(by_id(store.reports), wanted)
    return [
        each
        if each and viewer and (each["reporter_id"] == viewer.user_id or Role.MODERATOR in viewer.roles)
        else None
        for each in found
    ]


async def submit_message_report(
    ctx: Context, *, message_id: Id, reason: ReportReason, note: str | None = None
) -> dict[str, Any]:
    """Report a message: copy it and its surroundings to the moderators; once for each person."""
    message = await nodes.for_update(ctx, store.messages, message_id)
    if message["sender_id"] == ctx.viewer_id:
        raise UserError("FORBIDDEN", "This is your own message.", field=["messageId"])
    said = note or ""
    check_length(said, most=LONGEST_NOTE, field="note")
    earlier = await store.reports.first(ctx.db, {"message_id": message_id, "reporter_id": ctx.viewer_id})
    if earlier is not None:
        return {"message_report": earlier}
    await ctx.limit(REPORT_RATE)
    chat = await chat_for_update(ctx, message["chat_id"])
    report_id = ids.new_id("message_report")
    key = ctx.services.crypto.new_data_key(place=_key_place(report_id))
    cipher = ctx.services.crypto.cipher(key, place=_key_place(report_id))
    report = await ctx.tx.insert(
        store.reports,
        {
            "_id": report_id,
            "message_id": message_id,
            "chat_id": chat["chat_id"],
            "reporter_id": ctx.viewer_id,
            "reported_id": message["sender_id"],
            "reason": reason,
            "sealed_note": cipher.seal(said, place=_note_place(report_id)) if said else None,
            "data_key": key,
            "copies": [_copy(ctx, chat, cipher, report_id, each) for each in await _around(ctx, message)],
            "status": ReportStatus.OPEN,
            "judged_at": None,
        },
    )
    # Not about the sender, who would read who reported them.
    details = {"report_id": report_id, "reason": reason}
    act = Act("chat.message_reported", "USER_ACTION", "CONTENT", message_id, details=details)
    await record(ctx, act)
    return {"message_report": report}


def exported_report(services: Services, report: Mapping[str, Any]) -> dict[str, Any]:
    """Export of a report for its reporter: their own words only, for the copies hold what others said."""
    id, hidden = report["id"], ("sealed_note", "data_key", "copies", "reported_id", "reporter_id")
    cipher = services.crypto.cipher(report["data_key"], place=_key_place(id))
    sealed = report["sealed_note"]
    note = cipher.open(sealed, place=_note_place(id)) if sealed else None
    return {**{name: report[name] for name in report if name not in hidden}, "note": note}


async def _around(ctx: Context, message: Message) -> list[Message]:
    """The message and its nearest neighbours that the reporter has, in order."""
    seen = {"chat_id": message["chat_id"], "hidden_for": {"$ne": ctx.viewer_id}}
    own = message["sequence"]
    before = {**seen, "sequence": {"$lt": own}}
    after = {**seen, "sequence": {"$gt": own}}
    earlier = await store.messages.find(ctx.db, before, sort=[("sequence", -1)], limit=AROUND)
    later = await store.messages.find(ctx.db, after, sort=[("sequence", 1)], limit=AROUND)
    nearest = sorted([*earlier, *later], key=lambda each: (abs(each["sequence"] - own), each["sequence"]))
    return sorted([message, *nearest[:AROUND]], key=lambda each: each["sequence"])


def _copy(ctx: Context, chat: Chat, cipher: Cipher, report_id: str, message: Message) -> ReportedMessage:
    sealed, id = message["sealed_text"], message["_id"]
    text = None if sealed is None else cipher_of(ctx, chat).open(sealed, place=text_place(id))
    return {
        "message_id": id,
        "sender_id": message["sender_id"],
        "sequence": message["sequence"],
        "sealed_text": None if text is None else cipher.seal(text, place=_copy_place(report_id, id)),
        "created_at": message["created_at"],
    }


class MessageReportFilter(TypedDict, total=False):
    """Filter of the queue of reported messages."""

    statuses: list[ReportStatus] | None
    """Statuses that the reports have one of; OPEN alone when left out."""


async def message_reports(
    ctx: Context, *, filter: MessageReportFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Reports of everybody, latest first; for moderators."""
    statuses = (filter or {}).get("statuses") or [ReportStatus.OPEN]
    return await store.reports.page(ctx.db, {"status": any_of(statuses)}, NEWEST, args)


async def reported_messages(ctx: Context, reports: Sequence[Document]) -> list[list[dict[str, Any]]]:
    """Reported messages, decrypted for a moderator and written to the audit log."""
    acts = [
        Act("chat.report_read", "ACCESS_GRANTED", "CONTENT", report["_id"], report["reported_id"])
        for report in reports
    ]
    await record_apart(ctx, *acts)
    return [_opened(ctx, report) for report in reports]


def _opened(ctx: Context, report: Document) -> list[dict[str, Any]]:
    cipher = _cipher(ctx, report)
    return [
        {
            **copy,
            "text": None
            if copy["sealed_text"] is None
            else cipher.open(copy["sealed_text"], place=_copy_place(report["_id"], copy["message_id"])),
            "reported": copy["message_id"] == report["message_id"],
        }
        for copy in report["copies"]
    ]


def note(ctx: Context, report: Document) -> str | None:
    sealed: str | None = report["sealed_note"]
    return sealed and _cipher(ctx, report).open(sealed, place=_note_place(report["_id"]))


async def decide_message_report(
    ctx: Context, *, message_report_id: Id, decision: ReportDecision
) -> dict[str, Any]:
    """Judge a report: upholding it deletes the message for both. The first judgement stands."""
    report = await nodes.for_update(ctx, store.reports, message_report_id)
    if report["status"] != ReportStatus.OPEN:
        return {"message_report": report, "removed_message_report_id": message_report_id}
    upheld = decision == ReportDecision.UPHOLD
    status = ReportStatus.UPHELD if upheld else ReportStatus.DISMISSED
    judged = await ctx.tx.edit(store.reports, report, {"status": status, "judged_at": ctx.tx.now})
    if upheld:
        [message] = await ctx.load_many(MessageById, [report["message_id"]])
        if message is not None and message["deleted_at"] is None:
            await clear(ctx, message)
    act = Act(
        "chat.report_decided",
        "DECISION_MADE",
        "CONTENT",
        resource_id=message_report_id,
        subject_id=report["reported_id"],
        details={"decision": decision},
    )
    await record(ctx, act)
    return {"message_report": judged, "removed_message_report_id": message_report_id}


def _cipher(ctx: Context, report: Document) -> Cipher:
    return ctx.services.crypto.cipher(report["data_key"], place=_key_place(report["_id"]))


def _key_place(report_id: str) -> str:
    return f"message_reports/{report_id}"


def _note_place(report_id: str) -> str:
    return f"{_key_place(report_id)}/note"


def _copy_place(report_id: str, message_id: str) -> str:
    return f"{_key_place(report_id)}/{message_id}"
