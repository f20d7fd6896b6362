"""Confirmation of a payment by its owner, who comes back from their bank."""

from core import nodes
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.ports import Permanent, Retryable
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from resolvers.order import paying
from resolvers.order.gateway import unavailable
from resolvers.order.paying import Paid
from stores import order as store

CONFIRM_RATE = Rate("payment_confirmations", 30, 60)


async def confirm_payment(ctx: Context, *, payment_id: Id) -> Paid:
    """Ask the gateway what came of the step that the person took: the app itself is not believed."""
    await ctx.limit(CONFIRM_RATE)
    payment = await nodes.for_update(ctx, store.payments, payment_id)
    if payment["owner_id"] != ctx.viewer_id:
        raise UserError("FORBIDDEN", NOT_ALLOWED, field=["payment_id"])
    try:
        return await paying.confirm(ctx, payment)
    except (Retryable, Permanent):
        raise unavailable() from None
