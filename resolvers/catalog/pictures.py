"""Pictures of products: never without words for who cannot see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Context
from loaders.media import MediaById
from stores.media import Media

Document = Mapping[str, Any]

NAMING = ("brand", "form", "name")
"""What a product's picture is named after."""


async def images(
    ctx: Context, products: Sequence[Document], *, shown: tuple[str, ...] = ()
) -> list[list[Media]]:
    found = await _media(ctx, [id for product in products for id in product["image_ids"]], shown)
    return [
        [_described(found[id], product, shown) for id in product["image_ids"] if id in found]
        for product in products
    ]


async def label_images(
    ctx: Context, products: Sequence[Document], *, shown: tuple[str, ...] = ()
) -> list[Media | None]:
    labels = [product["label_image_id"] for product in products]
    found = await _media(ctx, [id for id in labels if id], shown)
    return [
        _described(medium, product, shown) if (medium := found.get(label)) else None
        for label, product in zip(labels, products, strict=True)
    ]


async def _media(ctx: Context, wanted: Sequence[str], shown: tuple[str, ...]) -> dict[str, Media]:
    return {each["_id"]: each for each in await ctx.load_level(MediaById, wanted, shown) if each}


def _described(medium: Media, product: Document, shown: tuple[str, ...]) -> Media:
    """With words, if they are shown."""
    return medium if shown and "alt_text" not in shown else described(medium, product)


def described(medium: Media, product: Document) -> Media:
    """With its own words, else brand, name and form."""
    form = str(product["form"]).lower()
    return {**medium, "alt_text": medium["alt_text"] or f"{product['brand']} {product['name']} {form}"}
