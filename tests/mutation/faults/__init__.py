"""The planted faults, an area of the product a file; new code adds its own."""

from tests.mutation.fault import Fault
from tests.mutation.faults import (
    audit,
    audit_access,
    auth,
    barcode,
    cart,
    catalog,
    chat,
    core,
    evidence,
    executor,
    favorite,
    feed,
    ledger,
    limits,
    media,
    notification,
    order,
    schema,
)

AREAS: dict[str, list[Fault]] = {
    "audit": [*audit.FAULTS, *audit_access.FAULTS],
    "auth": auth.FAULTS,
    "barcode": barcode.FAULTS,
    "cart": cart.FAULTS,
    "catalog": catalog.FAULTS,
    "chat": chat.FAULTS,
    "core": core.FAULTS,
    "evidence": evidence.FAULTS,
    "executor": executor.FAULTS,
    "favorite": favorite.FAULTS,
    "feed": feed.FAULTS,
    "ledger": ledger.FAULTS,
    "limits": limits.FAULTS,
    "media": media.FAULTS,
    "notification": notification.FAULTS,
    "order": order.FAULTS,
    "schema": schema.FAULTS,
}
