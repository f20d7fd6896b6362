"""Payment methods that people keep: the gateway holds them, we know what may be shown."""

import asyncio
from functools import partial
from typing import Any, Literal, TypedDict

import structlog

from core import ids, jobs, nodes
from core.audit import Act, record
from core.context import Context, Services
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.paging import NEWEST, PageArgs
from core.ports import Permanent, Retryable
from core.security.limits import Rate
from ports.order import Declined, NextAction, SavedMethod
from resolvers.order.gateway import answered, gateway, unavailable
from resolvers.order.paying import PaymentSource, check_token, saved_source
from resolvers.order.waits import FORGET
from stores import order as store
from stores.order import PaymentMethod

logger = structlog.get_logger(__name__)

error_codes(
    ErrorKind.AUTHENTICATION,
    retryable=True,
    PAYMENT_ACTION_REQUIRED="The bank wants to see the person first: take the step in `nextAction`, then "
    "send the same mutation with the same key.",
)

MOST_METHODS = 20
METHOD_RATE = Rate("payment_methods", 20, 3_600)
FORGOTTEN = "order/forgotten"
"""Place to which what the gateway shall forget is bound while it waits."""
KEEPING_SECONDS = 3.0
"""Longest that an order waits for its token to be kept: the payment itself may take five."""


class Added(TypedDict, total=False):
    payment_method: PaymentMethod | None
    payment_method_edge: dict[str, Any] | None
    former_payment_method: PaymentMethod | None
    next_action: NextAction | None


class Preferred(TypedDict):
    payment_method: PaymentMethod
    former_payment_method: PaymentMethod | None


class Removed(TypedDict):
    deleted_payment_method_id: Id
    payment_method: PaymentMethod | None


async def viewer_payment_methods(ctx: Context, viewer: Any, *, args: PageArgs) -> dict[str, Any]:
    """Connection of the viewer's own, newest first."""
    return await store.payment_methods.page(ctx.db, {"user_id": ctx.viewer_id}, NEWEST, args)


async def add_payment_method(
    ctx: Context, *, id: Id | None = None, gateway_token: str, make_default: bool = False
) -> Added:
    """Keep a method; one that the bank wants to see its owner for is kept when they come back."""
    await ctx.limit(METHOD_RATE)
    new_id, user_id = ids.minted(id, "payment_method"), ctx.viewer_id
    check_token(gateway_token, field="gateway_token")
    check_room(await _own(ctx, user_id))
    try:
        saved = await _saved(ctx, user_id, gateway_token)
    except Declined:
        raise UserError("PAYMENT_DECLINED", "The bank declined it.", field=["gateway_token"]) from None
    except (Retryable, Permanent):
        raise unavailable() from None
    if saved.next_action is not None:
        raise UserError(
            "PAYMENT_ACTION_REQUIRED", "The bank wants to see you first.", next_action=saved.next_action
        )
    return await ctx.unit(partial(_added, ctx, new_id, saved, make_default))


def check_room(own: list[PaymentMethod]) -> None:
    if len(own) >= MOST_METHODS:
        raise UserError("LIMIT_REACHED", "At most {limit} payment methods.", limit=MOST_METHODS)


async def _saved(ctx: Context, user_id: str, token: str) -> SavedMethod:
    """The method as the gateway keeps it: the same for a token, whether it waits for its owner or not."""
    customer = await _customer(ctx, user_id)
    key = f"method:{user_id}:{ctx.services.crypto.blind(token, place='payment_methods/token')}"
    return await answered("save", gateway(ctx).save_method(customer, token, key=key))


async def _customer(ctx: Context, user_id: str) -> str:
    """The gateway's customer that a person is, made with their first method."""
    place = store.payer_place(user_id)
    known = await store.payers.by_id(ctx.db, user_id)
    if known is not None:
        return ctx.services.crypto.open(known["sealed_ref"], place=place)
    made = await answered("customer", gateway(ctx).new_customer(user_id, key=f"customer:{user_id}"))
    sealed = ctx.services.crypto.seal(made, place=place)
    await ctx.unit(lambda: ctx.tx.put(store.payers, user_id, {"sealed_ref": sealed}))
    return made


async def _added(ctx: Context, id: str, saved: SavedMethod, make_default: bool) -> Added:
    await ctx.tx.lock_document(store.payers, ctx.viewer_id)
    own = await _own(ctx, ctx.viewer_id)
    method = next((each for each in own if _ref(ctx, each) == saved.ref), None)
    if method is None:
        check_room(own)
        method = await _insert(ctx, id, saved, first=not own)
    former = None
    if make_default and not method["preferred"]:
        changed = await _prefer(ctx, method)
        method, former = changed["payment_method"], changed["former_payment_method"]
    edge = store.payment_methods.edge({"user_id": ctx.viewer_id}, NEWEST, method)
    return {
        "payment_method": method,
        "payment_method_edge": edge,
        "former_payment_method": former,
        "next_action": None,
    }


