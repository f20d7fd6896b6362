"""Catalog for other systems: products, their access guards, stock, and events."""

from resolvers.catalog import stock
from resolvers.catalog.access import visible_products, visible_variants
from resolvers.catalog.predictions import Prediction, Predictor, predicted
from resolvers.catalog.reviewing import bought

__all__ = [
    "Prediction",
    "Predictor",
    "bought",
    "predicted",
    "stock",
    "visible_products",
    "visible_variants",
]
