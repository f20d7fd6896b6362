"""Demo scans: what three people scanned, submitted and stacked, and how the shop decided.

Done by the demo's people through the resolvers, on products of the demo shop.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import clock, ids, logs
from core.context import PERSONAL, Context, Services
from devstack.seed_audit import person, unit, viewed_as
from resolvers.barcode import catalog_codes, recording, reviewing, stacking, submitting
from resolvers.barcode.looking_up import checked, resolve
from resolvers.catalog import products_by_ids
from stores.barcode import ReviewCaseDecision, ScanOrigin, StackItemSource, cases
from stores.catalog import products

SEED = 20_260_105
PEOPLE = ("ada", "grace", "alan")
REVIEWER = "grace"
"""An administrator, who has all roles of the shop."""
SCANS = 12
STACKS: Mapping[str, Sequence[tuple[str, int]]] = {
    "ada": (("Morning", 3), ("Before bed", 2)),
    "grace": (("Running season", 4),),
    "alan": (("Winter", 2),),
}
"""By handle, names of stacks and how many products are in each."""
UNKNOWN: Sequence[tuple[str, str, str]] = (
    ("ada", "4260123456788", "Lime magnesium from the market hall; no label in English"),
    ("alan", "4260123456788", "The same tin as in the office kitchen"),
    ("alan", "4012345678901", "A toy that came with the tea"),
)
"""Codes that nobody knows, by who submitted them, with their remarks."""
REJECTED = "04012345678901"
REASON = "This is a toy, which the shop does not sell."


async def fill(services: Services) -> None:
    """Let the demo's people scan what they take, unless the demo shop is too small for that."""
    with logs.warnings_alone():
        await _filled(services, random.Random(SEED))


async def _filled(services: Services, rng: random.Random) -> None:
    shelf = await _shelf(services)
    if not shelf:
        return
    contexts = {}
    for handle in PEOPLE:
        user = await person(services, handle)
        contexts[handle] = viewed_as(services, user, org=PERSONAL, device_id=ids.new_id("device"))
        taken = rng.sample(shelf, min(SCANS, len(shelf)))
        for product in taken:
            await _scan(contexts[handle], product["variants"][0]["barcodes"][0], rng)
        for name, count in STACKS[handle]:
            items = [_item(product) for product in rng.sample(taken, min(count, len(taken)))]
            await unit(contexts[handle], stacking.create_stack, name=name, items=items)
    for handle, code, context in UNKNOWN:
        await _scan(contexts[handle], code, rng)
        await unit(contexts[handle], submitting.submit_barcode, code=code, context=context)
    await _decide(contexts[REVIEWER])


async def _shelf(services: Services) -> list[Any]:
    """Products on sale that have barcodes, which are mapped."""
    found: list[Any] = []
    async for rows in products.products.batches(services.db, {"status": "ACTIVE"}, fields=("variants",)):
        found += [row["_id"] for row in rows if row["variants"][0]["barcodes"]]
        if len(found) >= 4 * SCANS:
            break
    shelf = await products_by_ids(services.db, found[: 4 * SCANS])
    for product in shelf:
        await unit(Context(services), catalog_codes.map_product, product)
    return list(shelf)


async def _scan(ctx: Context, code: str, rng: random.Random) -> None:
    """A scan of the last four weeks."""
    barcode = checked(code, None)
    [lookup] = await resolve(ctx, [barcode])
    ago = timedelta(days=rng.randrange(28), minutes=rng.randrange(60, 1_200))
    said = {
        "product_id": None,
        "product_variant_id": None,
        "matched_from": rng.choice(list(ScanOrigin)),
        "scanned_at": clock.now() - ago,
        "time_zone": "Europe/Vienna",
        "device_id": None,
    }
    await unit(ctx, recording.store_scan, barcode, lookup, id=None, said=said)


def _item(product: Mapping[str, Any]) -> dict[str, Any]:
    return {"product_id": product["_id"], "added_from": StackItemSource.SCAN}


async def _decide(ctx: Context) -> None:
    """One case is rejected, and the other one waits."""
    case = await cases.first(ctx.services.db, {"gtin": REJECTED})
    if case is not None:
        await unit(
            ctx,
            reviewing.decide_review_case,
            review_case_id=case["_id"],
            decision=ReviewCaseDecision.REJECT,
            reason=REASON,
        )
