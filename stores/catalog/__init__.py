"""Stores of the catalog: products, stock, reviews, settings and shop roles."""

from stores.catalog import entries, people, products, stock
from stores.catalog.kinds import AvailabilityStatus, HolderType, IntakeTimeslot, ProductStatus
from stores.catalog.products import Dosage, Product, Variant, categories, product_scope, with_variants
from stores.catalog.roles import BARCODE_REVIEWER, CATALOG_ADMIN, FULFILLMENT, SUPPORT
from stores.catalog.stock import Holder, InventoryLevel, StockReservation, levels
from stores.catalog.stock import Line as StockLine

__all__ = [
    "BARCODE_REVIEWER",
    "CATALOG_ADMIN",
    "FULFILLMENT",
    "SUPPORT",
    "AvailabilityStatus",
    "Dosage",
    "Holder",
    "HolderType",
    "IntakeTimeslot",
    "InventoryLevel",
    "Product",
    "ProductStatus",
    "StockLine",
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
