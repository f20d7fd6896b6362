"""Stores of the catalog: products, stock, reviews, settings and shop roles."""

from stores.catalog import entries, people, products, stock

__all__ = ["entries", "people", "products", "stock"]
