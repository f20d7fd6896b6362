"""Stores of the catalog: products, stock, reviews, settings and shop roles."""

from stores.catalog import entries, people, products, stock
from stores.catalog.kinds import AvailabilityStatus, HolderType, ProductStatus
from stores.catalog.products import Product, Variant, categories, product_scope, with_variants
from stores.catalog.roles import CATALOG_ADMIN, SUPPORT
from stores.catalog.stock import InventoryLevel, StockReservation, levels

__all__ = [
    "CATALOG_ADMIN",
    "SUPPORT",
    "AvailabilityStatus",
    "HolderType",
    "InventoryLevel",
    "Product",
    "ProductStatus",
    "StockReservation",
    "Variant",
    "categories",
    "entries",
    "levels",
    "people",
    "product_scope",
    "products",
    "stock",
    "with_variants",
]
