"""Payments put on record: in the audit log, in metrics, and in alerts to who supports the shop."""

from typing import Any

from core.audit import Act, record
from core.context import Context
from core.messages import gettext_noop
from ports.order import Charge
from resolvers.notification import PriorityLevel, code_template, notification_source, notify
from resolvers.order import metrics
from resolvers.order.hooks import charge_released
from stores import auth as accounts
from stores.catalog import SUPPORT
from stores.order import Payment, PaymentStatus, RefundStatus

MOST_TOLD = 100
SOURCE = notification_source("PAYMENT", "Payments, about what the shop has to look after.")
REFUND_FAILED = code_template(
    "payment.refund_failed",
    title=gettext_noop("A refund has failed"),
    message=gettext_noop("A customer's bank did not take a refund. Give it back in another way."),
)
UNPAID_PARCEL = code_template(
    "payment.unpaid_parcel",
    title=gettext_noop("A packed order is not paid"),
    message=gettext_noop("The bank's promise has lapsed, and nobody has paid again for three days."),
)
DISPUTED = code_template(
    "payment.disputed",
    title=gettext_noop("A payment is disputed"),
    message=gettext_noop("A customer's bank has taken money back. Answer in the gateway's pages, in time."),
)
STUCK = code_template(
    "payment.stuck",
    title=gettext_noop("A payment needs a look"),
    message=gettext_noop(
        "The gateway did not capture, void or refund a payment although it was asked again and again."
    ),
)

SHIPPED_UNPAID = code_template(
    "payment.shipped_unpaid",
    title=gettext_noop("A parcel left unpaid"),
    message=gettext_noop(
        "A carrier has a parcel of an order whose payment has lapsed. Ask its customer to pay."
    ),
)


async def attempted(ctx: Context, payment: Payment) -> None:
    """Record that somebody asked for a payment."""
    await _record(ctx, payment, "payment.attempted", "USER_ACTION", attempt=payment["attempt_count"])


async def moved(ctx: Context, before: Payment, after: Payment) -> None:
    """Record a payment's new status, and money that a bank took back."""
    status = after["status"]
    if status != before["status"] or after["refunded_amount"] != before["refunded_amount"]:
        metrics.STATUSES.labels(status).inc()
        if status == PaymentStatus.FAILED:
            metrics.FAILURES.labels(after["failure_code"] or "").inc()
        said = {
            "before": before["status"],
            "after": status,
            "captured": after["captured_amount"],
            "refunded": after["refunded_amount"],
            "failure": after["failure_code"],
        }
        await _record(ctx, after, f"payment.{status.lower()}", "DATA_MODIFIED", **said)
    if after["refunded_amount"] < before["refunded_amount"] or _refused(after) > _refused(before):
        await tell_support(ctx, after, REFUND_FAILED, f"{after['_id']}:{after['version']}")
    if after["disputed_amount"] != before["disputed_amount"]:
        amounts = {"before": before["disputed_amount"], "after": after["disputed_amount"]}
        await _record(ctx, after, "payment.dispute_changed", "SYSTEM_EVENT", **amounts)
    if after["disputed_amount"] > before["disputed_amount"]:
        await tell_support(ctx, after, DISPUTED, f"{after['_id']}:{after['version']}")


def _refused(payment: Payment) -> int:
    """Number of refunds that were refused."""
    return sum(each["status"] == RefundStatus.REFUSED for each in payment["refunds"])


async def released(ctx: Context, payment: Payment | None, charge: Charge) -> None:
    """Record that a charge was given up or given back which nobody wants."""
    metrics.RELEASED.inc()
    details = {"charge": charge.ref, "subject": charge.subject_id}
    act = Act(
        "payment.charge_released",
        "SYSTEM_EVENT",
        "ORDER",
        resource_id=payment and payment["_id"],
        subject_id=payment and payment["owner_id"],
        details=details,
        source="order",
    )
    await record(ctx, act)
    if payment is not None and charge.holds_money:
        await charge_released(ctx, payment)


async def _record(ctx: Context, payment: Payment, action: str, event_type: str, **details: Any) -> None:
    act = Act(
        action,
        event_type,
        "ORDER",
        resource_id=payment["_id"],
        subject_id=payment["owner_id"],
        details={"amount": payment["amount"], "currency": payment["currency"], **details},
        source="order",
    )
    await record(ctx, act)


async def tell_support(ctx: Context, payment: Payment | None, template: str, about: str) -> None:
    """Tell who supports the shop, once for each thing."""
    people = await accounts.holders(ctx.db, SUPPORT, None, ctx.tx.now, MOST_TOLD)
    await notify(
        ctx,
        source=SOURCE,
        dedupe_key=f"{template}:{about}",
        user_ids=people,
        template_key=template,
        priority=PriorityLevel.HIGH,
        subject_id=payment and payment["_id"],
    )
