"""Returns: goods that a customer sends back, from the request to the refund."""

from datetime import datetime
from typing import TypedDict

from core.storage.moves import Moves
from core.storage.store import Row, Sealed, entity, index
from stores.order.kinds import OrderReturnStatus, ReturnReason


class OrderReturnLine(TypedDict):
    line_id: str
    quantity: int
    reason: ReturnReason
    received_quantity: int | None
    """Units that came back; None before."""
    restocked: bool | None
    """True if they were put back into the stock; None before they came."""


class OrderReturn(Row):
    """Amounts are in minor units of the currency."""

    user_id: str
    order_id: str
    status: OrderReturnStatus
    lines: list[OrderReturnLine]
    sealed_note: str | None
    decision_reason: str | None
    refund_amount: int | None
    """Most that is given back for it; None before it is approved."""
    currency: str
    decided_at: datetime | None


RETURN_MOVES = Moves(
    {
        OrderReturnStatus.REQUESTED: {
            OrderReturnStatus.APPROVED,
            OrderReturnStatus.REJECTED,
            OrderReturnStatus.CANCELLED,
        },
        OrderReturnStatus.APPROVED: {OrderReturnStatus.RECEIVED, OrderReturnStatus.CANCELLED},
        OrderReturnStatus.RECEIVED: {OrderReturnStatus.REFUNDED},
        OrderReturnStatus.REJECTED: (),
        OrderReturnStatus.REFUNDED: (),
        OrderReturnStatus.CANCELLED: (),
    }
)

order_returns = entity(
    "order_returns",
    OrderReturn,
    prefix="order_return",
    owner="user_id",
    indexes=[
        index("user_id", "order_id"),
        index("status", "-created_at", "-_id"),
    ],
    shard_key="user_id",
    sealed=[Sealed("sealed_note", "order_returns/{_id}")],
    moves=RETURN_MOVES,
)


def return_place(id: str) -> str:
    return f"order_returns/{id}"
