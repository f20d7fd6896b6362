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
    wanted = [id for product in products for id in product["image_ids"]]
    found = {each["_id"]: each for each in await ctx.load_level(MediaById, wanted) if each}
    return [
        [described(found[id], product) for id in product["image_ids"] if id in found] for product in products
    ]


async def label_images(ctx: Context, products: Sequence[Document]) -> list[Media | None]:
    wanted = [product["label_image_id"] for product in products if product["label_image_id"]]
    found = {each["_id"]: each for each in await ctx.load_level(MediaById, wanted) if each}
    return [
        described(medium, product) if (medium := found.get(product["label_image_id"])) else None
        for product in products
    ]


def described(medium: Media, product: Document) -> Media:
    """With its own words, else brand, name and form."""
    form = str(product["form"]).lower()
    return {**medium, "alt_text": medium["alt_text"] or f"{product['brand']} {product['name']} {form}"}
