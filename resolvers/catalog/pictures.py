"""Pictures of products: never without words for who cannot see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Context
from loaders.media import MediaById
from stores.media import Media

Document = Mapping[str, Any]

NAMING = ("brand", "form", "name")
"""What a product's picture is named after."""


async def images(ctx: Context, products: Sequence[Document]) -> list[list[Media]]:
    found = await _media(ctx, [id for product in products for id in product["image_ids"]])
    return [
        [described(found[id], product) for id in product["image_ids"] if id in found] for product in products
    ]


async def label_images(ctx: Context, products: Sequence[Document]) -> list[Media | None]:
    labels = [product["label_image_id"] for product in products]
    found = await _media(ctx, [id for id in labels if id])
    return [
        described(medium, product) if (medium := found.get(label)) else None
        for label, product in zip(labels, products, strict=True)
    ]


async def _media(ctx: Context, wanted: Sequence[str]) -> dict[str, Media]:
    return {each["_id"]: each for each in await ctx.load_level(MediaById, wanted) if each}


def described(medium: Media, product: Document) -> Media:
    """With its own words, else brand, name and form."""
    form = str(product["form"]).lower()
    return {**medium, "alt_text": medium["alt_text"] or f"{product['brand']} {product['name']} {form}"}