async def kept(ctx: Context, source: PaymentSource) -> PaymentSource:
    """The method that a token is kept as before it pays: the gateway keeps none that has paid already.

    Outside any unit of work. Where it cannot be kept, for whatever reason, the token itself pays.
    """
    token = source.get("token")
    if token is None:
        return source
    try:
        async with asyncio.timeout(KEEPING_SECONDS):
            check_room(await _own(ctx, ctx.viewer_id))
            saved = await _saved(ctx, ctx.viewer_id, token)
            if saved.next_action:
                return source
            new_id = ids.new_id("payment_method")
            added = await ctx.unit(partial(_added, ctx, new_id, saved, False))
    except (UserError, Retryable, Permanent, TimeoutError):
        return source
    method = added["payment_method"]
    return {"payment_method_id": Id(method["_id"])} if method else source


async def _own(ctx: Context, user_id: str) -> list[PaymentMethod]:
    """All methods of a person, newest first."""
    query = {"user_id": user_id}
    return await store.payment_methods.find(ctx.db, query, sort=NEWEST, limit=MOST_METHODS + 1)


def _ref(ctx: Context, method: PaymentMethod) -> str:
    return ctx.services.crypto.open(method["sealed_ref"], place=store.method_place(method["_id"]))


async def _insert(ctx: Context, id: str, saved: SavedMethod, *, first: bool) -> PaymentMethod:
    known = saved.instrument
    made = await ctx.tx.insert(
        store.payment_methods,
        {
            "_id": id,
            "user_id": ctx.viewer_id,
            "kind": known.kind,
            "brand": known.brand,
            "last4": known.last4,
            "exp_month": known.exp_month,
            "exp_year": known.exp_year,
            "preferred": first,
            "sealed_ref": ctx.services.crypto.seal(saved.ref, place=store.method_place(id)),
        },
    )
    await _record(ctx, "added", made, brand=known.brand, last4=known.last4)
    return made


async def set_default_payment_method(ctx: Context, *, payment_method_id: Id) -> Preferred:
    """Use a method when nothing else is said, in place of the one before."""
    method = await nodes.for_update(ctx, store.payment_methods, payment_method_id)
    if method["preferred"]:
        return {"payment_method": method, "former_payment_method": None}
    await ctx.tx.lock_document(store.payers, ctx.viewer_id)
    return await _prefer(ctx, method)


async def _prefer(ctx: Context, method: PaymentMethod) -> Preferred:
    own = await _own(ctx, method["user_id"])
    former = next((each for each in own if each["preferred"] and each["_id"] != method["_id"]), None)
    if former is not None:
        former = await ctx.tx.edit(store.payment_methods, former, {"preferred": False})
    chosen = await ctx.tx.edit(store.payment_methods, method, {"preferred": True})
    await _record(ctx, "default_set", chosen, former=former and former["_id"])
    return {"payment_method": chosen, "former_payment_method": former}


async def remove_payment_method(ctx: Context, *, payment_method_id: Id) -> Removed:
    """Forget a method, here and at the gateway; the newest of the others takes its place as the default."""
    method = await nodes.for_update(ctx, store.payment_methods, payment_method_id)
    await ctx.tx.lock_document(store.payers, ctx.viewer_id)
    await ctx.tx.delete(store.payment_methods, method)
    await _record(ctx, "removed", method, brand=method["brand"], last4=method["last4"])
    await forget(ctx, _ref(ctx, method), kind="method")
    left = await _own(ctx, method["user_id"])
    following = None
    if method["preferred"] and left:
        following = (await _prefer(ctx, left[0]))["payment_method"]
    return {"deleted_payment_method_id": payment_method_id, "payment_method": following}


async def _record(ctx: Context, what: str, method: PaymentMethod, **details: Any) -> None:
    act = Act(
        f"payment_method.{what}",
        "DATA_MODIFIED",
        "ORDER",
        resource_id=method["_id"],
        subject_id=method["user_id"],
        details={"kind": method["kind"], **details},
        source="order",
    )
    await record(ctx, act)


async def verify(ctx: Context, *, payment_method_id: str, owner_id: str, key: str) -> NextAction | None:
    """Have the bank say that a saved method is good, without charging it; the step it wants of its owner.

    Outside any unit of work; PAYMENT_DECLINED if it is not good. The same key goes on after the step.
    """
    source = await saved_source(ctx, owner_id, payment_method_id)
    try:
        asked = gateway(ctx).save_method(str(source.customer), source.token, key=f"verify:{key}")
        return (await answered("verify", asked)).next_action
    except Declined:
        raise UserError("PAYMENT_DECLINED", "The bank declined it.", field=["payment_method_id"]) from None
    except (Retryable, Permanent):
        raise unavailable() from None


async def forget(ctx: Context, ref: str, *, kind: Literal["method", "customer"]) -> None:
    """Have the gateway forget a method, or a customer with all of theirs, once the running unit is done."""
    await jobs.enqueue(ctx.tx, FORGET, kind=kind, sealed_ref=ctx.services.crypto.seal(ref, place=FORGOTTEN))


async def forget_at_gateway(services: Services, *, kind: str, sealed_ref: str) -> None:
    ctx, ref = Context(services), services.crypto.open(sealed_ref, place=FORGOTTEN)
    call = gateway(ctx).forget_customer if kind == "customer" else gateway(ctx).forget_method
    try:
        await answered("forget", call(ref))
    except Permanent as problem:
        logger.warning("payment method not forgotten", problem=str(problem))
