"""Consent: what people agree to, per channel, each change kept with its time, source and proof."""

from typing import Any, TypedDict

from core import ids
from core.audit import Act, record
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.security.limits import Rate
from core.values.bounds import check_length
from resolvers.notification import preferences
from resolvers.notification.reaching import CALLED, of_number
from stores import auth as accounts
from stores import notification as store
from stores.notification import ChannelConsent, ConsentSource, ConsentStatus, NotificationChannel, Recipient

LONGEST_PROOF = 1_000
CONSENT_RATE = Rate("consents", 500, 3_600)
"""Each change is kept for good."""


class Changed(TypedDict):
    recipient: Recipient


async def set_channel_consent(
    ctx: Context,
    *,
    channel: NotificationChannel,
    status: ConsentStatus,
    proof: str | None = None,
    recipient_id: Id | None = None,
) -> Changed:
    """Set one's own consent to a channel, or with proof that of a member of one's organization."""
    await ctx.limit(CONSENT_RATE)
    if status == ConsentStatus.UNKNOWN:
        raise UserError("INVALID_INPUT", "Say yes or no.", field=["status"])
    recipient = await preferences.to_change(ctx, recipient_id)
    own = recipient["user_id"] == ctx.viewer_id
    needs_proof = not own or (channel in CALLED and status == ConsentStatus.GRANTED)
    check_length(proof or "", least=1 if needs_proof else 0, most=LONGEST_PROOF, field="proof")
    source = ConsentSource.APP if own else ConsentSource.ADMIN
    changed = await record_consent(ctx, recipient, channel, status, source, proof=proof)
    return {"recipient": changed}


async def record_consent(
    ctx: Context,
    recipient: Recipient,
    channel: NotificationChannel,
    status: ConsentStatus,
    source: ConsentSource,
    *,
    proof: str | None = None,
) -> Recipient:
    """Record a change of consent, whoever brings it, and keep it as proof; it holds at once."""
    consent: ChannelConsent = {
        "channel": channel,
        "status": status,
        "at": ctx.tx.now,
        "source": source,
        "proof": proof,
    }
    actor_id = ctx.viewer_id_or_none or recipient["user_id"]
    await ctx.tx.insert(
        store.consents,
        {
            **consent,
            "_id": ids.new_id("consent"),
            "recipient_id": recipient["_id"],
            "user_id": recipient["user_id"],
            "actor_id": actor_id,
        },
    )
    act = Act(
        f"notification.consent_{status.lower()}",
        resource_type="NOTIFICATION",
        resource_id=recipient["_id"],
        subject_id=recipient["user_id"],
        actor_id=actor_id,
        details={"channel": channel, "source": source},
    )
    await record(ctx, act)
    fields = await about_number(ctx, recipient) if channel in CALLED else {}
    others = [each for each in fields.get("consents", recipient["consents"]) if each["channel"] != channel]
    return await preferences.change(ctx, recipient, {**fields, "consents": [*others, consent]})


async def about_number(ctx: Context, recipient: Recipient) -> dict[str, Any]:
    """Fields of what is known of the number that the person has now, and of no former one."""
    user = await accounts.users.by_id(ctx.db, recipient["user_id"])
    number = user.get("phone_index") if user else None
    known = of_number(recipient, number)
    return {"phone_index": number, "consents": known["consents"], "landline": known["landline"]}
