"""Returns: asked for by customers, decided by support, received by those who pack."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from core import ids, jobs, nodes
from core.audit import Act, record
from core.cards import check_no_card
from core.context import Context, Services
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.messages import gettext_noop
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from core.values.bounds import check_count, check_length
from core.values.money import Money, checked_money, payable
from resolvers.notification import code_template
from resolvers.order.access import own_order
from resolvers.order.following import tell
from resolvers.order.fulfilling import summed
from resolvers.order.reading import return_closes_at
from resolvers.order.stock import take_returned_back
from resolvers.order.waits import RETURN_OVERDUE
from stores import order as store
from stores.order import (
    Order,
    OrderReturn,
    OrderReturnLine,
    OrderReturnStatus,
    OrderStatus,
    ReturnDecision,
    ReturnReason,
)

error_codes(
    ErrorKind.WRONG_STATUS,
    RETURN_WINDOW_CLOSED="Goods can be sent back within 30 days after the order was delivered.",
)
error_codes(
    ErrorKind.LIMIT,
    RETURN_QUANTITY="More of a line is named than was shipped and is not returned yet, which is `limit`.",
)

RETURN_RATE = Rate("order_returns", 20, 60)
MOST_LINES = 100
MOST_RETURNS = 20
"""Of one order, those that came to nothing included."""
LONGEST_NOTE = 500
LONGEST_REASON = 500
COMES_WITHIN = timedelta(days=30)
"""Time that the goods of an approved return may take."""

DECIDED = {
    OrderReturnStatus.APPROVED: code_template(
        "order_return.approved",
        title=gettext_noop("Your return of order #{number} is approved"),
        message=gettext_noop("You can send the goods back now."),
    ),
    OrderReturnStatus.REJECTED: code_template(
        "order_return.rejected",
        title=gettext_noop("Your return of order #{number} is not accepted"),
        message=gettext_noop("The order tells why."),
    ),
}


class ReturnLine(TypedDict):
    """Line to send back."""

    line_id: Id
    """Id of the order's line."""
    quantity: int
    """Number of units, at least 1."""
    reason: ReturnReason
    """Reason for which the units are sent back."""


class ReceivedLine(TypedDict):
    """Line that came back."""

    line_id: Id
    """Id of the order's line."""
    quantity: int
    """Number of units that came, 0 or more."""
    restock: bool
    """True to put the units back into the stock; false for goods that cannot be sold again."""


class Changed(TypedDict):
    order_return: OrderReturn
    order: Order


async def request_return(
    ctx: Context, *, id: Id | None = None, order_id: Id, lines: Sequence[ReturnLine], note: str | None = None
) -> Changed:
    """Ask to send back some of a delivered order."""
    await ctx.limit(RETURN_RATE)
    return_id = ids.minted(id, "order_return")
    check_length(note or "", most=LONGEST_NOTE, field="note")
    check_no_card(note, field="note")
    order = await own_order(ctx, order_id)
    _check_open(ctx, order)
    if len(order["return_ids"]) >= MOST_RETURNS:
        raise UserError("LIMIT_REACHED", "At most {limit} returns.", limit=MOST_RETURNS, order=order)
    row = {
        "_id": return_id,
        "user_id": order["user_id"],
        "order_id": order_id,
        "status": OrderReturnStatus.REQUESTED,
        "lines": _wanted(order, lines),
        "sealed_note": note and ctx.services.crypto.seal(note, place=store.return_place(return_id)),
        "decision_reason": None,
        "refund_amount": None,
        "currency": order["currency"],
        "decided_at": None,
    }
    made = await ctx.tx.insert(store.order_returns, row)
    order = await _count(ctx, order, _returning(made), return_ids=[*order["return_ids"], return_id])
    await _record(ctx, made, "requested")
    return {"order_return": made, "order": order}


async def cancel_return(ctx: Context, *, order_return_id: Id) -> Changed:
    """Call off a return of one's own; one that is called off stays so."""
    back = await nodes.for_update(ctx, store.order_returns, order_return_id)
    if back["user_id"] != ctx.viewer_id:
        raise UserError("FORBIDDEN", NOT_ALLOWED, field=["order_return_id"])
    if back["status"] == OrderReturnStatus.CANCELLED:
        return {"order_return": back, "order": await _order_of(ctx, back)}
    return await _ended(ctx, back, OrderReturnStatus.CANCELLED)


