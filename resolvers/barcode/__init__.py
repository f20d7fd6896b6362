"""Barcode scanner; for other systems: stacks, and what their products add to the warm-up list."""

from resolvers.barcode import catalog_codes, photos
from resolvers.barcode.stacking import item_removed, stack_deleted
from resolvers.barcode.warmup import plan as plan_warmup
from resolvers.barcode.warmup import recent_purchases

__all__ = [
    "catalog_codes",
    "item_removed",
    "photos",
    "plan_warmup",
    "recent_purchases",
    "stack_deleted",
]
