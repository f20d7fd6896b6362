"""Catalog for other systems: products, their access guards, stock, and events."""

from resolvers.catalog import stock
from resolvers.catalog.access import shown_to_all, visible_products, visible_variants
from resolvers.catalog.entries import in_stock
from resolvers.catalog.imports import barcodes_saved
from resolvers.catalog.predictions import Prediction, Predictor, predicted
from resolvers.catalog.publish_changes import published
from resolvers.catalog.reading import (
    all_products,
    alternatives,
    default_variant,
    products_by_ids,
    top_sellers,
)
from resolvers.catalog.reviewing import bought
from resolvers.catalog.stock import commit as commit_stock
from resolvers.catalog.stock import holder as stock_holder
from resolvers.catalog.stock import release as release_stock
from resolvers.catalog.stock import renew as renew_stock
from resolvers.catalog.stock import reserve as reserve_stock
from resolvers.catalog.stock import restock
from resolvers.catalog.stock import transfer as transfer_stock

__all__ = [
    "Prediction",
    "Predictor",
    "all_products",
    "alternatives",
    "barcodes_saved",
    "bought",
    "commit_stock",
    "default_variant",
    "in_stock",
    "predicted",
    "products_by_ids",
    "published",
    "release_stock",
    "renew_stock",
    "reserve_stock",
    "restock",
    "shown_to_all",
    "stock",
    "stock_holder",
    "top_sellers",
    "transfer_stock",
    "visible_products",
    "visible_variants",
]