async def decide_return(
    ctx: Context,
    *,
    order_return_id: Id,
    decision: ReturnDecision,
    reason: str | None = None,
    refund_amount: Money | None = None,
) -> Changed:
    """Approve a return, with the most that is given back for it, or reject it, with the reason."""
    rejected = decision == ReturnDecision.REJECT
    check_length(reason or "", least=int(rejected), most=LONGEST_REASON, field="reason")
    check_no_card(reason, field="reason")
    back = await nodes.for_update(ctx, store.order_returns, order_return_id)
    said = {"decision_reason": reason, "decided_at": ctx.tx.now}
    if rejected:
        ended = await _ended(ctx, back, OrderReturnStatus.REJECTED, **said)
        await _tell(ctx, ended["order"], ended["order_return"])
        return ended
    order = await _order_of(ctx, back)
    amount = _agreed(order, back, refund_amount)
    back = await move_return(ctx, back, OrderReturnStatus.APPROVED, refund_amount=amount, **said)
    due_at, id = ctx.tx.now + COMES_WITHIN, back["_id"]
    await jobs.enqueue(ctx.tx, RETURN_OVERDUE, due_at=due_at, key=id, order_return_id=id)
    await _tell(ctx, order, back)
    return {"order_return": back, "order": order}


async def receive_return(ctx: Context, *, order_return_id: Id, lines: Sequence[ReceivedLine]) -> Changed:
    """Take in goods that came back: into the stock, or not."""
    back = await nodes.for_update(ctx, store.order_returns, order_return_id)
    order = await _order_of(ctx, back)
    received = _received(back, lines)
    before = _returning(back)
    back = await move_return(ctx, back, OrderReturnStatus.RECEIVED, lines=received)
    await jobs.cancel(ctx.tx, RETURN_OVERDUE, key=back["_id"])
    came = {line["line_id"]: line["received_quantity"] or 0 for line in received}
    missing = {line_id: came[line_id] - quantity for line_id, quantity in before.items()}
    order = await _count(ctx, order, missing, came)
    await take_returned_back(ctx, order, received, back["_id"])
    if not back["refund_amount"] or order["status"] == OrderStatus.REFUNDED:
        # Nothing is left to give back for it.
        back = await move_return(ctx, back, OrderReturnStatus.REFUNDED)
    return {"order_return": back, "order": order}


async def overdue(services: Services, *, order_return_id: str) -> None:
    """Call off an approved return whose goods did not come in time."""
    ctx = Context(services)

    async def work() -> None:
        back = await store.order_returns.by_id(ctx.db, order_return_id)
        if back is not None and back["status"] == OrderReturnStatus.APPROVED:
            await _ended(ctx, back, OrderReturnStatus.CANCELLED)

    await ctx.unit(work)


def _check_open(ctx: Context, order: Order) -> None:
    if order["status"] != OrderStatus.DELIVERED:
        raise store.ORDER_MOVES.refusal(order, order=order)
    closes_at = return_closes_at(order)
    if closes_at is None or ctx.tx.now >= closes_at:
        raise UserError("RETURN_WINDOW_CLOSED", "It is too late to send it back.", order=order)


def _wanted(order: Order, given: Sequence[ReturnLine]) -> list[OrderReturnLine]:
    """Lines of a return; RETURN_QUANTITY where more is named than the customer has."""
    check_count(given, least=1, most=MOST_LINES, field="lines")
    wanted = summed(order, given)
    for line in order["lines"]:
        left = line["shipped_quantity"] - line["returning_quantity"]
        if wanted.get(line["line_id"], 0) > left:
            raise UserError(
                "RETURN_QUANTITY", "Of a line {limit} are left.", field=["lines"], limit=left, order=order
            )
    reasons = {str(each["line_id"]): each["reason"] for each in given}
    return [
        {
            "line_id": id,
            "quantity": quantity,
            "reason": reasons[id],
            "received_quantity": None,
            "restocked": None,
        }
        for id, quantity in wanted.items()
    ]


def _received(back: OrderReturn, given: Sequence[ReceivedLine]) -> list[OrderReturnLine]:
    """The return's lines with what came of each: nothing of those that are not named."""
    check_count(given, least=1, most=MOST_LINES, field="lines")
    by_line = {str(each["line_id"]): each for each in given}
    known = {line["line_id"] for line in back["lines"]}
    if len(by_line) < len(given) or not by_line.keys() <= known:
        raise UserError("INVALID_INPUT", "Name each line of the return once.", field=["lines"])
    for line in back["lines"]:
        came = by_line.get(line["line_id"])
        if came is not None and not 0 <= came["quantity"] <= line["quantity"]:
            limit = line["quantity"]
            raise UserError(
                "RETURN_QUANTITY", "Of a line {limit} were announced.", field=["lines"], limit=limit
            )
    return [_with_what_came(line, by_line.get(line["line_id"])) for line in back["lines"]]


