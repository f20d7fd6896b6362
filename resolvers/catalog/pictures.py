"""Pictures of products: never without alternative text."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Context
from loaders.media import MediaById
from stores.media import Media

Document = Mapping[str, Any]

NAMING = ("brand", "form", "name")
"""Fields of a product that the alternative text of its picture is made from."""


async def images(
    ctx: Context, products: Sequence[Document], *, shown: tuple[str, ...] = ()
) -> list[list[Media]]:
    wanted = [id for product in products for id in product["image_ids"]]
    found = await ctx.loader(MediaById, shown).fetch(wanted)
    kept = [[medium for id in product["image_ids"] if (medium := found[id])] for product in products]
    if _nameless(shown):
        return kept
    return [
        [described(medium, product) for medium in media]
        for media, product in zip(kept, products, strict=True)
    ]


async def label_images(
    ctx: Context, products: Sequence[Document], *, shown: tuple[str, ...] = ()
) -> list[Media | None]:
    labels = [product["label_image_id"] for product in products]
    found = await ctx.loader(MediaById, shown).fetch([id for id in labels if id])
    kept = [found.get(label) for label in labels]
    if _nameless(shown):
        return kept
    return [medium and described(medium, product) for medium, product in zip(kept, products, strict=True)]


def _nameless(shown: tuple[str, ...]) -> bool:
    """True if the query does not select the alternative text."""
    return bool(shown) and "alt_text" not in shown


def described(medium: Media, product: Document) -> Media:
    """Picture with its own alternative text, else brand, name and form."""
    form = str(product["form"]).lower()
    return {**medium, "alt_text": medium["alt_text"] or f"{product['brand']} {product['name']} {form}"}
