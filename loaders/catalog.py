"""Loaders of products, categories, stock, reviews and product settings."""

from collections import defaultdict
from dataclasses import dataclass

from core import paging
from core.paging import KeysetPage
from core.storage.loader import Loader, in_order
from stores.catalog import entries, people, products
from stores.catalog.kinds import ReviewSort, ReviewStatus
from stores.catalog.people import LastPrediction, ProductSettings, Review
from stores.catalog.products import Product

MOST_ALIKE = 200


class ProductById(Loader[str, Product | None]):
    async def batch_load_fn(self, keys: list[str]) -> list[Product | None]:
        return in_order(keys, await products.by_ids(self.db, keys, fields=self.fields))


class ProductBySlug(Loader[str, Product | None]):
    async def batch_load_fn(self, keys: list[str]) -> list[Product | None]:
        return in_order(keys, await products.by_slugs(self.db, keys), by="slug")


class ProductOfVariant(Loader[str, Product | None]):
    """The product a variant belongs to."""

    async def batch_load_fn(self, keys: list[str]) -> list[Product | None]:
        rows = await products.with_variants(self.db, keys)
        found = {variant["_id"]: row for row in rows for variant in row["variants"]}
        return [found.get(key) for key in keys]


class SettingsOfViewer(Loader[str, ProductSettings | None]):
    """The viewer's settings of a product."""

    async def batch_load_fn(self, keys: list[str]) -> list[ProductSettings | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        rows = await people.settings_of(self.db, self.viewer_id, keys)
        return in_order(keys, rows, by="product_id")


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page of a product's reviews."""

    product_id: str
    sort: ReviewSort
    page: KeysetPage


class ReviewsByProduct(Loader[ReviewPage, list[Review]]):
    """Published reviews; equal pages of many products are a single command."""

    async def batch_load_fn(self, keys: list[ReviewPage]) -> list[list[Review]]:
        batch: dict[tuple[ReviewSort, KeysetPage], list[ReviewPage]] = defaultdict(list)
        for key in keys:
            batch[key.sort, key.page].append(key)
        found: dict[ReviewPage, list[Review]] = {}
        for (sort, page), alike in batch.items():
            order = people.REVIEW_SORTS[sort]
            rows = await people.reviews.per_parent(
                self.db,
                "product_id",
                [each.product_id for each in alike],
                sort=paging.sort_order(order, page),
                limit=page.size + 1,
                where={"status": ReviewStatus.PUBLISHED, **paging.after_filter(order, page)},
            )
            found |= {each: rows.get(each.product_id, []) for each in alike}
        return [found[key] for key in keys]


class OwnReview(Loader[str, Review | None]):
    """The viewer's review of a product."""

    async def batch_load_fn(self, keys: list[str]) -> list[Review | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        query = {"product_id": {"$in": keys}, "user_id": self.viewer_id}
        return in_order(keys, await people.reviews.find(self.db, query), by="product_id")


class LastPredictionOfViewer(Loader[str, list[LastPrediction]]):
    """The last predictions for a person."""

    async def batch_load_fn(self, keys: list[str]) -> list[list[LastPrediction]]:
        rows = await people.last_predictions.find(self.db, {"user_id": {"$in": keys}})
        return [[row for row in rows if row["user_id"] == key] for key in keys]


class RowsLikeProduct(Loader[tuple[str, tuple[str, ...]], list[str]]):
    """Search rows of products in stock that share an ingredient with a product (its id and keys)."""

    async def batch_load_fn(self, keys: list[tuple[str, tuple[str, ...]]]) -> list[list[str]]:
        found = await entries.like(self.db, keys, MOST_ALIKE)
        return [found.get(id, []) for id, _ in keys]
