"""Products of a category, and the types they share with posts; as idiomatic as `idiomatic.py`."""

from decimal import Decimal
from enum import Enum
from typing import Any, NewType

import strawberry
from strawberry.types import Info

from bench.common import Settings

Document = dict[str, Any]
URL = NewType("URL", str)


@strawberry.enum
class DosageForm(Enum):
    TABLET = "TABLET"
    CAPSULE = "CAPSULE"
    SOFTGEL = "SOFTGEL"
    POWDER = "POWDER"
    LIQUID = "LIQUID"
    CREAM = "CREAM"
    OIL = "OIL"
    SPRAY = "SPRAY"
    PATCH = "PATCH"
    TEA = "TEA"


@strawberry.enum
class AvailabilityStatus(Enum):
    IN_STOCK = "IN_STOCK"
    LOW_STOCK = "LOW_STOCK"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    BACKORDERED = "BACKORDERED"
    DISCONTINUED = "DISCONTINUED"


@strawberry.type
class Media:
    id: strawberry.ID
    mime_type: str
    width: int | None
    height: int | None
    url: URL
    thumbnail_url: URL | None

    @classmethod
    def from_document(cls, row: Document, settings: Settings) -> "Media":
        thumbnail = row["thumb"]
        return cls(
            id=row["_id"],
            mime_type=row["mime"],
            width=row["width"],
            height=row["height"],
            url=URL(settings.media_url(row["folder"], row["main"])),
            thumbnail_url=URL(settings.media_url(row["folder"], thumbnail)) if thumbnail else None,
        )


@strawberry.type
class PageInfo:
    has_next_page: bool = False
    end_cursor: str | None = None
    has_previous_page: bool = False


@strawberry.type
class Money:
    amount: Decimal
    currency_code: str


@strawberry.type
class PriceRange:
    min: Money
    max: Money


@strawberry.type
class Availability:
    status: AvailabilityStatus
    remaining: int | None


@strawberry.type
class RatingSummary:
    average: float
    count: int


@strawberry.type
class Product:
    id: strawberry.ID
    name: str
    brand: str
    form: DosageForm
    servings_per_container: int
    availability: Availability
    price_range: PriceRange
    rating_summary: RatingSummary
    label_image_id: strawberry.Private[str | None]

    @classmethod
    def from_document(cls, row: Document) -> "Product":
        hint, rating = row["availability"], row["rating_summary"]
        return cls(
            id=row["_id"],
            name=row["name"],
            brand=row["brand"],
            form=DosageForm(row["form"]),
            servings_per_container=row["servings_per_container"],
            availability=Availability(status=AvailabilityStatus(hint["status"]), remaining=hint["remaining"]),
            price_range=PriceRange(
                min=_money(row["min_price"], row["currency"]), max=_money(row["max_price"], row["currency"])
            ),
            rating_summary=RatingSummary(average=rating["average"], count=rating["count"]),
            label_image_id=row["label_image_id"],
        )

    @strawberry.field
    async def label_image(self, info: Info[Any, None]) -> Media | None:
        return await info.context.media.load(self.label_image_id) if self.label_image_id else None


def _money(minor: int, currency: str) -> Money:
    return Money(amount=Decimal(minor).scaleb(-2), currency_code=currency)


@strawberry.type
class ProductSearchEdge:
    node: Product


@strawberry.type
class ProductSearchConnection:
    page_info: PageInfo
    edges: list[ProductSearchEdge]


@strawberry.input
class ProductFilterInput:
    category_ids: list[strawberry.ID]


@strawberry.type
class Shop:
    @strawberry.field
    async def search_products(
        self, info: Info[Any, None], filter: ProductFilterInput, first: int = 20
    ) -> ProductSearchConnection:
        wanted = [str(each) for each in filter.category_ids]
        query = {"status": "ACTIVE", "category_id": wanted[0] if len(wanted) == 1 else {"$in": wanted}}
        found = info.context.db.products.find(query, {"prefixes": 0}).sort([("_id", 1)]).limit(first + 1)
        rows = await found.to_list(first + 1)
        edges = [ProductSearchEdge(node=Product.from_document(row)) for row in rows[:first]]
        page_info = PageInfo(has_next_page=len(rows) > first, end_cursor=None)
        return ProductSearchConnection(page_info=page_info, edges=edges)
