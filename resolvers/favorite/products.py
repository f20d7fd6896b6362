"""Products as favorites: the wishlist."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Context
from core.hooks import on
from core.ids import Id
from loaders.catalog import ProductById
from resolvers import catalog
from resolvers.favorite.kinds import Kind, favorite_kind
from resolvers.favorite.telling import target_event
from resolvers.favorite.withdrawing import target_withdrawn
from stores.favorite import (
    FavoriteKindName,
    FavoriteSuggestion,
    FavoriteSuggestionReason,
    FavoriteTargetEventKind,
)

Document = Mapping[str, Any]

CATEGORIES = 5
"""Categories of favorites whose best sellers are suggested."""
SIMILAR_SCORE, POPULAR_SCORE = 0.6, 0.3


async def _read(ctx: Context, wanted: Sequence[str]) -> Sequence[Document | None]:
    return await ctx.load_many(ProductById, wanted)


def _withdrawn(product: Any) -> bool:
    return catalog.shown_to_all(product) is None


def _in_stock(product: Any) -> bool:
    return catalog.in_stock(product)


def _title(product: Document) -> str:
    return str(product["name"])


def _price(product: Document) -> tuple[int, str] | None:
    variant = catalog.default_variant(product)
    return (variant["price"], variant["currency"]) if variant else None


async def _suggest(ctx: Context, saved: Sequence[str], limit: int) -> list[FavoriteSuggestion]:
    """Best sellers in the categories of the favorites, then best sellers of all."""
    favorites = [each for each in await ctx.load_many(ProductById, saved) if each]
    categories = [Id(id) for id in dict.fromkeys(each["category_id"] for each in favorites)][:CATEGORIES]
    like = (
        await catalog.top_sellers(ctx, filter={"category_ids": categories}, limit=limit) if categories else []
    )
    popular = await catalog.top_sellers(ctx, limit=limit)
    similar = _scored(like, FavoriteSuggestionReason.SIMILAR, SIMILAR_SCORE)
    return [*similar, *_scored(popular, FavoriteSuggestionReason.POPULAR, POPULAR_SCORE)]


def _scored(
    found: Sequence[Document], reason: FavoriteSuggestionReason, score: float
) -> list[FavoriteSuggestion]:
    """Falling scores in the order in which they were found."""
    return [
        {"target_id": each["_id"], "reason": reason, "score": round(score * (1 - place / len(found) / 2), 4)}
        for place, each in enumerate(found)
    ]


PRODUCT = favorite_kind(
    Kind(
        name=FavoriteKindName("PRODUCT"),
        description="Products of the catalog: the wishlist.",
        prefix="product",
        read=_read,
        withdrawn=_withdrawn,
        title=_title,
        price=_price,
        in_stock=_in_stock,
        suggest=_suggest,
    )
)


@on(catalog.published)
async def follow_product(ctx: Context, before: Any, now: Any) -> None:
    """Tell those who saved a product of what became of it, with the unit of work that publishes that."""
    if _withdrawn(now):
        await target_withdrawn(ctx, PRODUCT.name, now["_id"])
        return
    if _cheaper(before, now):
        await target_event(ctx, PRODUCT.name, now["_id"], FavoriteTargetEventKind.PRICE_DROP)
    if catalog.in_stock(now) and not catalog.in_stock(before):
        await target_event(ctx, PRODUCT.name, now["_id"], FavoriteTargetEventKind.BACK_IN_STOCK)


def _cheaper(before: Document, now: Document) -> bool:
    """True if the default variant costs less than the one that was told of last, in the same currency."""
    old, new = _price(before), _price(now)
    return old is not None and new is not None and old[1] == new[1] and new[0] < old[0]
