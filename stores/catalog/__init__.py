"""Stores of the catalog: products, stock, reviews, settings and shop roles."""

from stores.catalog import entries, people, products, stock
from stores.catalog.roles import SUPPORT

__all__ = ["SUPPORT", "entries", "people", "products", "stock"]
