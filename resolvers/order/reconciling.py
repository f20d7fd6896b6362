"""Reconciliation: payments that are not settled are looked up at the gateway, by what they are for.

Gateways may drop idempotency keys after a day: a charge is found by its metadata, a second one is voided.
"""

from core import ids
from core.callbacks import ProviderEvent, on_provider_event
from core.context import Context, Services
from core.ports import Permanent, Retryable
from ports.order import Charge, PaymentFailureCode
from resolvers.order.applying import let_go, now, settle
from resolvers.order.gateway import again, answered, gateway
from resolvers.order.paying import fail
from resolvers.order.settling import give_up
from resolvers.order.waits import (
    ACTION_ROUNDS,
    FIRST_TRY,
    LOOK,
    LOOK_WAITS,
    RECONCILE,
    RECONCILE_WAITS,
    reconcile_key,
)
from stores import order as store
from stores.order import Payment, PaymentStatus

LAST = len(RECONCILE_WAITS) - 1


async def reconcile_payment(services: Services, *, payment_id: str, round: int) -> None:
    """Look a payment up at the gateway; one that nobody completes comes to its end."""
    ctx = Context(services)
    payment = await now(ctx, payment_id)
    try:
        payment = await _looked_up(ctx, payment)
        if payment["status"] in store.OPEN:
            payment = await _ended(ctx, payment, round)
        heard = payment["charge_ref"] is not None
    except (Retryable, Permanent):
        heard = False
    # Searches are late, and keys are forgotten: what has ended unheard of may yet turn up.
    if payment["status"] in store.OPEN or (not heard and round < LAST):
        named = {"key": reconcile_key(payment_id), "payment_id": payment_id}
        await again(ctx, RECONCILE, RECONCILE_WAITS, min(round + 1, LAST), **named)


async def _looked_up(ctx: Context, payment: Payment) -> Payment:
    """Apply what the gateway has for the payment's thing."""
    found = await answered("search", gateway(ctx).charges_for(payment["subject_id"]))
    known = [payment["charge_ref"], *(each.ref for each in found if each.part == payment["part"])]
    for ref in dict.fromkeys(filter(None, known)):
        payment = await _refreshed(ctx, payment["_id"], ref)
    return payment


async def _refreshed(ctx: Context, payment_id: str, ref: str) -> Payment:
    """Ask for a charge after its payment was read, so that nothing older is applied."""
    payment = await now(ctx, payment_id)
    return await settle(ctx, payment, await answered("find", gateway(ctx).find(ref)))


async def _ended(ctx: Context, payment: Payment, round: int) -> Payment:
    """End what will not be completed: the gateway never heard of it, or its owner does not come back."""
    if payment["charge_ref"] is None:
        return await fail(ctx, payment, PaymentFailureCode.NOT_CHARGED)
    waited = payment["status"] == PaymentStatus.REQUIRES_ACTION and round >= ACTION_ROUNDS
    return await give_up(ctx, payment) if waited and payment["wish"] is None else payment


@on_provider_event("stripe")
async def told(services: Services, event: ProviderEvent) -> None:
    """Look at the charge that an event is about: the event itself may be old, and is not believed."""
    await look_at_charge(services, charge_ref=event["provider_ref"], round=FIRST_TRY)


async def look_at_charge(services: Services, *, charge_ref: str, round: int) -> None:
    """Apply what the gateway says of a charge; one that is for nothing we know of is let go."""
    ctx = Context(services)
    try:
        charge = await answered("find", gateway(ctx).find(charge_ref))
        await _applied(ctx, charge)
    except Retryable:
        await again(ctx, LOOK, LOOK_WAITS, round + 1, key=charge_ref, charge_ref=charge_ref)
    except Permanent:
        # The gateway does not know it: an event of another account.
        return


async def _applied(ctx: Context, charge: Charge) -> None:
    if not ids.well_formed(charge.subject_id):
        # Somebody else charges with the same account.
        return
    id = store.payment_id(charge.subject_id, charge.part)
    if await store.payments.by_id(ctx.db, id) is None:
        await ctx.unit(lambda: let_go(ctx, charge))
    else:
        await _refreshed(ctx, id, charge.ref)
