"""Access guards of payments and payment methods."""

from collections.abc import Sequence

from core import nodes
from core.context import Context
from core.nodes import guard
from core.storage.loader import by_id
from stores import order as store
from stores.order import Payment

own_payment_methods = nodes.owned(store.payment_methods)


@guard("payment", sync="PAYMENT", collection=store.payments.name)
async def visible_payments(ctx: Context, wanted: Sequence[str]) -> list[Payment | None]:
    """Payments of things that the viewer may see: who may is asked of the thing's own guard."""
    found = await ctx.load_many(by_id(store.payments), wanted)
    subjects = await nodes.visible(ctx, [each["subject_id"] for each in found if each])
    return [each if each and each["subject_id"] in subjects else None for each in found]
