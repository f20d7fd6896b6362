"""Status of a receipt: moved on by each event, it is what all its deliveries together say."""

from hypothesis import given
from hypothesis import strategies as st

from stores import notification as store
from stores.notification import REACHED, DeliveryStatus, ReceiptStatus

TABLE = store.deliveries.moves.table if store.deliveries.moves else {}
STATUSES = list(DeliveryStatus)
EVENTS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(STATUSES)), max_size=30)


@given(EVENTS)
def test_a_receipt_follows_its_deliveries_in_whatever_order_events_come(
    events: list[tuple[int, DeliveryStatus]],
) -> None:
    deliveries = [DeliveryStatus.QUEUED] * 4
    receipt = store.furthest(deliveries)
    for number, status in events:
        before = deliveries[number]
        if status not in TABLE[before]:
            # Late and repeated events move nothing.
            continue
        deliveries[number] = status
        if status not in REACHED:
            receipt = store.furthest(deliveries)
        elif receipt in store.short_of(status):
            receipt = ReceiptStatus(status)
        assert receipt == store.furthest(deliveries)


@given(EVENTS)
def test_no_delivery_moves_back(events: list[tuple[int, DeliveryStatus]]) -> None:
    order = [DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.OPENED]
    now = DeliveryStatus.QUEUED
    for _, status in events:
        if status not in TABLE[now]:
            continue
        assert now not in order or status not in order or order.index(status) > order.index(now)
        now = status
    assert now not in store.FINAL or not TABLE[now]
