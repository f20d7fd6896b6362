"""People's rights over what notification keeps of them: export and erasure, by themselves or for them.

For them act the administrators of notification in their organization. The link of an export is mailed to
the person in any case.
"""

from typing import Any, TypedDict

from core import jobs
from core.audit import Act, record
from core.context import Context
from core.ids import Id
from core.jobs import Lane
from core.security.limits import Rate
from resolvers import auth
from resolvers.notification import preferences
from stores import notification as store
from stores.auth import DataExport
from stores.notification import ConsentStatus, Recipient

SYSTEM = "notification"
FOR_OTHERS = Rate("recipients-privacy", 100, 86_400)


class Requested(TypedDict):
    data_export: DataExport | None


class Erased(TypedDict):
    deleted_recipient_id: Id | None
    recipient: Recipient | None


async def request_recipient_export(ctx: Context, *, recipient_id: Id | None = None) -> Requested:
    """Request an export of a person's profile, consents, receipts and deliveries."""
    recipient = await preferences.to_change(ctx, recipient_id)
    own = recipient["user_id"] == ctx.viewer_id
    how: dict[str, Any] = {} if own else {"rate": FOR_OTHERS}
    export = await auth.begin_export(ctx, recipient["user_id"], system=SYSTEM, **how)
    await _record(ctx, "notification.export_requested", recipient)
    return {"data_export": export if own else None}


async def erase_recipient(ctx: Context, *, recipient_id: Id) -> Erased:
    """Erase what a person chose, agreed to and was told; their opt-outs stay, since they must be heeded."""
    recipient = await preferences.to_change(ctx, recipient_id)
    if recipient["user_id"] != ctx.viewer_id:
        await ctx.limit(FOR_OTHERS)
    await _record(ctx, "notification.recipient_erased", recipient)
    user_id, until = recipient["user_id"], ctx.tx.now
    await jobs.enqueue(ctx.tx, "notification.erase_recipient", lane=Lane.BULK, user_id=user_id, until=until)
    if opted_out := _opt_outs(recipient):
        kept = await preferences.change(ctx, recipient, {**_blank(recipient), **opted_out})
        return {"deleted_recipient_id": None, "recipient": kept}
    await ctx.tx.delete(store.recipients, recipient)
    return {"deleted_recipient_id": recipient_id, "recipient": None}


def _blank(recipient: Recipient) -> dict[str, Any]:
    """Fields of a profile in which nothing is chosen."""
    kept = ("_id", "user_id", "version", "created_at", "updated_at")
    fresh: dict[str, Any] = {**store.default_recipient(recipient["user_id"])}
    return {name: value for name, value in fresh.items() if name not in kept} | {"phone_index": None}


def _opt_outs(recipient: Recipient) -> dict[str, Any]:
    """Fields by which a person said what they do not want; empty where they did not."""
    revoked = [
        {**each, "proof": None} for each in recipient["consents"] if each["status"] == ConsentStatus.REVOKED
    ]
    if not revoked and not recipient["do_not_call"]:
        return {}
    number = recipient.get("phone_index")
    return {"consents": revoked, "do_not_call": recipient["do_not_call"], "phone_index": number}


async def _record(ctx: Context, action: str, recipient: Recipient) -> None:
    act = Act(
        action,
        resource_type="NOTIFICATION",
        resource_id=recipient["_id"],
        subject_id=recipient["user_id"],
    )
    await record(ctx, act)