def _with_what_came(line: OrderReturnLine, came: ReceivedLine | None) -> OrderReturnLine:
    quantity, restocked = (came["quantity"], came["restock"]) if came else (0, False)
    return {**line, "received_quantity": quantity, "restocked": restocked}


async def _tell(ctx: Context, order: Order, back: OrderReturn) -> None:
    """Tell the customer what was decided."""
    template = DECIDED[back["status"]]
    await tell(ctx, order, template, f"{template}:{back['_id']}")


def _agreed(order: Order, back: OrderReturn, given: Money | None) -> int:
    """The most that is given back: what support names, up to the order's total."""
    if given is None:
        return min(payable(_worth(order, back), order["currency"]), order["total"])
    amount = checked_money(given, order["currency"], "refund_amount")
    if amount > order["total"]:
        limit = order["total"]
        raise UserError("OUT_OF_RANGE", "At most the total.", field=["refund_amount"], limit=limit)
    return amount


def _worth(order: Order, back: OrderReturn) -> int:
    """Amount that was paid for the lines of a return, less their share of the discounts."""
    lines = {line["line_id"]: line for line in order["lines"]}
    return sum(_paid_for(order, lines[each["line_id"]], each["quantity"]) for each in back["lines"])


def _paid_for(order: Order, line: Mapping[str, Any], quantity: int) -> int:
    whole = line["unit_price"] * line["quantity"] - line["discount"]
    if not order["tax_included"]:
        whole += line["tax"]
    return int(whole * quantity // line["quantity"])


async def _order_of(ctx: Context, back: OrderReturn) -> Order:
    order = await store.orders.by_id(ctx.db, {"_id": back["order_id"], "user_id": back["user_id"]})
    # While an account is erased, its order may have another owner already.
    order = order or await store.orders.by_id(ctx.db, back["order_id"])
    assert order is not None
    return order


async def _ended(ctx: Context, back: OrderReturn, status: OrderReturnStatus, **said: Any) -> Changed:
    """End a return that comes to nothing: its units may be returned anew."""
    back = await move_return(ctx, back, status, **said)
    await jobs.cancel(ctx.tx, RETURN_OVERDUE, key=back["_id"])
    freed = {line_id: -quantity for line_id, quantity in _returning(back).items()}
    return {"order_return": back, "order": await _count(ctx, await _order_of(ctx, back), freed)}


async def move_return(
    ctx: Context, back: OrderReturn, status: OrderReturnStatus, **changes: Any
) -> OrderReturn:
    """Move a return to a status, on record; WRONG_STATUS where it may not go there."""
    if status not in store.RETURN_MOVES.table[back["status"]]:
        raise store.RETURN_MOVES.refusal(back, order_return=back)
    moved = await ctx.tx.edit(store.order_returns, back, {"status": status, **changes})
    await _record(ctx, moved, status.lower(), before=back["status"])
    return moved


def _returning(back: OrderReturn) -> dict[str, int]:
    return {line["line_id"]: line["quantity"] for line in back["lines"]}


async def _count(
    ctx: Context,
    order: Order,
    returning: Mapping[str, int],
    returned: Mapping[str, int] | None = None,
    **changes: Any,
) -> Order:
    """Count units of an order's lines that are being returned, and that came back."""
    lines = [
        {
            **line,
            "returning_quantity": line["returning_quantity"] + returning.get(line["line_id"], 0),
            "returned_quantity": line["returned_quantity"] + (returned or {}).get(line["line_id"], 0),
        }
        for line in order["lines"]
    ]
    return await ctx.tx.edit(store.orders, order, {"lines": lines, **changes})


async def _record(ctx: Context, back: OrderReturn, what: str, **details: Any) -> None:
    act = Act(
        f"order_return.{what}",
        "DATA_MODIFIED",
        "ORDER",
        resource_id=back["_id"],
        subject_id=back["user_id"],
        details={"order": back["order_id"], "refund_amount": back["refund_amount"], **details},
        source="order",
    )
    await record(ctx, act)
