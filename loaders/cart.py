"""Loaders of carts, and of what their prices and statuses are computed from."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from core import outages
from core.storage.loader import Loader, in_order
from stores.cart import carts, promotions
from stores.cart.carts import Cart
from stores.cart.promotions import Promotion
from stores.catalog import InventoryLevel, Product, levels, with_variants

logger = structlog.get_logger(__name__)


class OpenCartOfOwner(Loader[str, Cart | None]):
    """The open cart of an owner, by their key."""

    async def batch_load_fn(self, keys: list[str]) -> list[Cart | None]:
        return in_order(keys, await carts.open_carts(self.db, keys), by="owner_key")


@dataclass(frozen=True, slots=True)
class Priced:
    """Variants and codes of promotions to be priced, for a customer or nobody known."""

    variant_ids: tuple[str, ...]
    codes: tuple[str, ...]
    user_id: str | None


NEEDED = ("status", "name", "image_ids", "category_id", "currency", "variants")
"""Fields of a product that prices and statuses are computed from: texts are most of it."""


@dataclass(slots=True)
class Facts:
    """Facts that prices and statuses are computed from."""

    products: dict[str, Product]
    """By the id of the variant."""
    levels: Mapping[str, InventoryLevel] | None
    """By the id of the variant; None while nobody can tell."""
    promotions: Sequence[Promotion]
    uses: Counter[str]
    """The customer's uses, by promotion."""
    computed: dict[Any, Any] = field(default_factory=dict)
    """Views computed of them, by cart and version: many fields show parts of one."""


class FactsOfPriced(Loader[Priced, Facts]):
    """One read of products, one of stock and one of promotions for all that is asked for."""

    async def batch_load_fn(self, keys: list[Priced]) -> list[Facts]:
        variant_ids = list(dict.fromkeys(id for key in keys for id in key.variant_ids))
        codes = list(dict.fromkeys(code for key in keys for code in key.codes))
        found, levels, offered = await self._each(
            partial(self._products, variant_ids),
            partial(self._levels, variant_ids),
            partial(promotions.with_codes, self.db, codes),
        )
        by_variant = {variant["_id"]: row for row in found for variant in row["variants"]}
        return [
            Facts(
                {id: by_variant[id] for id in key.variant_ids if id in by_variant},
                levels,
                [each for each in offered if each["code"] is None or each["code"] in key.codes],
                await self._uses(offered, key.user_id),
            )
            for key in keys
        ]

    async def _each(self, *reads: Callable[[], Awaitable[Any]]) -> list[Any]:
        """Read at once; within a transaction one after the other."""
        if self.db.session is None:
            return await asyncio.gather(*(read() for read in reads))
        return [await read() for read in reads]

    async def _products(self, variant_ids: Sequence[str]) -> list[Product]:
        return await with_variants(self.db, variant_ids, fields=NEEDED) if variant_ids else []

    async def _levels(self, variant_ids: Sequence[str]) -> Mapping[str, InventoryLevel] | None:
        if not variant_ids:
            return {}
        try:
            rows = await levels(self.db, variant_ids)
        except Exception as error:
            if self.db.session is not None or outages.fault_of(error) is None:
                raise
            # A cart is shown with what was last known of its stock.
            outages.log(logger, "stock not read", error)
            return None
        return {row["variant_id"]: row for row in rows}

    async def _uses(self, offered: Sequence[Promotion], user_id: str | None) -> Counter[str]:
        limited = [each["_id"] for each in offered if each["per_customer"] is not None]
        if not limited or user_id is None:
            return Counter()
        rows = await promotions.uses_of(self.db, limited, user_id)
        return Counter(row["promotion_id"] for row in rows)
